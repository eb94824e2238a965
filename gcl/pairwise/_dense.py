"""The reference: the textbook formulas on the whole similarity matrix, differentiated by autograd. For tests."""

from collections.abc import Callable

import torch
from torch import Tensor


def sym_lse(x: Tensor, num_items: int, bound: float, log_weight: Callable[[Tensor], Tensor] | None) -> Tensor:
    """See :func:`gcl.pairwise.sym_lse`; holds [M, M]."""
    row = torch.arange(len(x), device=x.device)
    left_out = row[:, None] == row
    if num_items:
        left_out = row[:, None] % num_items == row % num_items
    scores = _scores(x, x)
    if log_weight is not None:
        scores = scores + log_weight(scores.detach())
    return _lse(scores, left_out, 1)


def cross_lse(
    q: Tensor, k: Tensor, log_weight: Tensor | None, exclude: Tensor | None, both: bool, bound: float
) -> tuple[Tensor, Tensor | None]:
    """See :func:`gcl.pairwise.cross_lse`; holds [N, K]."""
    scores = _scores(q, k) if log_weight is None else _scores(q, k) + log_weight
    left_out = _left_out(scores, exclude)
    return _lse(scores, left_out, 1), _lse(scores, left_out, 0) if both else None


def row_sum(q: Tensor, k: Tensor, f: str, exclude: Tensor | None) -> Tensor:
    """See :func:`gcl.pairwise.row_sum`; holds [N, K]."""
    scores = _scores(q, k)
    return FUNCTIONS[f](scores).masked_fill(_left_out(scores, exclude), 0.0).sum(1)


FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "exp": torch.exp,
    "relu": torch.relu,
    "softplus": lambda s: torch.logaddexp(s, torch.zeros_like(s)),
}


def _left_out(scores: Tensor, exclude: Tensor | None) -> Tensor:
    if exclude is None:
        return torch.zeros_like(scores, dtype=torch.bool)
    return (exclude[:, :, None] == torch.arange(scores.size(1), device=scores.device)).any(1)


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
