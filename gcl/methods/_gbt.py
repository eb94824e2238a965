"""Graph Barlow Twins."""

from functools import partial

from torch import nn

from gcl.losses import barlow_twins
from gcl.methods._base import width_of
from gcl.methods._grace import Rates, drop_and_mask
from gcl.methods._two_view import TwoView


class GBT(TwoView):
    """Drives the cross-correlation matrix of the two views' embeddings to the identity; no projector.

    Args:
        encoder, dim: as for :class:`gcl.methods.GRACE`; the off-diagonal weight is 1 / dim.
        edge_drop: probability of dropping an edge: of both views, or a pair.
        feature_mask: probability of masking a feature column: of both views, or a pair.

    Raises:
        ValueError: a probability is outside [0, 1], or the encoder does not say its width.

    **Source:** Graph Barlow Twins (arXiv 2106.02466). **Differs:** both directions of an edge are dropped together.
    The authors' encoder ends with a bare convolution: ``gcl.nn.gcn(..., act="prelu", norm="batch_norm",
    norm_kwargs={"momentum": 0.01}, final_activation=False)``.

    Example:
        >>> from gcl.nn import gcn
        >>> GBT(gcn(8, 16, 2, 4)).objective.keywords
        {'off_diagonal_weight': 0.25}
    """

    def __init__(
        self, encoder: nn.Module, dim: int | None = None, *, edge_drop: Rates = 0.5, feature_mask: Rates = 0.1
    ) -> None:
        objective = partial(barlow_twins, off_diagonal_weight=1 / width_of(encoder, dim))
        super().__init__(encoder, nn.Identity(), *drop_and_mask(edge_drop, feature_mask), objective)
