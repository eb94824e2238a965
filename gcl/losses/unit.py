"""Rows of unit length."""

import torch
from torch import Tensor


def unit(z: Tensor) -> Tensor:
    """Rows of ``z`` ``[N, D]`` divided by their length, at least float32; a zero row stays as it is."""
    z = z.to(torch.promote_types(z.dtype, torch.float32))
    length = torch.linalg.vector_norm(z, dim=1, keepdim=True)
    return z / length.masked_fill(length == 0, 1.0)
