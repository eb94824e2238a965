"""Where a graph meets an encoder: the encoder gets what its ``forward`` names."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch_geometric.data import Data, HeteroData
from torch_geometric.data.storage import BaseStorage
from torch_geometric.nn import MLP, BatchNorm, GCNConv, LayerNorm
from torch_geometric.nn.models.basic_gnn import BasicGNN
from torch_geometric.utils import is_sparse

from augmentors._checks import check_at_least, check_callable
from gcl._checks import check_edge_weight, check_index
from gcl.nn._hetero import NodeType, inputs_of, nodes_of
from gcl.nn._layerwise import encode_in_chunks
from gcl.nn._takes import (
    LABELS,
    MAY_BE_NONE,
    Encoder,
    Takes,
    name_of,
    takes_edge_attr,
    takes_edge_weight,
    takes_of,
    unwrap,
)

_HOPS = ("num_sampled_nodes_per_hop", "num_sampled_edges_per_hop")


def encode(encoder: Encoder, data: Data | HeteroData, *, chunk: int | None = None) -> Tensor:
    """The embeddings of a graph's nodes: ``encoder(x, edge_index, ...)`` with all that its ``forward`` names.

    ``x`` and ``edge_index`` go by position, every other attribute of the graph that the signature of ``forward`` names
    by keyword: ``edge_weight``, ``edge_attr``, ``edge_type``, ``batch``, ``pe``, ``pos``, ... So any model or layer of
    PyG, and any module of your own, gets what it asks for. An encoder whose ``forward`` has ``**kwargs`` says what it
    takes by an attribute ``takes = ("edge_attr", "batch")``; one whose ``forward`` takes ``x`` alone gets no edges.

    - Labels and masks (``y``, ``train_mask``, ...) are never handed over, whatever the signature names.
    - ``edge_weight`` is never left out: an encoder that does not take the weights of a weighted graph is an error.
    - ``edge_attr`` is left out where a PyG model or layer was built without ``edge_dim``.
    - ``batch_size`` of a PyG model is the number of graphs, and goes with ``batch`` only.
    - A norm over the nodes of a graph that ``batch`` does not reach would mix the graphs of a batch, and is an error.
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
            does not take, several graphs that it would mix or a sparse adjacency, the result has another number of rows
            than the graph has nodes, or the encoder does not fit ``chunk``.

    Example:
        >>> import torch
        >>> from torch_geometric.nn import GAT
        >>> data = Data(x=torch.eye(3), edge_index=torch.tensor([[0, 1], [1, 2]]), edge_attr=torch.randn(2, 5))
        >>> encode(GAT(3, 8, num_layers=2, edge_dim=5), data).shape  # sees the edge features
        torch.Size([3, 8])
    """
    model = unwrap(check_callable("encoder", encoder, "a module or function"))
    if not isinstance(data, (Data, HeteroData)):
        raise TypeError(f"data must be a torch_geometric Data or Batch, got {type(data).__name__}")
    if isinstance(data, HeteroData) != isinstance(model, NodeType):
        wanted = "gcl.nn.NodeType(encoder, node_type) for HeteroData, and only for it"
        raise TypeError(f"encoder must be {wanted}, got {name_of(model)} for {type(data).__name__}")
    if isinstance(data, HeteroData):
        if chunk is not None:
            raise ValueError(f"chunk must be None for HeteroData, got {chunk}: embed it by gcl.data.neighbor_loader")
        inputs, arguments = inputs_of(model, data)
        nodes = nodes_of(model, data)
        _check_graphs(model.encoder, nodes)
        return _rows(encoder(*inputs, **arguments), nodes.num_nodes, nodes.get("batch_size"))
    takes = takes_of(model)
    _check_features(model, data)
    _check_graphs(model, data)
    edges = (_edge_index(data),) if takes.edge_index else ()
    arguments = _arguments(model, takes, data)
    if chunk is not None:
        if takes.mixes:
            raise ValueError(f"encoder must have no {takes.mixes} inside its layers for chunk, got {name_of(model)}")
        return encode_in_chunks(model, data, check_at_least("chunk", chunk, 1), arguments)
    h = encoder(data.x, *edges, **arguments)
    return _rows(h, data.x.size(0), data.get("batch_size"), trimmed=_HOPS[0] in arguments)


def _arguments(model: Any, takes: Takes, data: Data) -> dict[str, Any]:
    """The attributes of the graph that the encoder takes, by name."""
    store = data._store
    arguments: dict[str, Any] = {}
    if "edge_weight" in store and not takes_edge_weight(model):
        raise ValueError(
            f"encoder must take edge_weight, which data has, got {name_of(model)}, which does not: "
            "remove it from data or use an encoder that takes it, such as gcl.nn.gcn or gin"
        )
    for name in takes.names:
        if name in LABELS:
            if name in takes.required:
                raise ValueError(f"encoder must not need {name!r}: labels and masks are never handed to an encoder")
        elif name == "edge_index":  # behind other arguments
            arguments[name] = _edge_index(data)
        elif name == "batch_size":
            if "batch" in takes.names and "batch" in store:
                arguments[name] = num_graphs(data)
        elif name in _HOPS:
            if name == _HOPS[0]:
                arguments |= _hops(model, takes, data)
        elif name in store and not (name == "edge_attr" and not takes_edge_attr(model)):
            arguments[name] = store[name]
        elif name in takes.required:
            if name not in MAY_BE_NONE:
                raise ValueError(f"encoder needs {name!r}, which data lacks")
            arguments[name] = None
    return arguments


def _hops(model: Any, takes: Takes, data: Data) -> dict[str, list[int]]:
    """How many nodes and edges each hop of a loader's batch has, where its layers can be trimmed by that."""
    hop = data.get("node_hop")
    if hop is None or hop.numel() == 0 or not {*_HOPS} <= {*takes.names} or not _trims_exactly(model, takes, data):
        return {}
    num_hops, (start, end) = int(hop.max()), hop[data.edge_index]
    sorted_hops = (hop.diff() >= 0).all() & (end.diff() >= 0).all() & (hop[: data.get("batch_size")] == 0).all()
    fits = sorted_hops & (start <= end + 1).all() & (end < num_hops).all()  # a view may have other edges
    if num_hops < getattr(model, "num_layers", 0) or not fits:
        return {}
    counts = hop.bincount(), end.bincount(minlength=num_hops)
    return {name: count.tolist() for name, count in zip(_HOPS, counts, strict=True)}


