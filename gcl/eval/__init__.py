"""Evaluation of embeddings: splits, probes, clustering, link prediction, attacks and training-free baselines."""

from gcl.eval import plot
from gcl.eval._attack import dice_attack, gradient_flips, random_flips
from gcl.eval._baselines import baselines
from gcl.eval._clustering import kmeans_scores
from gcl.eval._collapse import collapse_metrics
from gcl.eval._compactness import certified_fraction, node_compactness
from gcl.eval._filter_bank import filter_bank
from gcl.eval._graphs import embed_graphs, graph_baselines
from gcl.eval._linear import linear_probe
from gcl.eval._links import hold_out_edges, link_prediction
from gcl.eval._metapaths import metapath_means
from gcl.eval._neighbors import knn_probe
from gcl.eval._regression import ridge_probe
from gcl.eval._report import Report, report
from gcl.eval._splits import Split, random_folds, random_split, split_from_masks
from gcl.eval._svm import svm_cv
from gcl.eval._unsupervised import unsupervised_scores

__all__ = [
    "Report",
    "Split",
    "baselines",
    "certified_fraction",
    "collapse_metrics",
    "dice_attack",
    "embed_graphs",
    "filter_bank",
    "gradient_flips",
    "graph_baselines",
    "hold_out_edges",
    "kmeans_scores",
    "knn_probe",
    "linear_probe",
    "link_prediction",
    "metapath_means",
    "node_compactness",
    "plot",
    "random_flips",
    "random_folds",
    "random_split",
    "report",
    "ridge_probe",
    "split_from_masks",
    "svm_cv",
    "unsupervised_scores",
]
