"""Triton kernels for CUDA: a block of rows walks all columns; tiles of the similarity matrix stay on the chip.

Imported only when asked for by ``backend="triton"``; ``TRITON_INTERPRET=1`` runs the kernels on CPU tensors. They
have been tested in that interpreter and compiled for Hopper, but not yet run on a GPU: the default stays ``"tiles"``.

Two kernels serve every primitive. Each output row is written by one program in a fixed order, without atomics, so two
runs agree bit for bit. Column results come from the same kernels with the roles of rows and columns swapped. Float16
and bfloat16 accumulate in float32. float32 products use tf32 only where torch allows it for matrix products.
"""

from typing import Any, NamedTuple

import torch
import triton
import triton.language as tl
from torch import Tensor
from torch.autograd.function import once_differentiable

from gcl.pairwise._tiles import NO_OVERFLOW

MAX_WIDTH = 256  # a block of rows, padded to a power of two, stays in shared memory
INTERPRETED = triton.knobs.runtime.interpret  # as the decorators below see it
_INF = float("inf")
_LOG2E = tl.constexpr(1.4426950408889634)  # exp(x) = exp2(x log2(e)): one fused multiply-add and one instruction


@torch.compiler.disable
def sym_lse(x: Tensor, num_items: int, bound: float, log_weight: object | None) -> Tensor:
    """See :func:`gcl.pairwise.sym_lse`."""
    _check(x)
    if log_weight is not None:
        raise ValueError('log_weight is not for backend="triton": use backend="tiles"')
    row = torch.arange(len(x), dtype=torch.int32, device=x.device)
    same_item = range(0, len(x), num_items) if num_items else [0]
    x, exclude = x.contiguous(), torch.stack([(row + shift) % max(len(x), 1) for shift in same_item or [0]], 1)
    if bound <= NO_OVERFLOW:
        return _log(_Symmetric.apply(x, exclude, "exp"))
    return _Symmetric.apply(x, exclude, "lse")


@torch.compiler.disable
def cross_lse(
    q: Tensor, k: Tensor, log_weight: Tensor | None, exclude: Tensor | None, both: bool, bound: float
) -> tuple[Tensor, Tensor | None]:
    """See :func:`gcl.pairwise.cross_lse`."""
    log_weight = None if log_weight is None else log_weight.float().contiguous()
    if bound <= NO_OVERFLOW:
        rows, columns = _Cross.apply(*_prepared(q, k, exclude), log_weight, "exp", both)
        return _log(rows), _log(columns) if both else None
    return _Cross.apply(*_prepared(q, k, exclude), log_weight, "lse", both)


@torch.compiler.disable
def row_sum(q: Tensor, k: Tensor, f: str, exclude: Tensor | None) -> Tensor:
    """See :func:`gcl.pairwise.row_sum`."""
    return _Cross.apply(*_prepared(q, k, exclude), None, f, False)[0]


