"""The first product of an encoder, features times weights, for features that are mostly zeros (bags of words)."""

import torch
from torch import Tensor

from gcl.pairwise import edge_sum

SHARE, ROWS = 0.05, 256  # skip zeros up to this share of non-zeros, estimated from so many rows


@torch.compiler.disable
def features_product(x: Tensor, weight: Tensor) -> Tensor:
    """``x @ weight``, without the zeros of ``x`` where it is a mostly empty matrix on a CPU."""
    fits = x.dim() == 2 and x.size(1) == len(weight) and x.dtype == weight.dtype  # otherwise torch says what is wrong
    plain = x.layout is torch.strided and x.device.type == "cpu" and not x.requires_grad
    if not (fits and plain and _mostly_empty(x)):
        return x @ weight
    place = x.nonzero().T
    return edge_sum(x[place[0], place[1]], weight, place, len(x)).to(x.dtype)


def _mostly_empty(x: Tensor) -> bool:
    sample = x[:: max(1, len(x) // ROWS)]
    return int(sample.count_nonzero()) <= SHARE * sample.numel()
