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
from torch_geometric.transforms import Compose

from augmentors._checks import check_at_least
from augmentors._random import random_bits
from augmentors._selection import check_no_node_numbers
from gcl._checks import check_edges
from gcl.data._samplers import ClusterSampler, NeighborSampler, Sampler, expand


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
    ``input_nodes`` (in ``data`` for a mask). ``node_hop`` ``[N]``, ascending from 0 for
    seeds, is the hop that found each node: :func:`gcl.nn.encode` trims layers by it.

    The batches of an epoch depend on one number, drawn from the generator at its start: the same state gives the same
    batches for any number of workers, and a checkpoint that holds the generator resumes with the same batches.

    Args:
        data: one graph; edges are directed, duplicates count as different edges.
        num_neighbors: the number of edges to draw at a node in each hop, at least 1; -1 for all. With -1 and as many
            hops as layers the seeds' embeddings are those in the whole graph; GCN layers need one hop more, for the
            degrees of the last nodes.
        batch_size: seeds in a batch, at least 1. Some losses need two: use ``drop_last=True`` if one could be left.
        input_nodes: the seeds of an epoch, long ``[M]`` or bool ``[N]``; ``None``: all nodes.
        shuffle: draw the order of the seeds.
        transform: applied to each batch.
        generator: for the order and the draws; ``None`` draws from torch's global seed.
        **kwargs: passed to PyG's ``NodeLoader`` and torch's ``DataLoader``: ``num_workers``, ``drop_last``,
            ``sampler`` (with ``shuffle=False``), ...

    Raises:
        TypeError, ValueError: ``data`` is not one graph, an attribute other than ``edge_index`` holds numbers of
            nodes, or an argument is out of range.

    **Source:** GraphSAGE (arXiv 1706.02216), section 3.1; Floyd's algorithm for the draws (CACM 30, 1987). **Differs:**
    without replacement, as in PyG; pyg-lib's sampler is never used, since it takes no generator.

    Example:
        >>> path = Data(x=torch.eye(4), edge_index=torch.tensor([[0, 1, 2], [1, 2, 3]]))
        >>> for batch in neighbor_loader(path, [-1, -1], batch_size=2, shuffle=False):
        ...     print(batch.n_id.tolist(), batch.node_hop.tolist())
        [0, 1] [0, 0]
        [2, 3, 1, 0] [0, 0, 1, 2]
    """
    _check_graph(data)
    check_at_least("batch_size", batch_size, 1)
    if input_nodes is not None:
        _check_input_nodes(input_nodes, data.num_nodes)
    sampler = NeighborSampler(data, num_neighbors)
    options = {"input_nodes": input_nodes, "batch_size": batch_size, "shuffle": shuffle}
    finish = _set_hops if transform is None else Compose([_set_hops, transform])
    return _Loader(data, sampler, generator, transform=finish, **options, **kwargs)


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
        data: one graph.
        cluster: long ``[N]``, the cluster of each node, such as by :func:`gcl.data.partition`.
        batch_size: clusters in a batch, at least 1 and at most all.
        shuffle: draw the order of the clusters.
        generator: for that order; ``None`` draws from torch's global seed.
        **kwargs: as for :func:`neighbor_loader`, and ``transform``.

    Raises:
        TypeError, ValueError: ``data`` is not one graph, an attribute other than ``edge_index`` holds numbers of
            nodes, or an argument is not as above.

    **Source:** Cluster-GCN (arXiv 1905.07953), section 3.2. **Differs:** nothing.

    Example:
        >>> path = Data(x=torch.eye(4), edge_index=torch.tensor([[0, 1, 2], [1, 2, 3]]))
        >>> loader = cluster_loader(path, torch.tensor([0, 1, 1, 0]), batch_size=1, shuffle=False)
        >>> [(batch.n_id.tolist(), batch.e_id.tolist()) for batch in loader]
        [([0, 3], []), ([1, 2], [1])]
    """
    _check_graph(data)
    check_at_least("batch_size", batch_size, 1)
    if not isinstance(cluster, Tensor) or cluster.dtype != torch.long:
        raise TypeError(f"cluster must be a long tensor [N], got {getattr(cluster, 'dtype', type(cluster).__name__)}")
    if cluster.shape != (data.num_nodes,):
        raise ValueError(f"cluster must have shape [{data.num_nodes}], got {tuple(cluster.shape)}")
    sampler = ClusterSampler(data, cluster)
    if batch_size > (count := len(sampler.size)):
        raise ValueError(f"batch_size must be at most {count}, the number of clusters, got {batch_size}")
    options = {"input_nodes": torch.arange(count), "batch_size": batch_size, "shuffle": shuffle}
    return _Loader(data, sampler, generator, **options, **kwargs)


def _set_hops(batch: Data) -> Data:
    """Give each node its hop: PyG's counts per hop would be wrong once an augmentor drops some."""
    batch.node_hop = expand(torch.tensor(batch.num_sampled_nodes))[0]
    del batch.num_sampled_nodes, batch.num_sampled_edges
    return batch


class _Loader(NodeLoader):
    """PyG's loader, whose epochs each depend on one number of the generator."""

    def __init__(self, data: Data, sampler: Sampler, generator: Generator | None, /, **kwargs: Any) -> None:
        if kwargs.get("persistent_workers"):
            raise ValueError("persistent_workers must be False: each epoch's workers start with its random number")
        self.epoch_generator = generator
        super().__init__(data, sampler, generator=Generator(), **kwargs)

    def __iter__(self) -> Iterator[Data]:
        self.node_sampler.seed = int(random_bits((), torch.device("cpu"), self.epoch_generator))
        self.generator.manual_seed(self.node_sampler.seed)
        return super().__iter__()


def _check_graph(data: Data) -> None:
    """``data`` is one graph, and a loader can select all its attributes."""
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
    """``input_nodes`` is a mask or holds numbers of nodes, and is not empty."""
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
