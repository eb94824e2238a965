"""Graph Barlow Twins."""

from functools import partial

from torch import nn

from augmentors import Compose, EdgeDrop, FeatureMask
from gcl.losses import barlow_twins
from gcl.methods.two_view import TwoView


class GBT(TwoView):
    """Two views whose embedding columns shall correlate with themselves and not with each other; no projector.

    Args:
        encoder: ``(x, edge_index, edge_weight=None) -> h [N, dim]``.
        dim: width of the encoder's output; the off-diagonal weight is 1 / dim.
        edge_drop: probability of dropping an edge.
        feature_mask: probability of masking a feature column.

    Raises:
        ValueError: a probability is outside [0, 1].

    **Source:** Graph Barlow Twins (arXiv 2106.02466). **Differs:** both directions of an edge are dropped together.

    Example:
        >>> from gcl.nn import gcn
        >>> GBT(gcn(8, 16, 4), dim=4).objective.keywords
        {'weight': 0.25}
    """

    def __init__(self, encoder: nn.Module, dim: int, *, edge_drop: float = 0.5, feature_mask: float = 0.1) -> None:
        augmentor = Compose([EdgeDrop(edge_drop), FeatureMask(feature_mask)])
        super().__init__(encoder, nn.Identity(), augmentor, augmentor, partial(barlow_twins, weight=1 / dim))
