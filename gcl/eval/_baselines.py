"""What a probe reads off a graph that nothing was learnt from: no accuracy means anything without it."""

import copy

import torch
from torch import Tensor, nn
from torch_geometric.data import Data

from gcl._checks import check_graph, check_labels
from gcl.eval._probes import linear_probe
from gcl.eval._splits import Split
from gcl.methods._base import evaluating
from gcl.nn import encode, gcn, propagate


def baselines(data: Data, split: Split, encoder: nn.Module | None = None) -> dict[str, dict[str, float]]:
    """The linear probe on three sets of features that took no training.

    Args:
        data: graph with ``x`` ``[N, F]`` and integer ``y`` ``[N]``.
        split: rows for training, for choosing, for testing.
        encoder: an untrained encoder of the architecture under test (left as it is); ``None``: a fresh
            ``gcn(F, 256, 2, 128)`` with weights from torch's global seed.

    Returns:
        :func:`gcl.eval.linear_probe`'s result by name: ``"raw"``, ``"propagated"`` and
        ``"untrained"``.

    Raises:
        TypeError: ``y`` is not integer.
        ValueError: the graph, labels or split are not valid.

    Example:
        >>> from gcl.eval import random_split
        >>> data = Data(x=torch.eye(3).repeat(10, 1), y=torch.arange(3).repeat(10), edge_index=torch.empty(2, 0).long())
        >>> table = baselines(data, random_split(30, 0.4, 0.2, generator=torch.Generator().manual_seed(0)))
        >>> {name: row["accuracy"] for name, row in table.items()}
        {'raw': 1.0, 'propagated': 1.0, 'untrained': 1.0}
    """
    check_graph(data)
    check_labels(data.y, data.num_nodes)
    encoder = gcn(data.num_features, 256, 2, 128) if encoder is None else copy.deepcopy(encoder)
    features = baseline_features(data, encoder.to(data.x.device))
    return {name: linear_probe(z, data.y, split) for name, z in features.items()}


def baseline_features(data: Data, encoder: nn.Module) -> dict[str, Tensor]:
    """Node features that took no training, by name; ``encoder``, untrained, runs in evaluation mode."""
    with evaluating(encoder), torch.no_grad():
        untrained = encode(encoder, data)
    return {"raw": data.x, "propagated": propagate(data, hops=2), "untrained": untrained}