class _Symmetric(torch.autograd.Function):
    """Rows against themselves; what is left out is symmetric too, so one pass gives the whole gradient."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, exclude: Tensor, f: str) -> Tensor:
        out = _reduce(_Problem(f, exclude, swapped=False), x, x)
        ctx.save_for_backward(x, exclude, out)
        ctx.f = f
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        x, exclude, out = ctx.saved_tensors
        dx, _ = _gradient(_Problem(ctx.f, exclude, swapped=False), x, x, (out, grad), (out, grad))
        return dx, None, None


class _Cross(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, q: Tensor, k: Tensor, exclude: Tensor | None, log_weight: Tensor | None, f: str, both: bool
    ) -> tuple[Tensor, Tensor | None]:
        rows = _reduce(_by_row(f, exclude, log_weight), q, k)
        columns = _reduce(_by_column(f, exclude, log_weight), k, q) if both else None
        ctx.save_for_backward(q, k, exclude, log_weight, rows, columns)
        ctx.f = f
        return rows, columns

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_rows: Tensor, grad_columns: Tensor) -> tuple[Tensor | None, ...]:
        q, k, exclude, log_weight, out_rows, out_columns = ctx.saved_tensors
        rows = (out_rows, grad_rows)
        columns = None if out_columns is None else (out_columns, grad_columns)
        need_q, need_k, _, need_w = ctx.needs_input_grad[:4]
        dq = dk = dw = None
        if need_q:
            dq, _ = _gradient(_by_row(ctx.f, exclude, log_weight), q, k, rows, columns)
        if need_k or need_w:
            dk, dw = _gradient(_by_column(ctx.f, exclude, log_weight), k, q, columns, rows)
        return dq, dk, None, dw, None, None


class _Problem(NamedTuple):
    """What is reduced: f, what is left out (by the columns where ``swapped``), and what is added to the scores."""

    f: str
    exclude: Tensor | None
    swapped: bool
    row_bias: Tensor | None = None
    column_bias: Tensor | None = None


def _by_row(f: str, exclude: Tensor | None, log_weight: Tensor | None) -> _Problem:
    return _Problem(f, exclude, swapped=False, column_bias=log_weight)


def _by_column(f: str, exclude: Tensor | None, log_weight: Tensor | None) -> _Problem:
    return _Problem(f, exclude, swapped=True, row_bias=log_weight)


def _reduce(problem: _Problem, q: Tensor, k: Tensor) -> Tensor:
    out = torch.empty(len(q), dtype=torch.float32, device=q.device)
    _launch(_reduce_kernel, problem, q, k, out)
    return out


def _gradient(
    problem: _Problem,
    q: Tensor,
    k: Tensor,
    rows: tuple[Tensor, Tensor] | None,
    columns: tuple[Tensor, Tensor] | None,
) -> tuple[Tensor, Tensor | None]:
    """The gradients at ``q`` and at the row bias; ``rows`` and ``columns`` hold an output and its gradient."""
    dq = torch.empty_like(q)
    dbias = None if problem.row_bias is None else torch.empty_like(problem.row_bias)
    row_out, row_grad = _finite(rows)
    column_out, column_grad = _finite(columns)
    _launch(_gradient_kernel, problem, q, k, row_out, row_grad, column_out, column_grad, dq, dbias)
    return dq, dbias


def _launch(kernel: Any, problem: _Problem, q: Tensor, k: Tensor, *rest: Tensor | None) -> None:
    half = q.element_size() == 2
    width = max(16, triton.next_power_of_2(q.size(1)))
    # For Hopper: 8 warps are two warp groups of 64 rows each; stages load the next tiles during this one's products.
    # The larger blocks are those whose gradient [BLOCK_M, WIDTH] and scores stay in the registers.
    block_m, block_n, stages = (128, 64, 3) if half and width <= 128 else (64, 32, 2)
    with torch.cuda.device_of(q):
        kernel[(triton.cdiv(len(q), block_m),)](
            q,
            k,
            problem.row_bias,
            problem.column_bias,
            problem.exclude,
            *rest,
            len(q),
            len(k),
            q.size(1),
            F=problem.f,
            X=0 if problem.exclude is None else problem.exclude.size(1),
            SWAPPED=problem.swapped,
            PRECISION="tf32" if half or _allow_tf32() else "ieee",
            BLOCK_M=block_m,
            BLOCK_N=block_n,
            WIDTH=width,
            num_warps=8,
            num_stages=stages,
        )


@triton.jit
def _reduce_kernel(
    q_ptr: tl.tensor,
    k_ptr: tl.tensor,
    row_bias: tl.tensor,
    column_bias: tl.tensor,
    exclude: tl.tensor,
    out: tl.tensor,
    num_rows: tl.tensor,
    num_columns: tl.tensor,
    width: tl.tensor,
    F: tl.constexpr,
    X: tl.constexpr,
    SWAPPED: tl.constexpr,
    PRECISION: tl.constexpr,
    BLOCK_M: tl.constexpr,
    BLOCK_N: tl.constexpr,
    WIDTH: tl.constexpr,
) -> None:
    """One block of rows: the sum of f over all columns, or the log-sum-exp by a running maximum."""
    first_row = tl.program_id(0) * BLOCK_M
    rows = first_row + tl.arange(0, BLOCK_M)
    q = _load(q_ptr, rows, num_rows, width, WIDTH)
    peak = tl.full([BLOCK_M], float("-inf"), tl.float32)
    total = tl.zeros([BLOCK_M], tl.float32)
    for start in range(0, num_columns, BLOCK_N):
        k = _load(k_ptr, start + tl.arange(0, BLOCK_N), num_columns, width, WIDTH)
        scores = _scores(
            q, k, row_bias, column_bias, exclude, first_row, start, num_rows, num_columns, X, SWAPPED, PRECISION
        )
        if F == "lse":
            higher = tl.maximum(peak, tl.max(scores, 1))
            shift = tl.where(higher == float("-inf"), 0.0, higher)
            total = total * _exp(peak, shift) + tl.sum(_exp(scores, shift[:, None]), 1)
            peak = higher
        elif F == "exp":
            total += tl.sum(_exp(scores, 0.0), 1)
        elif F == "softplus":
            total += tl.sum(tl.maximum(scores, 0.0) + _log1p(_exp(-tl.abs(scores), 0.0)), 1)
        else:
            total += tl.sum(tl.maximum(scores, 0.0), 1)
    if F == "lse":
        total = peak + tl.log(total)
    tl.store(out + rows, total, mask=rows < num_rows)


@triton.jit
def _gradient_kernel(
    q_ptr: tl.tensor,
    k_ptr: tl.tensor,
    row_bias: tl.tensor,
    column_bias: tl.tensor,
    exclude: tl.tensor,
    row_out: tl.tensor,
    row_grad: tl.tensor,
    column_out: tl.tensor,
    column_grad: tl.tensor,
    dq_ptr: tl.tensor,
    dbias: tl.tensor,
    num_rows: tl.tensor,
    num_columns: tl.tensor,
    width: tl.tensor,
    F: tl.constexpr,
    X: tl.constexpr,
    SWAPPED: tl.constexpr,
    PRECISION: tl.constexpr,
    BLOCK_M: tl.constexpr,
    BLOCK_N: tl.constexpr,
    WIDTH: tl.constexpr,
) -> None:
    """One block of rows of the gradient: sum over j of (f'(s_ij) g_i + f'(s_ij) g_j) k_j."""
    first_row = tl.program_id(0) * BLOCK_M
    rows = first_row + tl.arange(0, BLOCK_M)
    q = _load(q_ptr, rows, num_rows, width, WIDTH)
    dq = tl.zeros([BLOCK_M, WIDTH], tl.float32)
    total = tl.zeros([BLOCK_M], tl.float32)
    for start in range(0, num_columns, BLOCK_N):
        columns = start + tl.arange(0, BLOCK_N)
        k = _load(k_ptr, columns, num_columns, width, WIDTH)
        scores = _scores(
            q, k, row_bias, column_bias, exclude, first_row, start, num_rows, num_columns, X, SWAPPED, PRECISION
        )
        weight = tl.zeros([BLOCK_M, BLOCK_N], tl.float32)
        if row_grad is not None:
            out = tl.load(row_out + rows, mask=rows < num_rows, other=0.0)
            grad = tl.load(row_grad + rows, mask=rows < num_rows, other=0.0)
            weight += _slope(scores, out[:, None], F) * grad[:, None]
        if column_grad is not None:
            out = tl.load(column_out + columns, mask=columns < num_columns, other=0.0)
            grad = tl.load(column_grad + columns, mask=columns < num_columns, other=0.0)
            weight += _slope(scores, out[None, :], F) * grad[None, :]
        if k.dtype == tl.float16:
            k = k.to(tl.float32)  # tf32 holds a float16 exactly, and a weight that float16 would flush to 0
        dq = tl.dot(weight.to(k.dtype), k, dq, input_precision=PRECISION)
        total += tl.sum(weight, 1)
    depth = tl.arange(0, WIDTH)
    inside = (rows < num_rows)[:, None] & (depth < width)[None, :]
    tl.store(dq_ptr + rows.to(tl.int64)[:, None] * width + depth[None, :], dq.to(q.dtype), mask=inside)
    if dbias is not None:
        tl.store(dbias + rows, total, mask=rows < num_rows)


@triton.jit
def _load(ptr: tl.tensor, rows: tl.tensor, num_rows: tl.tensor, width: tl.tensor, WIDTH: tl.constexpr) -> tl.tensor:
    """Rows of a contiguous matrix, padded with 0."""
    depth = tl.arange(0, WIDTH)
    inside = (rows < num_rows)[:, None] & (depth < width)[None, :]
    return tl.load(ptr + rows.to(tl.int64)[:, None] * width + depth[None, :], mask=inside, other=0.0)


@triton.jit
def _scores(
    q: tl.tensor,
    k: tl.tensor,
    row_bias: tl.tensor,
    column_bias: tl.tensor,
    exclude: tl.tensor,
    first_row: tl.tensor,
    first_column: tl.tensor,
    num_rows: tl.tensor,
    num_columns: tl.tensor,
    X: tl.constexpr,
    SWAPPED: tl.constexpr,
    PRECISION: tl.constexpr,
) -> tl.tensor:
    """A tile of <q_i, k_j> + bias, -inf where left out or past the last column."""
    rows = first_row + tl.arange(0, q.shape[0])
    columns = first_column + tl.arange(0, k.shape[0])
    bias = tl.where(columns < num_columns, 0.0, float("-inf"))
    if column_bias is not None:
        bias += tl.load(column_bias + columns, mask=columns < num_columns, other=0.0)
    scores = tl.dot(q, k.T, input_precision=PRECISION) + bias[None, :]
    if row_bias is not None:
        scores += tl.load(row_bias + rows, mask=rows < num_rows, other=0.0)[:, None]
    for x in tl.static_range(X):
        if SWAPPED:
            other = tl.load(exclude + columns.to(tl.int64) * X + x, mask=columns < num_columns, other=-1)
            if tl.max(((other >= first_row) & (other < first_row + q.shape[0])).to(tl.int32)) > 0:
                scores = tl.where(other[None, :] == rows[:, None], float("-inf"), scores)
        else:
            other = tl.load(exclude + rows.to(tl.int64) * X + x, mask=rows < num_rows, other=-1)
            if tl.max(((other >= first_column) & (other < first_column + k.shape[0])).to(tl.int32)) > 0:
                scores = tl.where(other[:, None] == columns[None, :], float("-inf"), scores)
    return scores


@triton.jit
def _slope(scores: tl.tensor, out: tl.tensor, F: tl.constexpr) -> tl.tensor:
    """The derivative of the reduction by a score: exp(s - lse), or f'(s)."""
    if F == "lse":
        slope = _exp(scores, out)
    elif F == "exp":
        slope = _exp(scores, 0.0)
    elif F == "softplus":
        slope = 1 / (1 + _exp(-scores, 0.0))
    else:
        slope = tl.where(scores > 0, 1.0, 0.0)
    return slope


