"""The reference for tests: textbook formulas on the whole similarity matrix, differentiated by autograd."""

from collections.abc import Callable

import torch
from torch import Tensor

from gcl.pairwise._numerics import at_least_float32


def sym_lse(x: Tensor, num_items: int, bound: float, log_weight: Callable[[Tensor], Tensor] | None) -> Tensor:
    """See :func:`gcl.pairwise.sym_lse`; holds [M, M]."""
    item = torch.arange(len(x), device=x.device)
    if num_items:
        item = item % num_items
    scores = _scores(x, x)
    if log_weight is not None:
        scores = scores + log_weight(scores.detach())
    return _lse(scores, item[:, None] == item, 1)


def cross_lse(
    q: Tensor, k: Tensor, log_weight: Tensor | None, exclude: Tensor | None, both: bool, bound: float
) -> tuple[Tensor, Tensor | None]:
    """See :func:`gcl.pairwise.cross_lse`; holds [N, K]."""
    scores = _scores(q, k) if log_weight is None else _scores(q, k) + log_weight
    excluded = _excluded(scores, exclude)
    return _lse(scores, excluded, 1), _lse(scores, excluded, 0) if both else None


def row_sum(q: Tensor, k: Tensor, f: str, exclude: Tensor | None) -> Tensor:
    """See :func:`gcl.pairwise.row_sum`; holds [N, K]."""
    scores = _scores(q, k)
    return FUNCTIONS[f](scores).masked_fill(_excluded(scores, exclude), 0.0).sum(1)


FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "exp": torch.exp,
    "relu": torch.relu,
    "softplus": lambda s: torch.logaddexp(s, torch.zeros_like(s)),
}


def _excluded(scores: Tensor, exclude: Tensor | None) -> Tensor:
    if exclude is None:
        return torch.zeros_like(scores, dtype=torch.bool)
    return (exclude[:, :, None] == torch.arange(scores.size(1), device=scores.device)).any(1)


def _scores(q: Tensor, k: Tensor) -> Tensor:
    q = at_least_float32(q)
    return q @ k.to(q.dtype).T


def _lse(scores: Tensor, excluded: Tensor, dim: int) -> Tensor:
    """Log-sum-exp; ``-inf``, with a gradient of 0, where everything is excluded."""
    empty = excluded.all(dim)
    if scores.size(dim) == 0:
        return scores.sum(dim) - float("inf")
    scores = scores.masked_fill(excluded & ~empty.unsqueeze(dim), float("-inf"))
    return scores.logsumexp(dim).masked_fill(empty, float("-inf"))
