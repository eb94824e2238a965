"""Encoders over PyG's own models: as PyG has them, with sparse products and a final activation."""

import inspect
from typing import Any

import torch
from torch import Tensor, nn
from torch_geometric.nn import GCNConv, GINConv, SAGEConv
from torch_geometric.nn.models import GCN, GIN, MLP, GraphSAGE
from torch_geometric.nn.models.basic_gnn import BasicGNN
from torch_geometric.nn.resolver import activation_resolver, normalization_resolver
from torch_geometric.typing import Adj, OptTensor
from torch_geometric.utils import is_sparse

from augmentors._checks import check_at_least
from gcl.nn._convs import SparseGCNConv, SparseSAGEConv, WeightedGINConv, normalize_edges


def gcn(
    in_channels: int, hidden_channels: int, num_layers: int = 2, out_channels: int | None = None, **options: Any
) -> nn.Module:
    """A graph convolutional network: PyG's ``GCN`` with an activation after the last layer.

    Neighbors are summed by a sparse product, without a message ``[E, D]`` for each edge; on a CPU the zeros of
    bags of words are skipped.

    In a batch of :func:`gcl.data.neighbor_loader` edges are normalized by ``node_degree`` ``[N]``, the degrees in the
    whole graph, and weighted so that a sum over the sampled edges estimates that over all: with all neighbors and a
    hop for each layer the seeds' embeddings are those in the whole graph. Not so with ``normalize=False``, which sums
    the edges that it sees, with ``cached=True`` or another ``aggr`` or ``flow``.

    Args:
        in_channels: number of features, at least 1.
        hidden_channels: width of the hidden layers, at least 1.
        num_layers: number of convolutions, at least 1.
        out_channels: width of the embeddings, at least 1; ``None``: ``hidden_channels``, and with ``jk="cat"`` the
            concatenation of all layers, ``num_layers * hidden_channels``.
        **options: ``final_activation=False`` ends with the last convolution, as PyG's model does and the contrastive
            papers' encoders do not; ``final_norm=True`` has the ``norm`` behind the last convolution too, as BGRL's
            encoder does; ``act`` (name or module, ``"relu"``), ``norm``, ``norm_kwargs``, ``dropout``, ``jk``,
            ``normalize``, ... as of PyG's ``GCN``. A module with parameters (``act="prelu"``) is shared by the layers.

    Raises:
        TypeError: a width or ``num_layers`` is no int.
        ValueError: one of these is below 1, or ``out_channels`` is not the width of the concatenation.

    **Source:** GCN (arXiv 1609.02907); GRACE's encoder (arXiv 2006.04131, section 4.2). **Differs:** ``jk="cat"`` is
    the concatenation itself, where PyG's model has a linear layer behind it. A self-loop that a batch does not hold is
    taken for a missing one: with ``add_self_loops=False``, or weighted self-loops, a batch may differ by that.

    Example:
        >>> import torch
        >>> encoder = gcn(8, 16, 2, 4)
        >>> encoder(torch.randn(3, 8), torch.tensor([[0, 1], [1, 2]])).shape
        torch.Size([3, 4])
    """
    return SparseGCN(in_channels, hidden_channels, num_layers, out_channels, **options)


def gin(
    in_channels: int, hidden_channels: int, num_layers: int = 3, out_channels: int | None = None, **options: Any
) -> nn.Module:
    """A graph isomorphism network: PyG's ``GIN`` with edge weights; arguments as for :func:`gcn`.

    **Source:** GIN (arXiv 1810.00826), eq. 4.1; GraphCL's encoder (arXiv 2010.13902). **Differs:** the weight of an
    edge multiplies its message. ``norm="batch_norm"`` is applied inside the layers' perceptrons too, as PyG does;
    norms over the nodes of a graph (``"layer_norm"``, ``"graph_norm"``, ...) between the layers only, since a
    perceptron does not know which graph a node is in.

    Example:
        >>> gin(8, 16, jk="cat").out_channels
        48
    """
    return _GIN(in_channels, hidden_channels, num_layers, out_channels, **options)


