"""Graph Group Discrimination."""

import torch.nn.functional as F
from torch import Generator, Tensor, nn
from torch_geometric.data import Data

from augmentors import Compose, EdgeDrop, FeatureMask, NodeShuffle
from gcl.methods._base import Method, width_of


class GGD(Method):
    """Discriminates real from feature-shuffled nodes by the sum of their projection: no pairs at all.

    Args:
        encoder, dim: as for :class:`gcl.methods.GRACE`.
        edge_drop: probability of dropping an edge, in the one view.
        feature_mask: probability of masking a feature column.

    Raises:
        ValueError: a probability is outside [0, 1], or the encoder does not say its width.

    **Source:** Rethinking and Scaling Up Graph Contrastive Learning (arXiv 2206.01535). **Differs:** ``embed`` gives
    the local embeddings H; the paper adds a diffusion of them, A^n H.

    Example:
        >>> import torch
        >>> from gcl.nn import gcn
        >>> data = Data(x=torch.eye(4), edge_index=torch.tensor([[0, 1, 2, 3], [1, 0, 3, 2]]))
        >>> GGD(gcn(4, 8)).loss(data, generator=torch.Generator().manual_seed(0)).shape
        torch.Size([])
    """

    hetero = True

    def __init__(
        self, encoder: nn.Module, dim: int | None = None, *, edge_drop: float = 0.2, feature_mask: float = 0.2
    ) -> None:
        super().__init__(encoder)
        dim = width_of(encoder, dim)
        self.projector = nn.Linear(dim, dim)
        self.augmentor = Compose([EdgeDrop(edge_drop), FeatureMask(feature_mask)])
        self.corrupt = NodeShuffle()

    def loss(self, data: Data, *, generator: Generator | None = None) -> Tensor:
        """Binary cross-entropy of the summed projections of true and shuffled nodes."""
        view = self.augmentor(data, generator=generator)
        true, false = (
            self.projector(self.represent(nodes)).sum(1) for nodes in (view, self.corrupt(view, generator=generator))
        )
        return (F.softplus(-true).mean() + F.softplus(false).mean()) / 2
