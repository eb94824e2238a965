"""Losses that tell each row's partner from the other rows: InfoNCE and its relatives."""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from augmentors._checks import check_positive, check_probability
from gcl._checks import check_row_weight, check_several, check_views
from gcl.losses._similarity import log1p_exp, row_numbers, stack_unit_rows, unit
from gcl.pairwise import cross_lse, sym_lse


def info_nce(
    z1: Tensor,
    z2: Tensor,
    temperature: float = 0.5,
    *,
    intraview: bool = True,
    row_weight: Tensor | None = None,
) -> Tensor:
    r"""InfoNCE between two views, in both directions; exact, in O(N) memory.

    With s the cosine over the temperature, for each row i of a view and its partner i in the other one

    .. math::
        \ell_i = -\log \frac{e^{s(z_i, z'_i)}}
        {e^{s(z_i, z'_i)} + \sum_{j \ne i} e^{s(z_i, z'_j)} + \sum_{j \ne i} e^{s(z_i, z_j)}}

    and the loss is the mean over the 2N rows. ``intraview=False`` leaves the last sum out.

    Args:
        z1: embeddings ``[N, D]`` of one view; need not be normalized. A zero row has cosine 0 with every row.
        z2: embeddings ``[N, D]`` of the other view, row by row the same nodes or graphs.
        temperature: above 0; no value overflows.
        intraview: whether the rows of a row's own view are negatives too.
        row_weight: ``[N]``, above 0: how many rows each row stands for. Over their mean, they multiply the terms of
            each row in every sum and in the mean.

    Returns:
        Scalar, float32 for half precision: about log(2N - 1) for unrelated views, 0 for N = 1.

    Raises:
        TypeError: ``z1`` or ``z2`` is not floating-point.
        ValueError: the shapes differ or have no rows, or the temperature is not above 0.

    **Source:** GRACE (arXiv 2006.04131), eq. 1 and 2; NT-Xent (arXiv 2002.05709), eq. 1, is the same number; without
    intra-view negatives, CLIP (arXiv 2103.00020). **Differs:** as there. The log-sum-exp is taken over the negatives
    only, :math:`\ell_i = \mathrm{softplus}(\mathrm{lse}_i - s(z_i, z'_i))`, which keeps the digits of aligned views.

    Example:
        >>> z1, z2 = torch.eye(2), torch.eye(2)
        >>> info_nce(z1, z2, temperature=1.0)  # log(1 + 2 / e)
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


def fixed_anchor_info_nce(z1: Tensor, temperature: float = 0.5) -> Callable[[Tensor], Tensor]:
    r"""``partial(info_nce, z1)`` for many second views against one fixed first view, in two thirds of the time.

    The sums over the first view's own negatives are computed once; no gradient flows to it.

    Args:
        z1, temperature: as in :func:`info_nce`.

    Returns:
        ``z2 [N, D] -> scalar``.

    Raises:
        TypeError, ValueError: as :func:`info_nce`, by the function returned where it concerns ``z2``.

    **Source:** as :func:`info_nce`. **Differs:** the positive is summed with the negatives, so that a loss far below 1
    has the absolute precision of the dtype only.

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


def nt_xent_one_way(z1: Tensor, z2: Tensor, temperature: float = 0.2) -> Tensor:
    r"""GraphCL's NT-Xent: negatives from the other view only, the positive not among them, one direction.

    .. math:: \ell_i = -\log \frac{e^{s(z_i, z'_i)}}{\sum_{j \ne i} e^{s(z_i, z'_j)}}

    Args:
        z1, z2, temperature: as in :func:`info_nce`; N >= 2.

    Returns:
        Scalar; may be negative, since the positive is not in the denominator.

    Raises:
        TypeError, ValueError: as :func:`info_nce`; or there is one row only.

    **Source:** GraphCL (arXiv 2010.13902), eq. 3. **Differs:** as there and in the authors' code.

    Example:
        >>> nt_xent_one_way(torch.eye(2), torch.eye(2), temperature=1.0)  # 0 - 1
        tensor(-1.)
    """
    check_views(z1, z2)
    check_several("z1", z1)
    check_positive("temperature", temperature)
    z1, z2 = unit(z1) / temperature, unit(z2)
    return (cross_lse(z1, z2, exclude=row_numbers(z1), bound=1 / temperature) - (z1 * z2).sum(1)).mean()


