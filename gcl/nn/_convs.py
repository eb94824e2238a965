"""PyG's layers as products with a sparse matrix: no message ``[E, D]`` for each edge.

Explainers, TorchScript, tracing, export and sparse adjacencies take PyG's own way, message by message.
"""

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


class SparseGCNConv(GCNConv):
    """PyG's ``GCNConv``, which also skips the zeros of bags of words."""

    aggregations = ("add",)
    propagate = (
        MessagePassing.propagate
    )  # PyG keeps its template in the class: a subclass would explain by its parent's
    _by_messages = renamed(GCNConv.forward, "_by_messages")

    def forward(self, x: Tensor, edge_index: Adj, edge_weight: OptTensor = None) -> Tensor:
        if not torch.jit.is_scripting():  # noqa: SIM102 (TorchScript would compile the second condition)
            if _by_product(self, edge_index) and not self.cached:
                return self._product(x, edge_index, edge_weight)
        return self._by_messages(x, edge_index, edge_weight)

    @torch.jit.unused
    def _product(self, x: Tensor, edge_index: Tensor, edge_weight: OptTensor) -> Tensor:
        if self.normalize:
            options = self.improved, self.add_self_loops, self.flow, x.dtype
            edge_index, edge_weight = gcn_norm(edge_index, edge_weight, x.size(0), *options)
        out = sum_neighbors(features_product(x, self.lin.weight.T), edge_index, edge_weight)
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
