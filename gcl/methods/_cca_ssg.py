"""CCA-SSG."""

from functools import partial

from torch import nn

from gcl.losses import cca_ssg
from gcl.methods._grace import Rates, drop_and_mask
from gcl.methods._two_view import TwoView


class CCASSG(TwoView):
    """Makes the two views' embeddings agree while each view's columns stay decorrelated; no projector.

    Args:
        encoder: as for :class:`gcl.methods.Method`; the paper's has no activation at the end
            (``gcl.nn.gcn(..., final_activation=False)``).
        edge_drop: probability of dropping an edge: of both views, or a pair.
        feature_mask: probability of masking a feature column: of both views, or a pair.
        decorrelation_weight: of the decorrelation, against the invariance.

    Raises:
        ValueError: a probability is outside [0, 1].

    **Source:** From Canonical Correlation Analysis to Self-supervised Graph Neural Networks (arXiv 2106.12484).
    **Differs:** both directions of an edge are dropped together; see :func:`gcl.losses.cca_ssg`.

    Example:
        >>> from gcl.nn import gcn
        >>> CCASSG(gcn(8, 16, 2, 4, final_activation=False), decorrelation_weight=5e-4).objective.keywords
        {'decorrelation_weight': 0.0005}
    """

    def __init__(
        self,
        encoder: nn.Module,
        *,
        edge_drop: Rates = 0.4,
        feature_mask: Rates = 0.1,
        decorrelation_weight: float = 1e-3,
    ) -> None:
        objective = partial(cca_ssg, decorrelation_weight=decorrelation_weight)
        super().__init__(encoder, nn.Identity(), *drop_and_mask(edge_drop, feature_mask), objective)
