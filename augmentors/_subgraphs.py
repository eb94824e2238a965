"""Augmentors that keep a part of each graph: the nodes they choose and the edges between them.

As with :class:`augmentors.NodeDrop`, ``n_id`` holds the old numbers of the nodes, each graph keeps at least one, and
the rows of two views do not match: use them at graph level, or once before the augmentors of the two views.
"""

import torch
from torch import Generator, Tensor
from torch_geometric.data import Data

from augmentors._base import Augmentor
from augmentors._checks import check_at_least
from augmentors._graphs import edges_of, graph_of_nodes, random_order
from augmentors._random import pick, random_bits
from augmentors._selection import keep_nodes


class UniformSubgraph(Augmentor):
    """Keep ``num_nodes`` nodes of each graph, drawn without replacement; a smaller graph stays whole.

    Args:
        num_nodes: at least 1.

    Raises:
        ValueError: ``num_nodes`` is below 1; an attribute other than ``edge_index`` holds numbers of nodes.

    **Source:** PyGCL's ``UniformSampling`` (as documented there). **Differs:** counts nodes of each graph of a batch.

    Example:
        >>> path = Data(edge_index=torch.tensor([[0, 1, 2], [1, 2, 3]]), num_nodes=4)
        >>> UniformSubgraph(2)(path, generator=torch.Generator().manual_seed(0)).n_id
        tensor([0, 1])
    """

    def __init__(self, num_nodes: int) -> None:
        self.num_nodes = check_at_least("num_nodes", num_nodes, 1)

    def forward(self, data: Data, *, generator: Generator | None = None) -> Data:
        """Draw the nodes."""
        batch, ptr = graph_of_nodes(data._store)
        order = random_order(data._store, generator)
        rank = torch.arange(batch.numel(), device=batch.device) - ptr[batch]
        return keep_nodes(data, _mask(batch, order[rank < self.num_nodes]))

    def __repr__(self) -> str:
        return f"UniformSubgraph(num_nodes={self.num_nodes})"


class EgoSubgraph(Augmentor):
    """Keep the nodes at most ``num_hops`` edges away, in either direction, from one node of each graph.

    Args:
        num_hops: at least 0.

    Raises:
        ValueError: ``num_hops`` is below 0; an attribute other than ``edge_index`` holds numbers of nodes.

    **Source:** the r-ego networks of GCC (arXiv 2006.09963), section 3.1. **Differs:** as there.

    Example:
        >>> path = Data(edge_index=torch.tensor([[0, 1, 2], [1, 2, 3]]), num_nodes=4)
        >>> EgoSubgraph(1)(path, generator=torch.Generator().manual_seed(0)).n_id
        tensor([1, 2, 3])
    """

    def __init__(self, num_hops: int) -> None:
        self.num_hops = check_at_least("num_hops", num_hops, 0)

    def forward(self, data: Data, *, generator: Generator | None = None) -> Data:
        """Draw the node in the middle and walk outwards."""
        batch, _ = graph_of_nodes(data._store)
        row, col = edges_of(data)
        inside = _mask(batch, _random_nodes(data, 1, generator))
        for _ in range(self.num_hops):
            inside = inside | _mask(batch, col[inside[row]]) | _mask(batch, row[inside[col]])
        return keep_nodes(data, inside)

    def __repr__(self) -> str:
        return f"EgoSubgraph(num_hops={self.num_hops})"


class RandomWalkSubgraph(Augmentor):
    """Keep the nodes that ``num_walks`` random walks in each graph visit in ``walk_length`` steps along the edges.

    Each walk starts at a node drawn uniformly, with replacement; where no edge leads on, it stays.

    Args:
        walk_length: steps of a walk, at least 0.
        num_walks: walks in each graph, at least 1.

    Raises:
        ValueError: an argument is below its range; an attribute other than ``edge_index`` holds numbers of nodes.

    **Source:** GraphCL (arXiv 2010.13902), section 3.2, "subgraph". **Differs:** the authors' code grows a set to a
    given share of the nodes; here the walks' length and number are given, as in GraphSAINT's sampler
    (arXiv 1907.04931).

    Example:
        >>> path = Data(edge_index=torch.tensor([[0, 1, 2], [1, 2, 3]]), num_nodes=4)
        >>> RandomWalkSubgraph(2)(path, generator=torch.Generator().manual_seed(0)).n_id
        tensor([2, 3])
    """

    def __init__(self, walk_length: int, num_walks: int = 1) -> None:
        self.walk_length = check_at_least("walk_length", walk_length, 0)
        self.num_walks = check_at_least("num_walks", num_walks, 1)

    def forward(self, data: Data, *, generator: Generator | None = None) -> Data:
        """Walk."""
        batch, _ = graph_of_nodes(data._store)
        row, col = edges_of(data)
        if (row.diff() < 0).any():
            row, order = row.sort(stable=True)
            col = col[order]
        neighbors = torch.cat([col, col.new_zeros(1)])  # the last one stands for none
        degree = row.bincount(minlength=batch.numel())
        first = degree.cumsum(0) - degree
        node = _random_nodes(data, self.num_walks, generator)
        visited = [node]
        for bits in random_bits((self.walk_length, node.numel()), node.device, generator):
            onward = neighbors[first[node] + pick(bits, degree[node])]
            node = torch.where(degree[node] > 0, onward, node)
            visited.append(node)
        return keep_nodes(data, _mask(batch, torch.cat(visited)))

    def __repr__(self) -> str:
        return f"RandomWalkSubgraph(walk_length={self.walk_length}, num_walks={self.num_walks})"


def _mask(batch: Tensor, nodes: Tensor) -> Tensor:
    """True at ``nodes``."""
    return torch.zeros_like(batch, dtype=torch.bool).index_fill(0, nodes, True)


def _random_nodes(data: Data, count: int, generator: Generator | None) -> Tensor:
    """``count`` nodes of each graph that has any, with replacement."""
    _, ptr = graph_of_nodes(data._store)
    size = ptr.diff()
    bits = random_bits((size.numel(), count), ptr.device, generator)
    return (ptr[:-1, None] + pick(bits, size[:, None]))[size > 0].flatten()
