"""Mini-batches of one large graph: the neighborhoods of some nodes, or the parts of a partition.

Every batch says by ``batch_size`` that its first rows are the nodes that count: the methods compare and embed these
alone. With ``shuffle=False`` a loader embeds a graph that does not fit at once:

    h = torch.cat([method.embed(batch) for batch in loader])

Uniform subgraphs need no loader of their own (``generator`` is then that of one process: leave ``num_workers`` at 0):

    draw = functools.partial(augmentors.UniformSubgraph(500), generator=generator)
    loader = torch.utils.data.DataLoader([data] * num_batches, batch_size=None, collate_fn=draw)
"""

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Generator, Tensor
from torch_geometric.data import Batch, Data
from torch_geometric.loader import NodeLoader
from torch_geometric.sampler import BaseSampler, EdgeSamplerInput, NodeSamplerInput, SamplerOutput

from augmentors._checks import check_at_least
from augmentors._random import pick, random_bits
from augmentors._selection import check_no_node_numbers
from augmentors._sparse import by_row
from gcl._checks import check_edges


def neighbor_loader(
    data: Data,
    num_neighbors: Sequence[int],
    batch_size: int,
    *,
    input_nodes: Tensor | None = None,
    generator: Generator | None = None,
    shuffle: bool = True,
    **kwargs: Any,
) -> NodeLoader:
    """Batches of nodes, the seeds, with a random sample of the edges that lead to them.

    Hop k draws for each node that hop k - 1 has found (the seeds at first) up to ``num_neighbors[k - 1]`` of the edges that
    end in it, uniformly and without replacement. The batch holds the drawn edges and their nodes, with all their
    attributes, as PyG's ``NeighborLoader`` has it: the first ``batch_size`` rows are the seeds, ``n_id`` ``[N]`` and
    ``e_id`` ``[E]`` say which nodes and edges of ``data`` these are, ``input_id`` which entries of ``input_nodes``
    (or which nodes, for a mask) the seeds.

    One number is drawn from the generator at the start of an epoch and decides all of it: the same state gives the same
    batches for any number of workers, and a run goes on from a checkpoint that has the generator.

    Args:
        data: one graph; directed edges count in their direction, duplicates as edges of their own.
        num_neighbors: for each hop how many edges at a node, at least 1; -1 for all of them. Seeds are embedded as in the
            whole graph by -1 and as many hops as layers; GCN's, which need the degrees of the last nodes, by one more.
        batch_size: seeds in a batch, at least 1. Some losses need two: ``drop_last=True`` where one could be left over.
        input_nodes: the seeds of an epoch, long ``[M]`` or bool ``[N]``; ``None``: all nodes.
        generator: of the order and the draws; ``None`` draws from torch's global seed.
        shuffle: draw the order of the seeds.
        **kwargs: passed to PyG's ``NodeLoader`` and torch's ``DataLoader``: ``num_workers``, ``drop_last``,
            ``transform``, ``sampler`` (with ``shuffle=False``), ...

    Raises:
        TypeError, ValueError: ``data`` is no single graph, an attribute other than ``edge_index`` holds numbers of
            nodes, or an argument is not as above.

    **Source:** GraphSAGE (arXiv 1706.02216), section 3.1; Floyd's algorithm for the draws (CACM 30, 1987). **Differs:**
    without replacement, as PyG; pyg-lib's sampler is not used where it is installed, since it takes no generator.

    Example:
        >>> path = Data(x=torch.eye(4), edge_index=torch.tensor([[0, 1, 2], [1, 2, 3]]))
        >>> [batch.n_id.tolist() for batch in neighbor_loader(path, [-1, -1], batch_size=2, shuffle=False)]
        [[0, 1], [2, 3, 1, 0]]
    """
    _check_graph(data)
    check_at_least("batch_size", batch_size, 1)
    if input_nodes is not None:
        _check_input_nodes(input_nodes, data.num_nodes)
    sampler = NeighborSampler(data, num_neighbors)
    options = {"input_nodes": input_nodes, "batch_size": batch_size, "shuffle": shuffle}
    return _Loader(data, sampler, generator, **options, **kwargs)


