"""BYOL's loss: predictions against targets, without negatives."""

from torch import Tensor

from gcl._checks import check_views
from gcl.losses._similarity import unit


def byol(p: Tensor, z: Tensor) -> Tensor:
    r"""Cosine distance between predictions and their targets, which get no gradient.

    .. math:: \frac{1}{N} \sum_i \left( 2 - 2 \cos(p_i, z_i) \right)

    Args:
        p: predictions of the online network ``[N, D]``.
        z: projections or embeddings of the target network ``[N, D]``, detached here.

    Returns:
        Scalar in [0, 4].

    Raises:
        TypeError, ValueError: as :func:`gcl.losses.info_nce`.

    **Source:** BYOL (arXiv 2006.07733), eq. 2; BGRL (arXiv 2102.06514) uses -cos, which differs by scale and shift.
    **Differs:** one direction only; add the other with the views swapped.

    Example:
        >>> import torch
        >>> byol(torch.eye(2), torch.eye(2)), byol(torch.eye(2), -torch.eye(2))
        (tensor(0.), tensor(4.))
    """
    check_views(p, z)
    return (2 - 2 * (unit(p) * unit(z.detach())).sum(1)).mean()
