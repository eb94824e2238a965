"""Decorrelation losses: functions of the D x D statistics of the columns, without negatives."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from augmentors._checks import check_not_negative
from gcl._checks import check_row_weight, check_views
from gcl.pairwise._numerics import at_least_float32, column_products, huge, no_autocast


def barlow_twins(
    z1: Tensor, z2: Tensor, off_diagonal_weight: float = 5e-3, *, row_weight: Tensor | None = None
) -> Tensor:
    r"""Drives the cross-correlation matrix of the two views to the identity.

    .. math:: \sum_a (1 - C_{aa})^2 + \lambda \sum_{a \ne b} C_{ab}^2, \qquad C = \tfrac{1}{N} Y^\top Y'

    with Y, Y' the embeddings, their columns scaled to mean 0 and (biased) standard deviation 1.

    Args:
        z1, z2: embeddings ``[N, D]``, N >= 2. A constant column has correlation 0.
        off_diagonal_weight: :math:`\lambda`; G-BT uses 1 / D.
        row_weight: ``[N]``, above 0: the number of rows that each row represents in the correlations.

    Raises:
        TypeError, ValueError: as :func:`gcl.losses.info_nce`; or there is one row only.

    **Source:** Barlow Twins (arXiv 2103.03230), eq. 1 and 2; Graph Barlow Twins (arXiv 2106.02466). **Differs:** no
    epsilon in the standard deviation (the official code's batch normalization adds 1e-5).

    Example:
        >>> z = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
        >>> barlow_twins(z, z), barlow_twins(z, -z)
        (tensor(0.), tensor(8.))
    """
    check_views(z1, z2, several=True)
    check_not_negative("off_diagonal_weight", off_diagonal_weight)
    c = column_products(_standardize(z1, row_weight), _standardize(z2, row_weight))
    on = c.diagonal()
    return (1 - on).square().sum() + off_diagonal_weight * (c.square().sum() - on.square().sum())


def vicreg(
    z1: Tensor, z2: Tensor, *, invariance: float = 25.0, variance: float = 25.0, covariance: float = 1.0
) -> Tensor:
    r"""Distance of matching rows, with penalties on columns of low variance and on their covariances.

    .. math:: \frac{\lambda}{N D} \sum_i \| z_i - z'_i \|^2
              + \mu \left[ v(Z) + v(Z') \right] + \nu \left[ c(Z) + c(Z') \right]

    with :math:`v = \frac{1}{D} \sum_a \max(0, 1 - \sqrt{\mathrm{var}_a + 10^{-4}})` and
    :math:`c = \frac{1}{D} \sum_{a \ne b} \mathrm{cov}_{ab}^2`.

    Args:
        z1, z2: embeddings ``[N, D]``, N >= 2.
        invariance, variance, covariance: the weights :math:`\lambda, \mu, \nu`.

    Raises:
        TypeError, ValueError: as :func:`gcl.losses.info_nce`; or there is one row only.

    **Source:** VICReg (arXiv 2105.04906), eq. 1 to 6. **Differs:** nothing; the official code averages the invariance
    term over entries too, and halves the variance terms.

    Example:
        >>> z = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
        >>> vicreg(z, z), vicreg(z, -z)
        (tensor(0.), tensor(100.))
    """
    check_views(z1, z2, several=True)
    for name, weight in (("invariance", invariance), ("variance", variance), ("covariance", covariance)):
        check_not_negative(name, weight)
    z1, z2 = at_least_float32(z1), at_least_float32(z2)
    loss = invariance * (z1 - z2).square().mean()
    for z in (z1, z2):
        centered = z - z.mean(0)
        cov = column_products(centered, centered) / (z.size(0) - 1)
        var = cov.diagonal()
        loss = loss + variance * torch.relu(1 - (var + 1e-4).sqrt()).mean()
        loss = loss + covariance * (cov.square().sum() - var.square().sum()) / z.size(1)
    return loss


def cca_ssg(z1: Tensor, z2: Tensor, decorrelation_weight: float = 1e-3, *, row_weight: Tensor | None = None) -> Tensor:
    r"""Soft canonical correlation: correlates the views' columns and decorrelates the columns of each view.

    .. math:: -\mathrm{tr}\, Y^\top Y' + \lambda \left( \| Y^\top Y - I \|_F^2 + \| Y'^\top Y' - I \|_F^2 \right)

    with Y, Y' the embeddings, their columns scaled to mean 0 and length 1.

    Args:
        z1, z2, row_weight: as in :func:`barlow_twins`; a constant column stays 0.
        decorrelation_weight: :math:`\lambda`.

    Returns:
        Scalar, at least -D.

    Raises:
        TypeError, ValueError: as :func:`gcl.losses.info_nce`; or there is one row only.

    **Source:** CCA-SSG (arXiv 2106.12484) and the authors' code. **Differs:** the invariance term is the code's
    -tr, half of the paper's :math:`\| Y - Y' \|_F^2` up to a constant. The standard deviation is the biased one
    throughout (the code mixes N and N - 1), so the columns have length 1 exactly.

    Example:
        >>> z = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
        >>> cca_ssg(z, z), cca_ssg(z, -z)
        (tensor(-2.), tensor(2.))
    """
    check_views(z1, z2, several=True)
    check_not_negative("decorrelation_weight", decorrelation_weight)
    y1, y2 = _standardize(z1, row_weight), _standardize(z2, row_weight)
    eye = torch.eye(z1.size(1), dtype=y1.dtype, device=y1.device)
    spread = sum((column_products(y, y) - eye).square().sum() for y in (y1, y2))
    return decorrelation_weight * spread - (y1 * y2).sum()


def ssge(z1: Tensor, z2: Tensor, uniformity_weight: float = 0.1, *, row_weight: Tensor | None = None) -> Tensor:
    r"""Correlates the views' columns and spreads the rows of each view like an isotropic Gaussian, negative-free.

    .. math:: -\mathrm{tr}\, Y^\top Y'
              - \lambda \left( \mathrm{tr} \sqrt{Y^\top Y} + \mathrm{tr} \sqrt{Y'^\top Y'} \right)

    with Y, Y' the embeddings, their columns scaled to mean 0 and length 1. Up to constants the second term is half the
    sum of the squared 2-Wasserstein distances between the standard normal distribution and those of the views' rows.

    Args:
        z1, z2, row_weight: as in :func:`barlow_twins`; a constant column stays 0.
        uniformity_weight: :math:`\lambda`.

    Returns:
        Scalar, at least :math:`-(1 + 2 \lambda) D`.

    Raises:
        TypeError, ValueError: as :func:`gcl.losses.info_nce`; or there is one row only.

    **Source:** Negative-Free Self-Supervised Gaussian Embedding of Graphs (arXiv 2411.01157) and the authors' code.
    **Differs:** the code standardizes by N - 1 but averages over N, so that its first term is (N - 1) / N of this one.
    Eigenvalues within rounding of 0 count as 0, where the code sets those below 1e-8 to that.

    Example:
        >>> z = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
        >>> ssge(z, z), ssge(z, -z)
        (tensor(-2.4000), tensor(1.6000))
    """
    check_views(z1, z2, several=True)
    check_not_negative("uniformity_weight", uniformity_weight)
    y1, y2 = _standardize(z1, row_weight), _standardize(z2, row_weight)
    spread = sum(_TraceOfRoot.apply(column_products(y, y)) for y in (y1, y2))
    return -(y1 * y2).sum() - uniformity_weight * spread


class _TraceOfRoot(torch.autograd.Function):
    """The sum of the roots of the eigenvalues; those within rounding of 0, whose slopes are noise, are left out."""

    @staticmethod
    def forward(ctx: Any, gram: Tensor) -> Tensor:
        with no_autocast(gram):
            eigenvalues, vectors = torch.linalg.eigh(gram.nan_to_num())  # which raises on NaN
            live = eigenvalues > 10 * gram.size(0) * torch.finfo(gram.dtype).eps
            roots, vectors = eigenvalues[live].sqrt(), vectors[:, live]
            ctx.save_for_backward(vectors / (2 * roots) @ vectors.T)
        return roots.sum()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (slope,) = ctx.saved_tensors
        return grad * slope


def _standardize(z: Tensor, row_weight: Tensor | None) -> Tensor:
    """Columns with mean 0 and length 1, at least float32; a constant column becomes 0.

    With weights, as if each row were repeated: the rows are scaled by the root of their normalized weight.
    """
    z = at_least_float32(z)
    z = z / huge(z, dim=0)
    if row_weight is None:
        weight = z.new_full((z.size(0), 1), 1 / z.size(0))
    else:
        weight = check_row_weight(row_weight, z)[:, None] / z.size(0)
    centered = (z - (weight * z).sum(0)) * weight.sqrt()
    var = centered.square().sum(0)
    return centered / torch.where(var > 0, var, 1.0).sqrt()
