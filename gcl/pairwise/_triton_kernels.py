"""The Triton kernel of every primitive: a block of rows loops over all columns; score tiles stay on the chip.

Each output row is written by one program in a fixed order, without atomics, so runs are identical bit for bit.
"""

import triton
import triton.language as tl

INTERPRETED = triton.knobs.runtime.interpret  # as the decorators below see it
_LOG2E = tl.constexpr(1.4426950408889634)  # exp(x) = exp2(x log2(e)): one fused multiply-add and one instruction


@triton.jit
def reduce_or_differentiate(
    q_ptr: tl.tensor,
    k_ptr: tl.tensor,
    exclude: tl.tensor,
    log_weight: tl.tensor,
    row_out: tl.tensor,
    row_grad: tl.tensor,
    column_out: tl.tensor,
    column_grad: tl.tensor,
    dq_ptr: tl.tensor,
    dw_ptr: tl.tensor,
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
    """One block of rows of the reduction; with ``dq_ptr``, of its gradient sum_j (f'(s_ij) g_i + f'(s_ij) g_j) k_j.

    The reduction, written to ``row_out``, is the sum of f over all columns, or the log-sum-exp by a running maximum.
    """
    first_row = tl.program_id(0) * BLOCK_M
    rows = first_row + tl.arange(0, BLOCK_M)
    q = _load(q_ptr, rows, num_rows, width, WIDTH)
    peak = tl.full([BLOCK_M], float("-inf"), tl.float32)
    total = tl.zeros([BLOCK_M], tl.float32)
    dq = tl.zeros([BLOCK_M, WIDTH], tl.float32)
    for start in range(0, num_columns, BLOCK_N):
        columns = start + tl.arange(0, BLOCK_N)
        k = _load(k_ptr, columns, num_columns, width, WIDTH)
        bias = tl.where(columns < num_columns, 0.0, float("-inf"))
        if log_weight is not None and not SWAPPED:
            bias += tl.load(log_weight + columns, mask=columns < num_columns, other=0.0)
        scores = tl.dot(q, k.T, input_precision=PRECISION) + bias[None, :]
        if log_weight is not None and SWAPPED:
            scores += tl.load(log_weight + rows, mask=rows < num_rows, other=0.0)[:, None]
        for x in tl.static_range(X):  # exclude lists columns for each row, if SWAPPED rows for each column
            if SWAPPED:
                other = tl.load(exclude + columns.to(tl.int64) * X + x, mask=columns < num_columns, other=-1)
                if tl.max(((other >= first_row) & (other < first_row + BLOCK_M)).to(tl.int32)) > 0:
                    scores = tl.where(other[None, :] == rows[:, None], float("-inf"), scores)
            else:
                other = tl.load(exclude + rows.to(tl.int64) * X + x, mask=rows < num_rows, other=-1)
                if tl.max(((other >= start) & (other < start + BLOCK_N)).to(tl.int32)) > 0:
                    scores = tl.where(other[:, None] == columns[None, :], float("-inf"), scores)
        if dq_ptr is None:
            peak, total = _add(scores, peak, total, F)
        else:
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
    if dq_ptr is None:
        if F == "lse":
            total = peak + tl.log(total)
        tl.store(row_out + rows, total, mask=rows < num_rows)
    else:
        depth = tl.arange(0, WIDTH)
        inside = (rows < num_rows)[:, None] & (depth < width)[None, :]
        tl.store(dq_ptr + rows.to(tl.int64)[:, None] * width + depth[None, :], dq.to(q.dtype), mask=inside)
        if dw_ptr is not None:
            tl.store(dw_ptr + rows, total, mask=rows < num_rows)


@triton.jit
def _load(ptr: tl.tensor, rows: tl.tensor, num_rows: tl.tensor, width: tl.tensor, WIDTH: tl.constexpr) -> tl.tensor:
    """Rows of a contiguous matrix, padded with 0."""
    depth = tl.arange(0, WIDTH)
    inside = (rows < num_rows)[:, None] & (depth < width)[None, :]
    return tl.load(ptr + rows.to(tl.int64)[:, None] * width + depth[None, :], mask=inside, other=0.0)


@triton.jit
def _add(scores: tl.tensor, peak: tl.tensor, total: tl.tensor, F: tl.constexpr) -> tuple[tl.tensor, tl.tensor]:
    """The running maximum and the sum of f, with a tile added."""
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
    return peak, total


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
    """log(1 + x) for 0 <= x <= 1; adds back what 1 + x rounds off."""
    y = 1 + x
    return tl.log(y) + (x - (y - 1))
