"""Mini-batches of one large graph: sampled neighborhoods of nodes, or clusters of a partition.

``batch_size`` of a batch says how many of its first rows are seeds, the nodes that methods compare and embed. With
``shuffle=False`` a loader embeds a graph that does not fit at once:

    h = torch.cat([method.embed(batch) for batch in loader])

Uniform subgraphs come from torch's own loader (one generator serves one process: leave ``num_workers`` at 0):

    draw = functools.partial(augmentors.UniformSubgraph(500), generator=generator)
    loader = torch.utils.data.DataLoader([data] * num_batches, batch_size=None, collate_fn=draw)
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Generator, Tensor
from torch_geometric.data import Batch, Data
from torch_geometric.loader import NodeLoader
from torch_geometric.sampler import BaseSampler, EdgeSamplerInput, NodeSamplerInput, SamplerOutput
from torch_geometric.transforms import Compose

from augmentors._checks import check_at_least
from augmentors._graphs import check_long, check_structure
from augmentors._random import pick, random_bits
from augmentors._selection import check_no_node_numbers
from augmentors._sparse import by_row, numbers_below


def neighbor_loader(
    data: Data,
    num_neighbors: Sequence[int],
    batch_size: int,
    *,
    input_nodes: Tensor | None = None,
    shuffle: bool = True,
    transform: Callable[[Data], Any] | None = None,
    generator: Generator | None = None,
    **kwargs: Any,
) -> NodeLoader:
    """Load batches of seed nodes with a random sample of the edges that lead to them.

    Hop k draws, for each node that hop k - 1 has found (at first the seeds), up to ``num_neighbors[k - 1]`` of the
    edges that end in it, uniformly and without replacement. The batch holds the drawn edges and their nodes with all
    their attributes. As in PyG's ``NeighborLoader`` the first ``batch_size`` rows are the seeds, ``n_id`` ``[N]`` and
    ``e_id`` ``[E]`` are the numbers of the nodes and edges in ``data``, and ``input_id`` those of the seeds in
    ``input_nodes`` (in ``data`` for a mask). ``node_hop`` ``[N]``, ascending from 0 for seeds, is the hop that found
    each node: :func:`gcl.nn.encode` trims layers by it.

    The batches of an epoch depend on one number, drawn from the generator at its start: the same state gives the same
    batches for any number of workers, and a checkpoint that holds the generator resumes with the same batches.

    Args:
        data: one graph; edges are directed, duplicates count as different edges.
        num_neighbors: edges to draw at a node in each hop, at least 1, or -1 for all. With -1 and a hop for each layer
            (for GCN one more, for degrees) the seeds' embeddings are those in the whole graph.
        batch_size: seeds in a batch, at least 1. Some losses need two: use ``drop_last=True`` if one could be left.
        input_nodes: the seeds of an epoch, long ``[M]`` or bool ``[N]``; ``None``: all nodes.
        shuffle: draw the order of the seeds.
        transform: applied to each batch.
        generator: for the order and the draws; ``None`` draws from torch's global seed.
        **kwargs: for PyG's ``NodeLoader``: ``num_workers``, ``drop_last``, ``sampler`` (with ``shuffle=False``), ...

    Raises:
        TypeError, ValueError: an argument is not as above, or ``data`` has node numbers beyond ``edge_index``.

    **Source:** GraphSAGE (arXiv 1706.02216), section 3.1; Floyd's algorithm for the draws (CACM 30, 1987). **Differs:**
    without replacement, as in PyG; pyg-lib's sampler is never used, since it takes no generator.

    Example:
        >>> path = Data(x=torch.eye(4), edge_index=torch.tensor([[0, 1, 2], [1, 2, 3]]))
        >>> for batch in neighbor_loader(path, [-1, -1], batch_size=2, shuffle=False):
        ...     print(batch.n_id.tolist(), batch.node_hop.tolist())
        [0, 1] [0, 0]
        [2, 3, 1, 0] [0, 0, 1, 2]
    """
    sampler = NeighborSampler(data, num_neighbors)
    if input_nodes is not None:
        _check_input_nodes(input_nodes, data.num_nodes)
    options: dict[str, Any] = {"batch_size": batch_size, "shuffle": shuffle, "epoch_generator": generator}
    finish = _set_hops if transform is None else Compose([_set_hops, transform])
    return _Loader(data, sampler, input_nodes, transform=finish, **options, **kwargs)


def cluster_loader(
    data: Data,
    cluster: Tensor,
    batch_size: int,
    *,
    shuffle: bool = True,
    generator: Generator | None = None,
    **kwargs: Any,
) -> NodeLoader:
    """Load batches of some clusters of a partition with all edges between their nodes, which all are seeds.

    Args:
        cluster: long ``[N]``, the cluster of each node, such as by :func:`gcl.data.partition`.
        batch_size: clusters in a batch, at least 1 and at most all.
        shuffle: draw the order of the clusters.
        data, generator, **kwargs: as for :func:`neighbor_loader`, whose ``transform`` belongs to ``kwargs`` here.

    Raises:
        TypeError, ValueError: as for :func:`neighbor_loader`.

    **Source:** Cluster-GCN (arXiv 1905.07953), section 3.2. **Differs:** nothing.

    Example:
        >>> path = Data(x=torch.eye(4), edge_index=torch.tensor([[0, 1, 2], [1, 2, 3]]))
        >>> loader = cluster_loader(path, torch.tensor([0, 1, 1, 0]), batch_size=1, shuffle=False)
        >>> [(batch.n_id.tolist(), batch.e_id.tolist()) for batch in loader]
        [([0, 3], []), ([1, 2], [1])]
    """
    sampler = _ClusterSampler(data, cluster)
    if batch_size > (count := len(sampler.size)):
        raise ValueError(f"batch_size must be at most {count}, the number of clusters, got {batch_size}")
    options: dict[str, Any] = {"batch_size": batch_size, "shuffle": shuffle, "epoch_generator": generator}
    return _Loader(data, sampler, torch.arange(count), **options, **kwargs)


def _set_hops(batch: Data) -> Data:
    """Give each node its hop: PyG's counts per hop would be wrong once an augmentor drops some."""
    batch.node_hop = torch.repeat_interleave(torch.tensor(batch.num_sampled_nodes))
    del batch.num_sampled_nodes, batch.num_sampled_edges
    return batch


