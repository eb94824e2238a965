"""Graph contrastive learning for PyTorch Geometric: augmentors, exact losses in O(N) memory, methods, evaluation."""

from gcl import data, distributed, eval, losses, methods, nn, pairwise, regularizers, train

__version__ = "0.1.0"

__all__ = ["data", "distributed", "eval", "losses", "methods", "nn", "pairwise", "regularizers", "train"]
