"""Losses of matching rows only, without negatives, in O(N D)."""

import math

import torch
from torch import Tensor

from augmentors._checks import check_number, check_positive
from gcl._checks import check_views
from gcl.losses._similarity import unit


def alignment(z1: Tensor, z2: Tensor) -> Tensor:
    r"""Mean squared distance between matching unit rows, a scalar in [0, 4].

    .. math:: \frac{1}{N} \sum_i \| u_i - u'_i \|^2

    Args:
        z1, z2: embeddings ``[N, D]`` of two views.

    Raises:
        TypeError, ValueError: as :func:`gcl.losses.info_nce`.

    **Source:** Wang and Isola (arXiv 2005.10242), section 4.1.1, alpha = 2. **Differs:** nothing.

    Example:
        >>> alignment(torch.eye(2), torch.eye(2).flip(0))  # orthogonal rows
        tensor(2.)
    """
    check_views(z1, z2)
    return (unit(z1) - unit(z2)).square().sum(1).mean()


def byol(p: Tensor, z: Tensor) -> Tensor:
    r"""Cosine distance between predictions and their targets, which get no gradient.

    .. math:: \frac{1}{N} \sum_i \left( 2 - 2 \cos(p_i, z_i) \right)

    Args:
        p, z: predictions of the online network, and projections or embeddings of the target network ``[N, D]``.

    Returns:
        Scalar in [0, 4].

    Raises:
        TypeError, ValueError: as :func:`gcl.losses.info_nce`.

    **Source:** BYOL (arXiv 2006.07733), eq. 2; BGRL (arXiv 2102.06514) uses -cos, which differs by scale and shift.
    **Differs:** one direction only; add the other with the views swapped.

    Example:
        >>> byol(torch.eye(2), torch.eye(2)), byol(torch.eye(2), -torch.eye(2))
        (tensor(0.), tensor(4.))
    """
    check_views(p, z, ("p", "z"))
    return (2 - 2 * (unit(p) * unit(z.detach())).sum(1)).mean()


def scaled_cosine_error(prediction: Tensor, target: Tensor, gamma: float = 3.0) -> Tensor:
    r"""Cosine distance of reconstructed rows, with less weight on those that are nearly right.

    .. math:: \frac{1}{N} \sum_i \left( 1 - \cos(\hat x_i, x_i) \right)^\gamma

    Args:
        prediction, target: ``[N, F]``; a zero row has cosine 0 with every row.
        gamma: :math:`\gamma`, at least 1.

    Returns:
        Scalar in :math:`[0, 2^\gamma]`.

    Raises:
        TypeError, ValueError: as :func:`gcl.losses.info_nce`; or ``gamma`` is below 1.

    **Source:** GraphMAE (arXiv 2205.10803), eq. 2. **Differs:** nothing.

    Example:
        >>> scaled_cosine_error(torch.eye(2), torch.eye(2)), scaled_cosine_error(torch.eye(2), -torch.eye(2))
        (tensor(0.), tensor(8.))
    """
    check_views(prediction, target, ("prediction", "target"))
    check_gamma(gamma)
    cosine = (unit(prediction) * unit(target)).sum(1)
    return (1 - cosine).clamp_min(0).pow(gamma).mean()


def check_gamma(gamma: float) -> float:
    """``gamma`` as a finite float of at least 1."""
    return check_number("gamma", gamma, lambda v: 1 <= v < math.inf, "finite and at least 1")


def information_regularizer(z1: Tensor, z2: Tensor, z: Tensor, temperature: float = 0.5) -> Tensor:
    r"""Penalty on two views that are more similar to each other than each is to the original graph; O(N D).

    .. math:: \frac{1}{N} \sum_i \max\big(2 s(z_{1i}, z_{2i}) - s(z_{1i}, z_i) - s(z_{2i}, z_i),\; 0\big), \qquad
              s(a, b) = e^{\cos(a, b) / \tau}

    No gradient flows through the last two terms: the penalty pushes the views apart, but not towards the graph.

    Args:
        z1, z2: embeddings ``[N, D]`` of the views; a zero row has cosine 0 with every row.
        z: embeddings ``[N, D]`` of the same nodes in the original graph.
        temperature: :math:`\tau`, above 0; at least 0.0114 (float64: 0.0014), below which s overflows.

    Returns:
        Scalar, at least 0; it scales as :math:`e^{1 / \tau}`.

    Raises:
        TypeError, ValueError: as :func:`gcl.losses.info_nce`.

    **Source:** ARIEL (arXiv 2208.06956) and the authors' code, which has the stop-gradients. **Differs:** nothing.

    Example:
        >>> z = torch.tensor([[1.0, 0.0]])  # 2 e^1 - 2 e^0
        >>> information_regularizer(z, z, torch.tensor([[0.0, 1.0]]), temperature=1.0)
        tensor(3.4366)
    """
    check_views(z1, z2)
    check_views(z1, z, ("z1", "z"))
    check_positive("temperature", temperature)
    z1, z2, z = unit(z1), unit(z2), unit(z).detach()
    least = 1 / math.log(torch.finfo(z1.dtype).max / 4)
    if temperature < least:
        raise ValueError(
            f"temperature must be at least {least:.4f} for {z1.dtype} to hold its powers, got {temperature}"
        )
    between = ((z1 * z2).sum(1) / temperature).exp()
    to_graph = ((z1.detach() * z).sum(1) / temperature).exp() + ((z2.detach() * z).sum(1) / temperature).exp()
    return (2 * between - to_graph).relu().mean()
