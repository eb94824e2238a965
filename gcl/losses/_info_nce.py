"""InfoNCE: of two views, of several views, of a fixed and a second view, and without the positive as a negative."""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from augmentors._checks import check_positive
from gcl._checks import check_row_weight, check_views
from gcl.losses._similarity import row_numbers, stack_unit_rows, unit
from gcl.pairwise import cross_lse, sym_lse
from gcl.pairwise._numerics import log1p_exp


def info_nce(
    z1: Tensor, z2: Tensor, temperature: float = 0.5, *, intraview: bool = True, row_weight: Tensor | None = None
) -> Tensor:
    r"""InfoNCE between two views, in both directions; exact, in O(N) memory.

    With s the cosine similarity over the temperature, the term of row i of a view and its positive in the other view is

    .. math:: \ell_i = -\log \frac{e^{s(z_i, z'_i)}}
              {e^{s(z_i, z'_i)} + \sum_{j \ne i} e^{s(z_i, z'_j)} + \sum_{j \ne i} e^{s(z_i, z_j)}}

    and the loss is the mean over the 2N rows. ``intraview=False`` drops the last sum.

    Args:
        z1, z2: embeddings ``[N, D]`` of the same nodes or graphs in two views. A zero row has cosine 0 with every row.
        temperature: above 0; no value overflows.
        intraview: whether the other rows of the same view are negatives too.
        row_weight: ``[N]``, above 0: how many rows each row represents. Divided by their mean, the weights multiply the
            terms of each row in every sum and in the mean.

    Returns:
        Scalar, float32 for half precision: about log(2N - 1) for unrelated views, 0 for N = 1.

    Raises:
        TypeError, ValueError: the views are not floating-point, their shapes differ or have no rows, or the temperature
            is not above 0.

    **Source:** GRACE (arXiv 2006.04131), eq. 1 and 2; NT-Xent (arXiv 2002.05709), eq. 1, is the same number; without
    intra-view negatives, CLIP (arXiv 2103.00020). **Differs:** nothing; computed as
    :math:`\ell_i = \mathrm{softplus}(\mathrm{lse}_i - s(z_i, z'_i))`, the log-sum-exp over the negatives only, which
    keeps the digits of aligned views.

    Example:
        >>> info_nce(torch.eye(2), torch.eye(2), temperature=1.0)  # log(1 + 2 / e)
        tensor(0.5514)
    """
    check_views(z1, z2)
    check_positive("temperature", temperature)
    bound = 1 / temperature
    if row_weight is not None:
        return _weighted_info_nce(unit(z1), unit(z2), bound, intraview, row_weight)
    if intraview:
        x, positive = stack_unit_rows(z1, z2, temperature)
        return log1p_exp(sym_lse(x, len(z1), bound=bound) - positive).mean()
    z1, z2 = unit(z1) * bound, unit(z2)
    rows, columns = cross_lse(z1, z2, exclude=row_numbers(z1), both=True, bound=bound)
    positive = (z1 * z2).sum(1)
    return (log1p_exp(rows - positive).mean() + log1p_exp(columns - positive).mean()) / 2


def _weighted_info_nce(u1: Tensor, u2: Tensor, scale: float, intraview: bool, row_weight: Tensor) -> Tensor:
    weight = check_row_weight(row_weight, u1)
    log_weight, own, positive = weight.log(), row_numbers(u1), scale * (u1 * u2).sum(1)
    if intraview:
        both, log_both = torch.cat([u1, u2]), log_weight.repeat(2)
        exclude = torch.stack([own, own + len(u1)], dim=1)
        negatives = [cross_lse(scale * u, both, log_weight=log_both, exclude=exclude) for u in (u1, u2)]
    else:
        negatives = [cross_lse(scale * a, b, log_weight=log_weight, exclude=own) for a, b in ((u1, u2), (u2, u1))]
    rows, columns = ((weight * (log_weight + log1p_exp(lse - positive - log_weight))).mean() for lse in negatives)
    return (rows + columns) / 2


def fixed_anchor_info_nce(z1: Tensor, temperature: float = 0.5) -> Callable[[Tensor], Tensor]:
    """``partial(info_nce, z1)`` for many second views, in two thirds of the time: the first view's own sums are shared.

    No gradient flows to the first view. The positive is summed with the negatives, so a loss far below 1 has only the
    absolute precision of the dtype.

    Example:
        >>> fixed_anchor_info_nce(torch.eye(2), temperature=1.0)(torch.eye(2))  # log(1 + 2 / e)
        tensor(0.5514)
    """
    check_views(z1, z1)
    check_positive("temperature", temperature)
    bound = 1 / temperature
    anchors = unit(z1.detach()) * bound**0.5
    own = sym_lse(anchors, bound=bound)

    def loss(z2: Tensor) -> Tensor:
        check_views(z1, z2)
        x = unit(z2) * bound**0.5
        rows, columns = cross_lse(anchors, x, both=True, bound=bound)
        denominators = torch.logaddexp(rows, own) + torch.logaddexp(columns, sym_lse(x, bound=bound))
        return denominators.mean() / 2 - (anchors * x).sum(1).mean()

    return loss


