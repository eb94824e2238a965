"""Augmentors that keep a subgraph of each graph: the chosen nodes and the edges between them.

As with :class:`augmentors.NodeDrop`, ``n_id`` holds the old indices of the nodes, each graph keeps at least one, and
the rows of two views do not match: use them at graph level, or once before the augmentors of the two views.
"""

import torch
from torch import Generator, Tensor
from torch_geometric.data import Data

from augmentors._base import Augmentor
from augmentors._checks import check_at_least
from augmentors._graphs import edges_of, graph_of_nodes, pick_node, random_order
from augmentors._random import pick, random_bits
from augmentors._selection import keep_nodes
from augmentors._sparse import numbers_below, sums_before

_BLOCK = 1024  # steps of a walk, after which it may end early


class UniformSubgraph(Augmentor):
    """Keep ``num_nodes`` nodes of each graph, drawn without replacement; a smaller graph stays whole.

    Args:
        num_nodes: at least 1.

    Raises:
        ValueError: ``num_nodes`` is below 1; an attribute other than ``edge_index`` holds node indices.

    **Source:** PyGCL's ``UniformSampling``, as documented. **Differs:** counts nodes of each graph of a batch.

    Example:
        >>> path = Data(edge_index=torch.tensor([[0, 1, 2], [1, 2, 3]]), num_nodes=4)
        >>> UniformSubgraph(2)(path, generator=torch.Generator().manual_seed(0)).n_id
        tensor([0, 1])
    """

    def __init__(self, num_nodes: int) -> None:
        self.num_nodes = check_at_least("num_nodes", num_nodes, 1)

    def forward(self, data: Data, *, generator: Generator | None = None) -> Data:
        batch, ptr = graph_of_nodes(data._store)
        order = random_order(data._store, generator)
        return keep_nodes(data, _mask(batch, order[numbers_below(ptr.diff()) < self.num_nodes]))


class EgoSubgraph(Augmentor):
    """Keep the nodes at most ``num_hops`` edges away, in either direction, from one node of each graph.

    Args:
        num_hops: at least 0.

    Raises:
        ValueError: ``num_hops`` is below 0; an attribute other than ``edge_index`` holds node indices.

    **Source:** the r-ego networks of GCC (arXiv 2006.09963), section 3.1; with one hop the "subgraph" of GraphCL's code
    (arXiv 2010.13902). **Differs:** GraphCL keeps at most a fifth of the nodes, a random choice of the neighbors.

    Example:
        >>> path = Data(edge_index=torch.tensor([[0, 1, 2], [1, 2, 3]]), num_nodes=4)
        >>> EgoSubgraph(1)(path, generator=torch.Generator().manual_seed(0)).n_id
        tensor([1, 2, 3])
    """

    def __init__(self, num_hops: int) -> None:
        self.num_hops = check_at_least("num_hops", num_hops, 0)

    def forward(self, data: Data, *, generator: Generator | None = None) -> Data:
        batch, _ = graph_of_nodes(data._store)
        row, col = edges_of(data)
        both = torch.stack([torch.cat([row, col]), torch.cat([col, row])])
        return keep_nodes(data, _grow(_mask(batch, _random_nodes(data, 1, generator)), both, self.num_hops))


class RandomWalkSubgraph(Augmentor):
    """Keep the nodes that ``num_walks`` random walks in each graph visit in ``walk_length`` steps along the edges.

    Each walk starts at a node drawn uniformly, with replacement; it stays at a node without outgoing edges.

    Args:
        walk_length: steps of a walk, at least 0.
        num_walks: walks in each graph, at least 1.

    Raises:
        ValueError: an argument is below its range; an attribute other than ``edge_index`` holds node indices.

    **Source:** GraphCL (arXiv 2010.13902), section 3.2, "subgraph". **Differs:** takes the length and number of walks,
    as GraphSAINT's sampler (arXiv 1907.04931); the authors' code never leaves the first node's neighbors: see
    :class:`EgoSubgraph`.

    Example:
        >>> path = Data(edge_index=torch.tensor([[0, 1, 2], [1, 2, 3]]), num_nodes=4)
        >>> RandomWalkSubgraph(2)(path, generator=torch.Generator().manual_seed(0)).n_id
        tensor([2, 3])
    """

    def __init__(self, walk_length: int, num_walks: int = 1) -> None:
        self.walk_length = check_at_least("walk_length", walk_length, 0)
        self.num_walks = check_at_least("num_walks", num_walks, 1)

    def forward(self, data: Data, *, generator: Generator | None = None) -> Data:
        batch, _ = graph_of_nodes(data._store)
        row, col = edges_of(data)
        if (row.diff() < 0).any():
            row, order = row.sort(stable=True)
            col = col[order]
        neighbors = torch.cat([col, col.new_zeros(1)])  # the last one stands for none
        degree = row.bincount(minlength=batch.numel())
        first = sums_before(degree)
        node = _random_nodes(data, self.num_walks, generator)
        visited = _mask(batch, node)
        for start in range(0, self.walk_length, _BLOCK):
            steps = [node]
            for bits in random_bits((min(_BLOCK, self.walk_length - start), node.numel()), node.device, generator):
                onward = neighbors[first[node] + pick(bits, degree[node])]
                node = torch.where(degree[node] > 0, onward, node)
                steps.append(node)
            visited = visited | _mask(batch, torch.cat(steps))
            left = start + _BLOCK < self.walk_length
            if left and visited[_grow(_mask(batch, node), torch.stack([row, col]), batch.numel())].all():
                break  # the other steps would visit no new node
        return keep_nodes(data, visited)


def _grow(inside: Tensor, edge_index: Tensor, num_hops: int) -> Tensor:
    """The nodes at most ``num_hops`` edges after those ``inside``."""
    row, col = edge_index
    for _ in range(num_hops):
        more = inside | _mask(inside, col[inside[row]])
        if torch.equal(more, inside):
            break
        inside = more
    return inside


def _mask(like: Tensor, nodes: Tensor) -> Tensor:
    """True at ``nodes``."""
    return torch.zeros_like(like, dtype=torch.bool).index_fill(0, nodes, True)


def _random_nodes(data: Data, count: int, generator: Generator | None) -> Tensor:
    """``count`` nodes of each graph that has any, with replacement."""
    _, ptr = graph_of_nodes(data._store)
    graph = torch.arange(ptr.numel() - 1, device=ptr.device)[:, None]
    bits = random_bits((graph.numel(), count), ptr.device, generator)
    return pick_node(bits, graph, ptr)[ptr.diff() > 0].flatten()
