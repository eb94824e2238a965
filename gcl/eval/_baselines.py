"""Training-free baselines for node embeddings."""

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch_geometric.data import Data

from gcl._checks import check_graph, warn_one_directional
from gcl.eval._labels import labels_of
from gcl.eval._linear import linear_probe
from gcl.methods._base import evaluating, moved
from gcl.nn import encode, gcn, propagate


def baselines(data: Data, split: Sequence[Tensor], encoder: nn.Module | None = None) -> dict[str, dict[str, float]]:
    """Linear probe of three sets of node features that took no training.

    Args:
        data: graph with ``x`` ``[N, F]`` and the labels ``y``.
        split: row numbers for training, for choosing, for testing.
        encoder: an untrained encoder of the architecture under test (left as it is); ``None``: a fresh
            ``gcn(F, 256, 2, 128)`` with weights from torch's global seed.

    Returns:
        The result of :func:`gcl.eval.linear_probe` by name: ``"raw"``: ``x``; ``"propagated"``: two hops of
        :func:`gcl.nn.propagate`; ``"untrained"``: the encoder's output.

    Raises:
        TypeError, ValueError: the graph is not valid or has no ``y``; or as :func:`gcl.eval.linear_probe`.

    Example:
        >>> data = Data(x=torch.eye(3).repeat(10, 1), y=torch.arange(3).repeat(10), edge_index=torch.empty(2, 0).long())
        >>> table = baselines(data, torch.arange(30).split([9, 6, 15]))
        >>> {name: row["accuracy"] for name, row in table.items()}
        {'raw': 1.0, 'propagated': 1.0, 'untrained': 1.0}
    """
    check_graph(data)
    warn_one_directional(data)
    encoder = gcn(data.num_features, 256, 2, 128) if encoder is None else copy_of(encoder)
    encoder = encoder.to(data.x.device)
    features = baseline_features(moved(data, encoder), encoder)
    return {name: linear_probe(z, labels_of(data), split) for name, z in features.items()}


def copy_of(encoder: nn.Module) -> nn.Module:
    """A copy of the encoder, which must be a module."""
    if not isinstance(encoder, nn.Module):
        raise TypeError(f"encoder must be a module, got {encoder!r}")
    return copy.deepcopy(encoder)


def baseline_features(data: Data, encoder: nn.Module) -> dict[str, Tensor]:
    """Node features that took no training, by name; ``encoder``, untrained, runs in evaluation mode."""
    with evaluating(encoder), torch.no_grad():
        untrained = encode(encoder, data)
    return {"raw": data.x, "propagated": propagate(data, hops=2), "untrained": untrained}
