"""Methods that compare two views of a graph."""

from collections.abc import Callable

from torch import Generator, Tensor, nn
from torch_geometric.data import Data

from augmentors._random import call
from gcl._pair import Objective, Pair
from gcl.methods._base import Method
from gcl.nn._readouts import Readout

Transform = Callable[[Data], Data]


class TwoView(Method):
    """Two augmented views, one encoder and projector, and an objective on the paired projections.

    Args:
        encoder: as for :class:`gcl.methods.Method`.
        projector: ``h -> z``; only the loss sees it. ``nn.Identity()`` for none.
        augmentor1, augmentor2: make the views: augmentors or any transform of PyG. Both must keep the nodes, or both
            drop the same.
        objective: ``(z1, z2) -> scalar``, row i of one belongs to row i of the other.
        readout: for graph-level training on batches, as for :class:`gcl.methods.Method`; ``None`` compares nodes.

    Raises:
        ValueError: (by ``loss``) the views have different numbers of rows.

    Example: a method of one's own.

        >>> import torch
        >>> from functools import partial
        >>> from augmentors import EdgeDrop, Identity
        >>> from gcl.losses import info_nce
        >>> from gcl.nn import gcn, projection_head
        >>> objective = partial(info_nce, temperature=0.2, intraview=False)
        >>> method = TwoView(gcn(4, 8), projection_head(8, 8, 8), EdgeDrop(0.5), Identity(), objective)
        >>> data = Data(x=torch.eye(4), edge_index=torch.tensor([[0, 1, 2, 3], [1, 0, 3, 2]]))
        >>> method.loss(data, generator=torch.Generator().manual_seed(0)).shape
        torch.Size([])
    """

    hetero = True
    drops_edges: bool = False  # whether the compared views have lost all edges
    needs_edges: bool = False  # whether the loss looks at the edges of the views

    def __init__(
        self,
        encoder: nn.Module,
        projector: nn.Module,
        augmentor1: Transform,
        augmentor2: Transform,
        objective: Objective,
        readout: Readout | None = None,
    ) -> None:
        super().__init__(encoder, readout)
        self.projector = projector
        self.augmentor1 = augmentor1
        self.augmentor2 = augmentor2
        self.objective = objective

    def pair(self, data: Data, *, generator: Generator | None = None) -> Pair:
        """Draw two views and encode them."""
        views = (call(augmentor, data, generator=generator) for augmentor in (self.augmentor1, self.augmentor2))
        return self.compare(data, *views, generator=generator)

    def compare(self, data: Data, view1: Data, view2: Data, *, generator: Generator | None = None) -> Pair:
        """Encode and project two views of ``data``."""
        h1, h2 = self.represent(view1), self.represent(view2)
        if h1.size(0) != h2.size(0):
            raise ValueError(
                f"augmentor1 and augmentor2 must give views whose rows match, got {h1.size(0)} and {h2.size(0)} rows"
            )
        return Pair(data, view1, view2, h1, h2, *self.project(h1, h2, generator=generator))

    def project(self, h1: Tensor, h2: Tensor, *, generator: Generator | None = None) -> tuple[Tensor, Tensor]:
        """What the objective compares: both views through the projector."""
        return self.projector(h1), self.projector(h2)

    def loss_of(self, pair: Pair, *, generator: Generator | None = None) -> Tensor:
        """The objective on the projections."""
        weights = {} if pair.row_weight is None else {"row_weight": pair.row_weight}
        return self.objective(pair.z1, pair.z2, **weights)

    def loss(self, data: Data, *, generator: Generator | None = None) -> Tensor:
        """Draw a pair of views and compare them."""
        return self.loss_of(self.pair(data, generator=generator), generator=generator)


class Wrapper(TwoView):
    """A two-view method around another one, whose networks, views and state it shares."""

    def __init__(self, method: TwoView) -> None:
        if not isinstance(method, TwoView):
            raise TypeError(
                f"method must compare two views (be a TwoView) for {type(self).__name__}, got {type(method).__name__}"
            )
        Method.__init__(self, method.encoder, method.readout)
        self.method = method
        self.hetero = method.hetero
        self.drops_edges, self.needs_edges = method.drops_edges, method.needs_edges

    @property
    def objective(self) -> Objective:  # type: ignore[override]
        """The wrapped method's objective."""
        return self.method.objective

    def represent(self, data: Data, *, chunk: int | None = None) -> Tensor:
        """Embed as the wrapped method does."""
        return self.method.represent(data, chunk=chunk)

    def pair(self, data: Data, *, generator: Generator | None = None) -> Pair:
        """Draw the views of the wrapped method."""
        return self.method.pair(data, generator=generator)

    def compare(self, data: Data, view1: Data, view2: Data, *, generator: Generator | None = None) -> Pair:
        """Encode and project as the wrapped method does."""
        return self.method.compare(data, view1, view2, generator=generator)

    def loss_of(self, pair: Pair, *, generator: Generator | None = None) -> Tensor:
        """The wrapped method's loss of these views."""
        return self.method.loss_of(pair, generator=generator)

    def prepare(self, data: Data) -> Data:
        """Compute once what the wrapped method needs."""
        return self.method.prepare(data)

    def after_step(self) -> None:
        """Tell the wrapped method that a step is done."""
        self.method.after_step()
