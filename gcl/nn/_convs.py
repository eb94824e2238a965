"""PyG's layers as products with a sparse matrix: no message ``[E, D]`` for each edge.

Explainers, TorchScript, tracing, export and sparse adjacencies take PyG's own way, message by message.
"""

import math
from collections.abc import Callable
from types import FunctionType
from typing import Any

import torch
from torch import Tensor
from torch_geometric.nn import GCNConv, GINConv, SAGEConv
from torch_geometric.nn.conv import MessagePassing
from torch_geometric.nn.conv.gcn_conv import gcn_norm
from torch_geometric.typing import Adj, OptTensor
from torch_geometric.utils import is_sparse, spmm

from gcl.nn._features import features_product
from gcl.pairwise import edge_sum


def renamed(method: Any, name: str) -> Callable[..., Any]:
    """A parent's method under another name, by which TorchScript finds it: it knows no ``super()``."""
    copy = FunctionType(method.__code__, method.__globals__, name, method.__defaults__, method.__closure__)
    copy.__annotations__ = method.__annotations__
    return copy


def normalize_edges(
    edge_index: Tensor, edge_weight: OptTensor, node_degree: Tensor, missing: float
) -> tuple[Tensor, Tensor]:
    r"""The weights of a GCN layer in a sample of a graph's edges, by the degrees of its nodes in the whole graph.

    .. math::
        \hat w_{uv} = s_v \, w_{uv} / \sqrt{d_u d_v}, \qquad \hat l_v = l_v / d_v

    where :math:`l_v` is the weight of the self-loop, and :math:`s_v` the sum of the weights of v's other edges over the
    sum of those that were sampled: a sum over the sampled edges estimates that over all.

    Args:
        edge_index, edge_weight: the sampled edges, ``[2, E]`` and ``[E]`` (``None``: of weight 1).
        node_degree: degrees ``[N]`` in the whole graph, where missing self-loops weigh 1.
        missing: what they weigh where missing.

    Returns:
        Weights of the edges ``[E]``, 0 for self-loops, and of the nodes in their own sums ``[N]``.
    """
    source, end = edge_index[0], edge_index[1]
    weight = torch.ones_like(source, dtype=node_degree.dtype) if edge_weight is None else edge_weight
    is_loop = source == end
    looped = torch.zeros_like(node_degree, dtype=torch.bool)
    looped[end[is_loop]] = True
    loop = torch.ones_like(node_degree, dtype=weight.dtype)
    loop[end[is_loop]] = weight[is_loop]
    others = (node_degree - loop).clamp(min=0.0)
    degree = torch.where(looped, node_degree, node_degree + missing - 1.0)
    loop = torch.where(looped, loop, missing)
    inverse = torch.where(degree > 0, degree, math.inf).rsqrt()
    weight = weight.masked_fill(is_loop, 0.0)
    sampled = torch.zeros_like(loop).scatter_add(0, end, weight)
    scale = inverse * others / torch.where(sampled > 0, sampled, 1.0)
    return inverse.index_select(0, source) * weight * scale.index_select(0, end), loop * inverse.square()


