"""Graph augmentors: callables ``Data -> Data`` that make the views of contrastive learning."""

from augmentors.base import Augmentor
from augmentors.compose import Compose, Identity, RandomChoice
from augmentors.edges import EdgeDrop
from augmentors.features import FeatureDropout, FeatureMask

__all__ = [
    "Augmentor",
    "Compose",
    "EdgeDrop",
    "FeatureDropout",
    "FeatureMask",
    "Identity",
    "RandomChoice",
]