def _trims_exactly(model: Any, takes: Takes, data: Data) -> bool:
    """Whether no layer misses the rows that are left out: for a norm, for GCN's degrees or beside other layers."""
    modules = list(model.modules()) if isinstance(model, nn.Module) else []
    norms = [norm for module in modules if isinstance(module, (BasicGNN, MLP)) for norm in module.norms]
    by_batch = any(isinstance(m, _BatchNorm) and (m.training or m.running_mean is None) for m in modules)
    by_degree = any(isinstance(m, GCNConv) and m.normalize for m in modules)
    has_degree = "node_degree" in takes.names and "node_degree" in data and getattr(model, "takes_node_degree", True)
    two_values = "edge_weight" in data and "edge_attr" in data and takes_edge_attr(model)
    pygs = isinstance(model, BasicGNN) and type(model).forward is BasicGNN.forward  # which trims one of them
    plain = getattr(model, "jk_mode", None) is None and all(map(_is_by_row, norms)) and not by_batch
    return plain and (has_degree or not by_degree) and not (two_values and pygs)


def _is_by_row(norm: nn.Module) -> bool:
    by_node = isinstance(norm, LayerNorm) and norm.mode == "node"
    return by_node or isinstance(norm, (nn.Identity, nn.LayerNorm, BatchNorm, _BatchNorm))


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
            raise TypeError(f"data.x must be a floating-point tensor for {name_of(model)}, got {data.x.dtype}")
    dtypes = {p.dtype for p in model.parameters()} if isinstance(model, nn.Module) else set()
    mixed = data.x.is_floating_point() and dtypes and data.x.dtype not in dtypes
    if mixed and not torch.is_autocast_enabled(data.x.device.type):
        raise ValueError(f"data.x must be of {dtypes.pop()} as the encoder is, got {data.x.dtype}: cast one of them")


def _check_graphs(model: Any, nodes: Data | BaseStorage) -> None:
    """No norm or attention goes over the nodes of several graphs."""
    if (layer := takes_of(model).mixes) and num_graphs(nodes) > 1:
        raise ValueError(
            f"encoder must pass batch on to its {layer}, got {name_of(model)}, which does not and would mix the "
            f"{num_graphs(nodes)} graphs of data: use another norm, or a forward with batch"
        )


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
            check_edge_weight("data.edge_weight", data.edge_weight, data.edge_index.size(1))
    return data.edge_index


def _rows(h: Any, n: int, seeds: int | None, *, trimmed: bool = False) -> Tensor:
    """The embeddings of ``n`` nodes, checked, and of them the rows that count."""
    if not isinstance(h, Tensor) or not h.is_floating_point():
        got = f"a {h.dtype} tensor" if isinstance(h, Tensor) else f"a {type(h).__name__}"
        raise TypeError(f"encoder must return one floating-point tensor [N, D], got {got}")
    if h.dim() != 2 or (h.size(0) < (seeds or 0) if trimmed else h.size(0) != n):
        raise ValueError(
            f"encoder must return a row for each of the {n} nodes, got shape {tuple(h.shape)}: "
            "to pool nodes, give the method a readout"
        )
    return h if seeds is None else h[:seeds]


def num_graphs(data: Data | BaseStorage) -> int:
    """The number of graphs of a batch, empty ones included; 1 for a ``Data`` that is one graph."""
    if "ptr" in data:
        return data.ptr.numel() - 1
    if "batch" in data:
        return int(data.batch.max()) + 1 if data.batch.numel() else 0
    return 1
