"""Contrastive losses: pure functions of embeddings, to be minimized; exact, in O(N) memory."""

from gcl.losses._decorrelation import barlow_twins, cca_ssg, ssge, vicreg
from gcl.losses._grouped import node_graph_bce, node_graph_jsd
from gcl.losses._info_nce import decoupled, info_nce, nt_xent_one_way, poly_view
from gcl.losses._matching import alignment, byol, information_regularizer, scaled_cosine_error
from gcl.losses._pairs import jsd, siglip, triplet
from gcl.losses._positives import neighbor_nce, sup_con
from gcl.losses._progcl import progcl
from gcl.losses._queue import NegativeQueue, queue_nce
from gcl.losses._reweighted import debiased, hard_negative, macl
from gcl.losses._spread import dispersive, uniformity

__all__ = [
    "NegativeQueue",
    "alignment",
    "barlow_twins",
    "byol",
    "cca_ssg",
    "debiased",
    "decoupled",
    "dispersive",
    "hard_negative",
    "info_nce",
    "information_regularizer",
    "jsd",
    "macl",
    "neighbor_nce",
    "node_graph_bce",
    "node_graph_jsd",
    "nt_xent_one_way",
    "poly_view",
    "progcl",
    "queue_nce",
    "scaled_cosine_error",
    "siglip",
    "ssge",
    "sup_con",
    "triplet",
    "uniformity",
    "vicreg",
]
