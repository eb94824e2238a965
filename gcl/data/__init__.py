"""Graphs by name, and from networkx; partitions of a graph."""

from gcl.data.convert import from_networkx
from gcl.data.embedded import atlas, csbm
from gcl.data.load import load
from gcl.data.ogb import evaluator
from gcl.data.partition import partition, partition_quality

__all__ = ["atlas", "csbm", "evaluator", "from_networkx", "load", "partition", "partition_quality"]
