"""Projection heads, which only the loss sees."""

from torch import nn

from augmentors._checks import check_at_least


def projection_head(in_channels: int, hidden_channels: int, out_channels: int) -> nn.Module:
    """A perceptron Linear, ELU, Linear: ``[N, in_channels] -> [N, out_channels]``.

    **Source:** GRACE (arXiv 2006.04131), section 3.2.1 and the authors' code. **Differs:** nothing.

    Example:
        >>> import torch
        >>> projection_head(8, 16, 4)(torch.randn(3, 8)).shape
        torch.Size([3, 4])
    """
    sizes = {"in_channels": in_channels, "hidden_channels": hidden_channels, "out_channels": out_channels}
    for name, value in sizes.items():
        check_at_least(name, value, 1)
    return nn.Sequential(nn.Linear(in_channels, hidden_channels), nn.ELU(), nn.Linear(hidden_channels, out_channels))
