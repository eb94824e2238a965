"""Where a graph meets an encoder: the encoder gets what its ``forward`` names."""

from collections.abc import Callable
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from torch.fx import GraphModule
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.parallel import DistributedDataParallel
from torch_geometric.data import Data
from torch_geometric.nn import GCNConv, Sequential
from torch_geometric.nn.conv import MessagePassing
from torch_geometric.nn.models.basic_gnn import BasicGNN
from torch_geometric.utils import is_sparse

from augmentors._checks import check_at_least, check_callable
from augmentors._signatures import parameters_of
from gcl._checks import check_edge_weight, check_index
from gcl.nn._layerwise import encode_in_chunks

Encoder = nn.Module | Callable[..., Tensor]
LABELS = frozenset({"y", "train_mask", "val_mask", "test_mask"})
_MAY_BE_NONE = frozenset({"edge_weight", "edge_attr", "batch"})  # PyG's convention
_HOPS = ("num_sampled_nodes_per_hop", "num_sampled_edges_per_hop")


class Takes(NamedTuple):
    """What an encoder takes besides ``x``: the edges by position, and attributes of the graph by name."""

    edge_index: bool
    names: tuple[str, ...]
    required: frozenset[str]


_TAKES: WeakKeyDictionary[Any, Takes] = WeakKeyDictionary()


def encode(encoder: Encoder, data: Data, *, chunk: int | None = None) -> Tensor:
    """The embeddings of a graph's nodes: ``encoder(x, edge_index, ...)`` with all that its ``forward`` names.

    ``x`` and ``edge_index`` go by position, every other attribute of the graph that the signature of ``forward`` names
    by keyword: ``edge_weight``, ``edge_attr``, ``edge_type``, ``batch``, ``pe``, ``pos``, ... So any model or layer of
    PyG, and any module of your own, gets what it asks for. An encoder whose ``forward`` has ``**kwargs`` says what it
    takes by an attribute ``takes = ("edge_attr", "batch")``; one whose ``forward`` takes ``x`` alone gets no edges.

    - Labels and masks (``y``, ``train_mask``, ...) are never handed over, whatever the signature names.
    - ``edge_weight`` is never left out: an encoder that does not take the weights of a weighted graph is an error.
    - ``edge_attr`` is left out where a PyG model or layer was built without ``edge_dim``.
    - ``batch_size`` of a PyG model is the number of graphs, and goes with ``batch`` only.
    - The layers of PyG's models compute only the nodes that the next layer needs where a loader's batch says by
      ``node_hop`` how far each node is from the seeds, and where that changes no value.

    Args:
        encoder: a module or function; may be wrapped in ``DistributedDataParallel`` or ``torch.compile``.
        data: a graph or a batch of graphs.
        chunk: take the layers one by one, ``chunk`` nodes at a time (GCN and SGC layers as products with one sparse
            matrix), in the memory of two layers' rows; for models of PyG and of :mod:`gcl.nn` without jumping
            knowledge, and single layers of PyG.

    Returns:
        ``[N, D]``; of a loader's batch the rows of its ``batch_size`` seeds alone.

    Raises:
        TypeError: the graph is no ``Data``, or the encoder gives something else than a floating-point tensor.
        ValueError: the graph lacks what the encoder needs, has features of another width or dtype, edge weights that it
            does not take or a sparse adjacency, the result has another number of rows than the graph has nodes, or the
            encoder does not fit ``chunk``.

    Example:
        >>> import torch
        >>> from torch_geometric.nn import GAT
        >>> data = Data(x=torch.eye(3), edge_index=torch.tensor([[0, 1], [1, 2]]), edge_attr=torch.randn(2, 5))
        >>> encode(GAT(3, 8, num_layers=2, edge_dim=5), data).shape  # sees the edge features
        torch.Size([3, 8])
    """
    if not isinstance(data, Data):
        raise TypeError(f"data must be a torch_geometric Data or Batch, got {type(data).__name__}")
    model, takes = unwrap(check_callable("encoder", encoder, "a module or function")), takes_of(encoder)
    _check_features(model, data)
    edges = (_edge_index(data),) if takes.edge_index else ()
    arguments = _arguments(model, takes, data)
    if chunk is not None:
        return encode_in_chunks(model, data, check_at_least("chunk", chunk, 1), arguments)
    return _rows(encoder(data.x, *edges, **arguments), data, trimmed=_HOPS[0] in arguments)


