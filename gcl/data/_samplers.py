"""Samplers of parts of a graph for PyG's ``NodeLoader``."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Generator, Tensor
from torch_geometric.data import Batch, Data, HeteroData
from torch_geometric.data.storage import BaseStorage
from torch_geometric.sampler import (
    BaseSampler,
    EdgeSamplerInput,
    HeteroSamplerOutput,
    NodeSamplerInput,
    SamplerOutput,
)

from augmentors._checks import check_long
from augmentors._graphs import Graph, check_structure, edge_stores, ends
from augmentors._selection import check_no_node_numbers
from augmentors._sparse import by_row, numbers_below
from gcl._checks import check_edge_weight
from gcl.data._in_edges import InEdges


class _Sampler(BaseSampler):
    """A loader sets ``seed``, which decides the draws, at each epoch."""

    seed = 0

    def complete(self, batch: Graph, sample: SamplerOutput | HeteroSamplerOutput) -> None:
        """Give the batch of a sample what PyG's loader does not."""

    def sample_from_edges(self, index: EdgeSamplerInput, neg_sampling: Any = None) -> SamplerOutput:
        raise NotImplementedError(f"{type(self).__name__} samples from nodes, not from edges")


class NeighborSampler(_Sampler):
    """Sampler of the neighborhoods of nodes, for PyG's ``NodeLoader``; see :func:`gcl.data.neighbor_loader`.

    Example:
        >>> path = Data(edge_index=torch.tensor([[0, 1, 2], [1, 2, 3]]), num_nodes=4)
        >>> sample = NeighborSampler(path, [1]).sample(torch.tensor([2]))
        >>> sample.node, sample.row, sample.col, sample.edge
        (tensor([2, 1]), tensor([1]), tensor([0]), tensor([1]))
    """

    def __init__(
        self,
        data: Graph,
        num_neighbors: Sequence[int] | Mapping[tuple[str, str, str], Sequence[int]],
        *,
        node_type: str | None = None,
        weight_attr: str | None = None,
    ) -> None:
        _check_graph(data, node_type, hetero=True)
        self.node_type, self.weight_attr = node_type, weight_attr
        self.num_nodes = {store._key: store.num_nodes for store in data.node_stores}
        stores = edge_stores(data)
        self.num_neighbors = _per_edge_type(num_neighbors, [store._key for store in stores])
        self.edges = {
            store._key: InEdges(store.edge_index, ends(data, store)[1].num_nodes, _weight(store, weight_attr))
            for store in stores
        }

    def sample_from_nodes(self, index: NodeSamplerInput, **kwargs: Any) -> SamplerOutput | HeteroSamplerOutput:
        """Sample by a seed made of the epoch's and the batch's nodes: the same in any process."""
        seed = hash((self.seed, *index.input_id.tolist())) % 2**32
        sample = self.sample(index.node, generator=torch.Generator().manual_seed(seed))
        sample.metadata = (index.input_id, index.time, sample.metadata)
        return sample

    def sample(self, seeds: Tensor, *, generator: Generator | None = None) -> SamplerOutput | HeteroSamplerOutput:
        """Draw edges hop by hop; the nodes start with ``seeds`` ``[B]``, repeated ones included.

        Dictionaries have the types of nodes and edges as keys; ``None`` is the one type of a ``Data``. The
        weights of the drawn edges are in ``metadata``.
        """
        empty = seeds[:0]
        node: dict[Any, Tensor] = {**dict.fromkeys(self.num_nodes, empty), self.node_type: seeds}
        frontier, num_nodes = dict(node), {key: [len(nodes)] for key, nodes in node.items()}
        drawn: dict[Any, list[tuple[Tensor, ...]]] = {key: [] for key in self.edges}
        for hop in range(len(next(iter(self.num_neighbors.values()), ()))):
            found = dict.fromkeys(node, empty)
            for key, edges in self.edges.items():
                start, end = _ends(key)
                owner, position, weight = edges.draw(frontier[end], self.num_neighbors[key][hop], generator)
                source, owner = edges.source[position], owner + (len(node[end]) - len(frontier[end]))
                drawn[key].append((source, owner, edges.edge[position], weight))
                found[start] = torch.cat([found[start], source])
            for key, nodes in found.items():
                nodes = nodes.unique()
                frontier[key] = nodes[torch.isin(nodes, node[key], invert=True)]
                node[key] = torch.cat([node[key], frontier[key]])
                num_nodes[key].append(len(frontier[key]))
        row, col, edge, weights = {}, {}, {}, {}
        for key, hops in drawn.items():
            source, col[key], edge[key], weights[key] = map(torch.cat, zip(*hops, strict=True))
            row[key] = _places(source, node[_ends(key)[0]], self.num_nodes[_ends(key)[0]])
        num_edges = {key: [len(hop[0]) for hop in hops] for key, hops in drawn.items()}
        if self.node_type is None:
            one = node[None], row[None], col[None], edge[None]
            return SamplerOutput(
                *one, num_sampled_nodes=num_nodes[None], num_sampled_edges=num_edges[None], metadata=weights
            )
        counts = {"num_sampled_nodes": num_nodes, "num_sampled_edges": num_edges}
        return HeteroSamplerOutput(node, row, col, edge, **counts, metadata=weights)

    def complete(self, batch: Graph, sample: SamplerOutput | HeteroSamplerOutput) -> None:
        """Give the nodes of a batch their hops, and edges that were drawn by their weights corrected ones."""
        for store in batch.node_stores:  # PyG's counts per hop would be wrong once an augmentor drops some
            store.node_hop = torch.repeat_interleave(torch.tensor(store.num_sampled_nodes))
            del store.num_sampled_nodes
        for store in edge_stores(batch):
            del store.num_sampled_edges
            if self.weight_attr == "edge_weight":
                store.edge_weight = sample.metadata[2][store._key].to(store.edge_weight)


