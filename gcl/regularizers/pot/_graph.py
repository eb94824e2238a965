r"""A graph as a sparse 0/1 matrix, and how far its normalized adjacency can move when edges are dropped.

Every normalized adjacency here is :math:`D_\delta (A + I) D_\delta` with a scale delta for each node, so that one 0/1
pattern serves all views and bounds, forward and backward.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from augmentors._sparse import by_row, csr_matrix

BLOCK = 16  # columns that a maximum over neighbors gathers at once


class Graph:
    """The 0/1 adjacency ``[N, N]``, row i holding the edges that end in node i; duplicates count, loops do not."""

    def __init__(self, edge_index: Tensor, num_nodes: int, dtype: torch.dtype) -> None:
        self.edge_index, self.num_nodes = edge_index, num_nodes
        self.order, self.start = by_row(edge_index[1], num_nodes)
        self.col, self.row = edge_index.index_select(1, self.order)
        self.value = (self.row != self.col).to(dtype)

    @cached_property
    def reversed(self) -> "Graph":
        """The graph with its edges reversed: sorted once, where torch would convert at each backward pass."""
        return Graph(self.edge_index.flip(0), self.num_nodes, self.value.dtype)

    def matrix(self, value: Tensor) -> Tensor:
        """The sparse matrix with ``value`` ``[E]`` at the edges, in the order of ``row``."""
        return csr_matrix(self.start, self.col, value, self.num_nodes)

    @cached_property
    def degree(self) -> Tensor:
        """Edges that end in each node ``[N]``."""
        return self.sum_edges(self.value)

    @cached_property
    def scale(self) -> Tensor:
        """The scale delta of each node ``[N, 1]`` in the graph itself."""
        return (1 + self.degree).rsqrt()[:, None]

    def sum_edges(self, value: Tensor) -> Tensor:
        """Sum of ``value`` ``[E]``, in the order of ``row``, over the edges that end in each node ``[N]``."""
        return value.new_zeros(self.num_nodes).index_add(0, self.row, value)

    def sum_neighbors(self, x: Tensor) -> Tensor:
        """Sum of the rows of ``x`` ``[N, D]`` over each node's neighbors; no E x D array, forward or backward."""
        return _Sum.apply(x, self, None)

    def max_neighbors(self, x: Tensor) -> Tensor:
        """Largest entry of ``x`` ``[N, D]``, none of them negative, among each node's neighbors, 0 without any."""
        if x.device.type == "cpu":
            return torch.sparse.mm(self.matrix(self.value), x, "amax")
        blocks = [checkpoint(self._max_block, block, use_reentrant=False) for block in x.split(BLOCK, dim=1)]
        return torch.cat(blocks, dim=1)

    def propagate(self, x: Tensor, scale: Tensor | None = None) -> Tensor:
        r""":math:`D_\delta (A + I) D_\delta x` for ``x`` ``[N, D]`` and a constant delta ``[N, 1]``, or the graph's."""
        return _Sum.apply(x, self, self.scale if scale is None else scale)

    def _max_block(self, x: Tensor) -> Tensor:
        row = self.row[:, None].expand(-1, x.size(1))
        values = x.index_select(0, self.col) * self.value[:, None]
        return torch.zeros_like(x).scatter_reduce(0, row, values, "amax")


@dataclass(frozen=True)
class AllowedViews:
    r"""A graph and all views of it in which node i has lost at most ``budget[i]`` of the edges that end in it.

    In each of them :math:`\delta_i = (1 + \text{degree of } i)^{-1/2}` is in [``low[i]``, ``high[i]``].
    """

    graph: Graph
    budget: Tensor  # [N, 1]
    low: Tensor  # [N, 1]
    high: Tensor  # [N, 1]

    @classmethod
    def of(cls, graph: Graph, drop_rate: float | Tensor) -> "AllowedViews":
        """POT's budgets: the expected number of dropped edges, rounded half to even, and never the last edge."""
        degree = graph.degree.double()
        if isinstance(drop_rate, Tensor):
            if drop_rate.shape != graph.row.shape:
                raise ValueError(f"drop_rate must have shape {tuple(graph.row.shape)}, got {tuple(drop_rate.shape)}")
            expected = graph.sum_edges(drop_rate.double().index_select(0, graph.order) * graph.value.double())
        else:
            expected = drop_rate * degree
        budget = torch.minimum(expected.round(), (degree - 1).clamp(min=0))
        dtype = graph.value.dtype
        low, high = (degree + 1).rsqrt(), (degree + 1 - budget).rsqrt()
        return cls(graph, *(part.to(dtype)[:, None] for part in (budget, low, high)))


class _Sum(torch.autograd.Function):
    """The sum of ``x`` over the neighbors; with ``scale``, over the node itself too, scaled at both ends."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, graph: Graph, scale: Tensor | None) -> Tensor:
        ctx.graph, ctx.scale = graph, scale
        if scale is None:
            return graph.matrix(graph.value) @ x
        at_row, at_col = (scale[:, 0].index_select(0, end) for end in (graph.row, graph.col))
        return (graph.matrix(at_row * graph.value * at_col) @ x).addcmul_(scale.square(), x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        return _Sum.apply(grad, ctx.graph.reversed, ctx.scale), None, None
