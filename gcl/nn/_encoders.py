"""Encoders over PyG's own models: as PyG has them, with sparse products and a final activation."""

import inspect
from typing import Any

from torch import Tensor, nn
from torch_geometric.nn import GCNConv, GINConv, SAGEConv
from torch_geometric.nn.models import GCN, GIN, MLP, GraphSAGE
from torch_geometric.nn.models.basic_gnn import BasicGNN
from torch_geometric.nn.resolver import activation_resolver, normalization_resolver
from torch_geometric.typing import Adj, OptTensor

from augmentors._checks import check_at_least
from gcl.nn._convs import SparseGCNConv, SparseSAGEConv, WeightedGINConv


def gcn(
    in_channels: int,
    hidden_channels: int,
    num_layers: int = 2,
    out_channels: int | None = None,
    *,
    act: Any = "relu",
    final_activation: bool = True,
    **kwargs: Any,
) -> nn.Module:
    """A graph convolutional network: PyG's ``GCN`` with an activation after the last layer.

    Neighbors are summed by a sparse product, without a message ``[E, D]`` for each edge; on a CPU the zeros of
    bags of words are skipped.

    Args:
        in_channels: number of features, at least 1.
        hidden_channels: width of the hidden layers, at least 1.
        num_layers: number of convolutions, at least 1.
        out_channels: width of the embeddings, at least 1; ``None``: ``hidden_channels``, and with ``jk="cat"`` the
            concatenation of all layers, ``num_layers * hidden_channels``.
        act: name or module; a module with parameters (``"prelu"``) is shared by the layers.
        final_activation: apply it after the last layer too, as the contrastive papers' encoders do
            and PyG's ``GCN`` does not.
        **kwargs: passed to PyG's ``GCN``: ``norm``, ``dropout``, ``jk``, ``normalize``, ...

    Raises:
        TypeError: a width or ``num_layers`` is no int.
        ValueError: a width or ``num_layers`` is below 1, or ``out_channels`` is given for a concatenation of another
            width.

    **Source:** GCN (arXiv 1609.02907); GRACE's encoder (arXiv 2006.04131, section 4.2). **Differs:** ``jk="cat"`` is
    the concatenation itself, where PyG's model has a linear layer behind it.

    Example:
        >>> import torch
        >>> encoder = gcn(8, 16, 2, 4)
        >>> encoder(torch.randn(3, 8), torch.tensor([[0, 1], [1, 2]])).shape
        torch.Size([3, 4])
    """
    return _build(SparseGCN, in_channels, hidden_channels, num_layers, out_channels, act, final_activation, kwargs)


def gin(
    in_channels: int,
    hidden_channels: int,
    num_layers: int = 3,
    out_channels: int | None = None,
    *,
    act: Any = "relu",
    final_activation: bool = True,
    **kwargs: Any,
) -> nn.Module:
    """A graph isomorphism network: PyG's ``GIN`` with edge weights; arguments as for :func:`gcn`.

    **Source:** GIN (arXiv 1810.00826), eq. 4.1; GraphCL's encoder (arXiv 2010.13902). **Differs:** the weight of an
    edge multiplies its message. ``norm="batch_norm"`` is applied inside the layers' perceptrons too, as PyG does;
    norms over the nodes of a graph (``"layer_norm"``, ``"graph_norm"``, ...) between the layers only, since a
    perceptron does not know which graph a node is in.

    Example:
        >>> import torch
        >>> gin(8, 16, 3, 4)(torch.randn(3, 8), torch.tensor([[0, 1], [1, 2]])).shape
        torch.Size([3, 4])
    """
    return _build(_GIN, in_channels, hidden_channels, num_layers, out_channels, act, final_activation, kwargs)


