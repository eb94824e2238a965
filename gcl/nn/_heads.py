"""Heads that only the loss sees."""

from torch import nn


def projection_head(in_dim: int, hidden: int, out_dim: int) -> nn.Module:
    """Linear, ELU, Linear: ``[N, in_dim] -> [N, out_dim]``.

    **Source:** GRACE (arXiv 2006.04131), section 3.2.1 and the authors' code. **Differs:** as there.

    Example:
        >>> import torch
        >>> projection_head(8, 16, 4)(torch.randn(3, 8)).shape
        torch.Size([3, 4])
    """
    return nn.Sequential(nn.Linear(in_dim, hidden), nn.ELU(), nn.Linear(hidden, out_dim))
