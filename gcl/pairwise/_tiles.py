"""The default backend: tiles of the similarity matrix, discarded after use and recomputed in the backward pass.

Plain torch on any device; memory beyond inputs and outputs is a few tiles. ``sym_lse`` visits the upper triangle only,
since its gradient matrix, exp(s_ij) (a_i + a_j) with a = g exp(-lse), is symmetric too.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import product
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from gcl.pairwise._numerics import at_least_float32, log1p_exp, no_autocast

NO_OVERFLOW = 60.0  # exp(±60), and sums of a billion of them, fit in float32

LogWeight = Callable[[Tensor], Tensor]


@torch.compiler.disable
def sym_lse(x: Tensor, num_items: int, bound: float, log_weight: LogWeight | None) -> Tensor:
    """See :func:`gcl.pairwise.sym_lse`."""
    return _SymLse.apply(at_least_float32(x), num_items, bound <= NO_OVERFLOW, log_weight)


@torch.compiler.disable
def cross_lse(
    q: Tensor, k: Tensor, log_weight: Tensor | None, exclude: Tensor | None, both: bool, bound: float
) -> tuple[Tensor, Tensor | None]:
    """See :func:`gcl.pairwise.cross_lse`."""
    log_weight = None if log_weight is None else at_least_float32(log_weight)
    return _CrossLse.apply(at_least_float32(q), at_least_float32(k), log_weight, exclude, both, bound <= NO_OVERFLOW)


@torch.compiler.disable
def row_sum(q: Tensor, k: Tensor, f: str, exclude: Tensor | None) -> Tensor:
    """See :func:`gcl.pairwise.row_sum`."""
    return _RowSum.apply(at_least_float32(q), at_least_float32(k), f, exclude)


class _SymLse(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, num_items: int, bounded: bool, log_weight: LogWeight | None) -> Tensor:
        total = _start(x, bounded)
        with no_autocast(x):
            for r, c in _triangle(x):
                scores = _sym_scores(x, r, c, num_items, log_weight)
                _add(total, total if c != r else None, scores, r, c, bounded)
        lse = total.log_() if bounded else total
        ctx.save_for_backward(x, lse)
        ctx.num_items, ctx.bounded, ctx.log_weight = num_items, bounded, log_weight
        return lse

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None, None]:
        x, lse = ctx.saved_tensors
        direction = Direction(lse, grad)
        dx = torch.zeros_like(x)
        with no_autocast(x):
            for r, c in _triangle(x):
                scores = _sym_scores(x, r, c, ctx.num_items, ctx.log_weight)
                weight = _weight(scores, direction, r, direction, c, ctx.bounded)
                dx[r].addmm_(weight, x[c])
                if c != r:
                    dx[c].addmm_(weight.T, x[r])
        return dx, None, None, None


class _CrossLse(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, q: Tensor, k: Tensor, log_weight: Tensor | None, exclude: Tensor | None, both: bool, bounded: bool
    ) -> tuple[Tensor, Tensor | None]:
        rows, columns = _start(q, bounded), _start(k, bounded) if both else None
        with no_autocast(q):
            for r, c in product(_slices(q), _slices(k)):
                _add(rows, columns, _cross_scores(q, k, log_weight, exclude, r, c), r, c, bounded)
        for total in (rows, columns):
            if bounded and total is not None:
                total.log_()
        ctx.save_for_backward(q, k, log_weight, exclude, rows, columns)
        ctx.bounded = bounded
        return rows, columns

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_rows: Tensor, grad_columns: Tensor) -> tuple[Tensor | None, ...]:
        q, k, log_weight, exclude, lse_rows, lse_columns = ctx.saved_tensors
        rows = Direction(lse_rows, grad_rows)
        columns = None if lse_columns is None else Direction(lse_columns, grad_columns)
        needed = ctx.needs_input_grad[:3]
        return *cross_gradients(q, k, log_weight, exclude, rows, columns, ctx.bounded, needed), None, None, None


class _RowSum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, q: Tensor, k: Tensor, f: str, exclude: Tensor | None) -> Tensor:
        total = q.new_zeros(len(q))
        with no_autocast(q):
            for r, c in product(_slices(q), _slices(k)):
                total[r] += FUNCTIONS[f][0](_cross_scores(q, k, None, exclude, r, c)).sum(1)
        ctx.save_for_backward(q, k, exclude)
        ctx.derivative = FUNCTIONS[f][1]
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        q, k, exclude = ctx.saved_tensors

        def weight_of(r: slice, c: slice) -> Tensor:
            return ctx.derivative(_cross_scores(q, k, None, exclude, r, c)).mul_(grad[r, None])

        dq, dk, _ = _gradients(q, k, None, (*ctx.needs_input_grad[:2], False), weight_of)
        return dq, dk, None, None


class Direction:
    """Log-sum-exp of the rows or the columns, its gradient g, and a = g exp(-lse)."""

    def __init__(self, lse: Tensor, grad: Tensor) -> None:
        self.lse = lse.masked_fill(lse == -math.inf, math.inf)  # where nothing is summed, exp(s - inf) is 0, not NaN
        self.grad = grad
        self.a = grad * (-self.lse).exp()


def cross_gradients(
    q: Tensor,
    k: Tensor,
    log_weight: Tensor | None,
    exclude: Tensor | None,
    rows: Direction,
    columns: Direction | None,
    bounded: bool,
    needed: Sequence[bool],
) -> tuple[Tensor | None, ...]:
    """Gradients of the log-sum-exps of both directions at q, k and log_weight, where ``needed``."""
    scores = partial(_cross_scores, q, k, log_weight, exclude)
    weight_of = lambda r, c: _weight(scores(r, c), rows, r, columns, c, bounded)  # noqa: E731
    return _gradients(q, k, log_weight, needed, weight_of)


def _gradients(
    q: Tensor, k: Tensor, log_weight: Tensor | None, needed: Sequence[bool], weight_of: Callable[[slice, slice], Tensor]
) -> tuple[Tensor | None, ...]:
    """Gradients at q, k and log_weight, where ``needed``, from each tile's gradient ``weight_of(r, c)``."""
    dq, dk, dw = (
        torch.zeros_like(x) if wanted and x is not None else None
        for x, wanted in zip((q, k, log_weight), needed, strict=True)
    )
    with no_autocast(q):
        for r, c in product(_slices(q), _slices(k)):
            weight = weight_of(r, c)
            if dq is not None:
                dq[r].addmm_(weight, k[c])
            if dk is not None:
                dk[c].addmm_(weight.T, q[r])
            if dw is not None:
                dw[c] += weight.sum(0)
    return dq, dk, dw


