"""GCA."""

from functools import partial

from torch import nn

from augmentors import AdaptiveEdgeDrop, AdaptiveFeatureMask, Compose, degree_centrality
from augmentors._adaptive import Centrality
from augmentors._checks import check_pair, check_positive
from gcl.losses import info_nce
from gcl.methods._base import width_of
from gcl.methods._grace import Rates
from gcl.methods._two_view import TwoView
from gcl.nn import projection_head


class GCA(TwoView):
    """GRACE with views that spare the edges and features of central nodes.

    Args:
        encoder, dim, proj_dim, temperature: as for :class:`gcl.methods.GRACE`.
        edge_drop: mean probability of dropping an edge: of both views, or a pair.
        feature_mask: mean probability of masking a feature column: of both views, or a pair.
        centrality: what is central: :func:`augmentors.degree_centrality`, ``pagerank``, ``eigenvector_centrality``.
            In a loader's batch they see the drawn edges only: store the graph's, see
            :class:`augmentors.AdaptiveEdgeDrop`.
        threshold: the highest probability of dropping or masking.
        binary: weigh features by their presence, as the authors do, not by their size: see
            :class:`augmentors.AdaptiveFeatureMask`.

    Raises:
        ValueError: a probability is outside [0, 1], the temperature is not above 0, or the encoder does not say its
            width.

    **Source:** Graph Contrastive Learning with Adaptive Augmentation (arXiv 2010.14945). **Differs:** both directions
    of an edge are dropped together, by the mean centrality of both ends, where the authors' code takes the target's;
    their PageRank is another: see :func:`augmentors.pagerank`; the centralities are computed at each step unless they
    are stored with the graph.

    Example:
        >>> from gcl.nn import gcn
        >>> GCA(gcn(8, 16, 2, 4), edge_drop=(0.3, 0.5)).augmentor1.transforms[0].p
        0.3
    """

    hetero = False

    def __init__(
        self,
        encoder: nn.Module,
        dim: int | None = None,
        *,
        proj_dim: int | None = None,
        edge_drop: Rates = (0.2, 0.4),
        feature_mask: Rates = (0.3, 0.4),
        centrality: Centrality = degree_centrality,
        threshold: float = 0.7,
        binary: bool = False,
        temperature: float = 0.5,
    ) -> None:
        check_positive("temperature", temperature)
        dim = width_of(encoder, dim)
        rates = zip(check_pair("edge_drop", edge_drop), check_pair("feature_mask", feature_mask), strict=True)
        augmentor1, augmentor2 = (
            Compose(
                [
                    AdaptiveEdgeDrop(edge, centrality, threshold=threshold),
                    AdaptiveFeatureMask(feature, centrality, threshold=threshold, binary=binary),
                ]
            )
            for edge, feature in rates
        )
        projector = projection_head(dim, proj_dim or dim, dim)
        super().__init__(encoder, projector, augmentor1, augmentor2, partial(info_nce, temperature=temperature))