def nt_xent_one_way(z1: Tensor, z2: Tensor, temperature: float = 0.2) -> Tensor:
    r"""GraphCL's NT-Xent: one direction, negatives from the other view only, no positive in the denominator.

    .. math:: \ell_i = -\log \frac{e^{s(z_i, z'_i)}}{\sum_{j \ne i} e^{s(z_i, z'_j)}}

    Args:
        z1, z2, temperature: as in :func:`info_nce`; N >= 2.

    Returns:
        Scalar; may be negative, since the positive is not in the denominator.

    Raises:
        TypeError, ValueError: as :func:`info_nce`; or there is one row only.

    **Source:** GraphCL (arXiv 2010.13902), eq. 3, and the authors' code. **Differs:** nothing.

    Example:
        >>> nt_xent_one_way(torch.eye(2), torch.eye(2), temperature=1.0)  # 0 - 1
        tensor(-1.)
    """
    check_views(z1, z2, several=True)
    check_positive("temperature", temperature)
    z1, z2 = unit(z1) / temperature, unit(z2)
    return (cross_lse(z1, z2, exclude=row_numbers(z1), bound=1 / temperature) - (z1 * z2).sum(1)).mean()


def decoupled(z1: Tensor, z2: Tensor, temperature: float = 0.1) -> Tensor:
    r"""Decoupled contrastive loss: InfoNCE without the positive in the denominator.

    .. math:: \ell_i = -s(z_i, z'_i) + \log \sum_{j \ne i} \left( e^{s(z_i, z'_j)} + e^{s(z_i, z_j)} \right)

    Args:
        z1, z2, temperature: as in :func:`info_nce`; N >= 2.

    Returns:
        Scalar, the mean over the 2N rows; may be negative.

    Raises:
        TypeError, ValueError: as :func:`info_nce`; or there is one row only.

    **Source:** DCL (arXiv 2110.06848), the loss L_DC. **Differs:** nothing; the weighted form (DCLW) is missing.

    Example:
        >>> decoupled(torch.eye(2), torch.eye(2), temperature=1.0)  # log 2 - 1
        tensor(-0.3069)
    """
    check_views(z1, z2, several=True)
    check_positive("temperature", temperature)
    x, positive = stack_unit_rows(z1, z2, temperature)
    return (sym_lse(x, len(z1), bound=1 / temperature) - positive).mean()


def poly_view(views: Sequence[Tensor], temperature: float = 0.5, *, arithmetic: bool = False) -> Tensor:
    r"""InfoNCE for V >= 2 views of each item.

    Let :math:`\ell_{i \alpha \beta}` be the probability that view :math:`\alpha` of item i assigns to view
    :math:`\beta` of it, among all views of all other items:

    .. math:: \ell_{i \alpha \beta} = \frac{e^{s(z_{i\alpha}, z_{i\beta})}}
              {e^{s(z_{i\alpha}, z_{i\beta})} + \sum_{j \ne i} \sum_\gamma e^{s(z_{i\alpha}, z_{j\gamma})}}

    The loss is the mean over i and :math:`\alpha` of
    :math:`-\frac{1}{V-1} \sum_{\beta \ne \alpha} \log \ell_{i \alpha \beta}` (geometric), or of
    :math:`-\log \frac{1}{V-1} \sum_{\beta \ne \alpha} \ell_{i \alpha \beta}` (arithmetic).

    Args:
        views: V embeddings ``[N, D]`` of the same items.
        temperature: above 0.
        arithmetic: average the probabilities instead of their logarithms.

    Returns:
        Scalar; for two views, both forms equal :func:`info_nce`.

    Raises:
        TypeError, ValueError: as :func:`info_nce`; or there are fewer than two views.

    **Source:** Poly-View Contrastive Learning (arXiv 2403.05490), the arithmetic and geometric PVC objectives.
    **Differs:** the sum over negatives keeps the anchor view fixed, so that two views give NT-Xent.

    Example:
        >>> z = torch.eye(3)
        >>> torch.isclose(poly_view([z, z]), info_nce(z, z))
        tensor(True)
    """
    if not isinstance(views, Sequence):
        raise TypeError(f"views must be a list of tensors [N, D], got {type(views).__name__}")
    if len(views) < 2:
        raise ValueError(f"views must hold at least two views, got {len(views)}")
    for number, other in enumerate(views[1:], 1):
        check_views(views[0], other, ("views[0]", f"views[{number}]"))
    check_positive("temperature", temperature)
    n, v, bound = len(views[0]), len(views), 1 / temperature
    x = torch.cat([unit(z) for z in views]) * bound**0.5
    negatives = sym_lse(x, n, bound=bound).reshape(v, 1, n)
    stacked = x.reshape(v, n, -1)
    positives = torch.stack([(one * stacked).sum(2) for one in stacked])
    same = torch.eye(v, dtype=torch.bool, device=x.device).unsqueeze(2)
    terms = log1p_exp(negatives - positives)  # -log of the probabilities [V, V, N]
    if arithmetic:
        return math.log(v - 1) - (-terms).masked_fill(same, float("-inf")).logsumexp(1).mean()
    return terms.masked_fill(same, 0.0).sum() / (v * (v - 1) * n)
