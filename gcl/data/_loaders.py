"""Mini-batches of one large graph: sampled neighborhoods of nodes, or clusters of a partition.

``batch_size`` of a batch says how many of its first rows are seeds, the nodes that methods compare and embed. With
``shuffle=False`` a loader embeds a graph that does not fit at once:

    h = torch.cat([method.embed(batch) for batch in loader])

Uniform subgraphs come from torch's own loader (one generator serves one process: leave ``num_workers`` at 0):

    draw = functools.partial(augmentors.UniformSubgraph(500), generator=generator)
    loader = torch.utils.data.DataLoader([data] * num_batches, batch_size=None, collate_fn=draw)
"""

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Generator, Tensor
from torch_geometric.data import Data
from torch_geometric.loader import NodeLoader
from torch_geometric.sampler import HeteroSamplerOutput, SamplerOutput
from torch_geometric.utils import add_remaining_self_loops

from augmentors._checks import check_at_least
from augmentors._graphs import Graph
from augmentors._random import random_bits
from gcl.data._samplers import ClusterSampler, NeighborSampler


def neighbor_loader(
    data: Graph,
    num_neighbors: Sequence[int] | Mapping[tuple[str, str, str], Sequence[int]],
    batch_size: int,
    *,
    node_type: str | None = None,
    input_nodes: Tensor | None = None,
    weight_attr: str | None = None,
    shuffle: bool = True,
    transform: Callable[[Any], Any] | None = None,
    generator: Generator | None = None,
    **kwargs: Any,
) -> NodeLoader:
    """Load batches of seed nodes with a random sample of the edges that lead to them.

    Hop k draws, for each node that hop k - 1 has found (at first the seeds), up to ``num_neighbors[k - 1]`` of the
    edges that end in it (of each edge type), uniformly and without replacement. The batch holds the drawn edges and
    their nodes with all their attributes. As in PyG's ``NeighborLoader`` the first ``batch_size`` rows are the seeds,
    ``n_id`` ``[N]`` and ``e_id`` ``[E]`` are the numbers of the nodes and edges in ``data``, and ``input_id`` those of
    the seeds in ``input_nodes`` (in ``data`` for a mask). Of a ``HeteroData`` each type has its own.

    - ``node_hop`` ``[N]``, ascending from 0 for seeds, is the hop that found each node: :func:`gcl.nn.encode` trims
      layers by it.
    - ``node_degree`` ``[N]`` (not for ``HeteroData``) is the sum of the weights of the edges that end in each node in
      the whole graph, a self-loop of weight 1 included where it has none: :func:`gcl.nn.gcn` normalizes by it.

    The batches of an epoch depend on one number, drawn from the generator at its start: the same state gives the same
    batches for any number of workers, and a checkpoint that holds the generator resumes with the same batches.

    Args:
        data: one graph; edges are directed, duplicates count as different edges.
        num_neighbors: edges to draw at a node in each hop, at least 1, or -1 for all; for a ``HeteroData`` those of
            every edge type, or ``{edge_type: numbers}``. With -1 and a hop for each layer the seeds' embeddings are
            those in the whole graph (of PyG's own ``GCN`` with one more hop, for degrees).
        batch_size: seeds in a batch, at least 1. Some losses need two: use ``drop_last=True`` if one could be left.
        node_type: for a ``HeteroData``: the node type of the seeds.
        input_nodes: the seeds of an epoch, long ``[M]`` or bool ``[N]``; ``None``: all nodes.
        weight_attr: draw by this attribute ``[E]`` of the edges: the next edge is one of those left with a probability
            proportional to its weight, those of weight 0 are left out. ``None``: uniformly.
        shuffle: draw the order of the seeds.
        transform: applied to each batch.
        generator: for the order and the draws; ``None`` draws from torch's global seed.
        **kwargs: for PyG's ``NodeLoader``: ``num_workers``, ``drop_last``, ``sampler`` (with ``shuffle=False``), ...

    Raises:
        TypeError, ValueError: an argument is not as above, or ``data`` has node numbers beyond ``edge_index``.

    **Source:** GraphSAGE (arXiv 1706.02216), section 3.1; Floyd's algorithm for uniform draws (CACM 30, 1987),
    exponential keys for weighted ones (Efraimidis and Spirakis, IPL 97, 2006). **Differs:** without replacement, as in
    PyG; pyg-lib's sampler is never used, since it takes no generator. With ``weight_attr="edge_weight"`` the weights of
    the drawn edges are divided by the probability of the draw, given the key of the first edge that was left out
    (bottom-k sketches, Cohen and Kaplan, PODC 2007): weighted sums over neighbors are unbiased.

    Example:
        >>> path = Data(x=torch.eye(4), edge_index=torch.tensor([[0, 1, 2], [1, 2, 3]]))
        >>> for batch in neighbor_loader(path, [-1, -1], batch_size=2, shuffle=False):
        ...     print(batch.n_id.tolist(), batch.node_hop.tolist(), batch.node_degree.tolist())
        [0, 1] [0, 0] [1.0, 2.0]
        [2, 3, 1, 0] [0, 0, 1, 2] [2.0, 2.0, 2.0, 1.0]
    """
    sampler = NeighborSampler(data, num_neighbors, node_type=node_type, weight_attr=weight_attr)
    if input_nodes is not None:
        _check_input_nodes(input_nodes, sampler.num_nodes[node_type])
    seeds: Any = input_nodes if node_type is None else (node_type, input_nodes)
    if isinstance(data, Data):
        data = copy.copy(data)
        data.node_degree = _node_degree(data)
    options: dict[str, Any] = {"batch_size": batch_size, "shuffle": shuffle, "epoch_generator": generator}
    return _Loader(data, sampler, seeds, transform=transform, **options, **kwargs)


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
    sampler = ClusterSampler(data, cluster)
    if batch_size > (count := len(sampler.size)):
        raise ValueError(f"batch_size must be at most {count}, the number of clusters, got {batch_size}")
    options: dict[str, Any] = {"batch_size": batch_size, "shuffle": shuffle, "epoch_generator": generator}
    return _Loader(data, sampler, torch.arange(count), **options, **kwargs)


