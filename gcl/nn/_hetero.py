"""Encoders of heterogeneous graphs, one node type at a time."""

from typing import Any

import torch
from torch import Tensor, nn
from torch_geometric.data import HeteroData

from augmentors._checks import check_at_least
from augmentors._graphs import check_structure, store_name
from gcl._checks import check_edge_weight, check_index
from gcl.nn._takes import LABELS, MAY_BE_NONE, name_of, takes_edge_attr, takes_of


class NodeEmbeddings(nn.Module):
    """Learnable embeddings of the nodes that have no features, by their number: rows ``[N, channels]`` for each type.

    In a loader's batch a node keeps its row, by ``n_id``. Nodes that come later have none: where that matters, give the
    type constant features (PyG's ``Constant``) instead.

    Args:
        data: the graph; its node types without ``x`` are those that get embeddings.
        channels: width of the embeddings, at least 1.

    Raises:
        TypeError: ``data`` is no ``HeteroData``.
        ValueError: ``channels`` is below 1, or all node types have ``x``.

    **Source:** the embeddings of PyG's heterogeneous examples. **Differs:** nothing.

    Example:
        >>> data = HeteroData()
        >>> data["paper"].x, data["subject"].num_nodes = torch.ones(3, 4), 2
        >>> NodeEmbeddings(data, 8)
        NodeEmbeddings(
          (rows): ModuleDict(
            (subject): Embedding(2, 8)
          )
        )
    """

    def __init__(self, data: HeteroData, channels: int) -> None:
        super().__init__()
        if not isinstance(data, HeteroData):
            raise TypeError(f"data must be a torch_geometric HeteroData, got {type(data).__name__}")
        check_at_least("channels", channels, 1)
        without = {store._key: store.num_nodes for store in data.node_stores if "x" not in store}
        if not without:
            raise ValueError(f"data must have node types without x, got {data.node_types}, which all have it")
        self.num_nodes = without
        self.rows = nn.ModuleDict({key: nn.Embedding(num_nodes, channels) for key, num_nodes in without.items()})

    def forward(self, nodes: dict[str, Tensor]) -> dict[str, Tensor]:
        """The embeddings of node numbers ``[N]``, for each type that has embeddings."""
        for key in self.rows:
            check_index(f"the node numbers of {key!r}", nodes[key], "known node", self.num_nodes[key], "N")
        return {key: rows(nodes[key]) for key, rows in self.rows.items()}


class NodeType(nn.Module):
    """An encoder of ``HeteroData`` seen from one node type: it gives the embeddings ``[N, D]`` of these nodes.

    So methods, losses and probes work as for any graph, and train on that type. To embed another type with the same
    weights, wrap the encoder once more: ``gcl.nn.encode(NodeType(encoder, "author"), data)``.

    Args:
        encoder: takes ``x_dict`` and ``edge_index_dict``, and by name what else its ``forward`` names
            (``edge_attr_dict``, ...; see :func:`gcl.nn.encode`), and returns a dictionary with the embeddings of each
            type: PyG's ``to_hetero(...)``, a module of ``HeteroConv``, ``HGTConv`` or ``HANConv`` layers, ... Layers
            of unknown width (-1) run once on the graph before a method gets the encoder.
        node_type: the node type.
        out_channels: width of its embeddings, which methods ask for; ``None``: the encoder's ``out_channels``, if any.
        embeddings: for node types without ``x``; ``None``: all have it.

    Raises:
        TypeError: ``encoder`` is no module, or ``embeddings`` is not :class:`NodeEmbeddings`.

    Example:
        >>> from torch_geometric.nn import GraphSAGE, to_hetero
        >>> data = HeteroData()
        >>> data["paper"].x, data["author"].x = torch.ones(3, 4), torch.ones(2, 4)
        >>> data["author", "writes", "paper"].edge_index = torch.tensor([[0, 1, 1], [0, 1, 2]])
        >>> data["paper", "rev_writes", "author"].edge_index = torch.tensor([[0, 1, 2], [0, 1, 1]])
        >>> encoder = NodeType(to_hetero(GraphSAGE(4, 8, 2), data.metadata()), "author", 8)
        >>> from gcl.nn import encode
        >>> encode(encoder, data).shape
        torch.Size([2, 8])
    """

    def __init__(
        self,
        encoder: nn.Module,
        node_type: str,
        out_channels: int | None = None,
        *,
        embeddings: NodeEmbeddings | None = None,
    ) -> None:
        super().__init__()
        if not isinstance(encoder, nn.Module):
            raise TypeError(f"encoder must be a module, got {type(encoder).__name__}")
        if not (embeddings is None or isinstance(embeddings, NodeEmbeddings)):
            raise TypeError(f"embeddings must be gcl.nn.NodeEmbeddings, got {type(embeddings).__name__}")
        self.encoder = encoder
        self.node_type = node_type
        self.out_channels = getattr(encoder, "out_channels", None) if out_channels is None else out_channels
        self.embeddings = embeddings

    def forward(self, x_dict: dict[str, Tensor], edge_index_dict: dict, nodes: dict[str, Tensor], **kwargs: Any) -> Any:
        """The embeddings of the node type; ``nodes`` holds the numbers of the nodes without features."""
        if self.embeddings is not None:
            x_dict = x_dict | self.embeddings(nodes)
        out = self.encoder(x_dict, edge_index_dict, **kwargs)
        if not isinstance(out, dict):
            raise TypeError(f"encoder must return a dictionary of embeddings by node type, got {type(out).__name__}")
        if out.get(self.node_type) is None:
            raise ValueError(
                f"encoder must return embeddings of {self.node_type!r}, got those of {sorted(out)}: "
                "do edges lead to this type in every layer?"
            )
        return out[self.node_type]