def sage(
    in_channels: int, hidden_channels: int, num_layers: int = 2, out_channels: int | None = None, **options: Any
) -> nn.Module:
    """PyG's ``GraphSAGE``, which keeps a node apart from its neighbors; arguments as for :func:`gcn`.

    Its two weights, for the node and for the mean of its neighbors, suit graphs whose neighbors differ. It takes no
    edge weights.

    **Source:** GraphSAGE (arXiv 1706.02216), the mean aggregator. **Differs:** nothing.

    Example:
        >>> sage(8, 16).convs[1]
        SparseSAGEConv(16, 16, aggr=mean)
    """
    return _SAGE(in_channels, hidden_channels, num_layers, out_channels, **options)


class _Encoder(BasicGNN):
    """A model of PyG with checked arguments, a final activation and a concatenation that is one."""

    __constants__ = (
        "supports_loop_weight",
        "final_norm",
    )  # for TorchScript; annotations would hide those of PyG's model
    supports_loop_weight = False

    def __init__(
        self,
        in_channels: int,
        hidden_channels: int,
        num_layers: int,
        out_channels: int | None,
        *,
        act: Any = "relu",
        final_activation: bool = True,
        final_norm: bool = False,
        jk: str | None = None,
        **options: Any,
    ) -> None:
        sizes = {"in_channels": in_channels, "hidden_channels": hidden_channels, "num_layers": num_layers}
        for name, value in sizes.items():
            check_at_least(name, value, 1)
        width = num_layers * hidden_channels if jk == "cat" else hidden_channels
        out_channels = width if out_channels is None else check_at_least("out_channels", out_channels, 1)
        if jk == "cat" and out_channels != width:
            raise ValueError(f"out_channels must be None or {width}, all layers side by side, got {out_channels}")
        activation = activation_resolver(act)
        super().__init__(in_channels, hidden_channels, num_layers, out_channels, act=activation, jk=jk, **options)
        self.final_activation = final_activation and act is not None and jk != "cat"  # whose layers have theirs already
        norm = options.get("norm")
        self.final_norm = final_norm and norm is not None and jk is None
        if self.final_norm:
            self.norms[-1] = normalization_resolver(norm, out_channels, **(options.get("norm_kwargs") or {}))
        if jk == "cat":
            del self.lin

    def forward(
        self,
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
        hops = num_sampled_nodes_per_hop, num_sampled_edges_per_hop
        return self._layers(x, edge_index, edge_weight, edge_attr, None, batch, batch_size, hops[0], hops[1])

    def _layers(
        self,
        x: Tensor,
        edge_index: Adj,
        edge_weight: OptTensor,
        edge_attr: OptTensor,
        loop_weight: OptTensor,
        batch: OptTensor,
        batch_size: int | None,
        nodes_per_hop: list[int] | None,
        edges_per_hop: list[int] | None,
    ) -> Tensor:
        """PyG's loop over the layers, which cannot trim edges of more than one value."""
        layers: list[Tensor] = []
        for i, (conv, norm) in enumerate(zip(self.convs, self.norms)):  # noqa: B905 (TorchScript knows no strict)
            if not torch.jit.is_scripting() and i > 0 and nodes_per_hop is not None and edges_per_hop is not None:
                num_nodes, num_edges = len(x) - nodes_per_hop[-i], edge_index.size(1) - edges_per_hop[-i]
                x, loop_weight, batch = _first(x, num_nodes), _first(loop_weight, num_nodes), _first(batch, num_nodes)
                edge_index = edge_index[:, :num_edges]
                edge_weight, edge_attr = _first(edge_weight, num_edges), _first(edge_attr, num_edges)
            if self.supports_loop_weight:
                x = conv(x, edge_index, edge_weight, loop_weight)
            elif self.supports_edge_weight and self.supports_edge_attr:
                x = conv(x, edge_index, edge_weight=edge_weight, edge_attr=edge_attr)
            elif self.supports_edge_weight:
                x = conv(x, edge_index, edge_weight=edge_weight)
            elif self.supports_edge_attr:
                x = conv(x, edge_index, edge_attr=edge_attr)
            else:
                x = conv(x, edge_index)
            if i < self.num_layers - 1 or self.jk_mode is not None:
                if self.act is not None and self.act_first:
                    x = self.act(x)
                if self.supports_norm_batch:
                    x = norm(x, batch, batch_size)
                else:
                    x = norm(x)
                if self.act is not None and not self.act_first:
                    x = self.act(x)
                x = self.dropout(x)
                if hasattr(self, "jk"):
                    layers.append(x)
        x = self.jk(layers) if hasattr(self, "jk") else x
        x = self.lin(x) if hasattr(self, "lin") else x
        if self.final_activation and self.act_first:
            x = self.act(x)
        if self.final_norm:
            x = self.norms[-1](x, batch, batch_size) if self.supports_norm_batch else self.norms[-1](x)
        return self.act(x) if self.final_activation and not self.act_first else x


@torch.jit.unused
def _first(value: OptTensor, count: int) -> OptTensor:
    return None if value is None else value[:count]


class SparseGCN(_Encoder, GCN):
    """PyG's ``GCN`` of :class:`SparseGCNConv` layers, by the degrees of the whole graph where a sample knows them."""

    supports_loop_weight = True

    def init_conv(self, in_channels: int, out_channels: int, **options: Any) -> GCNConv:
        conv = SparseGCNConv(in_channels, out_channels, **options)
        sums = conv.aggr == "add" and conv.flow == "source_to_target" and not conv.cached
        self.takes_node_degree = conv.normalize and sums
        self.improved, self.add_self_loops = conv.improved, conv.add_self_loops
        return conv

    def forward(
        self,
        x: Tensor,
        edge_index: Adj,
        edge_weight: OptTensor = None,
        edge_attr: OptTensor = None,
        batch: OptTensor = None,
        batch_size: int | None = None,
        num_sampled_nodes_per_hop: list[int] | None = None,
        num_sampled_edges_per_hop: list[int] | None = None,
        node_degree: OptTensor = None,
    ) -> Tensor:
        """PyG's layers; edges are normalized once where ``node_degree`` ``[N]`` is given."""
        loop_weight: OptTensor = None
        if (
            node_degree is not None
            and self.takes_node_degree
            and isinstance(edge_index, Tensor)
            and not is_sparse(edge_index)
        ):
            missing = (2.0 if self.improved and edge_weight is not None else 1.0) if self.add_self_loops else 0.0
            degree = node_degree.to(torch.promote_types(node_degree.dtype, x.dtype))
            edge_weight, loop_weight = normalize_edges(edge_index, edge_weight, degree, missing)
        hops = num_sampled_nodes_per_hop, num_sampled_edges_per_hop
        return self._layers(x, edge_index, edge_weight, edge_attr, loop_weight, batch, batch_size, hops[0], hops[1])


class _GIN(_Encoder, GIN):
    supports_edge_weight = True

    def init_conv(self, in_channels: int, out_channels: int, **options: Any) -> GINConv:
        layer = normalization_resolver(self.norm, out_channels, **(self.norm_kwargs or {})) or nn.Identity()
        norm = None if "batch" in inspect.signature(layer.forward).parameters else self.norm
        widths = [in_channels, out_channels, out_channels]
        mlp = MLP(widths, act=self.act, act_first=self.act_first, norm=norm, norm_kwargs=self.norm_kwargs)
        return WeightedGINConv(mlp, **options)


class _SAGE(_Encoder, GraphSAGE):
    def init_conv(self, in_channels: int, out_channels: int, **options: Any) -> SAGEConv:
        return SparseSAGEConv(in_channels, out_channels, **options)