def sage(
    in_channels: int,
    hidden_channels: int,
    num_layers: int = 2,
    out_channels: int | None = None,
    *,
    act: Any = "relu",
    final_activation: bool = True,
    **kwargs: Any,
) -> nn.Module:
    """PyG's ``GraphSAGE``, which keeps a node apart from its neighbors; arguments as for :func:`gcn`.

    Its two weights, for the node and for the mean of its neighbors, suit graphs whose neighbors differ. It takes no
    edge weights.

    **Source:** GraphSAGE (arXiv 1706.02216), the mean aggregator. **Differs:** nothing.

    Example:
        >>> import torch
        >>> sage(8, 16, 2, 4)(torch.randn(3, 8), torch.tensor([[0, 1], [1, 2]])).shape
        torch.Size([3, 4])
    """
    return _build(_SAGE, in_channels, hidden_channels, num_layers, out_channels, act, final_activation, kwargs)


def _build(
    model: type[BasicGNN],
    in_channels: int,
    hidden_channels: int,
    num_layers: int,
    out_channels: int | None,
    act: Any,
    final_activation: bool,
    kwargs: dict[str, Any],
) -> nn.Module:
    concatenates = kwargs.get("jk") == "cat"
    check_at_least("in_channels", in_channels, 1)
    check_at_least("hidden_channels", hidden_channels, 1)
    check_at_least("num_layers", num_layers, 1)
    width = num_layers * hidden_channels if concatenates else hidden_channels
    out_channels = width if out_channels is None else check_at_least("out_channels", out_channels, 1)
    if concatenates and out_channels != width:
        raise ValueError(
            f'out_channels must be None or {width}, all layers side by side (jk="cat"), got {out_channels}'
        )
    gnn = model(in_channels, hidden_channels, num_layers, out_channels, act=activation_resolver(act), **kwargs)
    gnn.final_activation = (
        final_activation and act is not None and not concatenates
    )  # every layer has its activation already
    if concatenates:
        del gnn.lin
    return gnn


def _forward(
    self: Any,
    x: Tensor,
    edge_index: Adj,
    edge_weight: OptTensor = None,
    edge_attr: OptTensor = None,
    batch: OptTensor = None,
    batch_size: int | None = None,
    num_sampled_nodes_per_hop: list[int] | None = None,
    num_sampled_edges_per_hop: list[int] | None = None,
) -> Tensor:
    """PyG's layers, and the activation behind the last one."""
    x = self._layers(
        x,
        edge_index,
        edge_weight,
        edge_attr,
        batch,
        batch_size,
        num_sampled_nodes_per_hop,
        num_sampled_edges_per_hop,
    )
    return self.act(x) if self.final_activation else x


class SparseGCN(GCN):
    final_activation: bool
    _layers, forward = BasicGNN.forward, _forward

    def init_conv(self, in_channels: int, out_channels: int, **kwargs: Any) -> GCNConv:
        return SparseGCNConv(in_channels, out_channels, **kwargs)


class _GIN(GIN):
    final_activation: bool
    supports_edge_weight = True
    _layers, forward = BasicGNN.forward, _forward

    def init_conv(self, in_channels: int, out_channels: int, **kwargs: Any) -> GINConv:
        norm_of_graphs = "batch" in inspect.signature(_norm(self.norm, out_channels, self.norm_kwargs)).parameters
        norm = None if norm_of_graphs else self.norm
        widths = [in_channels, out_channels, out_channels]
        mlp = MLP(widths, act=self.act, act_first=self.act_first, norm=norm, norm_kwargs=self.norm_kwargs)
        return WeightedGINConv(mlp, **kwargs)


class _SAGE(GraphSAGE):
    final_activation: bool
    _layers, forward = BasicGNN.forward, _forward

    def init_conv(self, in_channels: int, out_channels: int, **kwargs: Any) -> SAGEConv:
        return SparseSAGEConv(in_channels, out_channels, **kwargs)


def _norm(norm: str | None, channels: int, options: dict[str, Any] | None) -> Any:
    """The ``forward`` of the norm of that name."""
    return (normalization_resolver(norm, channels, **(options or {})) or nn.Identity()).forward
