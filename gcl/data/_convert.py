"""Conversion of other libraries' graphs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch_geometric.data import Data

if TYPE_CHECKING:
    import networkx as nx


def from_networkx(
    graph: nx.Graph,
    features: str | Sequence[str] | Tensor | None = None,
    labels: str | Tensor | None = None,
    *,
    weight: str | None = None,
) -> Data:
    """Convert a networkx graph to ``Data``; node i is the i-th of ``graph.nodes``.

    Args:
        graph: directed or not; an undirected edge becomes two columns of ``edge_index``, a self-loop one.
        features: names of node attributes (numbers or sequences of numbers) to concatenate, or a tensor ``[N, F]``;
            ``None``: one-hot node numbers ``[N, N]``, for small graphs.
        labels: name of a node attribute, whose sorted values become classes 0, 1, ..., or a long tensor ``[N]``.
        weight: name of the edge attribute that becomes ``edge_weight``.

    Raises:
        TypeError: ``graph`` is a multigraph or not a networkx graph, or ``labels`` no name or tensor, or its values
            cannot be sorted.
        ValueError: the graph has no nodes, a node or edge lacks an attribute, or a tensor has another number of rows.

    Example:
        >>> import networkx as nx
        >>> from_networkx(nx.karate_club_graph(), labels="club", weight="weight")
        Data(edge_index=[2, 156], edge_weight=[156], x=[34, 34], y=[34])
    """
    import networkx as nx

    if not isinstance(graph, nx.Graph) or graph.is_multigraph():
        raise TypeError(f"graph must be a networkx Graph or DiGraph, got {type(graph).__name__}")
    if (n := len(graph)) == 0:
        raise ValueError("graph must have at least one node, got an empty graph")
    number = {node: i for i, node in enumerate(graph.nodes)}
    edges = [(number[u], number[v], values) for u, v, values in graph.to_directed(as_view=True).edges(data=True)]
    edges.sort(key=lambda edge: edge[:2])
    data = Data(edge_index=torch.tensor([edge[:2] for edge in edges]).reshape(-1, 2).T.contiguous().long())
    if weight is not None:
        for u, v, values in edges:
            if weight not in values:
                raise ValueError(f"weight={weight!r} is missing from the edge between nodes number {u} and {v}")
        data.edge_weight = torch.tensor([float(edge[2][weight]) for edge in edges])
    data.x = torch.eye(n) if features is None else _features(graph, features)
    if labels is not None:
        data.y = _labels(graph, labels)
    for name in ("x", "y"):
        if name in data and data[name].size(0) != n:
            raise ValueError(f"the rows of {name} must be the graph's {n} nodes, got {data[name].size(0)}")
    return data


def _features(graph: nx.Graph, features: str | Sequence[str] | Tensor) -> Tensor:
    if isinstance(features, Tensor):
        return features.float()
    names = [features] if isinstance(features, str) else features
    columns = [torch.tensor(_attribute(graph, "features", name), dtype=torch.float) for name in names]
    return torch.cat([column.reshape(len(column), -1) for column in columns], dim=1)


def _labels(graph: nx.Graph, labels: str | Tensor) -> Tensor:
    if isinstance(labels, Tensor):
        return labels
    if not isinstance(labels, str):
        raise TypeError(f"labels must be the name of a node attribute or a long tensor [N], got {labels!r}")
    values = _attribute(graph, "labels", labels)
    try:
        classes = {value: i for i, value in enumerate(sorted(set(values)))}
    except TypeError as error:
        raise TypeError(f"labels={labels!r} must hold values that can be sorted, got others: {error}") from None
    return torch.tensor([classes[value] for value in values])


def _attribute(graph: nx.Graph, argument: str, name: str) -> list:
    values = graph.nodes(data=True)
    for node, attributes in values:
        if name not in attributes:
            raise ValueError(f"{argument}={name!r} is missing from node {node!r}, which has {sorted(attributes)}")
    return [attributes[name] for _, attributes in values]
