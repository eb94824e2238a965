"""Encoders, readouts and projection heads."""

from gcl.nn.batch_norm import batch_statistics
from gcl.nn.ema import make_target, move_target
from gcl.nn.encoders import Encoder, gcn, gin
from gcl.nn.heads import projection_head
from gcl.nn.propagation import gcn_matrix, propagate
from gcl.nn.readouts import Readout

__all__ = [
    "Encoder",
    "Readout",
    "batch_statistics",
    "gcn",
    "gcn_matrix",
    "gin",
    "make_target",
    "move_target",
    "projection_head",
    "propagate",
]