class _Loader(NodeLoader):
    """PyG's loader, whose epochs each depend on one number of the generator."""

    def __init__(
        self, *args: Any, batch_size: int, epoch_generator: Generator | None, transform: Any = None, **kwargs: Any
    ) -> None:
        check_at_least("batch_size", batch_size, 1)
        if kwargs.get("persistent_workers"):
            raise ValueError("persistent_workers must be False: each epoch's workers start with its random number")
        self.epoch_generator, self.batch_transform = epoch_generator, transform
        super().__init__(*args, batch_size=batch_size, generator=Generator(), **kwargs)

    def __iter__(self) -> Iterator[Graph]:
        self.node_sampler.seed = int(random_bits((), torch.device("cpu"), self.epoch_generator))
        self.generator.manual_seed(self.node_sampler.seed)
        return super().__iter__()

    def filter_fn(self, out: SamplerOutput | HeteroSamplerOutput) -> Any:
        batch = super().filter_fn(out)
        self.node_sampler.complete(batch, out)
        return batch if self.batch_transform is None else self.batch_transform(batch)


def _node_degree(data: Data) -> Tensor:
    """The sum ``[N]`` of the weights of the edges that end in each node, with self-loops of weight 1 where missing."""
    weight = (
        torch.ones(data.num_edges, device=data.edge_index.device)
        if data.get("edge_weight") is None
        else data.edge_weight
    )
    edge_index, weight = add_remaining_self_loops(data.edge_index, weight, 1.0, data.num_nodes)
    return weight.new_zeros(data.num_nodes).index_add_(0, edge_index[1], weight)


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
