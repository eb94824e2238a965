"""Target networks that follow another one by a moving average."""

import copy

import torch
from torch import nn


def make_target(network: nn.Module) -> nn.Module:
    """Copy a network to a target that is never trained.

    Example:
        >>> [p.requires_grad for p in make_target(nn.Linear(2, 2)).parameters()]
        [False, False]
    """
    return copy.deepcopy(network).requires_grad_(False)


@torch.no_grad()
def move_target(target: nn.Module, network: nn.Module, momentum: float) -> None:
    r"""Move ``target`` towards ``network``: exponential moving average of the parameters, copy of the buffers.

    .. math:: \theta' \leftarrow m \theta' + (1 - m) \theta

    **Source:** MoCo (arXiv 1911.05722), eq. 2; BYOL (arXiv 2006.07733), eq. 1. **Differs:** nothing.

    Example:
        >>> target, network = nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False)
        >>> _ = nn.init.constant_(target.weight, 0.0), nn.init.constant_(network.weight, 1.0)
        >>> move_target(target, network, momentum=0.75)
        >>> target.weight.item()
        0.25
    """
    for slow, fast in zip(target.parameters(), network.parameters(), strict=True):
        slow.lerp_(fast, 1 - momentum)
    for slow_buffer, fast_buffer in zip(target.buffers(), network.buffers(), strict=True):
        slow_buffer.copy_(fast_buffer)
