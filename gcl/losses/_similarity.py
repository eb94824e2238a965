"""Unit rows, stacked views and row numbers, shared by the losses."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from gcl.pairwise._numerics import at_least_float32, huge, no_autocast


def unit(z: Tensor) -> Tensor:
    """Rows of ``z`` ``[N, D]`` scaled to length 1, at least float32; a zero row stays 0."""
    z = at_least_float32(z)
    z = z / huge(z, dim=1)
    length = torch.linalg.vector_norm(z, dim=1, keepdim=True)
    return z / length.masked_fill(length == 0, 1.0)


def stack_unit_rows(z1: Tensor, z2: Tensor, temperature: float | Tensor) -> tuple[Tensor, Tensor]:
    """Unit rows of both views over sqrt(temperature) ``[2N, D]``, and each row's product with its positive ``[2N]``."""
    x, positive = _Stack.apply(at_least_float32(z1), at_least_float32(z2), temperature**-0.5)
    return x, positive.repeat(2)


class _Stack(torch.autograd.Function):
    """Normalizes and stacks two views; saves only the stacked rows for the backward pass."""

    @staticmethod
    def forward(ctx: Any, z1: Tensor, z2: Tensor, scale: float | Tensor) -> tuple[Tensor, Tensor]:
        x = torch.cat([z1, z2])
        divisor = huge(x, dim=1)
        x /= divisor
        length = torch.linalg.vector_norm(x, dim=1)
        ratio = scale / length.masked_fill_(length == 0, 1.0)
        x *= ratio[:, None]
        ctx.save_for_backward(x, ratio / divisor[:, 0])
        ctx.scale = scale
        with no_autocast(x):
            return x, torch.einsum("nd,nd->n", *x.chunk(2))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_x: Tensor, grad_positive: Tensor) -> tuple[Tensor, Tensor, None]:
        x, ratio = ctx.saved_tensors
        views, ratios, grads = x.chunk(2), ratio.chunk(2), []
        for own, other, r, g in zip(views, views[::-1], ratios, grad_x.chunk(2), strict=True):
            g = torch.addcmul(g, grad_positive[:, None], other)
            with no_autocast(g):
                along = torch.einsum("nd,nd->n", g, own) / ctx.scale**2
            grads.append(g.addcmul_(along[:, None], own, value=-1).mul_(r[:, None]))
        return grads[0], grads[1], None


def row_numbers(z: Tensor) -> Tensor:
    """Each row's number, which is also the column of its positive in the other view."""
    return torch.arange(z.size(0), device=z.device)
