"""Checks of tensors and graphs: each raises an error that names the argument, the value got and what is allowed."""

import math
import warnings

import torch
from torch import Tensor
from torch_geometric.data import Data, HeteroData

from augmentors._checks import check_long, check_numbers, check_shape, check_tensor, check_weights
from augmentors._graphs import Graph, check_structure, store_name


def check_matrix(name: str, value: Tensor, *, integers: bool = False) -> None:
    """``value`` is a dense floating-point matrix, or one of ``integers``, with at least one column."""
    fits = (lambda x: not x.is_complex()) if integers else Tensor.is_floating_point
    check_tensor(name, value, "a floating-point tensor [N, D]", fits)
    if value.dim() != 2:
        raise ValueError(f"{name} must have shape [N, D], got {tuple(value.shape)}")
    if value.size(1) == 0:
        raise ValueError(f"{name} must have at least one column, got shape {tuple(value.shape)}")


def check_one_dtype(**values: Tensor) -> None:
    """``values`` have one dtype, where half precision counts as float32, in which it is computed."""
    if len({torch.promote_types(value.dtype, torch.float32) for value in values.values()}) > 1:
        got = " and ".join(str(value.dtype) for value in values.values())
        raise ValueError(f"{' and '.join(values)} must have the same dtype, got {got}")


def check_several(name: str, value: Tensor) -> None:
    """``value`` is a floating-point matrix with at least two rows."""
    check_matrix(name, value)
    if value.size(0) < 2:
        raise ValueError(f"{name} must have at least two rows, got {value.size(0)}")


def check_views(z1: Tensor, z2: Tensor, names: tuple[str, str] = ("z1", "z2"), *, several: bool = False) -> None:
    """``z1`` and ``z2`` are the embeddings ``[N, D]`` of the same N >= 1 nodes or graphs; ``several``: of N >= 2."""
    both = " and ".join(names)
    for name, z in zip(names, (z1, z2), strict=True):
        check_matrix(name, z)
    if z1.shape != z2.shape:
        raise ValueError(f"{both} must have the same shape, got {tuple(z1.shape)} and {tuple(z2.shape)}")
    check_one_dtype(**dict(zip(names, (z1, z2), strict=True)))
    if z1.size(0) == 0:
        raise ValueError(f"{both} must have at least one row, got none")
    if several:
        check_several(names[0], z1)


def check_row_weight(row_weight: Tensor, z: Tensor) -> Tensor:
    """``row_weight`` ``[N]`` over its mean, in the dtype of ``z`` ``[N, D]``; NaN where not above 0 on a device."""
    check_tensor("row_weight", row_weight, "a tensor of numbers [N]", lambda x: not x.is_complex())
    if row_weight.shape != (z.size(0),):
        raise ValueError(f"row_weight must have shape [{z.size(0)}], one for each row, got {tuple(row_weight.shape)}")
    if row_weight.device.type == "cpu":
        low, high = (end.item() for end in row_weight.aminmax())
        if not (low > 0 and high < math.inf):
            raise ValueError(f"row_weight must be finite and above 0, got {high if low > 0 else low}")
    weight = row_weight.to(z)
    weight = torch.where(weight > 0, weight, math.nan)
    return weight / weight.mean()


def check_graph(data: Data) -> None:
    """``data`` is a graph that can be trained on: it has nodes, finite ``x`` ``[N, F]`` and valid edges.

    Integer ``x``, such as the numbers of atoms, is the encoder's matter; weights of edges are at least 0.
    Reads values back to the host: meant for once before training, not for each step.
    """
    if isinstance(data, Data) and data.x is None:
        raise ValueError("data.x is missing: set it to the node features [N, F]")
    check_structure(data, edges=True, read=True)
    _check_values(data)
    check_shape("data.x", data.x, data.num_nodes or 0, "F")
    if data.x.size(0) == 0:
        raise ValueError("data must have at least one node, got an empty graph")


