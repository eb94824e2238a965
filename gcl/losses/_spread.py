"""Losses on one view: how little its rows spread, by Gaussian potentials in O(N) memory."""

import math

from torch import Tensor

from augmentors._checks import check_positive
from gcl._checks import check_several
from gcl.losses._similarity import row_numbers, unit
from gcl.pairwise import cross_lse, sym_lse
from gcl.pairwise._numerics import at_least_float32


def uniformity(z: Tensor, t: float = 2.0) -> Tensor:
    r"""Log of the mean Gaussian potential over pairs of unit rows; O(N) memory.

    .. math:: \log \frac{1}{N (N - 1)} \sum_{i \ne j} e^{-t \| u_i - u_j \|^2}

    Args:
        z: embeddings ``[N, D]``, N >= 2. A zero row has squared distance 2 to every row.
        t: above 0.

    Returns:
        Scalar in [-4t, 0]; 0 where all rows point in one direction.

    Raises:
        TypeError, ValueError: ``z`` is not floating-point or has one row only, or ``t`` is not above 0.

    **Source:** Wang and Isola (arXiv 2005.10242), section 4.1.2. **Differs:** nothing.

    Example:
        >>> import torch
        >>> uniformity(torch.eye(3))  # every squared distance is 2
        tensor(-4.)
    """
    check_several("z", z)
    check_positive("t", t)
    potential = sym_lse(unit(z) * (2 * t) ** 0.5, bound=2 * t).logsumexp(0)
    return potential - 2 * t - math.log(z.size(0) * (z.size(0) - 1))


def dispersive(z: Tensor, temperature: float = 0.5) -> Tensor:
    r"""Log of the mean Gaussian potential over pairs of unnormalized rows; O(N) memory.

    .. math:: \log \frac{1}{N (N - 1)} \sum_{i \ne j} e^{-\| z_i - z_j \|^2 / t}

    Args:
        z: embeddings ``[N, D]``, N >= 2.
        temperature: t, above 0.

    Raises:
        TypeError, ValueError: as :func:`uniformity`.

    **Source:** Diffuse and Disperse (arXiv 2506.09027), the InfoNCE variant with squared distances. **Differs:** no
    pairs i = j (N constant terms of 1 in the paper's mean); distances are not divided by D, as in the authors' code.

    Example:
        >>> import torch
        >>> dispersive(torch.tensor([[0.0], [1.0]]), temperature=0.5)  # -1 / 0.5
        tensor(-2.)
    """
    check_several("z", z)
    check_positive("temperature", temperature)
    z = at_least_float32(z)
    x = (z - z.mean(0)) * (2 / temperature) ** 0.5  # centered, the products lose fewer digits
    half = x.square().sum(1) / 2
    potential = cross_lse(x, x, log_weight=-half, exclude=row_numbers(x)) - half
    return potential.logsumexp(0) - math.log(z.size(0) * (z.size(0) - 1))
