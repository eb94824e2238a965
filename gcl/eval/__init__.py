"""Evaluation of embeddings: splits, probes, clustering, and the controls that make a number mean something."""

from gcl.eval.clustering import kmeans_scores
from gcl.eval.controls import controls
from gcl.eval.embed import embed
from gcl.eval.geometry import alignment, uniformity
from gcl.eval.probes import linear_probe
from gcl.eval.splits import Split, random_split, split_from_masks

__all__ = [
    "Split",
    "alignment",
    "controls",
    "embed",
    "kmeans_scores",
    "linear_probe",
    "random_split",
    "split_from_masks",
    "uniformity",
]