def decoupled(z1: Tensor, z2: Tensor, temperature: float = 0.1) -> Tensor:
    r"""Decoupled contrastive loss: InfoNCE with the positive taken out of the denominator.

    .. math:: \ell_i = -s(z_i, z'_i) + \log \sum_{j \ne i} \left( e^{s(z_i, z'_j)} + e^{s(z_i, z_j)} \right)

    Args:
        z1, z2, temperature: as in :func:`info_nce`; N >= 2.

    Returns:
        Scalar, the mean over the 2N rows; may be negative.

    Raises:
        TypeError, ValueError: as :func:`info_nce`; or there is one row only.

    **Source:** DCL (arXiv 2110.06848), the loss L_DC. **Differs:** as there; the weighted form (DCLW) is not offered.

    Example:
        >>> decoupled(torch.eye(2), torch.eye(2), temperature=1.0)  # log 2 - 1
        tensor(-0.3069)
    """
    check_views(z1, z2)
    check_several("z1", z1)
    check_positive("temperature", temperature)
    x, positive = stack_unit_rows(z1, z2, temperature)
    return (sym_lse(x, len(z1), bound=1 / temperature) - positive).mean()


def debiased(z1: Tensor, z2: Tensor, temperature: float = 0.5, *, prior: float = 0.1) -> Tensor:
    r"""InfoNCE corrected for negatives that are positives unawares.

    With m = 2N - 2 negatives of which a share :math:`\tau^+` is expected to be of the anchor's own class

    .. math::
        g_i = \max\Big( \frac{\sum_- e^{s} - m \tau^+ e^{s_i^+}}{1 - \tau^+},\; m e^{-1/t} \Big), \qquad
        \ell_i = -\log \frac{e^{s_i^+}}{e^{s_i^+} + g_i}

    Args:
        z1, z2, temperature: as in :func:`info_nce`; N >= 2.
        prior: :math:`\tau^+`, in [0, 1): the probability of a class; 0 gives :func:`info_nce`.

    Raises:
        TypeError, ValueError: as :func:`info_nce`; or there is one row only, or ``prior`` is out of range.

    **Source:** Debiased Contrastive Learning (arXiv 2007.00224), the estimator with one positive (M = 1).
    **Differs:** as there; computed in logarithms.

    Example:
        >>> z = torch.eye(4)
        >>> torch.isclose(debiased(z, z, prior=0.0), info_nce(z, z))
        tensor(True)
    """
    return hard_negative(z1, z2, temperature, beta=0.0, prior=prior)


def hard_negative(z1: Tensor, z2: Tensor, temperature: float = 0.5, *, beta: float = 1.0, prior: float = 0.1) -> Tensor:
    r"""InfoNCE whose negatives weigh more the harder they are, corrected for false negatives.

    As :func:`debiased`, with the sum over the m negatives weighted by :math:`w = e^{\beta s}` over its mean:

    .. math:: \sum_- e^{s} \;\to\; m \frac{\sum_- e^{(1 + \beta) s}}{\sum_- e^{\beta s}}

    Args:
        z1, z2, temperature: as in :func:`info_nce`; N >= 2.
        beta: concentration on hard negatives, at least 0; 0 gives :func:`debiased`.
        prior: in [0, 1).

    Raises:
        TypeError, ValueError: as :func:`info_nce`; or there is one row only, or ``beta`` or ``prior`` out of range.

    **Source:** Contrastive Learning with Hard Negative Samples (arXiv 2010.04592) and the authors' code.
    **Differs:** as there (the gradient flows through the weights, as in the code).

    Example:
        >>> z = torch.eye(4)  # all negatives equally hard: beta changes nothing
        >>> torch.isclose(hard_negative(z, z, beta=2.0), debiased(z, z))
        tensor(True)
    """
    check_views(z1, z2)
    check_several("z1", z1)
    check_positive("temperature", temperature)
    check_probability("prior", prior, below=1.0)
    if not 0 <= beta < float("inf"):
        raise ValueError(f"beta must be finite and at least 0, got {beta}")
    n, bound = len(z1), 1 / temperature
    x, positive = stack_unit_rows(z1, z2, temperature)
    count = math.log(2 * n - 2)
    negatives = sym_lse(x * (1 + beta) ** 0.5, n, bound=(1 + beta) * bound)
    if beta:
        negatives = negatives - sym_lse(x * beta**0.5, n, bound=beta * bound) + count
    if prior:
        share = count + math.log(prior) + positive - negatives  # log of the false negatives' share
        some = share < 0
        left = negatives + torch.log(-torch.expm1(share.masked_fill(~some, -1.0)))
        left = left - math.log(1 - prior)
        floor = count - bound
        negatives = torch.where(some, left, floor).clamp_min(floor)
    return log1p_exp(negatives - positive).mean()


