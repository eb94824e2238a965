"""BGRL."""

import torch
from torch import Generator, Tensor, nn

from augmentors._checks import check_probability
from gcl._pair import Pair
from gcl.losses import byol
from gcl.methods._base import width_of
from gcl.methods._grace import Rates, drop_and_mask
from gcl.methods._two_view import TwoView
from gcl.nn import encode, make_target, move_target


class BGRL(TwoView):
    """Predicts each view's embedding by a slowly moving target encoder from the other view; no negatives.

    Args:
        encoder, dim: as for :class:`gcl.methods.GRACE`; the target starts as a copy of the encoder.
        hidden: hidden width of the predictor.
        edge_drop: probability of dropping an edge: of both views, or a pair.
        feature_mask: probability of masking a feature column: of both views, or a pair.
        momentum: of the target, in [0, 1]; the target moves after each optimizer step.

    Raises:
        ValueError: a probability or the momentum is outside [0, 1], or the encoder does not say its width.

    **Source:** Large-Scale Representation Learning on Graphs via Bootstrapping (arXiv 2102.06514). **Differs:** the
    momentum is constant: set ``method.momentum`` in the training loop for the paper's cosine schedule; the target
    starts as a copy, where the authors' code draws it anew; both directions of an edge are dropped together. The
    authors' encoder is ``gcl.nn.gcn(..., act="prelu", norm="batch_norm", final_norm=True)`` with one slope for each
    layer and ``norm_kwargs={"momentum": 0.99}``.

    Example:
        >>> from gcl.nn import gcn
        >>> from torch_geometric.data import Data
        >>> method = BGRL(gcn(4, 8))
        >>> data = Data(x=torch.eye(4), edge_index=torch.tensor([[0, 1, 2, 3], [1, 0, 3, 2]]))
        >>> 0 <= method.loss(data, generator=torch.Generator().manual_seed(0)) <= 4
        tensor(True)
    """

    def __init__(
        self,
        encoder: nn.Module,
        dim: int | None = None,
        *,
        hidden: int = 512,
        edge_drop: Rates = (0.2, 0.4),
        feature_mask: Rates = (0.3, 0.4),
        momentum: float = 0.99,
    ) -> None:
        momentum = check_probability("momentum", momentum)
        dim = width_of(encoder, dim)
        predictor = nn.Sequential(nn.Linear(dim, hidden), nn.PReLU(), nn.Linear(hidden, dim))
        super().__init__(encoder, predictor, *drop_and_mask(edge_drop, feature_mask), byol)
        self.target = make_target(encoder)
        self.momentum = momentum

    def loss_of(self, pair: Pair, *, generator: Generator | None = None) -> Tensor:
        """Cosine distance of the predictions to the target's embeddings of the other view, in both directions."""
        with torch.no_grad():
            t1, t2 = (encode(self.target, view) for view in (pair.view1, pair.view2))
        return (self.objective(pair.z1, t2) + self.objective(pair.z2, t1)) / 2

    def after_step(self) -> None:
        """Move the target towards the encoder."""
        move_target(self.target, self.encoder, self.momentum)