class _Loader(NodeLoader):
    """PyG's loader, whose epochs each depend on one number of the generator."""

    def __init__(self, *args: Any, batch_size: int, epoch_generator: Generator | None, **kwargs: Any) -> None:
        check_at_least("batch_size", batch_size, 1)
        if kwargs.get("persistent_workers"):
            raise ValueError("persistent_workers must be False: each epoch's workers start with its random number")
        self.epoch_generator = epoch_generator
        super().__init__(*args, batch_size=batch_size, generator=Generator(), **kwargs)

    def __iter__(self) -> Iterator[Data]:
        self.node_sampler.seed = int(random_bits((), torch.device("cpu"), self.epoch_generator))
        self.generator.manual_seed(self.node_sampler.seed)
        return super().__iter__()


class _Sampler(BaseSampler):
    """The edges of a graph, sorted by their ends. A loader sets ``seed``, which decides the draws, at each epoch."""

    seed = 0

    def __init__(self, data: Data) -> None:
        if not isinstance(data, Data) or isinstance(data, Batch):
            raise TypeError(f"data must be one graph, a torch_geometric Data, got {type(data).__name__}")
        check_structure(data, edges=True)
        if not data.num_nodes:
            raise ValueError("data must have at least one node, got an empty graph")
        check_no_node_numbers(data)
        lengths = {data.num_nodes, data.num_edges}
        if lists := [key for key, value in data if isinstance(value, (list, tuple)) and len(value) in lengths]:
            raise ValueError(f"data must hold its attributes of nodes and edges as tensors, got lists: {lists}")
        edge_index = data.edge_index.cpu()
        self.edge, start = by_row(edge_index[1], data.num_nodes)
        self.source = edge_index[0, self.edge]
        self.degree = start.diff()
        self.first = start[:-1]  # where in source the edges that end in a node start

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

    def __init__(self, data: Data, num_neighbors: Sequence[int]) -> None:
        super().__init__(data)
        per_hop = isinstance(num_neighbors, Sequence) and len(num_neighbors) > 0
        if not per_hop or not all(isinstance(k, int) and (k == -1 or k >= 1) for k in num_neighbors):
            wanted = "hold one number for each hop, at least 1 or -1 for all"
            raise ValueError(f"num_neighbors must {wanted}, got {num_neighbors!r}")
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
        edges, sources, cols, num_nodes = [], [], [], [len(seeds)]
        for k in self.num_neighbors:
            owner, position = self._draw(frontier, k, generator)
            edges.append(self.edge[position])
            sources.append(self.source[position])
            cols.append(owner + (len(node) - len(frontier)))
            found = sources[-1].unique()
            frontier = found[torch.isin(found, node, invert=True)]
            node = torch.cat([node, frontier])
            num_nodes.append(len(frontier))
        place = torch.empty_like(self.degree)  # in node; read where it is written only, so that nothing takes O(N)
        place.scatter_reduce_(0, node, torch.arange(len(node)), "amin", include_self=False)
        row, col, edge = place[torch.cat(sources)], torch.cat(cols), torch.cat(edges)
        counts = {"num_sampled_nodes": num_nodes, "num_sampled_edges": [len(hop) for hop in edges]}
        return SamplerOutput(node, row, col, edge, **counts)

    def _draw(self, node: Tensor, k: int, generator: Generator | None) -> tuple[Tensor, Tensor]:
        """For each drawn edge the position of its end in ``node``, and its own position in ``source``."""
        degree = self.degree[node]
        count = degree if k == -1 else degree.clamp(max=k)
        owner, offset = torch.repeat_interleave(count), numbers_below(count)
        many = degree > count
        offset[many[owner]] = _choose(degree[many], k, generator).flatten()
        return owner, self.first[node][owner] + offset


