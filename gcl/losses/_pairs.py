"""Pairwise losses without a shared denominator."""

import math

import torch
from torch import Tensor

from augmentors._checks import check_number, check_positive
from gcl._checks import check_views
from gcl.losses._similarity import row_numbers, unit
from gcl.pairwise import row_sum
from gcl.pairwise._numerics import at_least_float32, log1p_exp


def jsd(z1: Tensor, z2: Tensor) -> Tensor:
    r"""Jensen-Shannon estimator of the mutual information of two views, over all pairs of rows.

    .. math:: \frac{1}{N} \sum_i \mathrm{sp}(-\langle z_i, z'_i \rangle)
              + \frac{1}{N (N - 1)} \sum_{i \ne j} \mathrm{sp}(\langle z_i, z'_j \rangle) - 2 \log 2

    with sp the softplus.

    Args:
        z1, z2: embeddings ``[N, D]``, N >= 2; they are not normalized.

    Returns:
        Scalar, at least -2 log 2; 0 for orthogonal rows.

    Raises:
        TypeError, ValueError: as :func:`gcl.losses.info_nce`; or there is one row only.

    **Source:** Deep InfoMax (arXiv 1808.06670), eq. 4. **Differs:** negated, and shifted by 2 log 2 as in InfoGraph.

    Example:
        >>> round(jsd(torch.eye(2), torch.eye(2).flip(0)).item(), 4)  # sp(0) + sp(1) - 2 log 2
        0.6201
    """
    check_views(z1, z2, several=True)
    z1, z2, n = at_least_float32(z1), at_least_float32(z2), len(z1)
    positive = log1p_exp(-(z1 * z2).sum(1)).mean()
    negative = row_sum(z1, z2, "softplus", exclude=row_numbers(z1)).sum() / (n * (n - 1))
    return positive + negative - 2 * math.log(2)


def siglip(z1: Tensor, z2: Tensor, scale: float | Tensor = 10.0, bias: float | Tensor = -10.0) -> Tensor:
    r"""Sigmoid loss: binary classification of each pair of rows as matching or not.

    .. math:: \frac{1}{N} \sum_i \Big[ \mathrm{sp}(-a \cos(z_i, z'_i) - b)
              + \sum_{j \ne i} \mathrm{sp}(a \cos(z_i, z'_j) + b) \Big]

    Args:
        z1, z2: embeddings ``[N, D]``.
        scale, bias: a and b, numbers or learnable scalars (the paper learns the logarithm of a).

    Raises:
        TypeError, ValueError: as :func:`gcl.losses.info_nce`.

    **Source:** SigLIP (arXiv 2303.15343), algorithm 1. **Differs:** nothing.

    Example:
        >>> siglip(torch.eye(3), torch.eye(3))  # log 2 for the pair, 2 log(1 + e^-10) for the others
        tensor(0.6932)
    """
    check_views(z1, z2)
    for name, value in (("scale", scale), ("bias", bias)):
        if not isinstance(value, Tensor):
            check_number(name, value, math.isfinite, "finite", "a number or a scalar tensor")
        elif value.numel() != 1:
            raise ValueError(f"{name} must be one number, got shape {tuple(value.shape)}")
    u1, u2 = unit(z1), unit(z2)
    one = torch.ones_like(u1[:, :1])
    q, k = torch.cat([u1 * scale, one * bias], dim=1), torch.cat([u2, one], dim=1)
    return (log1p_exp(-(q * k).sum(1)) + row_sum(q, k, "softplus", exclude=row_numbers(q))).mean()


def triplet(z1: Tensor, z2: Tensor, margin: float = 0.5) -> Tensor:
    r"""Triplet loss with a margin, over all negatives of the other view.

    .. math:: \frac{1}{N (N - 1)} \sum_{i \ne j} \max\left(0,\; m + \cos(z_i, z'_j) - \cos(z_i, z'_i)\right)

    Args:
        z1, z2: embeddings ``[N, D]``, N >= 2.
        margin: m, above 0.

    Returns:
        Scalar in [0, 2 + m].

    Raises:
        TypeError, ValueError: as :func:`gcl.losses.info_nce`; or there is one row only, or the margin is not above 0.

    **Source:** FaceNet (arXiv 1503.03832), eq. 2, over all negatives. **Differs:** cosines instead of squared
    distances (2 - 2 cos for unit rows), so the margin is half of the paper's.

    Example:
        >>> triplet(torch.eye(2), torch.eye(2).flip(0))  # 0.5 + 1 - 0
        tensor(1.5000)
    """
    check_views(z1, z2, several=True)
    check_positive("margin", margin)
    u1, u2 = unit(z1), unit(z2)
    offset = margin - (u1 * u2).sum(1, keepdim=True)
    q, k = torch.cat([u1, offset], dim=1), torch.cat([u2, torch.ones_like(offset)], dim=1)
    return row_sum(q, k, "relu", exclude=row_numbers(q)).sum() / (len(q) * (len(q) - 1))
