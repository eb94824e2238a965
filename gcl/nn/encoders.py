"""Encoders: what the methods ask of one, and the two that the papers use, over PyG's own models."""

from collections.abc import Callable
from typing import Any, Protocol

from torch import Tensor, nn
from torch_geometric.data import Data
from torch_geometric.nn import GCNConv, GINConv
from torch_geometric.nn.models import GCN, GIN, MLP
from torch_geometric.nn.models.basic_gnn import BasicGNN
from torch_geometric.nn.resolver import activation_resolver
from torch_geometric.typing import OptTensor
from torch_geometric.utils import is_sparse

from gcl.nn.features import FeaturesLinear
from gcl.pairwise import edge_sum

Activation = str | Callable[[Tensor], Tensor]


class Encoder(Protocol):
    """What a method asks of an encoder: PyG's ``GCN``, ``GIN``, ``GraphSAGE`` and others have it."""

    def __call__(self, x: Tensor, edge_index: Tensor, edge_weight: Tensor | None = None) -> Tensor:
        """Map features ``[N, F]`` and edges ``[2, E]`` to node embeddings ``[N, D]``."""


def encode(encoder: Encoder, data: Data) -> Tensor:
    """``encoder`` on ``data``, the rows that count; weighted edges need an encoder that takes them."""
    edge_weight = data.get("edge_weight")
    if edge_weight is None:
        return encoder(data.x, data.edge_index)[: data.get("batch_size")]
    if not getattr(encoder, "supports_edge_weight", True):
        raise ValueError(
            "encoder takes no edge weights (supports_edge_weight is False) but data has edge_weight: "
            "remove it from data or use an encoder that takes it"
        )
    return encoder(data.x, data.edge_index, edge_weight)[: data.get("batch_size")]


def gcn(
    in_dim: int,
    hidden: int,
    out_dim: int,
    num_layers: int = 2,
    activation: Activation = "relu",
    *,
    final_activation: bool = True,
    **kwargs: Any,
) -> nn.Module:
    """A graph convolutional network, PyG's ``GCN``, widths ``in_dim -> hidden -> ... -> out_dim``.

    Neighbours are summed by a sparse product, without a message ``[E, D]`` for each edge; on a CPU the zeros of
    bags of words are skipped.

    Args:
        in_dim, hidden, out_dim: widths, at least 1.
        num_layers: number of convolutions, at least 1.
        activation: name or module; a module with parameters (``"prelu"``) is shared by the layers.
        final_activation: apply it after the last layer too, as the contrastive papers' encoders do
            and PyG's ``GCN`` does not.
        **kwargs: passed to PyG's ``GCN`` (``norm``, ``dropout``, ``cached``, ...).

    Raises:
        ValueError: a width or ``num_layers`` is below 1.

    **Source:** GCN (arXiv 1609.02907); GRACE's encoder (arXiv 2006.04131, section 4.2). **Differs:** as there.

    Example:
        >>> import torch
        >>> encoder = gcn(8, 16, 4)
        >>> encoder(torch.randn(3, 8), torch.tensor([[0, 1], [1, 2]])).shape
        torch.Size([3, 4])
    """
    return _build(SparseGCN, in_dim, hidden, out_dim, num_layers, activation, final_activation, kwargs)


def gin(
    in_dim: int,
    hidden: int,
    out_dim: int,
    num_layers: int = 3,
    activation: Activation = "relu",
    *,
    final_activation: bool = True,
    **kwargs: Any,
) -> nn.Module:
    """A graph isomorphism network, PyG's ``GIN`` with edge weights; arguments as for :func:`gcn`.

    **Source:** GIN (arXiv 1810.00826), eq. 4.1; GraphCL's encoder (arXiv 2010.13902). **Differs:** the weight of an
    edge multiplies its message; no batch normalisation inside the layers' perceptrons unless ``norm="batch_norm"``
    is passed.

    Example:
        >>> import torch
        >>> gin(8, 16, 4)(torch.randn(3, 8), torch.tensor([[0, 1], [1, 2]])).shape
        torch.Size([3, 4])
    """
    return _build(_WeightedGIN, in_dim, hidden, out_dim, num_layers, activation, final_activation, kwargs)


