"""Losses that tell each row's partner from the other rows."""

import torch
import torch.nn.functional as F
from torch import Tensor

from gcl.checks import check_positive, check_views
from gcl.losses.unit import unit
from gcl.pairwise import cross_lse, sym_lse


def info_nce(z1: Tensor, z2: Tensor, temperature: float = 0.5, *, intraview: bool = True) -> Tensor:
    r"""InfoNCE between two views, in both directions; exact, in O(N) memory.

    With s the cosine over the temperature, for each row i of a view and its partner i in the other one

    .. math::
        \ell_i = -\log \frac{e^{s(z_i, z'_i)}}
        {e^{s(z_i, z'_i)} + \sum_{j \ne i} e^{s(z_i, z'_j)} + \sum_{j \ne i} e^{s(z_i, z_j)}}

    and the loss is the mean over the 2N rows. ``intraview=False`` leaves the last sum out.

    Args:
        z1: embeddings ``[N, D]`` of one view; need not be normalised. A zero row has cosine 0 with every row.
        z2: embeddings ``[N, D]`` of the other view, row by row the same nodes or graphs.
        temperature: above 0; no value overflows.
        intraview: whether the rows of a row's own view are negatives too.

    Returns:
        Scalar, float32 for half precision: about log(2N - 1) for unrelated views, 0 for N = 1.

    Raises:
        TypeError: ``z1`` or ``z2`` is not floating-point.
        ValueError: the shapes differ or have no rows, or the temperature is not above 0.

    **Source:** GRACE (arXiv 2006.04131), eq. 1 and 2; NT-Xent (arXiv 2002.05709), eq. 1, is the same number.
    **Differs:** as there. The log-sum-exp is taken over the negatives only, :math:`\ell_i =
    \mathrm{softplus}(\mathrm{lse}_i - s(z_i, z'_i))`, which keeps the digits of well-aligned views.

    Example:
        >>> z1, z2 = torch.eye(2), torch.eye(2)
        >>> info_nce(z1, z2, temperature=1.0)  # log(1 + 2 / e)
        tensor(0.5514)
    """
    check_views(z1, z2)
    check_positive("temperature", temperature)
    z1, z2, bound = unit(z1), unit(z2), 1 / temperature
    positive = (z1 * z2).sum(1) / temperature
    if intraview:
        negatives = sym_lse(torch.cat([z1, z2]) * bound**0.5, len(z1), bound=bound)
        return _log1p_exp(negatives - positive.repeat(2)).mean()
    partner = torch.arange(len(z1), device=z1.device)
    rows, columns = cross_lse(z1 * bound, z2, exclude=partner, both=True, bound=bound)
    return (_log1p_exp(rows - positive).mean() + _log1p_exp(columns - positive).mean()) / 2


def _log1p_exp(x: Tensor) -> Tensor:
    """Softplus to full float64 accuracy: torch's own default gives up the exponential above 20, an error of 2e-9."""
    return F.softplus(x, threshold=50.0)
