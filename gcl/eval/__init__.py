"""Evaluation of embeddings: splits, probes, clustering, and the controls that make a number mean something."""

from gcl.eval.attack import dice, gradient_flips, random_flips
from gcl.eval.clustering import kmeans_scores
from gcl.eval.controls import controls
from gcl.eval.geometry import alignment, uniformity
from gcl.eval.probes import linear_probe
from gcl.eval.splits import Split, random_split, split_from_masks

__all__ = [
    "Split",
    "alignment",
    "controls",
    "dice",
    "gradient_flips",
    "kmeans_scores",
    "linear_probe",
    "random_flips",
    "random_split",
    "split_from_masks",
    "uniformity",
]