class ClusterSampler(_Sampler):
    """Sampler of the subgraphs induced by clusters, see :func:`gcl.data.cluster_loader`."""

    def __init__(self, data: Data, cluster: Tensor) -> None:
        _check_graph(data)
        check_long("cluster", cluster, data.num_nodes)
        self.edges = InEdges(data.edge_index, data.num_nodes)
        self.cluster = cluster.cpu().unique(return_inverse=True)[1]
        self.size = self.cluster.bincount()
        self.member, start = by_row(self.cluster, len(self.size))
        self.start = start[:-1]
        self.rank = self.member.argsort() - self.start[self.cluster]  # of each node in its cluster

    def sample_from_nodes(self, index: NodeSamplerInput, **kwargs: Any) -> SamplerOutput:
        """The nodes of the clusters ``index.node``, cluster by cluster, and the edges between them."""
        size = self.size[index.node]
        node = self.member[self.start[index.node].repeat_interleave(size) + numbers_below(size)]
        start = torch.full_like(self.size, -1)
        start[index.node] = size.cumsum(0) - size
        col, position = self.edges.all_of(node)
        source = self.edges.source[position]
        start = start[self.cluster[source]]
        inside = start >= 0
        row, edge = start + self.rank[source], self.edges.edge[position]
        return SamplerOutput(node, row[inside], col[inside], edge[inside], metadata=(node, None))


def _ends(edge_type: tuple[str, str, str] | None) -> tuple[str | None, str | None]:
    """The types of the nodes where edges start and end."""
    return (None, None) if edge_type is None else (edge_type[0], edge_type[2])


def _places(value: Tensor, node: Tensor, num_nodes: int) -> Tensor:
    """Where each ``value`` is in ``node``, first."""
    place = torch.empty(num_nodes, dtype=torch.long)  # read where it is written only, so that nothing takes O(N)
    place.scatter_reduce_(0, node, torch.arange(len(node)), "amin", include_self=False)
    return place[value]


def _check_graph(data: Graph, node_type: str | None = None, *, hetero: bool = False) -> None:
    """``data`` is one graph with nodes and edges, whose attributes of nodes and edges can be selected."""
    if not isinstance(data, (Data, HeteroData) if hetero else Data) or isinstance(data, Batch):
        raise TypeError(f"data must be one graph, a torch_geometric Data, got {type(data).__name__}")
    check_structure(data, hetero=hetero, edges=isinstance(data, Data))
    types = data.node_types if isinstance(data, HeteroData) else [None]
    if node_type not in types:
        wanted = f"one of the node types, {types}," if isinstance(data, HeteroData) else "None for a Data,"
        raise ValueError(f"node_type must be {wanted} got {node_type!r}")
    if not (data if node_type is None else data[node_type]).num_nodes:
        raise ValueError(f"data must have at least one node{'' if node_type is None else ' of the type'}, got none")
    check_no_node_numbers(data)
    for store in data.stores:
        lengths = {getattr(store, "num_nodes", None), getattr(store, "num_edges", None)}
        if lists := [key for key, value in store.items() if isinstance(value, (list, tuple)) and len(value) in lengths]:
            raise ValueError(f"data must hold its attributes of nodes and edges as tensors, got lists: {lists}")


def _per_edge_type(num_neighbors: Any, edge_types: list[Any]) -> dict[Any, list[int]]:
    """The numbers of edges to draw in each hop, for each edge type."""
    given = num_neighbors if isinstance(num_neighbors, Mapping) else dict.fromkeys(edge_types, num_neighbors)
    if {*given} != {*edge_types}:
        raise ValueError(f"num_neighbors must have the edge types as keys, {edge_types}, got {[*given]}")
    wanted = "hold one number for each hop, at least 1 or -1 for all"
    for value in given.values():
        per_hop = isinstance(value, Sequence) and len(value) > 0
        if not per_hop or not all(isinstance(k, int) and (k == -1 or k >= 1) for k in value):
            raise ValueError(f"num_neighbors must {wanted}, got {value!r}")
    if len({len(value) for value in given.values()}) > 1:
        raise ValueError(f"num_neighbors must have the same number of hops for all edge types, got {num_neighbors!r}")
    return {key: list(given[key]) for key in edge_types}


def _weight(store: BaseStorage, name: str | None) -> Tensor | None:
    if name is None:
        return None
    if (weight := store.get(name)) is None:
        raise ValueError(f"weight_attr must name an attribute of the edges, got {name!r}, which data lacks")
    check_edge_weight(f"data.{name}", weight, store.num_edges, read=True)
    return weight
