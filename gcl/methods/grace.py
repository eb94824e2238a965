"""GRACE."""

from functools import partial

from torch import nn

from augmentors import Augmentor, Compose, EdgeDrop, FeatureMask
from gcl.checks import check_positive
from gcl.losses import info_nce
from gcl.methods.two_view import TwoView
from gcl.nn import projection_head


def drop_and_mask(edge_drop: tuple[float, float], feature_mask: tuple[float, float]) -> tuple[Augmentor, Augmentor]:
    """The augmentors of both views: edges dropped and feature columns masked with these probabilities."""
    augmentor1, augmentor2 = (
        Compose([EdgeDrop(edge), FeatureMask(feature)]) for edge, feature in zip(edge_drop, feature_mask, strict=True)
    )
    return augmentor1, augmentor2


class GRACE(TwoView):
    """Node embeddings from two views with edges dropped and feature columns masked, contrasted node by node.

    Args:
        encoder: ``(x, edge_index, edge_weight=None) -> h [N, dim]``, such as :func:`gcl.nn.gcn`.
        dim: width of the encoder's output.
        proj_dim: hidden width of the projection head; ``None``: ``dim``.
        edge_drop: probability of dropping an edge, in each view.
        feature_mask: probability of masking a feature column, in each view.
        temperature: above 0.

    Raises:
        ValueError: a probability is outside [0, 1], or the temperature is not above 0.

    **Source:** Deep Graph Contrastive Representation Learning (arXiv 2006.04131). **Differs:** both directions of
    an edge are dropped together; the loss is the same number in O(N) memory.

    Example:
        >>> import torch
        >>> from gcl.nn import gcn
        >>> method = GRACE(gcn(1433, 256, 128), dim=128, temperature=0.4)
        >>> method.augmentor1
        Compose([EdgeDrop(p=0.2, undirected=True), FeatureMask(p=0.3)])
    """

    def __init__(
        self,
        encoder: nn.Module,
        dim: int,
        *,
        proj_dim: int | None = None,
        edge_drop: tuple[float, float] = (0.2, 0.4),
        feature_mask: tuple[float, float] = (0.3, 0.4),
        temperature: float = 0.5,
    ) -> None:
        check_positive("temperature", temperature)
        augmentor1, augmentor2 = drop_and_mask(edge_drop, feature_mask)
        projector = projection_head(dim, proj_dim or dim, dim)
        super().__init__(encoder, projector, augmentor1, augmentor2, partial(info_nce, temperature=temperature))
