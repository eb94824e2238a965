"""Contrastive losses: pure functions of embeddings, minimised, exact, in O(N) memory."""

from gcl.losses.bootstrap import bootstrap
from gcl.losses.contrastive import (
    debiased,
    decoupled,
    graphcl_nce,
    hard_negative,
    info_nce,
    info_nce_against,
    macl,
    poly_view,
)
from gcl.losses.decorrelation import barlow_twins, cca_ssg, vicreg
from gcl.losses.geometry import alignment, dispersive, uniformity
from gcl.losses.grouped import node_graph_bce, node_graph_jsd
from gcl.losses.information import information
from gcl.losses.pairs import jsd, siglip, triplet
from gcl.losses.positives import neighbour_nce, sup_con
from gcl.losses.progcl import progcl
from gcl.losses.queue import NegativeQueue, queue_nce

__all__ = [
    "NegativeQueue",
    "alignment",
    "barlow_twins",
    "bootstrap",
    "cca_ssg",
    "debiased",
    "decoupled",
    "dispersive",
    "graphcl_nce",
    "hard_negative",
    "info_nce",
    "info_nce_against",
    "information",
    "jsd",
    "macl",
    "neighbour_nce",
    "node_graph_bce",
    "node_graph_jsd",
    "poly_view",
    "progcl",
    "queue_nce",
    "siglip",
    "sup_con",
    "triplet",
    "uniformity",
    "vicreg",
]
