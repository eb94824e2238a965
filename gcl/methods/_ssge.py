"""SSGE."""

from functools import partial

from torch import nn

from gcl.losses import ssge
from gcl.methods._grace import Rates, drop_and_mask
from gcl.methods._two_view import TwoView


class SSGE(TwoView):
    """Makes the two views' embeddings agree while each view's rows spread like an isotropic Gaussian; no projector.

    Args:
        encoder: as for :class:`gcl.methods.Method`; the paper's has no activation at the end
            (``gcl.nn.gcn(..., act="elu", final_activation=False)``).
        edge_drop: probability of dropping an edge: of both views, or a pair.
        feature_mask: probability of masking a feature column: of both views, or a pair.
        uniformity_weight: of the spread, against the agreement; 0.05 to 3 in the paper.

    Raises:
        ValueError: a probability is outside [0, 1].

    **Source:** Negative-Free Self-Supervised Gaussian Embedding of Graphs (arXiv 2411.01157). **Differs:** both
    directions of an edge are dropped together; see :func:`gcl.losses.ssge`.

    Example:
        >>> from gcl.nn import gcn
        >>> SSGE(gcn(8, 16, 2, 4, act="elu", final_activation=False), uniformity_weight=0.5).objective.keywords
        {'uniformity_weight': 0.5}
    """

    def __init__(
        self,
        encoder: nn.Module,
        *,
        edge_drop: Rates = 0.3,
        feature_mask: Rates = 0.1,
        uniformity_weight: float = 0.1,
    ) -> None:
        objective = partial(ssge, uniformity_weight=uniformity_weight)
        super().__init__(encoder, nn.Identity(), *drop_and_mask(edge_drop, feature_mask), objective)