def cluster_loader(
    data: Data,
    cluster: Tensor,
    parts: int,
    *,
    generator: Generator | None = None,
    shuffle: bool = True,
    **kwargs: Any,
) -> NodeLoader:
    """Batches of some parts of a partition, with all edges between their nodes; all of these count (``batch_size``).

    Args:
        data: one graph.
        cluster: long ``[N]``, the part of each node, such as by :func:`gcl.data.partition`.
        parts: how many parts make a batch, at least 1 and at most as many as there are.
        generator, shuffle, **kwargs: as for :func:`neighbor_loader`, for the order of the parts.

    Raises:
        TypeError, ValueError: as :func:`neighbor_loader`; ``cluster`` is not of the graph's length.

    **Source:** Cluster-GCN (arXiv 1905.07953), section 3.2. **Differs:** as there.

    Example:
        >>> path = Data(x=torch.eye(4), edge_index=torch.tensor([[0, 1, 2], [1, 2, 3]]))
        >>> loader = cluster_loader(path, torch.tensor([0, 1, 1, 0]), parts=1, shuffle=False)
        >>> [(batch.n_id.tolist(), batch.e_id.tolist()) for batch in loader]
        [([0, 3], []), ([1, 2], [1])]
    """
    _check_graph(data)
    check_at_least("parts", parts, 1)
    if not isinstance(cluster, Tensor) or cluster.dtype != torch.long:
        raise TypeError(f"cluster must be a long tensor [N], got {getattr(cluster, 'dtype', type(cluster).__name__)}")
    if cluster.shape != (data.num_nodes,):
        raise ValueError(f"cluster must have shape [{data.num_nodes}], got {tuple(cluster.shape)}")
    sampler = _PartSampler(data, cluster)
    if parts > (count := len(sampler.size)):
        raise ValueError(f"parts must be at most {count}, the number of parts, got {parts}")
    options = {"input_nodes": torch.arange(count), "batch_size": parts, "shuffle": shuffle}
    return _Loader(data, sampler, generator, **options, **kwargs)


class _Sampler(BaseSampler):
    """A graph by the ends of its edges; ``seed``, which a loader sets at each epoch, decides the draws."""

    seed = 0

    def __init__(self, data: Data) -> None:
        edge_index = data.edge_index.cpu()
        self.edge, start = by_row(edge_index[1], data.num_nodes)
        self.source = edge_index[0, self.edge]
        self.degree = start.diff()
        self.first = start[:-1]  # where in source the edges that end in a node start

    def sample_from_edges(self, index: EdgeSamplerInput, neg_sampling: Any = None) -> SamplerOutput:
        raise NotImplementedError(f"{type(self).__name__} samples from nodes only")


class NeighborSampler(_Sampler):
    """PyG's sampler of the neighborhoods of nodes, for a ``NodeLoader``; see :func:`neighbor_loader`.

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
                f"num_neighbors must hold for each hop a number from 1 on, or -1 for all, got {num_neighbors!r}"
            )
        super().__init__(data)
        self.num_neighbors = list(num_neighbors)

    def sample_from_nodes(self, index: NodeSamplerInput, **kwargs: Any) -> SamplerOutput:
        """A sample by the epoch's seed and the batch's own nodes, whichever process it is in."""
        seed = hash((self.seed, *index.input_id.tolist())) % 2**32
        sample = self.sample(index.node, generator=torch.Generator().manual_seed(seed))
        sample.metadata = (index.input_id, index.time)
        return sample

    def sample(self, seeds: Tensor, *, generator: Generator | None = None) -> SamplerOutput:
        """The drawn edges and their nodes, ``seeds`` ``[B]`` the first of them."""
        node = frontier = seeds
        edges, sources, cols = [], [], []
        for k in self.num_neighbors:
            owner, position = self._draw(frontier, k, generator)
            edges.append(self.edge[position])
            sources.append(self.source[position])
            cols.append(owner + (node.numel() - frontier.numel()))
            found = sources[-1].unique()
            frontier = found[torch.isin(found, node, invert=True)]
            node = torch.cat([node, frontier])
        place = torch.empty_like(self.degree)  # in node; read only where it is written, so that nothing takes O(N)
        place.scatter_reduce_(0, node, torch.arange(node.numel()), "amin", include_self=False)
        return SamplerOutput(node=node, row=place[torch.cat(sources)], col=torch.cat(cols), edge=torch.cat(edges))

    def _draw(self, node: Tensor, k: int, generator: Generator | None) -> tuple[Tensor, Tensor]:
        """For each drawn edge the place of its end in ``node``, and its own place in ``source``."""
        degree = self.degree[node]
        count = degree if k == -1 else degree.clamp(max=k)
        owner, offset = _expand(count)
        many = degree > count
        offset[many[owner]] = _choose(degree[many], k, generator).flatten()
        return owner, self.first[node][owner] + offset


class _PartSampler(_Sampler):
    """PyG's sampler of the subgraphs induced by parts, for a ``NodeLoader``; see :func:`cluster_loader`."""

    def __init__(self, data: Data, cluster: Tensor) -> None:
        super().__init__(data)
        self.part = cluster.cpu().unique(return_inverse=True)[1]
        self.member = self.part.argsort(stable=True)
        self.size = self.part.bincount()
        self.start = self.size.cumsum(0) - self.size
        self.rank = torch.empty_like(self.member)
        self.rank[self.member] = _expand(self.size)[1]

    def sample_from_nodes(self, index: NodeSamplerInput, **kwargs: Any) -> SamplerOutput:
        """The parts of the numbers ``index.node``, one after the other."""
        size = self.size[index.node]
        owner, offset = _expand(size)
        node = self.member[self.start[index.node][owner] + offset]
        start = torch.full_like(self.size, -1)
        start[index.node] = size.cumsum(0) - size
        col, offset = _expand(self.degree[node])
        position = self.first[node][col] + offset
        source = self.source[position]
        start = start[self.part[source]]
        inside = start >= 0
        row = (start + self.rank[source])[inside]
        return SamplerOutput(node, row, col[inside], self.edge[position[inside]], metadata=(node, None))


