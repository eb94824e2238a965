"""ProGCL's loss: negatives weighted by their hardness and their probability of being true negatives."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from augmentors._checks import check_positive
from gcl._checks import check_views
from gcl.losses._similarity import stack_unit_rows, unit
from gcl.pairwise import sym_lse
from gcl.pairwise._numerics import log1p_exp

_EM_STEPS = 50  # ten do not find even well-separated components
_MARGIN = 1e-4  # similarities are clamped this far from 0 and 1, the ends of the densities
_MIN_LOG_WEIGHT = -20.0  # 2e-9, so that the weights of a row are never all zero


def progcl(z1: Tensor, z2: Tensor, temperature: float = 0.5) -> Tensor:
    r"""InfoNCE with negatives weighted by their similarity and their probability of being true negatives.

    With c the cosine of a pair, x = (1 + c) / 2 and m = 2N - 2 negatives,

    .. math:: \ell_i = -\log \frac{e^{c_i^+ / t}}{e^{c_i^+ / t} + m \sum_- w\, e^{c / t} / \sum_- w}, \qquad
              w(x) = x \, \frac{\pi_0 \beta_0(x)}{\pi_0 \beta_0(x) + \pi_1 \beta_1(x)}

    where a mixture of two beta densities is fitted to the x of negative pairs; the component of lower mean models the
    true negatives. No gradient flows through w, which is at least e^-20.

    Args:
        z1, z2, temperature: as in :func:`gcl.losses.info_nce`; N >= 2.

    Returns:
        Scalar, the mean over the 2N rows.

    Raises:
        TypeError, ValueError: as :func:`gcl.losses.info_nce`; or there is one row only.

    **Source:** ProGCL (arXiv 2110.02027), the weighting scheme, and the authors' code. **Differs:** the mixture is
    fitted at each call, to inter-view pairs evenly spread over rows and columns (all pairs for N < 64); the authors fit
    it once and keep the weights of that epoch, an N x N array. EM takes 50 steps instead of ten. A negative of the same
    view is weighted by its own similarity instead of that of the same node in the other view.

    Example:
        >>> progcl(torch.eye(2), torch.eye(2), temperature=1.0)  # all negatives are equally hard: log(1 + 2 / e)
        tensor(0.5514)
    """
    check_views(z1, z2, several=True)
    check_positive("temperature", temperature)
    x, positive = stack_unit_rows(z1, z2, temperature)
    odds = fit_true_negatives(sample_negatives(z1.detach(), z2.detach()))
    bias, near_slope, far_slope = (value.to(x.dtype) for value in odds)

    def log_weight(scores: Tensor) -> Tensor:
        near = (scores * (temperature / 2) + 0.5).clamp_(_MARGIN, 1 - _MARGIN)
        log_near = near.log()
        log_odds = bias + near_slope * log_near + far_slope * torch.log1p(-near)
        return F.logsigmoid(log_odds).add_(log_near).clamp_min_(_MIN_LOG_WEIGHT)

    n = len(z1)
    negatives = sym_lse(x, n, log_weight=log_weight, bound=1 / temperature - _MIN_LOG_WEIGHT)
    total = sym_lse(x.detach(), n, log_weight=lambda scores: log_weight(scores) - scores, bound=-_MIN_LOG_WEIGHT)
    return log1p_exp(negatives - total + math.log(2 * n - 2) - positive).mean()


def sample_negatives(z1: Tensor, z2: Tensor) -> Tensor:
    """(1 + cosine) / 2 of sampled negative pairs: up to 2048 evenly spaced rows, with up to 64 others each."""
    n = len(z1)
    rows = torch.arange(0, n, max(1, n // 1024), device=z1.device)
    u1, u2 = unit(z1[rows]), unit(z2)
    pairs = [(u1 * u2[(rows + shift) % n]).sum(1) for shift in range(1, n, max(1, n // 32))]
    return (1 + torch.cat(pairs)) / 2


def fit_true_negatives(x: Tensor) -> tuple[Tensor, ...]:
    """The scalars b, s, t of log P(true | x) / P(false | x) = b + s log x + t log(1 - x), for ``x`` ``[S]``.

    Two beta densities are fitted to ``x`` by expectation maximization with moment matching.
    """
    x = x.double().clamp(_MARGIN, 1 - _MARGIN)
    log_near, log_far = x.log(), torch.log1p(-x)
    a, b = x.new_tensor([[1.0], [2.0]]), x.new_tensor([[2.0], [1.0]])
    log_share = x.new_tensor([[0.95], [0.05]]).log()
    for _ in range(_EM_STEPS):
        r = (_bias(a, b, log_share) + (a - 1) * log_near + (b - 1) * log_far).softmax(0).clamp_min(1e-12)
        size = r.sum(1, keepdim=True)
        mean = (r * x).sum(1, keepdim=True) / size
        variance = (r * (x - mean).square()).sum(1, keepdim=True) / size
        precision = (mean * (1 - mean) / variance.clamp_min(1e-12) - 1).clamp(1e-2, 1e4)
        a, b, log_share = mean * precision, (1 - mean) * precision, (size / size.sum()).log()
    bias = _bias(a, b, log_share)
    swap = torch.where(a[0] / b[0] > a[1] / b[1], -1.0, 1.0)  # true negatives are less similar
    return tuple((swap * (value[0] - value[1])).squeeze() for value in (bias, a, b))


def _bias(a: Tensor, b: Tensor, log_share: Tensor) -> Tensor:
    return log_share + torch.lgamma(a + b) - torch.lgamma(a) - torch.lgamma(b)
