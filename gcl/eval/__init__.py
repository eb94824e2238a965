"""Evaluation of embeddings: splits, probes, clustering, and the controls that make a number mean something."""

from gcl.eval.clustering import kmeans_scores
from gcl.eval.compactness import certified_share, node_compactness
from gcl.eval.compactness_plot import certified_share_plot, compactness_degree_plot, compactness_histogram
from gcl.eval.controls import controls
from gcl.eval.geometry import alignment, uniformity
from gcl.eval.probes import linear_probe
from gcl.eval.splits import Split, random_split, split_from_masks

__all__ = [
    "Split",
    "alignment",
    "certified_share",
    "certified_share_plot",
    "compactness_degree_plot",
    "compactness_histogram",
    "controls",
    "kmeans_scores",
    "linear_probe",
    "node_compactness",
    "random_split",
    "split_from_masks",
    "uniformity",
]