def macl(z1: Tensor, z2: Tensor, temperature: float = 0.1, *, alpha: float = 0.5, threshold: float = 0.0) -> Tensor:
    r"""InfoNCE with a temperature that follows the alignment, and gradients that do not fade with it.

    With A the mean cosine of the positive pairs and :math:`\ell_i` the terms of :func:`info_nce`

    .. math::
        t = t_0 \left(1 + \alpha (A - A_0)\right), \qquad P_i = e^{-\ell_i}, \qquad
        L = \frac{1}{2N} \sum_i \frac{\ell_i}{1 - P_i}

    where no gradient flows through A and the weights 1 / (1 - P_i).

    Args:
        z1, z2: as in :func:`info_nce`; N >= 2.
        temperature: :math:`t_0`, above 0.
        alpha: in [0, 1]; 0 keeps the temperature.
        threshold: :math:`A_0`, in [0, 1].

    Raises:
        TypeError, ValueError: as :func:`info_nce`; or there is one row only, or an argument is out of range.

    **Source:** Model-Aware Contrastive Learning (arXiv 2207.07874), the adaptive temperature and
    the gradient reweighting together. **Differs:** the temperature is
    kept at :math:`t_0 / 100` at least, which antipodal positive pairs would make zero or negative.

    Example:
        >>> z = torch.eye(2)  # A = 1: the temperature is 1.5 times larger, P = 1 / (1 + 2 exp(-1 / 1.5))
        >>> macl(z, z, temperature=1.0), info_nce(z, z, temperature=1.5)
        (tensor(1.3945), tensor(0.7065))
    """
    check_views(z1, z2)
    check_several("z1", z1)
    check_positive("temperature", temperature)
    check_probability("alpha", alpha)
    check_probability("threshold", threshold)
    with torch.no_grad():
        alignment = (unit(z1) * unit(z2)).sum(1).mean()
    factor = (1 + alpha * (alignment - threshold)).clamp_min(0.01)
    smallest = max(1 + alpha * (-1 - threshold), 0.01)
    x, positive = stack_unit_rows(z1, z2, temperature * factor)
    terms = log1p_exp(sym_lse(x, len(z1), bound=1 / (temperature * smallest)) - positive)
    wrong = -torch.expm1(-terms.detach())
    return (terms / wrong.masked_fill(wrong == 0, 1.0)).mean()


def poly_view(views: Sequence[Tensor], temperature: float = 0.5, *, arithmetic: bool = False) -> Tensor:
    r"""InfoNCE for V >= 2 views of each item.

    With :math:`\ell_{i \alpha \beta}` the probability of view :math:`\beta` of item i among it and all views of all
    other items, seen from view :math:`\alpha`

    .. math::
        \ell_{i \alpha \beta} = \frac{e^{s(z_{i\alpha}, z_{i\beta})}}
        {e^{s(z_{i\alpha}, z_{i\beta})} + \sum_{j \ne i} \sum_\gamma e^{s(z_{i\alpha}, z_{j\gamma})}}

    the loss is the mean over i and :math:`\alpha` of
    :math:`-\frac{1}{V-1} \sum_{\beta \ne \alpha} \log \ell_{i \alpha \beta}` (geometric), or of
    :math:`-\log \frac{1}{V-1} \sum_{\beta \ne \alpha} \ell_{i \alpha \beta}` (arithmetic).

    Args:
        views: V embeddings ``[N, D]`` of the same items.
        temperature: above 0.
        arithmetic: average the probabilities instead of their logarithms.

    Returns:
        Scalar; with two views, both forms are :func:`info_nce`.

    Raises:
        TypeError, ValueError: as :func:`info_nce`; or there are fewer than two views.

    **Source:** Poly-View Contrastive Learning (arXiv 2403.05490), the arithmetic and geometric PVC objectives.
    **Differs:** the paper's sum of negatives is read with the anchor view fixed, so that two views give NT-Xent.

    Example:
        >>> z = torch.eye(3)
        >>> torch.isclose(poly_view([z, z]), info_nce(z, z))
        tensor(True)
    """
    if len(views) < 2:
        raise ValueError(f"views must hold at least two views, got {len(views)}")
    for other in views[1:]:
        check_views(views[0], other)
    check_positive("temperature", temperature)
    n, v, bound = len(views[0]), len(views), 1 / temperature
    x = torch.cat([unit(z) for z in views]) * bound**0.5
    negatives = sym_lse(x, n, bound=bound).reshape(v, 1, n)
    stacked = x.reshape(v, n, -1)
    positives = torch.einsum("and,bnd->abn", stacked, stacked)
    same = torch.eye(v, dtype=torch.bool, device=x.device).unsqueeze(2)
    terms = log1p_exp(negatives - positives)  # -log of the probabilities [V, V, N]
    if arithmetic:
        mean = (-terms).masked_fill(same, float("-inf")).logsumexp(1) - math.log(v - 1)
        return -mean.mean()
    return terms.masked_fill(same, 0.0).sum() / (v * (v - 1) * n)
