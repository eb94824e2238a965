"""A graph from a list of edges between nodes with ids of one's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import torch
from numpy import ndarray
from torch import Tensor
from torch_geometric.data import Data
from torch_geometric.utils import coalesce, to_undirected

from gcl.data._ids import as_ids, check_one_kind, locate
from gcl.data._tables import column, is_pandas, numbers, read_rows, read_table, with_ids

if TYPE_CHECKING:
    import pandas as pd
    import scipy.sparse as sp

    Edges: TypeAlias = ndarray | Tensor | pd.DataFrame | sp.sparray | sp.spmatrix | Sequence | str | Path
    Rows: TypeAlias = ndarray | Tensor | pd.DataFrame | pd.Series | Mapping | str | Path


def from_edge_list(
    edges: Edges,
    features: Rows | None = None,
    labels: Rows | None = None,
    *,
    weight: str | None = None,
    undirected: bool = True,
) -> tuple[Data, ndarray]:
    """Convert a list of edges between nodes with integers or strings as ids to ``Data``, and the ids of its nodes.

    Nodes are ordered as in ``features`` where these have ids, else by their ids. The ids are not an attribute of the
    graph, since PyG selects and batches tensors only: of a loader's batch or a view with dropped nodes they are
    ``ids[batch.n_id]``, of ``data.subgraph(rows)`` they are ``ids[rows]``.

    Args:
        edges: pairs of ids: an array or list ``[E, 2]``, a tensor ``[2, E]`` or ``[E, 2]`` (2 x 2: as PyG's
            ``edge_index``), a pandas ``DataFrame`` (columns ``source`` and ``target``, else the first two), the path of
            a .csv, whose first line names the columns, or .parquet file of such a table; or a scipy sparse adjacency
            matrix, whose values are weights unless all are 1, and whose row numbers are ids.
        features: numbers of each node: a ``DataFrame`` with the ids as index or as column ``id``, the path of a table
            whose column ``id``, else its first, has the ids, or a mapping from ids; or an array ``[N, F]`` in the order
            of the sorted ids, in that of 0, ..., N - 1 if all ids are among these. Nodes without edges are allowed.
            ``None``: no ``x``; PyG's transforms ``OneHotDegree``, ``LocalDegreeProfile`` and
            ``AddLaplacianEigenvectorPE`` make some.
        labels: class of each node, or of some: as ``features``, with one column; or the name of a column of
            ``features``, which is not a feature then. Read files with ids such as 007 by pandas, as strings.
        weight: column of the table of edges that becomes ``edge_weight``. Weights of duplicates add up.
        undirected: give each edge in both directions, with the larger weight of the two. A list that has both gives the
            same graph. Otherwise edges lead from the first node to the second.

    Returns:
        The graph, without duplicate edges, and its ids ``[N]``, an array of integers or strings.

        Labels that are no integers become classes 0, 1, ... in ``y`` ``[N]``, by their order; ``data.classes`` is
        then the mapping from each to its number. A missing label is -1.

    Raises:
        TypeError: an argument is none of the above, or ids are neither all integers nor all strings.
        ValueError: an id is missing or has no features, there are no nodes, a file is no table, or a weight, feature or
            label has no use.
        ImportError: a file cannot be read: install ``torch-gcl[tables]``.

    Example:
        >>> x = {"ann": [0.5, 1.0], "bob": [0.0, 2.0], "eve": [1.0, 0.0]}
        >>> data, ids = from_edge_list([("bob", "ann"), ("ann", "bob")], x, labels={"eve": "red", "ann": "blue"})
        >>> ids.tolist(), data.edge_index.tolist()
        (['ann', 'bob', 'eve'], [[0, 1], [1, 0]])
        >>> data.y.tolist(), data.classes
        ([0, -1, 1], {'blue': 0, 'red': 1})
        >>> from torch_geometric.transforms import LocalDegreeProfile
        >>> LocalDegreeProfile()(from_edge_list([(7, 8), (8, 9)])[0])
        Data(edge_index=[2, 4], num_nodes=3, x=[3, 5])
    """
    ids, ends, edge_weight = _edges(edges, weight)
    table: Any = read_rows("features", features)
    classes: Any = labels
    if isinstance(labels, str) and is_pandas(table) and labels in table:
        table, classes = table.drop(columns=labels), table[labels]
    x_ids, x = with_ids("features", table)
    y_ids, y = with_ids("labels", read_rows("labels", classes))
    x, y = x if x is None else numbers("features", x), y if y is None else column("labels", y)
    nodes = x_ids if x_ids is not None else _nodes(ids, None if x is not None else y_ids, x if x is not None else y)
    if len(nodes) == 0:
        raise ValueError("edges or features must name at least one node, got none")
    number = torch.from_numpy(locate(ids, nodes, "features must have a row for each id of edges"))
    data = _graph(number[ends], edge_weight, len(nodes), undirected)
    if x is not None:
        data.x = torch.from_numpy(x)
    else:
        data.num_nodes = len(nodes)
    if y is not None and y_ids is not None:
        given, y = y, np.full(len(nodes), None, dtype=object)
        y[locate(y_ids, nodes, "labels must be of nodes")] = given
    for name, rows in (("features", x), ("labels", y)):
        if rows is not None and len(rows) != len(nodes):
            raise ValueError(f"{name} must have one row for each of {len(nodes)} nodes, got {len(rows)}")
    if y is not None:
        data.y, names = _classes(y)
        if names:
            data.classes = names
    return data, nodes


def _edges(edges: Any, weight: str | None) -> tuple[ndarray, Tensor, Tensor | None]:
    """The sorted ids, the two positions of each edge in them, long ``[2, E]``, and the weights ``[E]``."""
    import scipy.sparse as sp

    path = edges if isinstance(edges, (str, Path)) else None
    edges = edges if path is None else read_table("edges", path)
    if weight is not None and (not is_pandas(edges) or weight not in edges):
        got = f"the columns {[*edges.columns]}" if is_pandas(edges) else type(edges).__name__
        raise ValueError(f"weight={weight!r} must be a column of a table of edges, got {got}")
    if sp.issparse(edges):
        matrix = edges.tocoo()
        if len(set(matrix.shape)) != 1:
            raise ValueError(f"edges must be a square adjacency matrix, got {matrix.shape}")
        row, col, value = (array[matrix.data != 0] for array in (matrix.row, matrix.col, matrix.data))
        ends = torch.from_numpy(np.stack([row, col]).astype(np.int64))
        return np.arange(matrix.shape[0]), ends, _weights(None if (value == 1).all() else value)
    if is_pandas(edges):
        ids, ends = _factorized(edges.drop(columns=weight) if weight is not None else edges)
        if path is not None and (nodes := [name for name in edges.columns[:2] if name in ids]):
            raise ValueError(f"edges must start with a line that names the columns, got the nodes {nodes} in {path}")
        return ids, ends, _weights(None if weight is None else edges[weight])
    ids, position = np.unique(as_ids("edges", _pairs(edges)), return_inverse=True)
    return ids, torch.from_numpy(position).reshape(-1, 2).T, None


def _factorized(table: pd.DataFrame) -> tuple[ndarray, Tensor]:
    """The sorted ids, and the positions of edges in them; hashing is faster than sorting strings."""
    import pandas as pd

    names = ["source", "target"] if {"source", "target"} <= set(table) else [*table][:2]
    if table.ndim != 2 or len(names) < 2:
        raise ValueError(f"edges must have two columns of ids, got {names}")
    code, found = pd.factorize(pd.concat([table[name] for name in names]))
    if (code < 0).any():
        raise ValueError(f"edges must have no missing ids, got one in row {int((code < 0).argmax()) % len(table)}")
    ids, order = np.unique(as_ids("edges", found), return_inverse=True)
    return ids, torch.from_numpy(order[code]).reshape(2, -1)


def _pairs(edges: Any) -> ndarray:
    """An array ``[E, 2]``."""
    if isinstance(edges, Tensor) and edges.dim() == 2 and edges.size(0) == 2:
        edges = edges.T
    try:
        pairs = edges.cpu().numpy() if isinstance(edges, Tensor) else np.asarray(edges)
    except ValueError as error:
        raise ValueError("edges must be pairs of ids, got some of other lengths") from error
    if pairs.size == 0:
        return np.empty((0, 2), dtype=np.int64)
    if pairs.ndim != 2 or pairs.shape[1] != 2:
        raise ValueError(f"edges must have shape [E, 2], got {pairs.shape}")
    return pairs if isinstance(edges, (Tensor, ndarray)) else np.asarray(edges, dtype=object)


def _weights(values: Any) -> Tensor | None:
    if values is None:
        return None
    weight = torch.from_numpy(numbers("weight", values)).squeeze(1)
    if weight.numel() and weight.min() < 0:
        raise ValueError(f"weight must be at least 0, got {weight.min().item()}")
    return weight


def _graph(ends: Tensor, weight: Tensor | None, num_nodes: int, undirected: bool) -> Data:
    """Duplicates are merged first, then the two directions."""
    edge_index, edge_weight = coalesce(ends, weight, num_nodes)
    if undirected:
        edge_index, edge_weight = to_undirected(edge_index, edge_weight, num_nodes, reduce="max")
    return Data(edge_index=edge_index, **{} if edge_weight is None else {"edge_weight": edge_weight})


def _nodes(ids: ndarray, y_ids: ndarray | None, rows: ndarray | None) -> ndarray:
    """The sorted ids of edges and labels, or 0, 1, ... for rows without ids if those of edges are among these."""
    if y_ids is not None:
        check_one_kind("edges and labels must have ids of one kind", ids, y_ids)
        return np.unique(np.concatenate([ids, y_ids]) if len(ids) else y_ids)
    if rows is not None and (len(ids) == 0 or (ids.dtype.kind == "i" and ids[0] >= 0 and ids[-1] < len(rows))):
        return np.arange(len(rows))
    return ids


def _classes(values: ndarray) -> tuple[Tensor, dict[str, int]]:
    """Integers as they are, strings as their positions among the sorted ones, ``None`` as -1; and these positions."""
    known = values != None  # noqa: E711 (of each value)
    y = np.full(len(values), -1)
    found = np.asarray(values[known].tolist())
    whole = found.dtype.kind in "bf" and (found == np.floor(found)).all()  # 1.0 where others are NaN
    found = found.astype(np.int64) if whole else as_ids("labels", values[known])
    if found.dtype.kind == "i":
        y[known] = found
        return torch.from_numpy(y), {}
    names, y[known] = np.unique(found, return_inverse=True)
    return torch.from_numpy(y), {str(name): number for number, name in enumerate(names)}