class SparseGCNConv(GCNConv):
    """PyG's ``GCNConv``, which also skips the zeros of bags of words; ``loop_weight`` ``[N]``: edges are normalized."""

    aggregations = ("add",)
    propagate = (
        MessagePassing.propagate
    )  # PyG keeps its template in the class: a subclass would explain by its parent's
    _by_messages = renamed(GCNConv.forward, "_by_messages")

    def forward(
        self, x: Tensor, edge_index: Adj, edge_weight: OptTensor = None, loop_weight: OptTensor = None
    ) -> Tensor:
        if not torch.jit.is_scripting():  # noqa: SIM102 (TorchScript would compile the second condition)
            if _by_product(self, edge_index) and not self.cached:
                return self._product(x, edge_index, edge_weight, loop_weight)
        if loop_weight is None:
            return self._by_messages(x, edge_index, edge_weight)
        x = self.lin(x)
        # propagate_type: (x: Tensor, edge_weight: OptTensor)  (PyG reads this)
        out = self.propagate(edge_index, x=x, edge_weight=edge_weight) + loop_weight.unsqueeze(1) * x
        return out if self.bias is None else out + self.bias

    @torch.jit.unused
    def _product(self, x: Tensor, edge_index: Tensor, edge_weight: OptTensor, loop_weight: OptTensor) -> Tensor:
        if self.normalize and loop_weight is None:
            options = self.improved, self.add_self_loops, self.flow, x.dtype
            edge_index, edge_weight = gcn_norm(edge_index, edge_weight, x.size(0), *options)
        x = features_product(x, self.lin.weight.T)
        out = sum_neighbors(x, edge_index, edge_weight)
        if loop_weight is not None:  # by normalize_edges
            out = out + loop_weight.unsqueeze(1) * x
        return out if self.bias is None else out + self.bias


class WeightedGINConv(GINConv):
    """PyG's ``GINConv`` with weighted edges."""

    aggregations = ("add",)
    propagate = MessagePassing.propagate

    def forward(self, x: Tensor, edge_index: Adj, edge_weight: OptTensor = None) -> Tensor:
        if not torch.jit.is_scripting():  # noqa: SIM102 (TorchScript would compile the second condition)
            if _by_product(self, edge_index):
                return self.nn(sum_neighbors(x, edge_index, edge_weight) + (1 + self.eps) * x)
        # propagate_type: (x: Tensor, edge_weight: OptTensor)  (PyG reads this)
        out = self.propagate(edge_index, x=x, edge_weight=edge_weight)
        return self.nn(out + (1 + self.eps) * x)

    def message(self, x_j: Tensor, edge_weight: OptTensor) -> Tensor:
        return x_j if edge_weight is None else x_j * edge_weight.view(-1, 1)

    def message_and_aggregate(self, adj_t: Adj, x: Tensor) -> Tensor:
        return spmm(adj_t, x, reduce=self.aggr)


class SparseSAGEConv(SAGEConv):
    """PyG's ``SAGEConv``; a product where neighbors are averaged."""

    aggregations = ("mean",)
    propagate = MessagePassing.propagate
    _by_messages = renamed(SAGEConv.forward, "_by_messages")

    def forward(self, x: Tensor, edge_index: Adj) -> Tensor:
        if not torch.jit.is_scripting():  # noqa: SIM102 (TorchScript would compile the second condition)
            if _by_product(self, edge_index) and not (self.project or self.normalize) and self.root_weight:
                return self._product(x, edge_index)
        return self._by_messages(x, edge_index)

    @torch.jit.unused
    def _product(self, x: Tensor, edge_index: Tensor) -> Tensor:
        degree = edge_index[1].bincount(minlength=x.size(0)).to(x.dtype)
        mean = sum_neighbors(x, edge_index, degree.reciprocal().index_select(0, edge_index[1]))
        return self.lin_l(mean) + self.lin_r(x)


@torch.jit.unused
def sum_neighbors(x: Tensor, edge_index: Tensor, edge_weight: OptTensor) -> Tensor:
    """The weighted sum of the rows of ``x`` ``[N, D]`` over the edges that end in each node."""
    weight = x.new_ones(edge_index.size(1)) if edge_weight is None else edge_weight
    return edge_sum(weight, x, edge_index.flip(0), x.size(0)).to(x.dtype)


@torch.jit.unused
def _by_product(conv: Any, edge_index: Any) -> bool:
    plain = conv.aggr in conv.aggregations and conv.flow == "source_to_target" and not conv.explain
    return plain and not is_sparse(edge_index) and not torch.jit.is_tracing() and not _is_exporting()


def _is_exporting() -> bool:
    """Whether ``torch.export`` is looking on; torch before 2.7 can only tell that something is compiling."""
    return getattr(torch.compiler, "is_exporting", torch.compiler.is_compiling)()
