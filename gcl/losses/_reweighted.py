"""InfoNCE with reweighted negatives or reweighted terms."""

import math

import torch
from torch import Tensor

from augmentors._checks import check_not_negative, check_positive, check_probability
from gcl._checks import check_views
from gcl.losses._similarity import stack_unit_rows, unit
from gcl.pairwise import sym_lse
from gcl.pairwise._numerics import log1p_exp


def debiased(z1: Tensor, z2: Tensor, temperature: float = 0.5, *, prior: float = 0.1) -> Tensor:
    r"""InfoNCE corrected for false negatives.

    With m = 2N - 2 negatives, of which a fraction :math:`\tau^+` is expected to belong to the anchor's class,

    .. math:: g_i = \max\Big( \frac{\sum_- e^{s} - m \tau^+ e^{s_i^+}}{1 - \tau^+},\; m e^{-1/t} \Big), \qquad
              \ell_i = -\log \frac{e^{s_i^+}}{e^{s_i^+} + g_i}

    Args:
        z1, z2, temperature: as in :func:`gcl.losses.info_nce`; N >= 2.
        prior: :math:`\tau^+`, the probability of a class, in [0, 1); 0 gives :func:`gcl.losses.info_nce`.

    Raises:
        TypeError, ValueError: as :func:`gcl.losses.info_nce`; or there is one row only, or ``prior`` is out of range.

    **Source:** Debiased Contrastive Learning (arXiv 2007.00224), the estimator for M = 1. **Differs:** in logarithms.

    Example:
        >>> debiased(torch.eye(2), torch.eye(2), temperature=1.0, prior=0.0)  # log(1 + 2 / e)
        tensor(0.5514)
    """
    return hard_negative(z1, z2, temperature, beta=0.0, prior=prior)


def hard_negative(z1: Tensor, z2: Tensor, temperature: float = 0.5, *, beta: float = 1.0, prior: float = 0.1) -> Tensor:
    r"""InfoNCE with hard negatives weighted up, corrected for false negatives.

    Equals :func:`debiased` with the m negatives weighted by :math:`w = e^{\beta s}` over its mean:

    .. math:: \sum_- e^{s} \;\to\; m \frac{\sum_- e^{(1 + \beta) s}}{\sum_- e^{\beta s}}

    Args:
        z1, z2, temperature, prior: as in :func:`debiased`.
        beta: concentration on hard negatives, at least 0; 0 gives :func:`debiased`.

    Raises:
        TypeError, ValueError: as :func:`debiased`; or ``beta`` is out of range.

    **Source:** Contrastive Learning with Hard Negative Samples (arXiv 2010.04592) and the authors' code.
    **Differs:** nothing; the gradient flows through the weights, as in the code.

    Example:
        >>> hard_negative(torch.eye(2), torch.eye(2), 1.0, beta=2.0, prior=0.0)  # equally hard: log(1 + 2 / e)
        tensor(0.5514)
    """
    check_views(z1, z2, several=True)
    check_positive("temperature", temperature)
    check_probability("prior", prior, below=1.0)
    check_not_negative("beta", beta)
    n, bound = len(z1), 1 / temperature
    x, positive = stack_unit_rows(z1, z2, temperature)
    count = math.log(2 * n - 2)
    negatives = sym_lse(x * (1 + beta) ** 0.5, n, bound=(1 + beta) * bound)
    if beta:
        negatives = negatives - sym_lse(x * beta**0.5, n, bound=beta * bound) + count
    if prior:
        log_false = count + math.log(prior) + positive - negatives  # log of the fraction of false negatives
        some_true = log_false < 0
        true = negatives + torch.log(-torch.expm1(log_false.masked_fill(~some_true, -1.0))) - math.log(1 - prior)
        floor = count - bound
        negatives = torch.where(some_true, true, floor).clamp_min(floor)
    return log1p_exp(negatives - positive).mean()


def macl(z1: Tensor, z2: Tensor, temperature: float = 0.1, *, alpha: float = 0.5, threshold: float = 0.0) -> Tensor:
    r"""InfoNCE with a temperature that adapts to the alignment, and gradients that do not vanish with it.

    With A the mean cosine of the positive pairs and :math:`\ell_i` the terms of :func:`gcl.losses.info_nce`,

    .. math:: t = t_0 \left(1 + \alpha (A - A_0)\right), \qquad P_i = e^{-\ell_i}, \qquad
              L = \frac{1}{2N} \sum_i \frac{\ell_i}{1 - P_i}

    where no gradient flows through A and the weights 1 / (1 - P_i).

    Args:
        z1, z2: as in :func:`gcl.losses.info_nce`; N >= 2.
        temperature: :math:`t_0`, above 0.
        alpha: in [0, 1]; 0 keeps the temperature.
        threshold: :math:`A_0`, in [0, 1].

    Raises:
        TypeError, ValueError: as :func:`gcl.losses.info_nce`; or there is one row only, or an argument is out of range.

    **Source:** Model-Aware Contrastive Learning (arXiv 2207.07874), the adaptive temperature and the gradient
    reweighting together. **Differs:** the temperature is at least :math:`t_0 / 100`, since antipodal positive pairs
    would make it zero or negative.

    Example:
        >>> macl(torch.eye(2), torch.eye(2), temperature=1.0)  # A = 1, t = 1.5: l = log(1 + 2 exp(-1 / 1.5))
        tensor(1.3945)
    """
    check_views(z1, z2, several=True)
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