class _ClusterSampler(_Sampler):
    """Sampler of the subgraphs induced by clusters, see :func:`gcl.data.cluster_loader`."""

    def __init__(self, data: Data, cluster: Tensor) -> None:
        super().__init__(data)
        check_long("cluster", cluster)
        if cluster.shape != (data.num_nodes,):
            raise ValueError(f"cluster must have shape [{data.num_nodes}], got {tuple(cluster.shape)}")
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
        degree = self.degree[node]
        position = self.first[node].repeat_interleave(degree) + numbers_below(degree)
        source = self.source[position]
        start = start[self.cluster[source]]
        inside = start >= 0
        row, col = start + self.rank[source], torch.repeat_interleave(degree)
        return SamplerOutput(node, row[inside], col[inside], self.edge[position[inside]], metadata=(node, None))


def _check_input_nodes(input_nodes: Tensor, num_nodes: int) -> None:
    """``input_nodes`` is a mask or holds numbers of nodes, and is not empty."""
    if not isinstance(input_nodes, Tensor) or input_nodes.dtype not in (torch.long, torch.bool):
        got = getattr(input_nodes, "dtype", type(input_nodes).__name__)
        raise TypeError(f"input_nodes must be a long tensor [M] or a bool tensor [N], got {got}")
    if input_nodes.dtype == torch.bool and input_nodes.shape != (num_nodes,):
        raise ValueError(f"input_nodes must have shape [{num_nodes}] as a mask, got {tuple(input_nodes.shape)}")
    node = input_nodes.nonzero().squeeze(1) if input_nodes.dtype == torch.bool else input_nodes
    if node.dim() != 1 or node.numel() == 0:
        raise ValueError(f"input_nodes must hold at least one node, got {tuple(node.shape)}")
    if len(outside := node[(node < 0) | (node >= num_nodes)]):
        raise ValueError(f"input_nodes must be in [0, {num_nodes}), got {int(outside[0])}")


def _choose(count: Tensor, k: int, generator: Generator | None) -> Tensor:
    """Draw k different numbers below ``count[i]`` > k for each i, ``[n, k]``, every set equally likely: Floyd's."""
    chosen = count.new_empty(k if count.numel() else 0, count.numel())
    for i, bits in enumerate(random_bits(chosen.shape, count.device, generator)):
        last = count - k + i
        draw = pick(bits, last + 1)
        chosen[i] = torch.where((chosen[:i] == draw).any(0), last, draw)
    return chosen.T
