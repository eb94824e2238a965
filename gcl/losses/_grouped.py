"""Losses between nodes and their graphs."""

import math

from torch import Tensor

from gcl._checks import check_index, check_matrix, check_one_dtype, check_several
from gcl.pairwise import row_sum
from gcl.pairwise._numerics import at_least_float32, log1p_exp


def node_graph_bce(h: Tensor, h_negative: Tensor, g: Tensor, batch: Tensor) -> Tensor:
    r"""Binary cross-entropy of discriminating real from corrupted nodes, given a summary of their graph.

    .. math:: \frac{1}{2N} \sum_i \mathrm{sp}(-\langle h_i, g_{b(i)} \rangle)
              + \frac{1}{2N} \sum_i \mathrm{sp}(\langle \tilde h_i, g_{b(i)} \rangle)

    with sp the softplus. A bilinear critic is ``g @ weight.T`` in place of ``g``.

    Args:
        h, h_negative: embeddings ``[N, D]`` of the nodes and of corrupted nodes.
        g: graph embeddings ``[B, D]``.
        batch: long ``[N]``, each node's graph.

    Returns:
        Scalar; log 2 for a critic that is always 0.

    Raises:
        TypeError, ValueError: an embedding is not floating-point, or the shapes do not fit.

    **Source:** Deep Graph Infomax (arXiv 1809.10341), eq. 1, negated. **Differs:** nothing.

    Example:
        >>> import torch
        >>> h, g = torch.ones(3, 2), torch.zeros(1, 2)
        >>> node_graph_bce(h, -h, g, torch.zeros(3).long())
        tensor(0.6931)
    """
    _check_grouped(h, g, batch)
    check_matrix("h_negative", h_negative)
    if h_negative.shape != h.shape:
        raise ValueError(f"h_negative must have the shape of h {tuple(h.shape)}, got {tuple(h_negative.shape)}")
    check_one_dtype(h=h, h_negative=h_negative)
    h, h_negative, own = at_least_float32(h), at_least_float32(h_negative), at_least_float32(g)[batch]
    return (log1p_exp(-(h * own).sum(1)).mean() + log1p_exp((h_negative * own).sum(1)).mean()) / 2


def node_graph_jsd(h: Tensor, g: Tensor, batch: Tensor) -> Tensor:
    r"""Jensen-Shannon estimator of the mutual information between nodes and their graph; negatives are other graphs.

    .. math:: \frac{1}{N} \sum_i \mathrm{sp}(-\langle h_i, g_{b(i)} \rangle)
              + \frac{1}{N (B - 1)} \sum_i \sum_{c \ne b(i)} \mathrm{sp}(\langle h_i, g_c \rangle) - 2 \log 2

    Args:
        h, g, batch: as in :func:`node_graph_bce`; B >= 2.

    Returns:
        Scalar, at least -2 log 2; 0 for orthogonal embeddings.

    Raises:
        TypeError, ValueError: as :func:`node_graph_bce`; or there is one graph only.

    **Source:** InfoGraph (arXiv 1908.01000), section 3.2; with the embeddings of two views, MVGRL (arXiv 2006.05582).
    **Differs:** negated, and shifted by 2 log 2 as in the authors' code.

    Example:
        >>> import torch
        >>> round(node_graph_jsd(torch.eye(2), torch.eye(2), torch.tensor([0, 1])).item(), 4)  # sp(-1)+sp(0)-2 log 2
        -0.3799
    """
    check_several("g", g)
    _check_grouped(h, g, batch)
    h, g = at_least_float32(h), at_least_float32(g)
    positive = log1p_exp(-(h * g[batch]).sum(1)).mean()
    negative = row_sum(h, g, "softplus", exclude=batch).sum() / (h.size(0) * (g.size(0) - 1))
    return positive + negative - 2 * math.log(2)


def _check_grouped(h: Tensor, g: Tensor, batch: Tensor) -> None:
    check_matrix("h", h)
    check_matrix("g", g)
    if h.size(0) == 0:
        raise ValueError("h must have at least one row, got none")
    if h.size(1) != g.size(1):
        raise ValueError(f"h and g must have the same width, got {h.size(1)} and {g.size(1)}")
    check_one_dtype(h=h, g=g)
    check_index("batch", batch, "graph", g.size(0), h.size(0))
