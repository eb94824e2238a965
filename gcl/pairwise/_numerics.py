"""What keeps the digits: float32 at least, without autocast, no squares that overflow, and an accurate softplus."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


def at_least_float32(x: Tensor) -> Tensor:
    """``x``, converted to float32 if it is in half precision."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


def no_autocast(x: Tensor) -> torch.autocast:
    """A context in which products on the device of ``x`` keep their dtype."""
    return torch.autocast(x.device.type, enabled=False)


def column_products(a: Tensor, b: Tensor) -> Tensor:
    """``a.T @ b``, forward and backward without autocast."""
    return _ColumnProducts.apply(a, b)


class _ColumnProducts(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor) -> Tensor:
        ctx.save_for_backward(a, b)
        with no_autocast(a):
            return a.T @ b

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor]:
        a, b = ctx.saved_tensors
        with no_autocast(a):
            return b @ grad.T, a @ grad


def huge(x: Tensor, dim: int) -> Tensor:
    """A divisor: the greatest magnitude along ``dim``, kept, where squares may overflow, else 1; without gradient."""
    greatest = torch.linalg.vector_norm(x.detach(), float("inf"), dim=dim, keepdim=True)
    return greatest.masked_fill(greatest < 1e15, 1.0)


def log1p_exp(x: Tensor) -> Tensor:
    """Softplus to full float64 accuracy; torch's default drops the exponential above 20, an error of 2e-9."""
    return F.softplus(x, threshold=50.0)
