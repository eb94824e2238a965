"""Graphs by name, and from networkx; partitions of a graph; mini-batches of nodes."""

from gcl.data._builtin import atlas, csbm
from gcl.data._convert import from_networkx
from gcl.data._load import load
from gcl.data._loaders import NeighborSampler, cluster_loader, neighbor_loader
from gcl.data._ogb import evaluator
from gcl.data._partition import partition, partition_quality

__all__ = [
    "NeighborSampler",
    "atlas",
    "cluster_loader",
    "csbm",
    "evaluator",
    "from_networkx",
    "load",
    "neighbor_loader",
    "partition",
    "partition_quality",
]
