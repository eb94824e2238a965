"""The Triton backend for CUDA: checks, autograd and kernel launches.

Imported only for ``backend="triton"``; ``TRITON_INTERPRET=1`` runs the kernel on CPU tensors. It has been tested in
that interpreter and compiled for Hopper, but not yet run on a GPU, so the default stays ``"tiles"``.

Column results come from the same kernel with the roles of rows and columns swapped. float16 and bfloat16 accumulate in
float32; float32 products use tf32 only where torch allows it for matrix products.
"""

import math
from typing import Any, NamedTuple

import torch
import triton
from torch import Tensor
from torch.autograd.function import once_differentiable

from gcl.pairwise._tiles import NO_OVERFLOW
from gcl.pairwise._triton_kernels import INTERPRETED, reduce_or_differentiate

MAX_WIDTH = 256  # a block of rows, padded to a power of two, stays in shared memory


@torch.compiler.disable
def sym_lse(x: Tensor, num_items: int, bound: float, log_weight: object | None) -> Tensor:
    """See :func:`gcl.pairwise.sym_lse`."""
    _check(x)
    if log_weight is not None:
        raise ValueError('backend="triton" does not support log_weight: use backend="tiles"')
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
    inputs = _prepared(q, k, exclude, log_weight)
    if bound <= NO_OVERFLOW:
        rows, columns = _Cross.apply(*inputs, "exp", both)
        return _log(rows), _log(columns) if both else None
    return _Cross.apply(*inputs, "lse", both)


@torch.compiler.disable
def row_sum(q: Tensor, k: Tensor, f: str, exclude: Tensor | None) -> Tensor:
    """See :func:`gcl.pairwise.row_sum`."""
    return _Cross.apply(*_prepared(q, k, exclude, None), f, False)[0]


