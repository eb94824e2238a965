"""Random draws among the edges that end in a node."""

import torch
from torch import Generator, Tensor

from augmentors._random import pick, random_bits
from augmentors._sparse import by_row, largest, numbers_below


class InEdges:
    """The edges of a graph, or of one edge type, by the nodes where they end.

    Args:
        edge_index: long ``[2, E]``.
        num_nodes: number of nodes where edges may end.
        weight: ``[E]``, at least 0, to draw by; edges of weight 0 are left out. ``None``: 1 for all.
    """

    def __init__(self, edge_index: Tensor, num_nodes: int, weight: Tensor | None = None) -> None:
        edge_index = edge_index.cpu()
        self.edge, start = by_row(edge_index[1], num_nodes)
        self.weight = None
        if weight is not None:
            self.edge = self.edge[weight.cpu()[self.edge] > 0]
            self.weight = weight.cpu()[self.edge].double()
            start = torch.searchsorted(edge_index[1, self.edge], torch.arange(num_nodes + 1))
        self.source = edge_index[0, self.edge]
        self.degree = start.diff()
        self.first = start[:-1]  # where in source the edges that end in a node start

    def all_of(self, node: Tensor) -> tuple[Tensor, Tensor]:
        """For each edge that ends in ``node`` ``[M]`` the position of its end there, and its own in ``source``."""
        degree = self.degree[node]
        owner = torch.repeat_interleave(degree)
        return owner, self.first[node][owner] + numbers_below(degree)

    def draw(self, node: Tensor, k: int, generator: Generator | None) -> tuple[Tensor, Tensor, Tensor]:
        """:meth:`all_of` for up to ``k`` edges a node, drawn without replacement (-1: all), and their weights."""
        if self.weight is not None:
            return self._draw_by_weight(node, k, self.weight, generator)
        if k == -1:
            owner, position = self.all_of(node)
        else:
            degree = self.degree[node]
            count = degree.clamp(max=k)
            owner, offset = torch.repeat_interleave(count), numbers_below(count)
            many = degree > count
            offset[many[owner]] = _choose(degree[many], k, generator).flatten()
            position = self.first[node][owner] + offset
        return owner, position, torch.ones(len(owner))

    def _draw_by_weight(
        self, node: Tensor, k: int, all_weights: Tensor, generator: Generator | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Draw the edges of the ``k`` smallest keys Exp(1) / weight of each node.

        An edge has a key below that of the first edge left out, t, with probability 1 - exp(-weight t). The weight that
        is returned is divided by it: sums over the drawn edges then are unbiased.
        """
        owner, position = self.all_of(node)
        weight = all_weights[position]
        if k == -1:
            return owner, position, weight
        key = torch.empty_like(weight).exponential_(generator=generator) / weight
        degree = self.degree[node]
        count = degree.clamp(max=k + 1)
        drawn, rank = largest(owner, -key, count), numbers_below(count)
        left_out = torch.full_like(degree, torch.inf, dtype=key.dtype)
        left_out[degree > k] = key[drawn[rank == k]]
        drawn = drawn[rank < k]
        owner, position, weight = owner[drawn], position[drawn], weight[drawn]
        return owner, position, weight / -torch.expm1(-weight * left_out[owner])


def _choose(count: Tensor, k: int, generator: Generator | None) -> Tensor:
    """Draw k different numbers below ``count[i]`` > k for each i, ``[n, k]``, every set equally likely: Floyd's."""
    chosen = count.new_empty(k if count.numel() else 0, count.numel())
    for i, bits in enumerate(random_bits(chosen.shape, count.device, generator)):
        last = count - k + i
        draw = pick(bits, last + 1)
        chosen[i] = torch.where((chosen[:i] == draw).any(0), last, draw)
    return chosen.T
