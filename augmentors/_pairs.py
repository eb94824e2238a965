"""Unordered pairs of nodes, and graphs whose pairs are flipped, wholly or in part.

A pair {u, v}, u < v, has the number u N + v. The pair is present if any column of ``edge_index`` joins the two, in
either direction; all these columns belong to it. A self-loop belongs to no pair.
"""

import copy
from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Generator, Tensor
from torch_geometric.data import Data

from augmentors._graphs import edges_of, graph_of_nodes, pick_node
from augmentors._random import pick, random_bits
from augmentors._selection import keep_edges, scale_edge_weight
from augmentors._sparse import by_row, numbers_below

_BLOCK = 2**16  # pairs in a block of all_pairs


class PairGraph(NamedTuple):
    """A graph and a list of M pairs of its nodes, all present ones among them, to be flipped.

    Attributes:
        data: the graph, and two columns for each absent pair, with the attributes of a random edge of the same graph.
        numbers: ``[M]``, the numbers of the pairs, ascending.
        present: ``[M]``, true where the graph joins the pair.
        column_pair: ``[E']``, the pair of each column of ``data.edge_index``, M for a self-loop.
    """

    data: Data
    numbers: Tensor
    present: Tensor
    column_pair: Tensor

    @property
    def pairs(self) -> Tensor:
        """The two nodes of each pair, ``[2, M]``, u < v."""
        n = max(1, self.data.num_nodes)
        return torch.stack([self.numbers // n, self.numbers % n])

    def factor(self, s: Tensor) -> Tensor:
        r"""The weight ``[E']`` of each column after flipping the pairs by ``s`` ``[M]``.

        .. math:: A' = A + C \circ S

        with C = 1 for absent and -1 for present pairs: 1 - s for a present column, s for an absent one, 1 for a loop.
        """
        flipped = torch.where(self.present, 1 - s, s)
        return torch.cat([flipped, flipped.new_ones(1)])[self.column_pair]

    def relaxed(self, s: Tensor) -> Data:
        """The graph with all columns and the flips ``s`` as differentiable edge weights."""
        view = copy.copy(self.data)
        scale_edge_weight(view, view._store, self.factor(s))
        return view

    def flipped(self, flip: Tensor) -> Data:
        """The graph with the pairs flipped where ``flip`` ``[M]`` is true."""
        view = copy.copy(self.data)
        return keep_edges(view, view._store, self.factor(flip.to(torch.uint8)) == 1)


def pair_graph(data: Data, numbers: Tensor, generator: Generator | None = None) -> PairGraph:
    """The graph over its present pairs and those of ``numbers``, in any order and with duplicates.

    A graph of a ``Batch`` without edges must have no pairs in ``numbers``: there is no edge to draw attributes from.
    """
    edge_index = edges_of(data)
    own = pair_numbers(edge_index, data.num_nodes)
    numbers = torch.cat([own[own >= 0], numbers]).unique()
    pair = torch.searchsorted(numbers, own).masked_fill(own < 0, numbers.numel())
    present = torch.zeros_like(numbers, dtype=torch.bool).index_fill(0, pair[own >= 0], True)
    view = copy.copy(data)
    graph = PairGraph(view, numbers, present, pair)
    if edge_index.size(1):
        absent = (~present).nonzero().squeeze(1)
        pairs = graph.pairs
        source, order = _random_columns(data, pairs[0, absent], generator).sort(stable=True)
        absent = absent[order].repeat_interleave(2)
        keep_edges(view, view._store, 1 + 2 * source.bincount(minlength=edge_index.size(1)))
        added = source.repeat_interleave(2) + torch.arange(1, absent.numel() + 1, device=source.device)
        both = pairs[:, absent]
        both[:, 1::2] = both[:, 1::2].flip(0)
        view.edge_index = view.edge_index.index_copy(1, added, both)
        old = torch.ones_like(view.edge_index[0], dtype=torch.bool).index_fill(0, added, False)
        pair = torch.empty_like(view.edge_index[0]).masked_scatter(old, pair).index_copy(0, added, absent)
    return graph._replace(column_pair=pair)


def pair_numbers(edge_index: Tensor, num_nodes: int) -> Tensor:
    """The number of each column's pair ``[E]``; -1 for a self-loop."""
    low, high = torch.minimum(*edge_index), torch.maximum(*edge_index)
    return (low * num_nodes + high).masked_fill(low == high, -1)


def present_pairs(data: Data) -> Tensor:
    """The numbers of the present pairs, each once, ascending."""
    numbers = pair_numbers(edges_of(data), data.num_nodes).unique()
    return numbers[numbers >= 0]


def random_pairs(data: Data, count: Tensor, generator: Generator | None) -> Tensor:
    """The numbers of ``count`` ``[B]`` pairs drawn with replacement in each graph, without self-loops."""
    _, ptr = graph_of_nodes(data._store)
    graph = torch.repeat_interleave(count)
    drawn = pick_node(random_bits((2, graph.numel()), ptr.device, generator), graph, ptr)
    numbers = pair_numbers(drawn, data.num_nodes)
    return numbers[numbers >= 0]


def all_pairs(data: Data) -> Iterator[Tensor]:
    """The numbers of all pairs within the graphs that have edges, ascending, block by block."""
    batch, ptr = graph_of_nodes(data._store)
    row = edges_of(data)[0]
    largest = int(ptr.diff().max()) if ptr.numel() > 1 else 0
    has_edges = torch.zeros_like(ptr[1:]).index_fill(0, batch[row], 1)
    partners = (ptr[1:][batch] - torch.arange(1, batch.numel() + 1, device=ptr.device)) * has_edges[batch]
    for rows in torch.arange(batch.numel(), device=ptr.device).split(max(1, _BLOCK // max(1, largest))):
        u = rows.repeat_interleave(partners[rows])
        yield u * data.num_nodes + u + 1 + numbers_below(partners[rows])


def _random_columns(data: Data, nodes: Tensor, generator: Generator | None) -> Tensor:
    """A column of ``edge_index`` for each of ``nodes``, uniform over those of its graph."""
    batch, ptr = graph_of_nodes(data._store)
    order, start = by_row(batch[edges_of(data)[0]], ptr.numel() - 1)
    graph = batch[nodes]
    return order[start[graph] + pick(random_bits(nodes.shape, nodes.device, generator), start.diff()[graph])]
