"""Encoders, readouts and projection heads."""

from gcl.nn.ema import make_target, move_target
from gcl.nn.encoders import Encoder, gcn, gin
from gcl.nn.heads import projection_head
from gcl.nn.readouts import Readout

__all__ = ["Encoder", "Readout", "gcn", "gin", "make_target", "move_target", "projection_head"]
