"""The linear bounds of POT's published score, where the propagated values are known: its costliest step."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from gcl.regularizers.pot._activations import Leaky, LinearBounds
from gcl.regularizers.pot._graph import AllowedViews
from gcl.regularizers.pot._intervals import preactivation
from gcl.regularizers.pot._layers import Layer


def exact_bounds(layer: Layer, allowed: AllowedViews, y: Tensor) -> LinearBounds:
    """Bounds of the layer's activation over all ``A y + bias``, A of an allowed view; a learnt slope is a constant."""
    activation = layer.activation.detach()
    if not isinstance(activation, Leaky):
        return activation.bounds(*preactivation(layer, allowed, y, y))
    if activation.is_identity:
        return LinearBounds(torch.ones_like(y), None, torch.zeros_like(y))
    return activation.bounds_of(*_Share.apply(y, layer.bias, allowed))


class _Share(torch.autograd.Function):
    """The share rho of each interval [l, u] that is positive, and rho l^-, in half the arrays that autograd keeps."""

    @staticmethod
    def forward(ctx: Any, y: Tensor, bias: Tensor, allowed: AllowedViews) -> tuple[Tensor, Tensor]:
        least, greatest = _ends(y, bias, allowed)
        positive, negative = greatest.clamp_(min=0), least.neg_().clamp_(min=0)
        width = positive + negative
        empty = 1 - width.sign()
        share = positive.add_(empty).div_(width.add_(empty))
        ctx.save_for_backward(y, negative, width, share)
        ctx.allowed = allowed
        return share, share * negative

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_share: Tensor, grad_chord: Tensor) -> tuple[Tensor, Tensor, None]:
        y, negative, width, share = ctx.saved_tensors
        graph = ctx.allowed.graph.reversed
        low, high = ctx.allowed.low.square(), ctx.allowed.high
        through = torch.addcmul(grad_share, grad_chord, negative).div_(width)
        greatest = (through * negative).div_(width).mul_(share.sign())  # masks by signs are vectorized, others are not
        least = through.sub_(grad_chord).mul_(share).mul_(negative.sign())
        top = graph.propagate(greatest, high).addcmul_(low, least)
        bottom = graph.propagate(least, high).addcmul_(low, greatest)
        sign = y.sign()
        grad_y = top.mul_(sign.clamp(min=0)).addcmul_(bottom, sign.clamp_(max=0), value=-1)
        return grad_y, (greatest + least).sum(0), None


def _ends(y: Tensor, bias: Tensor, allowed: AllowedViews) -> tuple[Tensor, Tensor]:
    """``preactivation`` of a known ``y``, in fewer arrays."""
    graph, low, high = allowed.graph, allowed.low.square(), allowed.high
    positive = y.clamp(min=0)
    negative = positive - y
    least = torch.addcmul(bias, low, positive).sub_(graph.propagate(negative, high))
    return least, torch.addcmul(bias, low, negative, value=-1).add_(graph.propagate(positive, high))
