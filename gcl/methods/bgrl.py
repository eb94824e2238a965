"""BGRL."""

import torch
from torch import Generator, Tensor, nn
from torch_geometric.data import Data

from gcl.checks import check_probability
from gcl.losses import bootstrap
from gcl.methods.base import Method
from gcl.methods.grace import drop_and_mask
from gcl.nn import make_target, move_target
from gcl.nn.encoders import encode


class BGRL(Method):
    """Each view's prediction shall match the other view's embedding by a slowly moving target; no negatives.

    Args:
        encoder: ``(x, edge_index, edge_weight=None) -> h [N, dim]``; the target starts as a copy of it.
        dim: width of the encoder's output.
        hidden: hidden width of the predictor.
        edge_drop: probability of dropping an edge, in each view.
        feature_mask: probability of masking a feature column, in each view.
        momentum: of the target, in [0, 1]; the target moves after each optimizer step.

    Raises:
        ValueError: a probability or the momentum is outside [0, 1].

    **Source:** Large-Scale Representation Learning on Graphs via Bootstrapping (arXiv 2102.06514). **Differs:** the
    momentum is constant: set ``method.momentum`` in the training loop for the paper's cosine schedule; both
    directions of an edge are dropped together.

    Example:
        >>> from gcl.nn import gcn
        >>> method = BGRL(gcn(4, 8, 8), dim=8)
        >>> data = Data(x=torch.eye(4), edge_index=torch.tensor([[0, 1, 2, 3], [1, 0, 3, 2]]))
        >>> 0 <= method.loss(data, torch.Generator().manual_seed(0)) <= 4
        tensor(True)
    """

    def __init__(
        self,
        encoder: nn.Module,
        dim: int,
        *,
        hidden: int = 512,
        edge_drop: tuple[float, float] = (0.2, 0.4),
        feature_mask: tuple[float, float] = (0.3, 0.4),
        momentum: float = 0.99,
    ) -> None:
        super().__init__(encoder)
        check_probability("momentum", momentum)
        self.target = make_target(encoder)
        self.predictor = nn.Sequential(nn.Linear(dim, hidden), nn.PReLU(), nn.Linear(hidden, dim))
        self.momentum = momentum
        self.augmentor1, self.augmentor2 = drop_and_mask(edge_drop, feature_mask)

    def loss(self, data: Data, generator: Generator | None = None) -> Tensor:
        """Cosine distance of predictions and targets, in both directions."""
        views = self.augmentor1(data, generator=generator), self.augmentor2(data, generator=generator)
        p1, p2 = (self.predictor(encode(self.encoder, view)) for view in views)
        with torch.no_grad():
            t1, t2 = (encode(self.target, view) for view in views)
        return (bootstrap(p1, t2) + bootstrap(p2, t1)) / 2

    def after_step(self) -> None:
        """Move the target towards the encoder."""
        move_target(self.target, self.encoder, self.momentum)