def takes_of(encoder: Encoder) -> Takes:
    """What the encoder takes, read once from its signature."""
    encoder = unwrap(encoder)
    if encoder not in _TAKES:
        _TAKES[encoder] = _read(encoder)
    return _TAKES[encoder]


def takes_edge_weight(encoder: Encoder) -> bool:
    """Whether the encoder uses the weights of edges."""
    return "edge_weight" in takes_of(encoder).names and getattr(unwrap(encoder), "supports_edge_weight", True)


def check_takes_edge_weight(name: str, encoder: Encoder) -> None:
    """Raise unless the encoder uses the weights of edges."""
    if not takes_edge_weight(encoder):
        raise ValueError(f"{name} must take edge weights, got {_name(encoder)}, which does not: use gcl.nn.gcn or gin")


def unwrap(encoder: Any) -> Any:
    """The module inside ``DistributedDataParallel`` and ``torch.compile``."""
    while True:
        if isinstance(encoder, DistributedDataParallel):
            encoder = encoder.module
        elif hasattr(encoder, "_orig_mod"):
            encoder = encoder._orig_mod
        else:
            return encoder


def _read(encoder: Any) -> Takes:
    if isinstance(encoder, Sequential):
        names, required = list(encoder.signature.param_dict), set(encoder.signature.param_dict)
    else:
        parameters = parameters_of(encoder)
        names = list(parameters)
        required = {name for name, p in parameters.items() if p.default is p.empty}
    if names[:1] == ["data"]:
        raise TypeError(f"{_name(encoder)} must take x and edge_index, not data: labels must not reach an encoder")
    has_edges = len(names) > 1 and names[1] not in (*_MAY_BE_NONE, "batch_size")
    names = names[2:] if has_edges else names[1:]
    if isinstance(encoder, GraphModule):  # what to_hetero makes keeps names that its layers do not take
        layers = [set(parameters_of(m)) for m in encoder.modules() if isinstance(m, MessagePassing)]
        names = [name for name in names if any(name in layer for layer in layers)]
    names += [name for name in getattr(encoder, "takes", ()) if name not in names]
    return Takes(has_edges, tuple(names), frozenset(required))


def _arguments(model: Any, takes: Takes, data: Data) -> dict[str, Any]:
    """The attributes of the graph that the encoder takes, by name."""
    store = data._store
    arguments: dict[str, Any] = {}
    if "edge_weight" in store and not takes_edge_weight(model):
        raise ValueError(
            f"encoder must take edge_weight, which data has, got {_name(model)}, which does not: "
            "remove it from data or use an encoder that takes it, such as gcl.nn.gcn or gin"
        )
    for name in takes.names:
        if name in LABELS:
            if name in takes.required:
                raise ValueError(f"encoder must not need {name!r}: labels and masks are never handed to an encoder")
        elif name == "batch_size":
            if "batch" in takes.names and "batch" in store:
                arguments[name] = num_graphs(data)
        elif name in _HOPS:
            if name == _HOPS[0]:
                arguments |= _hops(model, takes, data)
        elif name in store and not (name == "edge_attr" and not _takes_edge_attr(model)):
            arguments[name] = store[name]
        elif name in takes.required:
            if name not in _MAY_BE_NONE:
                raise ValueError(f"encoder needs {name!r}, which data lacks")
            arguments[name] = None
    return arguments


def _takes_edge_attr(model: Any) -> bool:
    """Some of PyG's layers that were built without ``edge_dim`` fail on features of edges, some ignore them."""
    layer = model.convs[0] if isinstance(model, BasicGNN) else model
    built_without = isinstance(layer, MessagePassing) and getattr(layer, "edge_dim", layer) is None
    return getattr(model, "supports_edge_attr", True) and not built_without


