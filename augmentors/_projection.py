"""The projection to a budget; a value for each group is a scalar where ``group`` is ``None``: one group."""

import torch
from torch import Tensor

from augmentors._checks import check_not_negative


def project_to_budget(s: Tensor, budget: float | Tensor, group: Tensor | None = None) -> Tensor:
    r"""Return the nearest point to ``s`` whose entries are in [0, 1] and sum to at most ``budget``; NaN stays NaN.

    .. math:: \mathrm{clip}(s - \mu, 0, 1), \qquad \mu = 0 \text{ or such that the sum is the budget}

    by bisection for :math:`\mu` between 0 and max s, one step for each bit of the dtype; the end of the last bracket
    where the sum is within the budget. No host synchronization.

    Args:
        s: floating-point ``[M]``.
        budget: at least 0; with ``group`` one for each group, ``[B]``.
        group: long ``[M]`` in [0, B): each group is projected to its own budget; ``None``: one group.

    Raises:
        ValueError: the budget is a number below 0.

    **Source:** Xu et al. (arXiv 1906.04214), the projection. **Differs:** a fixed number of steps; a feasible end.

    Example:
        >>> project_to_budget(torch.tensor([1.5, 0.5, -1.0]), 1.25)
        tensor([1.0000, 0.2500, 0.0000])
    """
    if not isinstance(budget, Tensor):
        check_not_negative("budget", budget)
    budget = torch.as_tensor(budget, dtype=s.dtype, device=s.device)
    fits = _total(s.clamp(0, 1), budget, group) <= budget
    low = torch.zeros_like(budget)
    high = highest(s, budget, group).masked_fill(fits, 0)
    for _ in range(torch.finfo(s.dtype).bits):
        middle = (low + high) / 2
        fits = _total((s - spread(middle, group)).clamp_(0, 1), budget, group) <= budget
        low, high = torch.where(fits, low, middle), torch.where(fits, middle, high)
    return (s - spread(high, group)).clamp_(0, 1)


def highest(value: Tensor, like: Tensor, group: Tensor | None) -> Tensor:
    """The highest value in each group, or 0 if that is higher, in the shape and on the device of ``like``."""
    zero = torch.zeros_like(like, dtype=value.dtype)
    if group is None:
        return torch.maximum(value.max(), zero) if value.numel() else zero
    return zero.scatter_reduce(0, group, value, "amax")


def spread(of_group: Tensor, group: Tensor | None) -> Tensor:
    """The value of each entry's group."""
    return of_group if group is None else of_group[group]


def _total(value: Tensor, like: Tensor, group: Tensor | None) -> Tensor:
    """The sum over each group, in the shape of ``like``."""
    return value.sum() if group is None else torch.zeros_like(like).index_add_(0, group, value)
