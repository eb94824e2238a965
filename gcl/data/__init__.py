"""Graphs by name, and from networkx; partitions of a graph; mini-batches of nodes."""

from gcl.data.convert import from_networkx
from gcl.data.embedded import atlas, csbm
from gcl.data.load import load
from gcl.data.loaders import NeighbourSampler, cluster_loader, neighbour_loader
from gcl.data.ogb import evaluator
from gcl.data.partition import partition, partition_quality

__all__ = [
    "NeighbourSampler",
    "atlas",
    "cluster_loader",
    "csbm",
    "evaluator",
    "from_networkx",
    "load",
    "neighbour_loader",
    "partition",
    "partition_quality",
]
