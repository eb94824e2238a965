"""Where embeddings lie on the sphere."""

import math

import torch
from torch import Tensor

from gcl.checks import check_embedding
from gcl.losses.unit import unit
from gcl.pairwise import sym_lse


def alignment(z1: Tensor, z2: Tensor) -> float:
    r"""Mean squared distance of matching unit rows, in [0, 4]; 0: the views agree.

    .. math:: \frac{1}{N} \sum_i \| u_i - u'_i \|^2

    Args:
        z1, z2: embeddings ``[N, D]`` of two views.

    Raises:
        ValueError: the shapes differ, or there are NaN.

    **Source:** arXiv 2005.10242, section 4.1.1, alpha = 2. **Differs:** as there.

    Example:
        >>> alignment(torch.eye(2), torch.eye(2).flip(0))  # orthogonal rows
        2.0
    """
    check_embedding("z1", z1)
    check_embedding("z2", z2)
    if z1.shape != z2.shape:
        raise ValueError(f"z1 and z2 must have the same shape, got {tuple(z1.shape)} and {tuple(z2.shape)}")
    with torch.no_grad():
        return float((unit(z1) - unit(z2)).square().sum(1).mean())


def uniformity(z: Tensor, t: float = 2.0) -> float:
    r"""Log of the mean Gaussian potential over pairs of unit rows, in [-4t, 0]; 0: all rows are one point.

    .. math:: \log \frac{1}{N (N - 1)} \sum_{i \ne j} e^{-t \| u_i - u_j \|^2}

    Args:
        z: embeddings ``[N, D]``, N >= 2.
        t: above 0.

    Raises:
        ValueError: there is one row only, or NaN.

    **Source:** arXiv 2005.10242, section 4.1.2. **Differs:** as there; O(N) memory.

    Example:
        >>> round(uniformity(torch.eye(3)), 6)  # every squared distance is 2
        -4.0
    """
    check_embedding("z", z)
    if z.size(0) < 2:
        raise ValueError("z must have at least two rows, got one")
    with torch.no_grad():
        potential = sym_lse(unit(z) * (2 * t) ** 0.5, bound=2 * t).logsumexp(0)
    return float(potential) - 2 * t - math.log(z.size(0) * (z.size(0) - 1))
