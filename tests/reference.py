"""Textbook forms of the losses: dense, float64 in float64 out, differentiated by autograd. Written from the papers."""

import torch


def unit(z):
    """Unit rows; a zero row stays."""
    length = z.norm(dim=1, keepdim=True)
    return z / torch.where(length > 0, length, torch.ones_like(length))


def info_nce(z1, z2, temperature, intraview=True):
    """GRACE, eq. 1 and 2, with every term written out."""

    def one_direction(a, b):
        inter = unit(a) @ unit(b).T / temperature
        intra = (unit(a) @ unit(a).T / temperature).fill_diagonal_(float("-inf"))
        denominator = torch.cat([inter, intra], dim=1) if intraview else inter
        return denominator.logsumexp(dim=1) - inter.diagonal()

    return (one_direction(z1, z2) + one_direction(z2, z1)).mean() / 2


def value_and_gradients(loss, *inputs):
    """The loss and its gradients at fresh leaves."""
    leaves = [value.detach().clone().requires_grad_() for value in inputs]
    value = loss(*leaves)
    return value.detach(), torch.autograd.grad(value, leaves)
