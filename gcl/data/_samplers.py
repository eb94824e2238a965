"""Samplers of subgraphs around nodes, in pure torch, for PyG's ``NodeLoader``."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Generator, Tensor
from torch_geometric.data import Data
from torch_geometric.sampler import BaseSampler, EdgeSamplerInput, NodeSamplerInput, SamplerOutput

from augmentors._random import pick, random_bits
from augmentors._sparse import by_row


class Sampler(BaseSampler):
    """The edges of a graph, sorted by their ends. A loader sets ``seed``, which decides the draws, at each epoch."""

    seed = 0

    def __init__(self, data: Data) -> None:
        edge_index = data.edge_index.cpu()
        self.edge, start = by_row(edge_index[1], data.num_nodes)
        self.source = edge_index[0, self.edge]
        self.degree = start.diff()
        self.first = start[:-1]  # where in source the edges that end in a node start

    def sample_from_edges(self, index: EdgeSamplerInput, neg_sampling: Any = None) -> SamplerOutput:
        raise NotImplementedError(f"{type(self).__name__} samples from nodes, not from edges")


class NeighborSampler(Sampler):
    """Sampler of the neighborhoods of nodes, for PyG's ``NodeLoader``; see :func:`gcl.data.neighbor_loader`.

    Example:
        >>> path = Data(edge_index=torch.tensor([[0, 1, 2], [1, 2, 3]]), num_nodes=4)
        >>> sample = NeighborSampler(path, [1]).sample(torch.tensor([2]))
        >>> sample.node, sample.row, sample.col, sample.edge
        (tensor([2, 1]), tensor([1]), tensor([0]), tensor([1]))
    """

    def __init__(self, data: Data, num_neighbors: Sequence[int]) -> None:
        per_hop = isinstance(num_neighbors, Sequence) and len(num_neighbors) > 0
        if not per_hop or not all(isinstance(k, int) and (k == -1 or k >= 1) for k in num_neighbors):
            raise ValueError(
                f"num_neighbors must hold one number for each hop, at least 1 or -1 for all, got {num_neighbors!r}"
            )
        super().__init__(data)
        self.num_neighbors = list(num_neighbors)

    def sample_from_nodes(self, index: NodeSamplerInput, **kwargs: Any) -> SamplerOutput:
        """Sample by a seed made of the epoch's and the batch's nodes: the same in any process."""
        seed = hash((self.seed, *index.input_id.tolist())) % 2**32
        sample = self.sample(index.node, generator=torch.Generator().manual_seed(seed))
        sample.metadata = (index.input_id, index.time)
        return sample

    def sample(self, seeds: Tensor, *, generator: Generator | None = None) -> SamplerOutput:
        """Draw edges hop by hop; the nodes start with ``seeds`` ``[B]``, repeated ones included."""
        node = frontier = seeds
        edges, sources, cols, num_nodes = [], [], [], [seeds.numel()]
        for k in self.num_neighbors:
            owner, position = self._draw(frontier, k, generator)
            edges.append(self.edge[position])
            sources.append(self.source[position])
            cols.append(owner + (node.numel() - frontier.numel()))
            found = sources[-1].unique()
            frontier = found[torch.isin(found, node, invert=True)]
            node = torch.cat([node, frontier])
            num_nodes.append(frontier.numel())
        place = torch.empty_like(self.degree)  # in node; read where it is written only, so that nothing takes O(N)
        place.scatter_reduce_(0, node, torch.arange(node.numel()), "amin", include_self=False)
        row, col, edge = place[torch.cat(sources)], torch.cat(cols), torch.cat(edges)
        return SamplerOutput(
            node, row, col, edge, num_sampled_nodes=num_nodes, num_sampled_edges=[hop.numel() for hop in edges]
        )

    def _draw(self, node: Tensor, k: int, generator: Generator | None) -> tuple[Tensor, Tensor]:
        """For each drawn edge the position of its end in ``node``, and its own position in ``source``."""
        degree = self.degree[node]
        count = degree if k == -1 else degree.clamp(max=k)
        owner, offset = expand(count)
        many = degree > count
        offset[many[owner]] = _choose(degree[many], k, generator).flatten()
        return owner, self.first[node][owner] + offset


class ClusterSampler(Sampler):
    """Sampler of the subgraphs induced by clusters, see :func:`gcl.data.cluster_loader`."""

    def __init__(self, data: Data, cluster: Tensor) -> None:
        super().__init__(data)
        self.cluster = cluster.cpu().unique(return_inverse=True)[1]
        self.member = self.cluster.argsort(stable=True)
        self.size = self.cluster.bincount()
        self.start = self.size.cumsum(0) - self.size
        self.rank = torch.empty_like(self.member)
        self.rank[self.member] = expand(self.size)[1]

    def sample_from_nodes(self, index: NodeSamplerInput, **kwargs: Any) -> SamplerOutput:
        """The nodes of the clusters ``index.node``, cluster by cluster, and the edges between them."""
        size = self.size[index.node]
        owner, offset = expand(size)
        node = self.member[self.start[index.node][owner] + offset]
        start = torch.full_like(self.size, -1)
        start[index.node] = size.cumsum(0) - size
        col, offset = expand(self.degree[node])
        position = self.first[node][col] + offset
        source = self.source[position]
        start = start[self.cluster[source]]
        inside = start >= 0
        row = (start + self.rank[source])[inside]
        return SamplerOutput(node, row, col[inside], self.edge[position[inside]], metadata=(node, None))


def expand(count: Tensor) -> tuple[Tensor, Tensor]:
    """Each i repeated ``count[i]`` times, and for each entry its number among the entries of the same i."""
    owner = torch.arange(count.numel()).repeat_interleave(count)
    return owner, torch.arange(owner.numel()) - (count.cumsum(0) - count)[owner]


def _choose(count: Tensor, k: int, generator: Generator | None) -> Tensor:
    """Draw k different numbers below ``count[i]`` > k for each i, ``[n, k]``, every set equally likely: Floyd's."""
    chosen = count.new_empty(k if count.numel() else 0, count.numel())
    for i, bits in enumerate(random_bits(chosen.shape, count.device, generator)):
        last = count - k + i
        draw = pick(bits, last + 1)
        chosen[i] = torch.where((chosen[:i] == draw).any(0), last, draw)
    return chosen.T
