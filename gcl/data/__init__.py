"""Data sets by name, graphs from networkx, partitions of a graph, and loaders of mini-batches."""

from gcl.data._builtin import atlas, csbm
from gcl.data._convert import from_networkx
from gcl.data._edge_list import from_edge_list
from gcl.data._embeddings import save_embeddings
from gcl.data._load import load
from gcl.data._loaders import cluster_loader, neighbor_loader
from gcl.data._ogb import evaluator, molecule_features
from gcl.data._partition import partition, partition_quality
from gcl.data._rows import row_loader
from gcl.data._samplers import NeighborSampler

__all__ = [
    "NeighborSampler",
    "atlas",
    "cluster_loader",
    "csbm",
    "evaluator",
    "from_edge_list",
    "from_networkx",
    "load",
    "molecule_features",
    "neighbor_loader",
    "partition",
    "partition_quality",
    "row_loader",
    "save_embeddings",
]
