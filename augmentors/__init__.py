"""Graph augmentors: callables ``Data -> Data`` that make the views of contrastive learning."""

from augmentors.adaptive import (
    AdaptiveEdgeDrop,
    AdaptiveFeatureMask,
    degree_centrality,
    eigenvector_centrality,
    pagerank,
)
from augmentors.adversarial import AdversarialView, project_to_budget
from augmentors.base import Augmentor
from augmentors.compose import Compose, Identity, RandomChoice
from augmentors.compression import Compress, DropMember, ViewPool
from augmentors.diffusion import HeatDiffusion, PPRDiffusion
from augmentors.edges import EdgeAdd, EdgeAttrMask, EdgeDrop, EdgeRewire
from augmentors.features import FeatureDropout, FeatureMask, FeatureNoise
from augmentors.nodes import NodeDrop, NodeShuffle
from augmentors.subgraphs import EgoSubgraph, RandomWalkSubgraph, UniformSubgraph

__all__ = [
    "AdaptiveEdgeDrop",
    "AdaptiveFeatureMask",
    "AdversarialView",
    "Augmentor",
    "Compose",
    "Compress",
    "DropMember",
    "EdgeAdd",
    "EdgeAttrMask",
    "EdgeDrop",
    "EdgeRewire",
    "EgoSubgraph",
    "FeatureDropout",
    "FeatureMask",
    "FeatureNoise",
    "HeatDiffusion",
    "Identity",
    "NodeDrop",
    "NodeShuffle",
    "PPRDiffusion",
    "RandomChoice",
    "RandomWalkSubgraph",
    "UniformSubgraph",
    "ViewPool",
    "degree_centrality",
    "eigenvector_centrality",
    "pagerank",
    "project_to_budget",
]
