"""Losses with several positives for each row: the rows of its class, or its neighbors."""

import torch
from torch import Tensor

from augmentors._checks import check_at_least, check_long, check_positive
from gcl._checks import check_index, check_matrix
from gcl.losses._similarity import unit
from gcl.pairwise import edge_dot, sym_lse


def sup_con(z: Tensor, y: Tensor, temperature: float = 0.1, *, num_classes: int | None = None) -> Tensor:
    r"""Supervised contrastive loss: the other rows of the same class are positives; O(N) memory.

    .. math:: \ell_i = -\frac{1}{|P_i|} \sum_{p \in P_i} \log \frac{e^{s(z_i, z_p)}}{\sum_{a \ne i} e^{s(z_i, z_a)}},
              \qquad P_i = \{ p \ne i : y_p = y_i \}

    Args:
        z: embeddings ``[N, D]``; for two views, ``torch.cat([z1, z2])`` with ``y.repeat(2)``.
        y: long ``[N]``, classes 0 to C - 1.
        temperature: above 0.
        num_classes: C; ``None`` computes it from ``y``, which synchronizes with the device.

    Returns:
        Scalar: the mean over the rows that have a positive, 0 if none has.

    Raises:
        TypeError, ValueError: ``z`` is not floating-point, ``y`` not long, the shapes do not fit, or the temperature is
            not above 0.

    **Source:** Supervised Contrastive Learning (arXiv 2004.11362), eq. 2 (the sum outside the logarithm).
    **Differs:** nothing; the official code also multiplies by the temperature over a base temperature (1 here).

    Example:
        >>> sup_con(torch.eye(2).repeat(2, 1), torch.tensor([0, 1, 0, 1]), temperature=1.0)  # log(e + 2) - 1
        tensor(0.5514)
    """
    check_matrix("z", z)
    check_positive("temperature", temperature)
    check_long("y", y, z.size(0))
    if num_classes is None:
        num_classes = max(int(y.max()), 0) + 1 if y.numel() else 1
    check_index("y", y, "class", check_at_least("num_classes", num_classes, 1))
    x = unit(z) * temperature**-0.5
    total = x.new_zeros(num_classes, x.size(1)).index_add(0, y, x)
    others = x.new_zeros(num_classes).index_add(0, y, torch.ones_like(x[:, 0]))[y] - 1
    return _mean_over_positives(x, (x * (total[y] - x)).sum(1), others, 1 / temperature)


def neighbor_nce(z: Tensor, edge_index: Tensor, temperature: float = 0.5) -> Tensor:
    r"""Contrastive loss with a list of pairs, such as the edges of a graph, as positives; O(N + E) memory.

    Equals :func:`sup_con` with the positives :math:`P_i = \{ p \ne i : (i, p) \in E \}`.

    Args:
        z, temperature: as in :func:`sup_con`.
        edge_index: long ``[2, E]``: row ``edge_index[1, e]`` is a positive of row ``edge_index[0, e]``. Self-loops are
            ignored; duplicates count twice.

    Returns:
        Scalar: the mean over the rows that have a positive, 0 if none has.

    Raises:
        TypeError, ValueError: as :func:`sup_con`.

    **Source:** Supervised Contrastive Learning (arXiv 2004.11362), eq. 2, with positives from a graph as in
    Local-GCL (arXiv 2305.17437). **Differs:** all positives are in the denominator.

    Example:
        >>> z = torch.eye(2).repeat(2, 1)
        >>> neighbor_nce(z, torch.tensor([[0, 2], [2, 0]]), temperature=1.0)  # log(e + 2) - 1
        tensor(0.5514)
    """
    check_matrix("z", z)
    check_positive("temperature", temperature)
    check_index("edge_index", edge_index, "row", z.size(0), 2, "E")
    x = unit(z) * temperature**-0.5
    anchor, positive = edge_index
    counted = (anchor != positive).to(x.dtype)
    count = x.new_zeros(len(x)).index_add(0, anchor, counted)
    total = x.new_zeros(len(x)).index_add(0, anchor, edge_dot(x, x, edge_index) * counted)
    return _mean_over_positives(x, total, count, 1 / temperature)


def _mean_over_positives(x: Tensor, total: Tensor, count: Tensor, bound: float) -> Tensor:
    """Mean, over the rows that have positives, of the log-sum-exp minus the positives' mean score."""
    has_positive = count > 0
    terms = sym_lse(x, bound=bound) - total / count.clamp_min(1)
    return torch.where(has_positive, terms, 0.0).sum() / has_positive.sum().clamp_min(1)
