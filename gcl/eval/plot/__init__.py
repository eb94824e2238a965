"""Plots of embeddings, training and compactness; needs matplotlib (``pip install torch-gcl[plot]``)."""

from gcl.eval.plot._compactness import certified_fraction_curve, compactness_against_degree, compactness_histogram
from gcl.eval.plot._embeddings import embedding_plot, similarity_histogram
from gcl.eval.plot._training import confusion_matrix, training_curve

__all__ = [
    "certified_fraction_curve",
    "compactness_against_degree",
    "compactness_histogram",
    "confusion_matrix",
    "embedding_plot",
    "similarity_histogram",
    "training_curve",
]
