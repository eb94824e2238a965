"""Encoders, readouts and projection heads."""

from gcl.nn.encoders import Encoder, gcn, gin
from gcl.nn.heads import projection_head
from gcl.nn.readouts import Readout

__all__ = ["Encoder", "Readout", "gcn", "gin", "projection_head"]
