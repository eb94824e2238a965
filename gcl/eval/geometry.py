"""Where embeddings lie on the sphere, as numbers to report."""

import torch
from torch import Tensor

from gcl import losses
from gcl.checks import check_embedding


def alignment(z1: Tensor, z2: Tensor) -> float:
    """:func:`gcl.losses.alignment` of two views as a number in [0, 4]; 0: the views agree.

    Raises:
        TypeError: an embedding is not floating-point.
        ValueError: the shapes differ, or there are NaN.

    Example:
        >>> alignment(torch.eye(2), torch.eye(2).flip(0))  # orthogonal rows
        2.0
    """
    check_embedding("z1", z1)
    check_embedding("z2", z2)
    with torch.no_grad():
        return float(losses.alignment(z1, z2))


def uniformity(z: Tensor, t: float = 2.0) -> float:
    """:func:`gcl.losses.uniformity` as a number in [-4t, 0]; 0: all rows are one point.

    Raises:
        TypeError: ``z`` is not floating-point.
        ValueError: there is one row only, or NaN.

    Example:
        >>> round(uniformity(torch.eye(3)), 6)  # every squared distance is 2
        -4.0
    """
    check_embedding("z", z)
    with torch.no_grad():
        return float(losses.uniformity(z, t))