def _start(x: Tensor, bounded: bool) -> Tensor:
    return x.new_zeros(len(x)) if bounded else x.new_full((len(x),), -math.inf)


def _add(rows: Tensor, columns: Tensor | None, scores: Tensor, r: slice, c: slice, bounded: bool) -> None:
    """Add a tile to the sums of exponentials (``bounded``) or to the log-sum-exps; may overwrite ``scores``."""
    if bounded:
        e = scores.exp_()
        rows[r] += e.sum(1)
        if columns is not None:
            columns[c] += e.sum(0)
    else:
        rows[r] = torch.logaddexp(rows[r], scores.logsumexp(1))
        if columns is not None:
            columns[c] = torch.logaddexp(columns[c], scores.logsumexp(0))


def _weight(scores: Tensor, rows: Direction, r: slice, columns: Direction | None, c: slice, bounded: bool) -> Tensor:
    """A tile's gradient: softmax times g, summed over both directions; may overwrite ``scores``."""
    if bounded:
        a = rows.a[r, None]
        return scores.exp_().mul_(a if columns is None else a + columns.a[c])
    weight = (scores - rows.lse[r, None]).exp_().mul_(rows.grad[r, None])
    if columns is not None:
        weight += (scores - columns.lse[c]).exp_().mul_(columns.grad[c])
    return weight


def _sym_scores(x: Tensor, r: slice, c: slice, num_items: int, log_weight: LogWeight | None) -> Tensor:
    scores = x[r] @ x[c].T
    if log_weight is not None:
        scores += log_weight(scores)
    period, offset = num_items or len(x), r.start - c.start
    for diagonal in range(offset % period - period * (len(scores) // period + 1), scores.size(1), period):
        if diagonal > -len(scores):
            scores.diagonal(diagonal).fill_(-math.inf)
    return scores


def _cross_scores(
    q: Tensor, k: Tensor, log_weight: Tensor | None, exclude: Tensor | None, r: slice, c: slice
) -> Tensor:
    scores = q[r] @ k[c].T
    if log_weight is not None:
        scores += log_weight[c]
    if exclude is not None:
        for column in (exclude[r] - c.start).unsqueeze(2).unbind(1):
            inside = (column >= 0) & (column < scores.size(1))
            column = column.clamp(0, scores.size(1) - 1)
            scores.scatter_(1, column, scores.gather(1, column).masked_fill(inside, -math.inf))
    return scores


def _slices(x: Tensor) -> list[slice]:
    tile = 512 if x.device.type == "cpu" else 4096
    return [slice(start, min(start + tile, len(x))) for start in range(0, len(x), tile)]


def _triangle(x: Tensor) -> Iterator[tuple[slice, slice]]:
    slices = _slices(x)
    return ((r, c) for i, r in enumerate(slices) for c in slices[i:])


FUNCTIONS: dict[str, tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]] = {
    "exp": (torch.exp, torch.exp),
    "relu": (F.relu, lambda x: (x > 0).to(x.dtype)),
    "softplus": (log1p_exp, torch.sigmoid),
}  # f and its derivative; all are 0 at -inf
