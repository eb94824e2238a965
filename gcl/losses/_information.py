"""The information regularizer of ARIEL."""

from torch import Tensor

from augmentors._checks import check_positive
from gcl._checks import check_views
from gcl.losses._similarity import unit


def information_regularizer(z1: Tensor, z2: Tensor, z: Tensor, temperature: float = 0.5) -> Tensor:
    r"""Penalty on two views that are more similar to each other than each is to the original graph; O(N D).

    .. math:: \frac{1}{N} \sum_i \max\big(2 s(z_{1i}, z_{2i}) - s(z_{1i}, z_i) - s(z_{2i}, z_i),\; 0\big), \qquad
              s(a, b) = e^{\cos(a, b) / \tau}

    No gradient flows through the last two terms: the penalty pushes the views apart, but not towards the graph.

    Args:
        z1, z2: embeddings ``[N, D]`` of the views; a zero row has cosine 0 with every row.
        z: embeddings ``[N, D]`` of the same nodes in the original graph.
        temperature: :math:`\tau`, above 0; s overflows where 1 / temperature exceeds 88 (float32).

    Returns:
        Scalar, at least 0; it scales as :math:`e^{1 / \tau}`.

    Raises:
        TypeError: an embedding is not floating-point.
        ValueError: the shapes differ or have no rows, or the temperature is not above 0.

    **Source:** ARIEL (arXiv 2208.06956) and the authors' code, which has the stop-gradients. **Differs:** nothing.

    Example:
        >>> import torch
        >>> z = torch.tensor([[1.0, 0.0]])  # 2 e^1 - 2 e^0
        >>> information_regularizer(z, z, torch.tensor([[0.0, 1.0]]), temperature=1.0)
        tensor(3.4366)
    """
    check_views(z1, z2)
    check_views(z1, z)
    check_positive("temperature", temperature)
    z1, z2, z = unit(z1), unit(z2), unit(z).detach()
    between = ((z1 * z2).sum(1) / temperature).exp()
    to_graph = ((z1.detach() * z).sum(1) / temperature).exp() + ((z2.detach() * z).sum(1) / temperature).exp()
    return (2 * between - to_graph).relu().mean()