def _hops(model: Any, takes: Takes, data: Data) -> dict[str, list[int]]:
    """How many nodes and edges each hop of a loader's batch has, where its layers can be trimmed by that."""
    hop = data.get("node_hop")
    if hop is None or hop.numel() == 0 or not {*_HOPS} <= {*takes.names} or not _trims_exactly(model):
        return {}
    num_hops, (start, end) = int(hop.max()), hop[data.edge_index]
    sorted_hops = (hop.diff() >= 0).all() & (end.diff() >= 0).all() & (hop[: data.get("batch_size")] == 0).all()
    fits = sorted_hops & (start <= end + 1).all() & (end < num_hops).all()  # a view may have other edges
    both_values = "edge_weight" in data and "edge_attr" in data and _takes_edge_attr(model)
    if both_values or num_hops < model.num_layers or not fits:
        return {}
    counts = hop.bincount(), end.bincount(minlength=num_hops)
    return {name: count.tolist() for name, count in zip(_HOPS, counts, strict=True)}


def _trims_exactly(model: Any) -> bool:
    """GCN needs the degrees of all nodes, and norms see all rows."""
    if not isinstance(model, BasicGNN) or model.jk_mode is not None:
        return False
    plain = all(isinstance(norm, nn.Identity) for norm in model.norms)
    return plain and not any(isinstance(module, (GCNConv, _BatchNorm)) for module in model.modules())


def _check_features(model: Any, data: Data) -> None:
    """``data.x`` has the width and a dtype of the encoder, as far as this says them."""
    if data.x is None:
        raise ValueError("data.x is missing: set it to the node features [N, F]")
    if not isinstance(data.x, Tensor):
        raise TypeError(f"data.x must be a tensor [N, F], got {type(data.x).__name__}")
    width = getattr(model, "in_channels", getattr(model, "in_features", None))
    if isinstance(width, int) and width > 0:
        if data.x.shape[1:] != (width,):
            raise ValueError(f"data.x must have shape [N, {width}], as the encoder takes, got {tuple(data.x.shape)}")
        if not data.x.is_floating_point():
            raise TypeError(f"data.x must be a floating-point tensor for {_name(model)}, got {data.x.dtype}")
    dtypes = {p.dtype for p in model.parameters()} if isinstance(model, nn.Module) else set()
    mixed = data.x.is_floating_point() and dtypes and data.x.dtype not in dtypes
    if mixed and not torch.is_autocast_enabled(data.x.device.type):
        raise ValueError(f"data.x must be of {dtypes.pop()} as the encoder is, got {data.x.dtype}: cast one of them")


def _edge_index(data: Data) -> Tensor:
    if data.edge_index is None:
        if "adj_t" in data:
            raise ValueError(
                "data must hold its edges as edge_index, got adj_t: leave out T.ToSparseTensor, or undo it by "
                "row, col, _ = data.adj_t.t().coo(); data.edge_index = torch.stack([row, col])"
            )
        raise ValueError("data.edge_index is missing: set it to a long tensor [2, E] (E may be 0)")
    if not (isinstance(data.edge_index, Tensor) and is_sparse(data.edge_index)):
        check_index("data.edge_index", data.edge_index, "node", data.x.size(0), 2, "E")
        if data.get("edge_weight") is not None:
            check_edge_weight(data.edge_weight, data.edge_index.size(1))
    return data.edge_index


def _rows(h: Any, data: Data, trimmed: bool) -> Tensor:
    """The embeddings, checked, of the rows that count."""
    if not isinstance(h, Tensor) or not h.is_floating_point():
        got = f"a {h.dtype} tensor" if isinstance(h, Tensor) else f"a {type(h).__name__}"
        raise TypeError(f"encoder must return one floating-point tensor [N, D], got {got}")
    n, seeds = data.x.size(0), data.get("batch_size")
    if h.dim() != 2 or (h.size(0) < seeds if trimmed else h.size(0) != n):
        raise ValueError(
            f"encoder must return a row for each of the {n} nodes, got shape {tuple(h.shape)}: "
            "to pool nodes, give the method a readout"
        )
    return h if seeds is None else h[:seeds]


def num_graphs(data: Data) -> int:
    """The number of graphs of a batch, empty ones included; 1 for a ``Data`` that is one graph."""
    if "ptr" in data:
        return data.ptr.numel() - 1
    if "batch" in data:
        return int(data.batch.max()) + 1 if data.batch.numel() else 0
    return 1


def _name(encoder: Any) -> str:
    return type(encoder).__name__ if isinstance(encoder, nn.Module) else getattr(encoder, "__name__", repr(encoder))
