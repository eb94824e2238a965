"""What the losses share: unit rows, stacked views, a softplus that keeps its digits."""

import torch
import torch.nn.functional as F
from torch import Tensor


def single(z: Tensor) -> Tensor:
    """``z`` in float32 if it is of half precision."""
    return z.to(torch.promote_types(z.dtype, torch.float32))


def unit(z: Tensor) -> Tensor:
    """Rows of ``z`` ``[N, D]`` divided by their length, at least float32; a zero row stays as it is."""
    z = single(z)
    length = torch.linalg.vector_norm(z, dim=1, keepdim=True)
    return z / length.masked_fill(length == 0, 1.0)


def stack(z1: Tensor, z2: Tensor) -> tuple[Tensor, Tensor]:
    """Unit rows of both views, one below the other ``[2N, D]``, and the cosine of each with its partner ``[2N]``."""
    z1, z2 = unit(z1), unit(z2)
    return torch.cat([z1, z2]), (z1 * z2).sum(1).repeat(2)


def log1p_exp(x: Tensor) -> Tensor:
    """Softplus to full float64 accuracy: torch's default gives up the exponential above 20, an error of 2e-9."""
    return F.softplus(x, threshold=50.0)


def partners(z: Tensor) -> Tensor:
    """Each row's own number: the column of its partner in the other view."""
    return torch.arange(z.size(0), device=z.device)