def inputs_of(model: NodeType, data: HeteroData) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """What the encoder gets of the graph: by position and by name."""
    if model.node_type not in data.node_types:
        raise ValueError(f"node_type must be one of data's, {data.node_types}, got {model.node_type!r}")
    embedded = () if model.embeddings is None else tuple(model.embeddings.rows)
    _check_stores(data, embedded)
    nodes = {key: data[key].get("n_id", torch.arange(data[key].num_nodes)) for key in embedded}
    device = next((p.device for p in model.parameters()), torch.device("cpu"))
    nodes = {key: number.to(device) for key, number in nodes.items()}
    return (data.x_dict, data.edge_index_dict, nodes), _arguments(model, data)


def _check_stores(data: HeteroData, embedded: tuple[str, ...]) -> None:
    check_structure(data, hetero=True, edges=True)
    for store in data.edge_stores:
        if "edge_weight" in store:
            check_edge_weight(f"{store_name(store)}.edge_weight", store.edge_weight, store.num_edges)
    linked = {key for edge_type in data.edge_types for key in (edge_type[0], edge_type[2])}
    if bare := [store._key for store in data.node_stores if "x" not in store and store._key in linked - {*embedded}]:
        raise ValueError(
            f"data has no x for {bare}: give NodeType embeddings=gcl.nn.NodeEmbeddings(data, channels), or set x"
        )


def _arguments(model: NodeType, data: HeteroData) -> dict[str, Any]:
    """The attributes that the encoder names, each a dictionary by type; ``edge_attr_dict`` is ``edge_attr``."""
    takes = takes_of(model.encoder)
    attributes = {name: name.removesuffix("_dict") for name in takes.names}
    if "edge_weight" not in attributes.values() and any("edge_weight" in store for store in data.edge_stores):
        raise ValueError(
            f"encoder must take edge_weight_dict, which data has, got {name_of(model.encoder)}, which does not: "
            "remove edge_weight from data or use layers that take it, such as GraphConv"
        )
    arguments: dict[str, Any] = {}
    for name, key in attributes.items():
        values = {store._key: store[key] for store in data.stores if key in store}
        if key in (*LABELS, "batch_size") or (key == "edge_attr" and not takes_edge_attr(model.encoder)):
            values = {}
        if values:
            arguments[name] = values
        elif name in takes.required:
            if key not in MAY_BE_NONE:
                raise ValueError(f"encoder needs {name!r}, which data lacks")
            arguments[name] = None
    return arguments


def nodes_of(encoder: Any, data: Any) -> Any:
    """Where the attributes of the nodes that the encoder embeds are: the graph, or the store of their type."""
    return data[encoder.node_type] if isinstance(data, HeteroData) else data