def _build(
    model: type[BasicGNN],
    in_dim: int,
    hidden: int,
    out_dim: int,
    num_layers: int,
    activation: Activation,
    final_activation: bool,
    kwargs: dict[str, Any],
) -> nn.Module:
    sizes = {"in_dim": in_dim, "hidden": hidden, "out_dim": out_dim, "num_layers": num_layers}
    for name, value in sizes.items():
        if value < 1:
            raise ValueError(f"{name} must be at least 1, got {value}")
    act = activation_resolver(activation)
    gnn = model(in_dim, hidden, num_layers, out_dim, act=act, **kwargs)
    return FinalActivation(gnn) if final_activation else gnn


class SparseGCN(GCN):
    """PyG's ``GCN`` of :class:`SparseGCNConv` layers."""

    def init_conv(self, in_channels: int, out_channels: int, **kwargs: Any) -> GCNConv:
        return SparseGCNConv(in_channels, out_channels, **kwargs)


class SparseGCNConv(GCNConv):
    """PyG's ``GCNConv`` as a product with the sparse matrix of the weights, skipping the zeros of bags of words."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lin.__class__ = FeaturesLinear  # the parameters that PyG drew, with another product

    def propagate(self, edge_index: Tensor, *, x: Tensor, edge_weight: OptTensor) -> Tensor:
        if is_sparse(edge_index) or self.explain:
            return super().propagate(edge_index, x=x, edge_weight=edge_weight)
        return _sum_neighbours(x, edge_index, edge_weight)


class _WeightedGIN(GIN):
    supports_edge_weight = True

    def init_conv(self, in_channels: int, out_channels: int, **kwargs: Any) -> GINConv:
        widths, norm = [in_channels, out_channels, out_channels], self.norm
        mlp = MLP(widths, act=self.act, act_first=self.act_first, norm=norm, norm_kwargs=self.norm_kwargs)
        return _WeightedGINConv(mlp, **kwargs)


class _WeightedGINConv(GINConv):
    """PyG's ``GINConv`` with weighted edges, as a product with the sparse matrix of the weights."""

    def forward(self, x: Tensor, edge_index: Tensor, edge_weight: OptTensor = None) -> Tensor:
        # propagate_type: (x: Tensor, edge_weight: OptTensor)  (PyG reads this)
        out = self.propagate(edge_index, x=x, edge_weight=edge_weight)
        return self.nn(out + (1 + self.eps) * x)

    def propagate(self, edge_index: Tensor, *, x: Tensor, edge_weight: OptTensor) -> Tensor:
        if is_sparse(edge_index) or self.explain:
            return super().propagate(edge_index, x=x, edge_weight=edge_weight)
        return _sum_neighbours(x, edge_index, edge_weight)

    def message(self, x_j: Tensor, edge_weight: OptTensor) -> Tensor:
        return x_j if edge_weight is None else x_j * edge_weight.view(-1, 1)


def _sum_neighbours(x: Tensor, edge_index: Tensor, edge_weight: OptTensor) -> Tensor:
    weight = x.new_ones(edge_index.size(1)) if edge_weight is None else edge_weight
    return edge_sum(weight, x, edge_index.flip(0), x.size(0)).to(x.dtype)


class FinalActivation(nn.Module):
    """A PyG model followed by its own activation."""

    def __init__(self, gnn: BasicGNN) -> None:
        super().__init__()
        self.gnn = gnn
        self.supports_edge_weight = gnn.supports_edge_weight

    def forward(self, x: Tensor, edge_index: Tensor, edge_weight: Tensor | None = None) -> Tensor:
        return self.gnn.act(self.gnn(x, edge_index, edge_weight))
