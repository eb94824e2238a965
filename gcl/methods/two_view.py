"""Methods that compare two views of a graph."""

from collections.abc import Callable
from typing import NamedTuple

from torch import Generator, Tensor, nn
from torch_geometric.data import Data

from augmentors import Augmentor
from gcl.methods.base import Method, graph_of
from gcl.nn import Readout
from gcl.nn.encoders import encode

Objective = Callable[[Tensor, Tensor], Tensor]


class Pair(NamedTuple):
    """Two views of a graph and what became of them: ``h`` embeddings ``[N, D]``, ``z`` their projections."""

    data: Data
    view1: Data
    view2: Data
    h1: Tensor
    h2: Tensor
    z1: Tensor
    z2: Tensor


class TwoView(Method):
    """Two augmented views, one encoder and projector, and an objective on the paired projections.

    Args:
        encoder: ``(x, edge_index, edge_weight=None) -> h [N, D]``.
        projector: ``h -> z``; only the loss sees it. ``nn.Identity()`` for none.
        augmentor1, augmentor2: make the views; both must keep the nodes or both drop the same.
        objective: ``(z1, z2) -> scalar``, row i of one belongs to row i of the other.
        readout: ``(h, batch) -> g [B, D]`` for graph-level training on batches; ``None`` compares nodes.

    Raises:
        ValueError: (by ``loss``) the views have different numbers of rows.

    Example: a method of one's own.

        >>> import torch
        >>> from functools import partial
        >>> from augmentors import EdgeDrop, Identity
        >>> from gcl.losses import info_nce
        >>> from gcl.nn import gcn, projection_head
        >>> objective = partial(info_nce, temperature=0.2, intraview=False)
        >>> method = TwoView(gcn(4, 8, 8), projection_head(8, 8, 8), EdgeDrop(0.5), Identity(), objective)
        >>> data = Data(x=torch.eye(4), edge_index=torch.tensor([[0, 1, 2, 3], [1, 0, 3, 2]]))
        >>> method.loss(data, torch.Generator().manual_seed(0)).shape
        torch.Size([])
    """

    def __init__(
        self,
        encoder: nn.Module,
        projector: nn.Module,
        augmentor1: Augmentor,
        augmentor2: Augmentor,
        objective: Objective,
        readout: Readout | None = None,
    ) -> None:
        super().__init__(encoder)
        self.projector = projector
        self.augmentor1 = augmentor1
        self.augmentor2 = augmentor2
        self.objective = objective
        self.readout = readout

    def pair(self, data: Data, generator: Generator | None = None) -> Pair:
        """Draw two views and encode them."""
        view1 = self.augmentor1(data, generator=generator)
        view2 = self.augmentor2(data, generator=generator)
        h1, h2 = self.represent(view1), self.represent(view2)
        if h1.size(0) != h2.size(0):
            raise ValueError(
                f"augmentor1 and augmentor2 must give views whose rows match, got {h1.size(0)} and {h2.size(0)} rows"
            )
        return Pair(data, view1, view2, h1, h2, *self.project(h1, h2, generator))

    def project(self, h1: Tensor, h2: Tensor, generator: Generator | None = None) -> tuple[Tensor, Tensor]:
        """What the objective compares: both views through the projector."""
        return self.projector(h1), self.projector(h2)

    def loss_of(self, pair: Pair) -> Tensor:
        """The objective on the projections."""
        return self.objective(pair.z1, pair.z2)

    def loss(self, data: Data, generator: Generator | None = None) -> Tensor:
        """Draw a pair of views and compare them."""
        return self.loss_of(self.pair(data, generator))

    def embed(self, data: Data) -> Tensor:
        """Node embeddings ``[N, D]``, or graph embeddings ``[B, D]`` where there is a readout; see :class:`Method`."""
        h = super().embed(data)
        return h if self.readout is None else self.readout(h, graph_of(data))

    def represent(self, view: Data) -> Tensor:
        """The embeddings that are compared: of nodes, or of graphs where there is a readout."""
        h = encode(self.encoder, view)
        return h if self.readout is None else self.readout(h, graph_of(view))
