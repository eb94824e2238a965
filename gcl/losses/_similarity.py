"""What the losses share: unit rows, stacked views, a softplus that keeps its digits."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable


def at_least_float32(z: Tensor) -> Tensor:
    """``z`` in float32 if it is of half precision."""
    return z.to(torch.promote_types(z.dtype, torch.float32))


def unit(z: Tensor) -> Tensor:
    """Rows of ``z`` ``[N, D]`` divided by their length, at least float32; a zero row stays as it is."""
    z = at_least_float32(z)
    length = torch.linalg.vector_norm(z, dim=1, keepdim=True)
    return z / length.masked_fill(length == 0, 1.0)


def stack_unit_rows(z1: Tensor, z2: Tensor, temperature: float | Tensor) -> tuple[Tensor, Tensor]:
    """Unit rows of both views over sqrt(temperature) ``[2N, D]``, and the product of each with its partner ``[2N]``."""
    x, positive = _Stack.apply(at_least_float32(z1), at_least_float32(z2), temperature**-0.5)
    return x, positive.repeat(2)


class _Stack(torch.autograd.Function):
    """As plain autograd would have it, but the stacked rows are the only thing of size N D that is kept."""

    @staticmethod
    def forward(ctx: Any, z1: Tensor, z2: Tensor, scale: float | Tensor) -> tuple[Tensor, Tensor]:
        x = torch.cat([z1, z2])
        length = torch.linalg.vector_norm(x, dim=1)
        ratio = scale / length.masked_fill_(length == 0, 1.0)
        x *= ratio[:, None]
        ctx.save_for_backward(x, ratio)
        ctx.scale = scale
        return x, torch.einsum("nd,nd->n", *x.chunk(2))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_x: Tensor, grad_positive: Tensor) -> tuple[Tensor, Tensor, None]:
        x, ratio = ctx.saved_tensors
        views, ratios, grads = x.chunk(2), ratio.chunk(2), []
        for own, other, r, g in zip(views, views[::-1], ratios, grad_x.chunk(2), strict=True):
            g = torch.addcmul(g, grad_positive[:, None], other)
            along = torch.einsum("nd,nd->n", g, own) / ctx.scale**2
            grads.append(g.addcmul_(along[:, None], own, value=-1).mul_(r[:, None]))
        return grads[0], grads[1], None


def log1p_exp(x: Tensor) -> Tensor:
    """Softplus to full float64 accuracy: torch's default gives up the exponential above 20, an error of 2e-9."""
    return F.softplus(x, threshold=50.0)


def row_numbers(z: Tensor) -> Tensor:
    """Each row's own number: the column of its partner in the other view."""
    return torch.arange(z.size(0), device=z.device)
