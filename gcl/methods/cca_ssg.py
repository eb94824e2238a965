"""CCA-SSG."""

from functools import partial

from torch import nn

from augmentors import Compose, EdgeDrop, FeatureMask
from gcl.losses import cca_ssg
from gcl.methods.two_view import TwoView


class CCASSG(TwoView):
    """Two views whose embeddings shall agree while each view's columns stay decorrelated; no projector.

    Args:
        encoder: ``(x, edge_index, edge_weight=None) -> h [N, D]``; the paper's has no activation at the end
            (``gcl.nn.gcn(..., final_activation=False)``).
        edge_drop: probability of dropping an edge.
        feature_mask: probability of masking a feature column.
        weight: of the decorrelation.

    Raises:
        ValueError: a probability is outside [0, 1].

    **Source:** From Canonical Correlation Analysis to Self-supervised Graph Neural Networks (arXiv 2106.12484).
    **Differs:** both directions of an edge are dropped together; see :func:`gcl.losses.cca_ssg`.

    Example:
        >>> from gcl.nn import gcn
        >>> CCASSG(gcn(8, 16, 4, final_activation=False), weight=5e-4).objective.keywords
        {'weight': 0.0005}
    """

    def __init__(
        self, encoder: nn.Module, *, edge_drop: float = 0.4, feature_mask: float = 0.1, weight: float = 1e-3
    ) -> None:
        augmentor = Compose([EdgeDrop(edge_drop), FeatureMask(feature_mask)])
        super().__init__(encoder, nn.Identity(), augmentor, augmentor, partial(cca_ssg, weight=weight))