class _Loader(NodeLoader):
    """PyG's loader, each of whose epochs is decided by one number of the generator."""

    def __init__(self, data: Data, sampler: _Sampler, generator: Generator | None, /, **kwargs: Any) -> None:
        if kwargs.get("persistent_workers"):
            raise ValueError("persistent_workers must be False: workers start anew with each epoch's random number")
        self.epoch_generator = generator
        super().__init__(data, sampler, generator=Generator(), **kwargs)

    def __iter__(self) -> Iterator[Data]:
        self.node_sampler.seed = int(random_bits((), torch.device("cpu"), self.epoch_generator))
        self.generator.manual_seed(self.node_sampler.seed)
        return super().__iter__()


def _expand(count: Tensor) -> tuple[Tensor, Tensor]:
    """For ``count[i]`` entries of each i, one after the other: i, and the number among the entries of i."""
    owner = torch.arange(count.numel()).repeat_interleave(count)
    return owner, torch.arange(owner.numel()) - (count.cumsum(0) - count)[owner]


def _choose(count: Tensor, k: int, generator: Generator | None) -> Tensor:
    """Of the numbers below ``count[i]`` > k, k different ones ``[n, k]``, every set of them equally likely: Floyd's."""
    chosen = count.new_empty(k if count.numel() else 0, count.numel())
    for i, bits in enumerate(random_bits(chosen.shape, count.device, generator)):
        last = count - k + i
        draw = pick(bits, last + 1)
        chosen[i] = torch.where((chosen[:i] == draw).any(0), last, draw)
    return chosen.T


def _check_graph(data: Data) -> None:
    """``data`` is one graph, all of whose attributes a loader can take along."""
    if not isinstance(data, Data) or isinstance(data, Batch):
        raise TypeError(f"data must be one graph, a torch_geometric Data, got {type(data).__name__}")
    if data.edge_index is None:
        raise ValueError("data.edge_index is missing: set it to a long tensor [2, E] (E may be 0)")
    check_edges("data.edge_index", data.edge_index, data.num_nodes)
    check_no_node_numbers(data)
    lengths = {data.num_nodes, data.num_edges}
    if lists := [key for key, value in data if isinstance(value, (list, tuple)) and len(value) in lengths]:
        raise ValueError(f"data must hold its attributes of nodes and edges as tensors, got lists: {lists}")


def _check_input_nodes(input_nodes: Tensor, num_nodes: int) -> None:
    """``input_nodes`` is a mask or numbers of nodes, and not empty."""
    if not isinstance(input_nodes, Tensor) or input_nodes.dtype not in (torch.long, torch.bool):
        got = getattr(input_nodes, "dtype", type(input_nodes).__name__)
        raise TypeError(f"input_nodes must be a long tensor [M] or a bool tensor [N], got {got}")
    if input_nodes.dtype == torch.bool and input_nodes.shape != (num_nodes,):
        raise ValueError(f"input_nodes must have shape [{num_nodes}] as a mask, got {tuple(input_nodes.shape)}")
    node = input_nodes.nonzero().squeeze(1) if input_nodes.dtype == torch.bool else input_nodes
    if node.dim() != 1 or node.numel() == 0:
        raise ValueError(f"input_nodes must hold at least one node, got {tuple(node.shape)}")
    low, high = (int(end) for end in node.aminmax())
    if low < 0 or high >= num_nodes:
        raise ValueError(f"input_nodes must be in [0, {num_nodes}), got {low if low < 0 else high}")