def check_hetero_graph(data: HeteroData) -> None:
    """:func:`check_graph` for a ``HeteroData``, whose node types may lack ``x``."""
    for store in data.node_stores:
        if store.num_nodes is None:
            raise ValueError(f"{store_name(store)}.num_nodes is missing: set it, or x, which tells it")
    check_structure(data, hetero=True, edges=True, read=True)
    _check_values(data)


def _check_values(data: Graph) -> None:
    """Features are finite matrices, weights of edges floating-point, finite and at least 0."""
    for store in data.node_stores:
        if "x" in store:
            check_matrix(f"{store_name(store)}.x", store.x, integers=True)
            _check_finite(f"{store_name(store)}.x", store.x)
    for store in data.edge_stores:
        if "edge_weight" in store:
            check_edge_weight(f"{store_name(store)}.edge_weight", store.edge_weight, store.num_edges, read=True)


def check_edge_weight(name: str, value: Tensor, num_edges: int, *, read: bool = False) -> None:
    """``value`` is a floating-point tensor ``[num_edges]``, finite and at least 0.

    The values are read on a CPU, and with ``read`` on any device.
    """
    check_tensor(name, value, f"a floating-point tensor [{num_edges}]")
    check_shape(name, value, num_edges)
    if read or value.device.type == "cpu":
        check_weights(name, value)


def check_edges(name: str, value: Tensor, num_nodes: int) -> None:
    """``value`` is a long tensor ``[2, E]`` of node numbers; reads values back to the host."""
    check_long(name, value, 2, "E")
    check_numbers(name, value, "node", num_nodes)


def check_index(name: str, value: Tensor, kind: str, size: int, *shape: int | str, least: int = 0) -> None:
    """:func:`check_long` and, on a CPU only, :func:`check_numbers`."""
    check_long(name, value, *shape)
    if value.device.type == "cpu":
        check_numbers(name, value, kind, size, least)


def check_own_degrees(name: str, data: Data) -> None:
    """``data`` is no batch of ``neighbor_loader``, whose degrees are those of the whole graph."""
    if "node_degree" in data:
        raise ValueError(
            f"{name} counts degrees in the edges that it gets, got a sample with node_degree, by which gcl.nn.gcn "
            "normalizes: use the whole graph or gcl.data.cluster_loader, or del data.node_degree"
        )


def warn_one_directional(data: Data) -> None:
    """Warn if ``edge_index`` holds no edge in both directions, as of an undirected graph with each edge given once."""
    if not isinstance(data, Data) or data.edge_index is None:
        return
    row, col = data.edge_index[:, data.edge_index[0] != data.edge_index[1]]
    if row.numel() == 0 or ((row == col[0]) & (col == row[0])).any():
        return  # the reverse of the first edge is the quickest sign
    if not torch.isin(row * data.num_nodes + col, col * data.num_nodes + row).any():
        use = "if the graph is undirected, use torch_geometric.utils.to_undirected(data.edge_index)"
        warnings.warn(f"data.edge_index holds each edge in one direction only: {use}", stacklevel=3)


def check_labels(y: Tensor, num_rows: int) -> None:
    """``y`` holds one integer class for each of ``num_rows`` rows."""
    integers = lambda x: not (x.is_floating_point() or x.is_complex())  # noqa: E731
    check_tensor("y", y, "a tensor of integer classes", integers)
    if y.shape != (num_rows,):
        raise ValueError(f"y must have shape [{num_rows}], one class a row, got {tuple(y.shape)}")


def check_embedding(name: str, z: Tensor) -> None:
    """``z`` ``[N, D]`` is a finite floating-point matrix with at least one row."""
    check_matrix(name, z)
    if z.size(0) == 0:
        raise ValueError(f"{name} must have at least one row, got none")
    _check_finite(name, z)


def _check_finite(name: str, value: Tensor) -> None:
    if value.numel() and not torch.stack(value.aminmax()).isfinite().all():  # needs no copy of the values
        bad = ~torch.isfinite(value)
        where = tuple(bad.nonzero()[0].tolist())
        raise ValueError(f"{name} must be finite, got {value[where].item()} at {where} ({int(bad.sum())} such entries)")
