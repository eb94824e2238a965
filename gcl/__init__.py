"""Graph contrastive learning for PyTorch Geometric: augmentors, exact losses in O(N) memory, methods, evaluation."""

from gcl import data, distributed, eval, losses, methods, nn, pairwise, regularizers, train
from gcl.data import load, save_embeddings
from gcl.train import fit

__version__ = "0.1.0"

__all__ = [
    "data",
    "distributed",
    "eval",
    "fit",
    "load",
    "losses",
    "methods",
    "nn",
    "pairwise",
    "regularizers",
    "save_embeddings",
    "train",
]
