"""COLES."""

import torch
from torch import Generator, Tensor, nn
from torch_geometric.data import Data

from augmentors._checks import check_at_least, check_not_negative, check_positive
from gcl.methods._base import Method
from gcl.methods._sce import random_partners
from gcl.pairwise import edge_dot


class COLES(Method):
    r"""Laplacian eigenmaps by a network, with negatives: large products for neighbors, small ones for random pairs.

    .. math::
        \frac{1}{N} \left( \lambda\, \mathrm{tr}\, H^\top W_- H - \mathrm{tr}\, H^\top W_+ H \right)
        + \frac{\mu}{2} \left\| \tfrac{1}{N} H^\top H \right\|_F^2,
        \qquad W = D^{-1/2} A D^{-1/2}

    with A the edges for :math:`W_+`, and q random partners of each node, in both directions, for :math:`W_-`.

    With StructComp: train on ``Compress(cluster, coarse=True)(data)``, whose coarse edges are then the positives, and
    embed ``data``. Of a loader's batch only the edges between seeds count: take ``gcl.data.cluster_loader``.

    Args:
        encoder: as for :class:`gcl.methods.Method`; linear in the paper, PyG's ``SGConv(F, D, K=2)``.
        num_negatives: q, at least 1.
        negative_weight: :math:`\lambda`, above 0.
        orthogonality: :math:`\mu`, at least 0. With 0 the loss has no lower bound: the embeddings grow without end,
            along one direction. With more it is at least
            :math:`-\| W_+ - \lambda W_- \|_F^2 / 2 \mu`, and its minima spread along several eigenvectors.
        weighted: coarse edges count as many times as they stand for edges.

    Raises:
        ValueError: an argument is out of range.

    **Source:** COLES (NeurIPS 2021), as in StructComp (ICLR 2024) and its code. **Differs:** the negatives are drawn at
    each step, the code's once; the last term is ours, that of spectral contrastive loss (arXiv 2106.04156).

    Example:
        >>> from torch_geometric.nn import SGConv
        >>> data = Data(x=torch.eye(4), edge_index=torch.tensor([[0, 1, 2, 3], [1, 0, 3, 2]]))
        >>> COLES(SGConv(4, 8, K=2)).loss(data, generator=torch.Generator().manual_seed(0)).shape
        torch.Size([])
    """

    def __init__(
        self,
        encoder: nn.Module,
        *,
        num_negatives: int = 5,
        negative_weight: float = 0.8,
        orthogonality: float = 0.1,
        weighted: bool = False,
    ) -> None:
        super().__init__(encoder)
        self.num_negatives = check_at_least("num_negatives", num_negatives, 1)
        self.negative_weight = check_positive("negative_weight", negative_weight)
        self.orthogonality = check_not_negative("orthogonality", orthogonality)
        self.weighted = weighted

    def loss(self, data: Data, *, generator: Generator | None = None) -> Tensor:
        """Products of random pairs less products of neighbors, and the penalty on long and parallel columns."""
        self.check_kind(data)
        h = self.represent(data)
        coarse = "coarse_edge_index" in data
        edge_index = data.coarse_edge_index if coarse else data.edge_index
        weight = data.get("coarse_edge_weight" if coarse else "edge_weight") if self.weighted else None
        weight = h.new_ones(edge_index.size(1)) if weight is None else weight.to(h.dtype)
        if "batch_size" in data:  # only edges between seeds count
            inside = (edge_index < h.size(0)).all(0)
            edge_index, weight = edge_index * inside, weight * inside
        pairs = random_partners(h, self.num_negatives, generator)
        pairs = torch.cat([pairs, pairs.flip(0)], dim=1)
        positive = _trace(h, edge_index, weight)
        negative = _trace(h, pairs, (pairs[0] != pairs[1]).to(h.dtype))
        gram = h.T @ h / h.size(0)
        bound = self.orthogonality / 2 * gram.square().sum()
        return (self.negative_weight * negative - positive) / h.size(0) + bound


def _trace(h: Tensor, edge_index: Tensor, weight: Tensor) -> Tensor:
    """tr(H' W H), W the symmetrically normalized matrix of the weighted edges."""
    row, col = edge_index
    leaving, entering = (h.new_zeros(h.size(0)).index_add_(0, ends, weight) for ends in edge_index)
    scale = (leaving[row] * entering[col]).rsqrt()
    return (torch.where(weight > 0, weight * scale, 0.0) * edge_dot(h, h, edge_index)).sum()
