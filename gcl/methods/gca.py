"""GCA."""

from functools import partial

from torch import nn

from augmentors import AdaptiveEdgeDrop, AdaptiveFeatureMask, Augmentor, Compose, degree_centrality
from augmentors.adaptive import Centrality
from gcl.checks import check_positive
from gcl.losses import info_nce
from gcl.methods.two_view import TwoView
from gcl.nn import projection_head


class GCA(TwoView):
    """GRACE with views that spare the edges and features of central nodes.

    Args:
        encoder, dim, proj_dim, temperature: as for :class:`gcl.methods.GRACE`.
        edge_drop: mean probability of dropping an edge, in each view.
        feature_mask: mean probability of masking a feature column, in each view.
        centrality: what is central: :func:`augmentors.degree_centrality`, ``pagerank``, ``eigenvector_centrality``.
            In a loader's batch they see the drawn edges only: store the graph's, see :mod:`augmentors.adaptive`.
        threshold: the highest probability of dropping or masking.

    Raises:
        ValueError: a probability is outside [0, 1], or the temperature is not above 0.

    **Source:** Graph Contrastive Learning with Adaptive Augmentation (arXiv 2010.14945). **Differs:** both directions
    of an edge are dropped together; the centralities are computed at each step unless they are stored with the graph
    (see :mod:`augmentors.adaptive`).

    Example:
        >>> from gcl.nn import gcn
        >>> GCA(gcn(8, 16, 4), dim=4, edge_drop=(0.3, 0.5)).augmentor1.transforms[0].p
        0.3
    """

    def __init__(
        self,
        encoder: nn.Module,
        dim: int,
        *,
        proj_dim: int | None = None,
        edge_drop: tuple[float, float] = (0.2, 0.4),
        feature_mask: tuple[float, float] = (0.3, 0.4),
        centrality: Centrality = degree_centrality,
        threshold: float = 0.7,
        temperature: float = 0.5,
    ) -> None:
        check_positive("temperature", temperature)
        augmentors = adaptive_augmentors(edge_drop, feature_mask, centrality, threshold)
        projector = projection_head(dim, proj_dim or dim, dim)
        super().__init__(encoder, projector, *augmentors, partial(info_nce, temperature=temperature))


def adaptive_augmentors(
    edge_drop: tuple[float, float], feature_mask: tuple[float, float], centrality: Centrality, threshold: float
) -> tuple[Augmentor, Augmentor]:
    """The augmentors of both views."""
    augmentor1, augmentor2 = (
        Compose([AdaptiveEdgeDrop(edge, centrality, threshold), AdaptiveFeatureMask(feature, centrality, threshold)])
        for edge, feature in zip(edge_drop, feature_mask, strict=True)
    )
    return augmentor1, augmentor2
