"""Products and sums along a list of edges, as sparse matrix products: no E x D array, forward or backward.

The two are each other's gradient: the derivative of an edge's product is a row that is summed, and the other way round.
"""

from typing import Any

import torch
from torch import Tensor


@torch.compiler.disable
def edge_dot(q: Tensor, k: Tensor, edge_index: Tensor) -> Tensor:
    """See :func:`gcl.pairwise.edge_dot`."""
    return _EdgeDot.apply(*_accurate(q, k), edge_index)


@torch.compiler.disable
def edge_sum(weight: Tensor, x: Tensor, edge_index: Tensor, num_rows: int) -> Tensor:
    """See :func:`gcl.pairwise.edge_sum`."""
    return _EdgeSum.apply(*_accurate(weight, x), edge_index, num_rows)


def by_row(row: Tensor, num_rows: int) -> tuple[Tensor, Tensor]:
    """The places of ``row`` ``[E]`` in the order of the rows, and where each row starts there ``[num_rows + 1]``."""
    ordered, order = row.sort(stable=True)
    return order, torch.searchsorted(ordered, torch.arange(num_rows + 1, device=row.device))


class _EdgeDot(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, q: Tensor, k: Tensor, edge_index: Tensor) -> Tensor:
        ctx.save_for_backward(q, k, edge_index)
        with torch.autocast(q.device.type, enabled=False):
            if edge_index.size(1) > len(q) * len(k):  # which torch's sparse matrix cannot hold
                return (q @ k.mT)[edge_index[0], edge_index[1]]
            products = q.new_zeros(edge_index.size(1))
            order, matrix = _matrix(products, edge_index, (len(q), len(k)))
            sampled = torch.sparse.sampled_addmm(matrix, q, k.mT, beta=0.0)
            return products.index_copy_(0, order, sampled.values())

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        q, k, edge_index = ctx.saved_tensors
        dq = _EdgeSum.apply(grad, k, edge_index, len(q)) if ctx.needs_input_grad[0] else None
        dk = _EdgeSum.apply(grad, q, edge_index.flip(0), len(k)) if ctx.needs_input_grad[1] else None
        return dq, dk, None


class _EdgeSum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, weight: Tensor, x: Tensor, edge_index: Tensor, num_rows: int) -> Tensor:
        ctx.save_for_backward(weight, x, edge_index)
        matrix = _matrix(weight, edge_index, (num_rows, len(x)))[1]
        with torch.autocast(x.device.type, enabled=False):  # sparse products have no bfloat16
            return matrix @ x

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        weight, x, edge_index = ctx.saved_tensors
        dw = _EdgeDot.apply(grad, x, edge_index) if ctx.needs_input_grad[0] else None
        dx = _EdgeSum.apply(weight, grad, edge_index.flip(0), len(x)) if ctx.needs_input_grad[1] else None
        return dw, dx, None, None


def _matrix(value: Tensor, edge_index: Tensor, shape: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """The order of the edges by their rows, and the sparse matrix with their values."""
    order, start = by_row(edge_index[0], shape[0])
    entries = start, edge_index[1].index_select(0, order), value.index_select(0, order)
    return order, torch.sparse_csr_tensor(*entries, shape, check_invariants=False)


def _accurate(*tensors: Tensor) -> tuple[Tensor, ...]:
    """All in one dtype, float32 at least."""
    dtype = torch.float32
    for tensor in tensors:
        dtype = torch.promote_types(dtype, tensor.dtype)
    return tuple(tensor.to(dtype) for tensor in tensors)
