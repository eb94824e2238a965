"""SCE."""

import torch
from torch import Generator, Tensor, nn
from torch_geometric.data import Data

from augmentors._checks import check_at_least, check_not_negative, check_positive
from augmentors._random import integers
from gcl._checks import check_several
from gcl.methods._base import Method
from gcl.pairwise import edge_dot


class SCE(Method):
    r"""Pushes random pairs of nodes apart; propagation or compression already keeps neighbors close.

    .. math:: \frac{\alpha}{\frac{1}{q N} \sum_{(i,j)} \| h_i - h_j \|^2} + \mu \frac{\| C \|_F^2}{(\mathrm{tr}\, C)^2}

    over q random partners j of each node i, with C the covariance of the embedding's columns. The last term is the
    inverse of the number of directions in which the embeddings spread, in [1 / D, 1].

    With StructComp: train on ``Compress(cluster)(data)``, embed ``data``.

    Args:
        encoder: as for :class:`gcl.methods.Method`; linear in the paper, PyG's ``SGConv(F, D, K=2)``.
        num_negatives: q, at least 1.
        alpha: above 0; it is weighed against the weight decay, which alone keeps the embeddings from growing.
        orthogonality: :math:`\mu`, at least 0. With 0 the embeddings gather along few directions as training goes on:
            their number :math:`(\mathrm{tr}\, C)^2 / \| C \|_F^2` falls to 2 in 500 epochs on Cora, and to 9 with 1.

    Raises:
        ValueError: an argument is out of range; (by ``loss``) the graph has one node only.

    **Source:** SCE (KDD 2020) as in StructComp (ICLR 2024) and its code. **Differs:** the mean over the pairs where the
    code has the sum, so that its alpha of 20,000 for 300 nodes is 13.3 here and fits any N; the second term is ours.

    Example:
        >>> from torch_geometric.nn import SGConv
        >>> data = Data(x=torch.eye(4), edge_index=torch.tensor([[0, 1, 2, 3], [1, 0, 3, 2]]))
        >>> SCE(SGConv(4, 8, K=2)).loss(data, generator=torch.Generator().manual_seed(0)) > 0
        tensor(True)
    """

    hetero = True

    def __init__(
        self, encoder: nn.Module, *, num_negatives: int = 5, alpha: float = 13.3, orthogonality: float = 1.0
    ) -> None:
        super().__init__(encoder)
        self.num_negatives = check_at_least("num_negatives", num_negatives, 1)
        self.alpha = check_positive("alpha", alpha)
        self.orthogonality = check_not_negative("orthogonality", orthogonality)

    def loss(self, data: Data, *, generator: Generator | None = None) -> Tensor:
        """The inverse mean squared distance of random pairs, and the penalty on few directions."""
        h = self.represent(data)
        check_several("data.x", h)
        h = h - h.mean(0)
        pairs = random_partners(h, self.num_negatives, generator)
        length = h.square().sum(1)
        distance = (length[pairs[0]] + length[pairs[1]] - 2 * edge_dot(h, h, pairs)).mean()
        gram = h.T @ h
        concentration = gram.square().sum() / gram.trace().square()
        return self.alpha / distance + self.orthogonality * concentration


def random_partners(h: Tensor, count: int, generator: Generator | None) -> Tensor:
    """Each row of ``h`` ``[N, D]`` with ``count`` random rows, perhaps itself: ``[2, count N]``."""
    n = h.size(0)
    partner = integers(n, (count * n,), h.device, generator)
    return torch.stack([torch.arange(n, device=h.device).repeat(count), partner])