class _Symmetric(torch.autograd.Function):
    """Rows against themselves; the excluded pairs are symmetric too, so one pass gives the whole gradient."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, exclude: Tensor, f: str) -> Tensor:
        ctx.f = f
        out = _reduce(_Problem(f, exclude), x, x)
        ctx.save_for_backward(x, exclude, out)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        x, exclude, out = ctx.saved_tensors
        return _gradient(_Problem(ctx.f, exclude), x, x, (out, grad), (out, grad))[0], None, None


class _Cross(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, q: Tensor, k: Tensor, exclude: Tensor | None, log_weight: Tensor | None, f: str, both: bool
    ) -> tuple[Tensor, Tensor | None]:
        ctx.f, problem = f, _Problem(f, exclude, log_weight)
        rows = _reduce(problem, q, k)
        columns = _reduce(problem._replace(swapped=True), k, q) if both else None
        ctx.save_for_backward(q, k, exclude, log_weight, rows, columns)
        return rows, columns

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_rows: Tensor, grad_columns: Tensor) -> tuple[Tensor | None, ...]:
        q, k, exclude, log_weight, *out = ctx.saved_tensors
        problem = _Problem(ctx.f, exclude, log_weight)
        rows, columns = (out[0], grad_rows), (out[1], grad_columns)
        need_q, need_k, _, need_w = ctx.needs_input_grad[:4]
        dq = dk = dw = None
        if need_q:
            dq, _ = _gradient(problem, q, k, rows, columns)
        if need_k or need_w:
            dk, dw = _gradient(problem._replace(swapped=True), k, q, columns, rows)
        return dq, dk, None, dw, None, None


class _Problem(NamedTuple):
    """What is reduced: f, each row's excluded columns, each column's log weight; ``swapped``: q and k change places."""

    f: str
    exclude: Tensor | None
    log_weight: Tensor | None = None
    swapped: bool = False


_Side = tuple[Tensor | None, Tensor | None]  # the output of the rows or the columns, and its gradient


def _reduce(problem: _Problem, q: Tensor, k: Tensor) -> Tensor:
    out = torch.empty(len(q), dtype=torch.float32, device=q.device)
    _launch(problem, q, k, out, None, None, None, None, None)
    return out


def _gradient(problem: _Problem, q: Tensor, k: Tensor, rows: _Side, columns: _Side) -> tuple[Tensor, Tensor | None]:
    """The gradients at ``q`` and, if ``swapped``, at the log weights."""
    dq = torch.empty_like(q)
    dw = torch.empty_like(problem.log_weight) if problem.swapped and problem.log_weight is not None else None
    _launch(problem, q, k, *_finite(rows), *_finite(columns), dq, dw)
    return dq, dw


def _launch(problem: _Problem, q: Tensor, k: Tensor, *outputs: Tensor | None) -> None:
    """Run the kernel; ``outputs`` are those of the rows and of the columns with their gradients, dq and dw."""
    half = q.element_size() == 2
    width = max(16, triton.next_power_of_2(q.size(1)))
    # For Hopper: 8 warps are two warp groups of 64 rows each; stages load the next tiles during this one's products.
    # The larger blocks are those whose gradient [BLOCK_M, WIDTH] and scores stay in the registers.
    block_m, block_n, stages = (128, 64, 3) if half and width <= 128 else (64, 32, 2)
    constants: dict[str, Any] = {
        "F": problem.f,
        "X": 0 if problem.exclude is None else problem.exclude.size(1),
        "SWAPPED": problem.swapped,
        "PRECISION": "tf32" if half or _allow_tf32() else "ieee",
    }
    constants |= {"BLOCK_M": block_m, "BLOCK_N": block_n, "WIDTH": width, "num_warps": 8, "num_stages": stages}
    arguments = (q, k, problem.exclude, problem.log_weight, *outputs, len(q), len(k), q.size(1))
    with torch.cuda.device_of(q):
        reduce_or_differentiate[(triton.cdiv(len(q), block_m),)](*arguments, **constants)


def _prepared(
    q: Tensor, k: Tensor, exclude: Tensor | None, log_weight: Tensor | None
) -> tuple[Tensor, Tensor, Tensor | None, Tensor | None]:
    _check(q)
    _check(k)
    dtype = torch.promote_types(q.dtype, k.dtype)
    exclude = None if exclude is None else exclude.int().contiguous()
    log_weight = None if log_weight is None else log_weight.float().contiguous()
    return q.to(dtype).contiguous(), k.to(dtype).contiguous(), exclude, log_weight


def _check(x: Tensor) -> None:
    if x.dtype not in (torch.float32, torch.float16, torch.bfloat16):
        raise ValueError(f'backend="triton" takes float32, float16 or bfloat16, got {x.dtype}: use backend="tiles"')
    if x.size(1) > MAX_WIDTH:
        raise ValueError(f'backend="triton" takes up to {MAX_WIDTH} columns, got {x.size(1)}: use backend="tiles"')
    if not x.is_cuda and not INTERPRETED:
        raise ValueError(f'backend="triton" needs a CUDA tensor, got one on {x.device}: use backend="tiles"')


def _allow_tf32() -> bool:
    """Whether torch uses tf32 in float32 matrix products; torch before 2.9 has only the older switch."""
    matmul = torch.backends.cuda.matmul
    return matmul.fp32_precision == "tf32" if hasattr(matmul, "fp32_precision") else matmul.allow_tf32


def _log(total: Tensor) -> Tensor:
    """Logarithm; ``-inf``, with a gradient of 0, where nothing was summed."""
    empty = total == 0
    return total.masked_fill(empty, 1).log().masked_fill(empty, -math.inf)


def _finite(side: _Side) -> _Side:
    """An output, +inf where nothing was summed so that exp(s - lse) is 0, and its contiguous gradient."""
    out, grad = side
    if out is None or grad is None:
        return None, None
    return out.masked_fill(out == -math.inf, math.inf), grad.contiguous()
