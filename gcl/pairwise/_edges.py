"""Inner products and sums along edges, as sparse matrix products: no E x D array, forward or backward.

Each of the two is the gradient of the other.
"""

from typing import Any

import torch
from torch import Tensor

from augmentors._sparse import by_row, csr_matrix
from gcl.pairwise._numerics import at_least_float32, no_autocast


@torch.compiler.disable
def edge_dot(q: Tensor, k: Tensor, edge_index: Tensor) -> Tensor:
    """See :func:`gcl.pairwise.edge_dot`."""
    return _EdgeDot.apply(*_in_one_dtype(q, k), edge_index)


@torch.compiler.disable
def edge_sum(edge_weight: Tensor, x: Tensor, edge_index: Tensor, num_rows: int) -> Tensor:
    """See :func:`gcl.pairwise.edge_sum`."""
    return _EdgeSum.apply(*_in_one_dtype(edge_weight, x), edge_index, num_rows)


class _EdgeDot(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, q: Tensor, k: Tensor, edge_index: Tensor) -> Tensor:
        ctx.save_for_backward(q, k, edge_index)
        with no_autocast(q):
            if edge_index.size(1) > len(q) * len(k):  # more than torch's sparse matrix can hold
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
    def forward(ctx: Any, edge_weight: Tensor, x: Tensor, edge_index: Tensor, num_rows: int) -> Tensor:
        ctx.save_for_backward(edge_weight, x, edge_index)
        _, matrix = _matrix(edge_weight, edge_index, (num_rows, len(x)))
        with no_autocast(x):  # sparse products do not support bfloat16
            return matrix @ x

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        edge_weight, x, edge_index = ctx.saved_tensors
        dw = _EdgeDot.apply(grad, x, edge_index) if ctx.needs_input_grad[0] else None
        dx = _EdgeSum.apply(edge_weight, grad, edge_index.flip(0), len(x)) if ctx.needs_input_grad[1] else None
        return dw, dx, None, None


def _matrix(value: Tensor, edge_index: Tensor, shape: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """The order of the edges by row, and the sparse matrix of their values."""
    order, start = by_row(edge_index[0], shape[0])
    return order, csr_matrix(start, edge_index[1].index_select(0, order), value.index_select(0, order), shape[1])


def _in_one_dtype(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    dtype = torch.promote_types(at_least_float32(a).dtype, b.dtype)
    return a.to(dtype), b.to(dtype)