@triton.jit
def _exp(x: tl.tensor, shift: tl.tensor) -> tl.tensor:
    """exp(x - shift)."""
    return tl.exp2(x * _LOG2E - shift * _LOG2E)


@triton.jit
def _log1p(x: tl.tensor) -> tl.tensor:
    """log(1 + x) for 0 <= x <= 1: what 1 + x rounds off is added back."""
    y = 1 + x
    return tl.log(y) + (x - (y - 1))


def _prepared(q: Tensor, k: Tensor, exclude: Tensor | None) -> tuple[Tensor, Tensor, Tensor | None]:
    _check(q)
    _check(k)
    dtype = torch.promote_types(q.dtype, k.dtype)
    exclude = None if exclude is None else exclude.int().contiguous()
    return q.to(dtype).contiguous(), k.to(dtype).contiguous(), exclude


def _check(x: Tensor) -> None:
    if x.dtype not in (torch.float32, torch.float16, torch.bfloat16):
        raise ValueError(f'backend="triton" takes float32, float16 or bfloat16, got {x.dtype}: use backend="tiles"')
    if x.size(1) > MAX_WIDTH:
        raise ValueError(f'backend="triton" takes up to {MAX_WIDTH} columns, got {x.size(1)}: use backend="tiles"')
    if not x.is_cuda and not INTERPRETED:
        raise ValueError(f'backend="triton" needs a CUDA tensor, got one on {x.device}: use backend="tiles"')


def _allow_tf32() -> bool:
    """What torch does in float32 matrix products; torch before 2.9 has only the older switch."""
    matmul = torch.backends.cuda.matmul
    return matmul.fp32_precision == "tf32" if hasattr(matmul, "fp32_precision") else matmul.allow_tf32


def _log(total: Tensor) -> Tensor:
    """Logarithm, ``-inf`` with a gradient of 0 where nothing was summed."""
    empty = total == 0
    return total.masked_fill(empty, 1).log().masked_fill(empty, -_INF)


def _finite(side: tuple[Tensor, Tensor] | None) -> tuple[Tensor | None, Tensor | None]:
    """An output, +inf where nothing was summed so that exp(s - lse) is 0, and its contiguous gradient."""
    if side is None:
        return None, None
    out, grad = side
    return out.masked_fill(out == -_INF, _INF), grad.contiguous()
