"""Encoders, projection heads, and the contract between a graph and an encoder."""

from gcl.nn._batch_norm import batch_statistics
from gcl.nn._ema import make_target, move_target
from gcl.nn._encode import encode
from gcl.nn._encoders import gcn, gin, sage
from gcl.nn._gine import gine
from gcl.nn._heads import projection_head
from gcl.nn._hetero import NodeEmbeddings, NodeType
from gcl.nn._hops import hops
from gcl.nn._molecules import molecule_encoder
from gcl.nn._propagation import gcn_matrix, propagate

__all__ = [
    "NodeEmbeddings",
    "NodeType",
    "batch_statistics",
    "encode",
    "gcn",
    "gcn_matrix",
    "gin",
    "gine",
    "hops",
    "make_target",
    "molecule_encoder",
    "move_target",
    "projection_head",
    "propagate",
    "sage",
]
