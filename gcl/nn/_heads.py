"""Projection heads, which only the loss sees."""

from torch import Tensor, nn

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


class ShortcutHead(nn.Module):
    """Three layers, each with the activation ``act``, beside a linear shortcut: InfoGraph's and MVGRL's."""

    def __init__(self, dim: int, act: type[nn.Module]) -> None:
        super().__init__()
        self.layers = nn.Sequential(*(layer for _ in range(3) for layer in (nn.Linear(dim, dim), act())))
        self.shortcut = nn.Linear(dim, dim)

    def forward(self, h: Tensor) -> Tensor:
        return self.layers(h) + self.shortcut(h)
