"""COSTA."""

from functools import partial
from typing import Any

import torch
from torch import Generator, Tensor, nn

from augmentors._random import uniform
from gcl.losses import info_nce
from gcl.methods._grace import GRACE
from gcl.methods._two_view import TwoView


class COSTA(TwoView):
    r"""Contrasts random sketches of the embeddings: mixtures of nodes that preserve the covariance.

    Both views' embeddings ``[N, dim]`` are multiplied by the same random matrix P ``[K, N]``, whose rows then match:

    .. math:: \tilde H = P H, \qquad \mathbb{E}[P^T P] = I \;\Rightarrow\; \mathbb{E}[\tilde H^T \tilde H] = H^T H

    Args:
        encoder, dim, temperature: as for :class:`gcl.methods.GRACE`.
        ratio: K / N, in (0, 1].
        **grace: passed to :class:`gcl.methods.GRACE` (``proj_dim``, ``edge_drop``, ``feature_mask``).

    Raises:
        ValueError: a probability is outside [0, 1], ``ratio`` outside (0, 1], or the temperature is not above 0.

    **Source:** COSTA (arXiv 2206.04726), the multi-view form; negatives from the other view only, as in the authors'
    code. **Differs:** their P is a dense Gaussian matrix; here each node goes, with a random sign, into one
    of K sketches of equal size, which preserves the covariance too, with less variance and in O(N dim) time.

    Example:
        >>> from gcl.nn import gcn
        >>> from torch_geometric.data import Data
        >>> method = COSTA(gcn(4, 8))
        >>> data = Data(x=torch.eye(4), edge_index=torch.tensor([[0, 1, 2, 3], [1, 0, 3, 2]]))
        >>> pair = method.pair(data, generator=torch.Generator().manual_seed(0))
        >>> pair.h1.shape, pair.z1.shape
        (torch.Size([4, 8]), torch.Size([2, 8]))
    """

    def __init__(
        self, encoder: nn.Module, dim: int | None = None, *, ratio: float = 0.5, temperature: float = 0.4, **grace: Any
    ) -> None:
        if not 0 < ratio <= 1:
            raise ValueError(f"ratio must be in (0, 1], got {ratio}")
        parts = GRACE(encoder, dim, temperature=temperature, **grace)
        objective = partial(info_nce, temperature=temperature, intraview=False)
        super().__init__(encoder, parts.projector, parts.augmentor1, parts.augmentor2, objective)
        self.ratio = ratio

    def project(self, h1: Tensor, h2: Tensor, *, generator: Generator | None = None) -> tuple[Tensor, Tensor]:
        """The projections of the views' sketches ``[K, dim]``."""
        n = h1.size(0)
        k = max(1, int(self.ratio * n))
        order, coin = (uniform(n, h1.device, generator) for _ in range(2))
        place, sign = order.argsort(stable=True) % k, torch.where(coin < 0.5, -1.0, 1.0)
        z1, z2 = (self.projector(sketch(h, place, sign, k)) for h in (h1, h2))
        return z1, z2


def sketch(h: Tensor, place: Tensor, sign: Tensor, k: int) -> Tensor:
    """P h ``[K, D]``, where column i of P ``[K, N]`` holds ``sign[i]`` in row ``place[i]``."""
    return h.new_zeros(k, h.size(1)).index_add(0, place, h * sign[:, None].to(h.dtype))
