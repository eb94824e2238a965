"""Graph Group Discrimination."""

import torch.nn.functional as F
from torch import Generator, Tensor, nn
from torch_geometric.data import Data

from augmentors import Compose, EdgeDrop, FeatureMask, NodeShuffle
from augmentors._checks import check_at_least
from gcl.methods._base import Method, check_no_seeds, moved, width_of
from gcl.nn import propagate


class GGD(Method):
    """Discriminates real from feature-shuffled nodes by the sum of their projection: no pairs at all.

    Args:
        encoder, dim: as for :class:`gcl.methods.GRACE`.
        edge_drop: probability of dropping an edge, in the one view.
        feature_mask: probability of masking a feature column.
        hops: ``embed`` gives H + A^hops H, A the propagation matrix of a GCN; 5 or 10 in the authors' code. 0: H alone.

    Raises:
        ValueError: a probability is outside [0, 1], ``hops`` is below 0, or the encoder does not say its width; (by
            ``embed`` with ``hops``) ``data`` is a loader's batch.

    **Source:** Rethinking and Scaling Up Graph Contrastive Learning (arXiv 2206.01535), and the authors' scripts, which
    mask features and drop no edges. **Differs:** each column is masked by chance, where they mask a fixed number.

    Example:
        >>> import torch
        >>> from gcl.nn import gcn
        >>> data = Data(x=torch.eye(4), edge_index=torch.tensor([[0, 1, 2, 3], [1, 0, 3, 2]]))
        >>> GGD(gcn(4, 8)).loss(data, generator=torch.Generator().manual_seed(0)).shape
        torch.Size([])
    """

    hetero = True

    def __init__(
        self,
        encoder: nn.Module,
        dim: int | None = None,
        *,
        edge_drop: float = 0.0,
        feature_mask: float = 0.2,
        hops: int = 0,
    ) -> None:
        super().__init__(encoder)
        dim = width_of(encoder, dim)
        self.projector = nn.Linear(dim, dim)
        self.augmentor = Compose([EdgeDrop(edge_drop), FeatureMask(feature_mask)])
        self.corrupt = NodeShuffle()
        self.hops = check_at_least("hops", hops, 0)

    def loss(self, data: Data, *, generator: Generator | None = None) -> Tensor:
        """Binary cross-entropy of the summed projections of true and shuffled nodes."""
        view = self.augmentor(data, generator=generator)
        true, false = (
            self.projector(self.represent(nodes)).sum(1) for nodes in (view, self.corrupt(view, generator=generator))
        )
        return (F.softplus(-true).mean() + F.softplus(false).mean()) / 2

    def embed(self, data: Data, *, chunk: int | None = None) -> Tensor:
        """The embeddings, and their propagation where ``hops`` is above 0; as :meth:`gcl.methods.Method.embed`."""
        if not self.hops:
            return super().embed(data, chunk=chunk)
        check_no_seeds("hops", data, "they lead out of it")
        h, data = super().embed(data, chunk=chunk), moved(data, self)
        data.x = h
        return h + propagate(data, self.hops)
