"""Plots of embeddings, training and compactness; they need matplotlib (``pip install torch-gcl[plot]``).

Each draws on ``ax`` (``None``: on a new figure), returns it, and raises ``ImportError`` if matplotlib is not installed.
"""

from gcl.eval.plot._plots import (
    certified_fraction_curve,
    compactness_against_degree,
    compactness_histogram,
    confusion_matrix,
    embedding_plot,
    score_bars,
    similarity_histogram,
    training_curve,
)

__all__ = [
    "certified_fraction_curve",
    "compactness_against_degree",
    "compactness_histogram",
    "confusion_matrix",
    "embedding_plot",
    "score_bars",
    "similarity_histogram",
    "training_curve",
]
