"""Evaluation of embeddings: splits, probes, clustering, and the controls that make a number mean something."""

from gcl.eval import plot
from gcl.eval.attack import dice, gradient_flips, random_flips
from gcl.eval.clustering import kmeans_scores
from gcl.eval.collapse import collapse
from gcl.eval.compactness import certified_share, node_compactness
from gcl.eval.controls import controls
from gcl.eval.embed import embed
from gcl.eval.geometry import alignment, uniformity
from gcl.eval.graphs import embed_graphs, graph_controls
from gcl.eval.links import hold_out_edges, link_prediction
from gcl.eval.probes import knn_probe, linear_probe
from gcl.eval.ranking import roc_auc
from gcl.eval.regression import ridge_probe
from gcl.eval.splits import Split, random_folds, random_split, split_from_masks
from gcl.eval.svm import svm_cv

__all__ = [
    "Split",
    "alignment",
    "certified_share",
    "collapse",
    "controls",
    "dice",
    "embed",
    "embed_graphs",
    "gradient_flips",
    "graph_controls",
    "hold_out_edges",
    "kmeans_scores",
    "knn_probe",
    "linear_probe",
    "link_prediction",
    "node_compactness",
    "plot",
    "random_flips",
    "random_folds",
    "random_split",
    "ridge_probe",
    "roc_auc",
    "split_from_masks",
    "svm_cv",
    "uniformity",
]
