"""The reference: the textbook formulas on the whole similarity matrix, differentiated by autograd. For tests."""

import torch
from torch import Tensor


def sym_lse(x: Tensor, num_pairs: int, bound: float) -> Tensor:
    """See :func:`gcl.pairwise.sym_lse`; holds [M, M]."""
    row = torch.arange(len(x), device=x.device)
    left_out = row[:, None] == row
    if num_pairs:
        left_out = row[:, None] % num_pairs == row % num_pairs
    return _lse(_scores(x, x), left_out, 1)


def cross_lse(
    q: Tensor, k: Tensor, log_w: Tensor | None, exclude: Tensor | None, both: bool, bound: float
) -> tuple[Tensor, Tensor | None]:
    """See :func:`gcl.pairwise.cross_lse`; holds [N, K]."""
    scores = _scores(q, k) if log_w is None else _scores(q, k) + log_w
    left_out = torch.zeros_like(scores, dtype=torch.bool)
    if exclude is not None:
        column = torch.arange(len(k), device=k.device)
        left_out = (exclude[:, :, None] == column).any(1)
    return _lse(scores, left_out, 1), _lse(scores, left_out, 0) if both else None


def _scores(q: Tensor, k: Tensor) -> Tensor:
    dtype = torch.promote_types(q.dtype, torch.float32)
    return q.to(dtype) @ k.to(dtype).T


def _lse(scores: Tensor, left_out: Tensor, dim: int) -> Tensor:
    """Log-sum-exp, ``-inf`` with a gradient of 0 where everything is left out."""
    empty = left_out.all(dim)
    if scores.size(dim) == 0:
        return scores.sum(dim) - float("inf")
    scores = scores.masked_fill(left_out & ~empty.unsqueeze(dim), float("-inf"))
    return scores.logsumexp(dim).masked_fill(empty, float("-inf"))
