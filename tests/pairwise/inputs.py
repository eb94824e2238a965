"""Helpers for the tests of the primitives."""

import torch


def weighted(function):
    """A scalar with a different gradient for each output; rows that have nothing to sum do not count."""

    def loss(*inputs):
        out = function(*inputs)
        flat = torch.cat([out] if isinstance(out, torch.Tensor) else [o for o in out if o is not None])
        return (flat.masked_fill(flat.isinf(), 0) * torch.arange(1.0, len(flat) + 1, device=flat.device).cos()).sum()

    return loss
