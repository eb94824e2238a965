"""GRACE."""

from functools import partial

from torch import nn

from augmentors import Augmentor, Compose, EdgeDrop, FeatureMask
from augmentors._checks import check_pair, check_positive
from gcl.losses import info_nce
from gcl.methods._base import width_of
from gcl.methods._two_view import TwoView
from gcl.nn import projection_head

Rates = float | tuple[float, float]  # of both views, or one for each


def drop_and_mask(edge_drop: Rates, feature_mask: Rates) -> tuple[Augmentor, Augmentor]:
    """The augmentors of both views: edges dropped and feature columns masked with these probabilities."""
    rates = zip(check_pair("edge_drop", edge_drop), check_pair("feature_mask", feature_mask), strict=True)
    augmentor1, augmentor2 = (Compose([EdgeDrop(edge), FeatureMask(feature)]) for edge, feature in rates)
    return augmentor1, augmentor2


class GRACE(TwoView):
    """Contrasts each node in one view with itself and all other nodes in the other view.

    Args:
        encoder: as for :class:`gcl.methods.Method`, such as :func:`gcl.nn.gcn`.
        dim: width of the encoder's output; ``None``: its ``out_channels``.
        proj_dim: hidden width of the projection head; ``None``: ``dim``.
        edge_drop: probability of dropping an edge: of both views, or a pair.
        feature_mask: probability of masking a feature column: of both views, or a pair.
        temperature: above 0.

    Raises:
        ValueError: a probability is outside [0, 1], the temperature is not above 0, or the encoder does not say its
            width.

    **Source:** Deep Graph Contrastive Representation Learning (arXiv 2006.04131). **Differs:** both directions of
    an edge are dropped together; the loss is the same number in O(N) memory.

    Example:
        >>> import torch
        >>> from gcl.nn import gcn
        >>> method = GRACE(gcn(1433, 256, 2, 128), temperature=0.4)
        >>> method.augmentor1
        Compose([EdgeDrop(0.2), FeatureMask(0.3)])
    """

    def __init__(
        self,
        encoder: nn.Module,
        dim: int | None = None,
        *,
        proj_dim: int | None = None,
        edge_drop: Rates = (0.2, 0.4),
        feature_mask: Rates = (0.3, 0.4),
        temperature: float = 0.5,
    ) -> None:
        check_positive("temperature", temperature)
        dim = width_of(encoder, dim)
        projector = projection_head(dim, proj_dim or dim, dim)
        objective = partial(info_nce, temperature=temperature)
        super().__init__(encoder, projector, *drop_and_mask(edge_drop, feature_mask), objective)
