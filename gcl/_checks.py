"""Checks of tensors and graphs: each raises an error that names the argument, the value got and what is allowed."""

import torch
from torch import Tensor
from torch_geometric.data import Data


def check_matrix(name: str, value: Tensor) -> None:
    """``value`` is a floating-point matrix."""
    if not isinstance(value, Tensor) or not value.is_floating_point():
        got = f"{value.dtype} tensor" if isinstance(value, Tensor) else type(value).__name__
        raise TypeError(f"{name} must be a floating-point tensor [N, D], got {got}")
    if value.dim() != 2:
        raise ValueError(f"{name} must have shape [N, D], got {tuple(value.shape)}")


def check_several(name: str, value: Tensor) -> None:
    """``value`` is a floating-point matrix with at least two rows."""
    check_matrix(name, value)
    if value.size(0) < 2:
        raise ValueError(f"{name} must have at least two rows, got {value.size(0)}")


def check_views(z1: Tensor, z2: Tensor, *, several: bool = False) -> None:
    """``z1`` and ``z2`` are the embeddings ``[N, D]`` of the same N >= 1 nodes or graphs; ``several``: of N >= 2."""
    check_matrix("z1", z1)
    check_matrix("z2", z2)
    if z1.shape != z2.shape:
        raise ValueError(f"z1 and z2 must have the same shape, got {tuple(z1.shape)} and {tuple(z2.shape)}")
    if z1.size(0) == 0:
        raise ValueError("z1 and z2 must have at least one row, got none")
    if several:
        check_several("z1", z1)


def check_row_weight(row_weight: Tensor, z: Tensor) -> Tensor:
    """``row_weight`` ``[N]`` over its mean, in the dtype of ``z`` ``[N, D]``."""
    if row_weight.shape != (z.size(0),):
        raise ValueError(f"row_weight must have shape [{z.size(0)}], one for each row, got {tuple(row_weight.shape)}")
    weight = row_weight.to(z)
    return weight / weight.mean()


def check_graph(data: Data) -> None:
    """``data`` is a graph that can be trained on: it has nodes, finite ``x`` ``[N, F]`` and valid edges.

    Reads values back to the host: meant for once before training, not for each step.
    """
    if not isinstance(data, Data):
        raise TypeError(f"data must be a torch_geometric Data or Batch, got {type(data).__name__}")
    if data.x is None:
        raise ValueError("data.x is missing: set it to the node features [N, F]")
    check_matrix("data.x", data.x)
    if data.x.size(0) == 0:
        raise ValueError("data must have at least one node, got an empty graph")
    _check_finite("data.x", data.x)
    if data.edge_index is None:
        raise ValueError("data.edge_index is missing: set it to a long tensor [2, E] (E may be 0)")
    check_edges("data.edge_index", data.edge_index, data.x.size(0))
    edge_weight = data.get("edge_weight")
    if edge_weight is not None:
        if edge_weight.size(0) != data.edge_index.size(1):
            edges = data.edge_index.size(1)
            raise ValueError(f"data.edge_weight must have one entry for each of {edges} edges, got {len(edge_weight)}")
        _check_finite("data.edge_weight", edge_weight)


def check_edges(name: str, value: Tensor, num_nodes: int) -> None:
    """``value`` is a long tensor ``[2, E]`` of node numbers; reads values back to the host."""
    if value.dtype != torch.long:
        raise TypeError(f"{name} must be a long tensor, got {value.dtype}")
    if value.dim() != 2 or value.size(0) != 2:
        raise ValueError(f"{name} must have shape [2, E], got {tuple(value.shape)}")
    check_numbers(name, value, "node", num_nodes)


def check_numbers(name: str, value: Tensor, kind: str, size: int) -> None:
    """``value`` holds numbers of ``size`` nodes or rows, as ``kind`` says."""
    if value.numel():
        low, high = (int(end) for end in value.aminmax())
        if low < 0 or high >= size:
            raise ValueError(f"{name} must hold {kind} numbers in [0, {size}), got {low if low < 0 else high}")


def check_labels(y: Tensor, num_rows: int) -> None:
    """``y`` holds one integer class for each of ``num_rows`` rows."""
    if y.is_floating_point() or y.is_complex():
        raise TypeError(f"y must hold integer classes, got {y.dtype}")
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
