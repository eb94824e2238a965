"""What keeps the digits: float32 at least, without autocast, and an accurate softplus."""

import torch
import torch.nn.functional as F
from torch import Tensor


def at_least_float32(x: Tensor) -> Tensor:
    """``x``, converted to float32 if it is in half precision."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


def no_autocast(x: Tensor) -> torch.autocast:
    """A context in which products on the device of ``x`` keep their dtype."""
    return torch.autocast(x.device.type, enabled=False)


def log1p_exp(x: Tensor) -> Tensor:
    """Softplus to full float64 accuracy; torch's default drops the exponential above 20, an error of 2e-9."""
    return F.softplus(x, threshold=50.0)
