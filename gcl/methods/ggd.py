"""Graph Group Discrimination."""

import torch.nn.functional as F
from torch import Generator, Tensor, nn
from torch_geometric.data import Data

from augmentors import Compose, EdgeDrop, FeatureMask, NodeShuffle
from gcl.methods.base import Method
from gcl.nn.encoders import encode


class GGD(Method):
    """Nodes shall be told from nodes with shuffled features by the sum of their projection: no pairs at all.

    Args:
        encoder: ``(x, edge_index, edge_weight=None) -> h [N, dim]``.
        dim: width of the encoder's output.
        edge_drop: probability of dropping an edge.
        feature_mask: probability of masking a feature column.

    Raises:
        ValueError: a probability is outside [0, 1].

    **Source:** Rethinking and Scaling Up Graph Contrastive Learning (arXiv 2206.01535). **Differs:** ``embed`` gives
    the local embeddings H; the paper adds a diffusion of them, A^n H.

    Example:
        >>> import torch
        >>> from gcl.nn import gcn
        >>> data = Data(x=torch.eye(4), edge_index=torch.tensor([[0, 1, 2, 3], [1, 0, 3, 2]]))
        >>> GGD(gcn(4, 8, 8), dim=8).loss(data, torch.Generator().manual_seed(0)).shape
        torch.Size([])
    """

    def __init__(self, encoder: nn.Module, dim: int, *, edge_drop: float = 0.2, feature_mask: float = 0.2) -> None:
        super().__init__(encoder)
        self.projector = nn.Linear(dim, dim)
        self.augmentor = Compose([EdgeDrop(edge_drop), FeatureMask(feature_mask)])
        self.corrupt = NodeShuffle()

    def loss(self, data: Data, generator: Generator | None = None) -> Tensor:
        """Binary cross-entropy of the summed projections of true and shuffled nodes."""
        view = self.augmentor(data, generator=generator)
        true, false = (
            self.projector(encode(self.encoder, nodes)).sum(1)
            for nodes in (view, self.corrupt(view, generator=generator))
        )
        return (F.softplus(-true).mean() + F.softplus(false).mean()) / 2
