"""Graph augmentors: callables ``Data -> Data`` that make the views of contrastive learning."""

from augmentors._adaptive import (
    AdaptiveEdgeDrop,
    AdaptiveFeatureMask,
    degree_centrality,
    eigenvector_centrality,
    pagerank,
)
from augmentors._adversarial import AdversarialView
from augmentors._base import Augmentor
from augmentors._compose import Compose, Identity, RandomChoice
from augmentors._compression import Compress, DropMember, ViewPool
from augmentors._diffusion import HeatDiffusion, PPRDiffusion
from augmentors._edges import EdgeAdd, EdgeAttrMask, EdgeDrop, EdgeRewire
from augmentors._features import FeatureDropout, FeatureMask, FeatureNoise
from augmentors._nodes import NodeDrop, NodeShuffle
from augmentors._projection import project_to_budget
from augmentors._subgraphs import EgoSubgraph, RandomWalkSubgraph, UniformSubgraph

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
