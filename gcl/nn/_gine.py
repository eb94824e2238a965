"""GIN with features of edges."""

from typing import Any

import torch
from torch import Tensor, nn
from torch_geometric.nn import GINEConv, Linear
from torch_geometric.nn.conv import MessagePassing
from torch_geometric.typing import Adj, OptTensor
from torch_geometric.utils import is_sparse

from augmentors._checks import check_at_least, check_tensor
from gcl.nn._encoders import _GIN


def gine(
    in_channels: int,
    hidden_channels: int,
    num_layers: int = 3,
    out_channels: int | None = None,
    *,
    edge_dim: int,
    **options: Any,
) -> nn.Module:
    r"""A graph isomorphism network with features and weights of edges; other arguments as for :func:`gcn`.

    .. math::
        x_i' = \mathrm{MLP}\Big((1 + \epsilon) x_i + \sum_{j \to i} w_{ij} \, \mathrm{ReLU}(x_j + W e_{ij} + b)\Big)

    Args:
        in_channels, hidden_channels, num_layers, out_channels: as for :func:`gcn`.
        edge_dim: number of features of an edge, ``edge_attr`` ``[E, edge_dim]``, at least 1; each layer has its own W.
        **options: as for :func:`gin`.

    Raises:
        TypeError, ValueError: as for :func:`gcn`; (by the call) the graph has no ``edge_attr``, or one of another shape
            or dtype.

    **Source:** GINE (arXiv 1905.12265), as PyG's ``GINEConv``. **Differs:** the weight of an edge multiplies its
    message; without weights nothing.

    Example:
        >>> encoder = gine(8, 16, edge_dim=5)
        >>> edge_index, edge_attr = torch.tensor([[0, 1], [1, 2]]), torch.randn(2, 5)
        >>> encoder(torch.randn(3, 8), edge_index, edge_attr=edge_attr).shape
        torch.Size([3, 16])
    """
    check_at_least("edge_dim", edge_dim, 1)
    return GINE(in_channels, hidden_channels, num_layers, out_channels, edge_dim=edge_dim, **options)


class WeightedGINEConv(GINEConv):
    """PyG's ``GINEConv`` with weighted edges."""

    propagate = MessagePassing.propagate  # see SparseGCNConv

    def __init__(self, mlp: nn.Module, edge_dim: int, **options: Any) -> None:
        super().__init__(mlp, edge_dim=edge_dim, **options)
        self.edge_dim = edge_dim

    def forward(self, x: Tensor, edge_index: Adj, edge_weight: OptTensor = None, edge_attr: OptTensor = None) -> Tensor:
        if edge_attr is None:
            raise ValueError("data.edge_attr is missing: set it to the features of the edges, or use gcl.nn.gin")
        if not torch.jit.is_scripting():
            self._check(edge_index, edge_attr)
        # propagate_type: (x: Tensor, edge_weight: OptTensor, edge_attr: Tensor)  (PyG reads this)
        out = self.propagate(edge_index, x=x, edge_weight=edge_weight, edge_attr=edge_attr)
        return self.nn(out + (1 + self.eps) * x)

    def message(self, x_j: Tensor, edge_weight: OptTensor, edge_attr: Tensor) -> Tensor:
        message = (x_j + self.lin(edge_attr)).relu()
        return message if edge_weight is None else message * edge_weight.view(-1, 1)

    @torch.jit.unused
    def _check(self, edge_index: Any, edge_attr: Any) -> None:
        """``edge_attr`` has a row of the right width for each edge: a single row would be broadcast."""
        rows = "E" if is_sparse(edge_index) else edge_index.size(1)
        if isinstance(self.lin, Linear):  # else categories, which are checked by their embedding
            check_tensor("data.edge_attr", edge_attr, f"a floating-point tensor [{rows}, {self.edge_dim}]")
            dtype, mixed = self.lin.weight.dtype, torch.is_autocast_enabled(edge_attr.device.type)
            if edge_attr.dtype != dtype and not mixed:
                raise ValueError(f"data.edge_attr must be of {dtype} as the encoder is, got {edge_attr.dtype}: cast it")
        if edge_attr.dim() != 2 or edge_attr.size(1) != self.edge_dim or rows not in ("E", edge_attr.size(0)):
            got = tuple(edge_attr.shape)
            raise ValueError(f"data.edge_attr must have shape [{rows}, {self.edge_dim}], got {got}")


class GINE(_GIN):
    """:func:`gcl.nn.gin` of :class:`WeightedGINEConv` layers."""

    supports_edge_attr = True

    def init_conv(self, in_channels: int, out_channels: int, **options: Any) -> WeightedGINEConv:
        return WeightedGINEConv(super().init_conv(in_channels, out_channels).nn, **options)
