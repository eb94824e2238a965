"""Training-free baselines for node embeddings."""

import copy
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch_geometric.data import HeteroData

from augmentors._graphs import Graph
from gcl._checks import check_graph, check_hetero_graph, warn_one_directional
from gcl.eval._filter_bank import filter_bank, in_span_of
from gcl.eval._labels import labels_of
from gcl.eval._linear import linear_probe
from gcl.eval._metapaths import metapath_means
from gcl.eval._splits import as_split
from gcl.methods._base import evaluating, moved
from gcl.nn import NodeType, encode, gcn, propagate


def baselines(data: Graph, split: Sequence[Tensor], encoder: nn.Module | None = None) -> dict[str, dict[str, float]]:
    """Linear probe of sets of node features that took no training.

    Args:
        data: graph with ``x`` ``[N, F]`` and the labels ``y``; a ``HeteroData`` has both at the encoder's node type.
        split: row numbers for training, for choosing, for testing.
        encoder: an untrained encoder of the architecture under test (left as it is); ``None``: a fresh
            ``gcn(F, 256, 2, 128)`` with weights from torch's global seed. For a ``HeteroData`` a
            :class:`gcl.nn.NodeType`.

    Returns:
        The result of :func:`gcl.eval.linear_probe` by name: ``"raw"``: ``x``; ``"propagated"``: two hops of
        :func:`gcl.nn.propagate`; ``"filter_bank"``: :func:`gcl.eval.filter_bank`, in the span of the training rows
        where these are fewer than its columns, which predicts the same; ``"untrained"``: the encoder's output. A
        ``HeteroData`` has ``"metapaths"``, :func:`gcl.eval.metapath_means`, in the place of the two filters.

    Raises:
        TypeError, ValueError: the graph is not valid or has no ``y``; or as :func:`gcl.eval.linear_probe`.

    Example:
        >>> from torch_geometric.data import Data
        >>> data = Data(x=torch.eye(3).repeat(10, 1), y=torch.arange(3).repeat(10), edge_index=torch.empty(2, 0).long())
        >>> table = baselines(data, torch.arange(30).split([9, 6, 15]))
        >>> {name: row["accuracy"] for name, row in table.items()}
        {'raw': 1.0, 'propagated': 1.0, 'filter_bank': 1.0, 'untrained': 1.0}
    """
    if isinstance(data, HeteroData):
        return _hetero_baselines(data, split, encoder)
    check_graph(data)
    warn_one_directional(data)
    encoder = gcn(data.num_features, 256, 2, 128) if encoder is None else copy_of(encoder)
    encoder = encoder.to(data.x.device)
    data, train = moved(data, encoder), as_split(split, data.num_nodes).train
    features: dict[str, Callable[[], Tensor]] = {  # one at a time: each may be large
        "raw": lambda: data.x,
        "propagated": lambda: propagate(data, hops=2),
        "filter_bank": lambda: filter_bank(data) if 5 * data.num_features <= len(train) else in_span_of(data, train),
        "untrained": lambda: untrained(data, encoder),
    }
    return {name: linear_probe(z(), labels_of(data), split) for name, z in features.items()}


def _hetero_baselines(data: HeteroData, split: Sequence[Tensor], encoder: Any) -> dict[str, dict[str, float]]:
    if not isinstance(encoder, NodeType):
        raise TypeError(f"encoder must be a gcl.nn.NodeType for HeteroData, got {type(encoder).__name__}")
    check_hetero_graph(data)
    data, nodes = moved(data, encoder), data[encoder.node_type]
    features = {"metapaths": metapath_means(data, encoder.node_type), "untrained": untrained(data, copy_of(encoder))}
    return {name: linear_probe(z, labels_of(nodes), split) for name, z in ({"raw": nodes.x} | features).items()}


def copy_of(encoder: nn.Module) -> nn.Module:
    """A copy of the encoder, which must be a module."""
    if not isinstance(encoder, nn.Module):
        raise TypeError(f"encoder must be a module, got {encoder!r}")
    return copy.deepcopy(encoder)


def untrained(data: Graph, encoder: nn.Module) -> Tensor:
    """The output of an untrained encoder, in evaluation mode."""
    with evaluating(encoder), torch.no_grad():
        return encode(encoder, data)
