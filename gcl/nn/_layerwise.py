"""An encoder layer by layer, for graphs on which it does not fit at once."""

from functools import lru_cache, partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch_geometric.data import Data
from torch_geometric.nn import GCNConv, SGConv
from torch_geometric.nn.conv import MessagePassing
from torch_geometric.nn.models.basic_gnn import BasicGNN

from augmentors._sparse import by_row
from gcl.nn._features import features_product
from gcl.nn._propagation import gcn_matrix

_OF_EDGES = ("edge_weight", "edge_attr", "edge_type")


def encode_in_chunks(model: Any, data: Data, chunk: int, arguments: dict[str, Any]) -> Tensor:
    """``model(x, edge_index, **arguments)``, ``chunk`` nodes at a time; holds the rows of two layers.

    GCN and SGC layers are products with one sparse matrix, on the narrower side of their weights. Other layers take the
    nodes of a chunk with all edges that end in them.

    **Source:** the layer-wise inference of GraphSAGE's and PyG's examples. **Differs:** the sparse products.
    """
    if "batch_size" in data:
        raise ValueError(
            f"chunk takes no batches of a loader (data.batch_size = {data.batch_size}): give it the whole graph"
        )
    if isinstance(model, BasicGNN) and model.jk_mode is None:
        convs, norms, final = model.convs, model.norms, getattr(model, "final_activation", False)
    elif isinstance(model, MessagePassing):
        convs, norms, final = [model], [nn.Identity()], False
    else:
        raise ValueError(f"encoder must be a PyG model without jumping knowledge or a layer for chunk, got {model}")
    final_norm = getattr(model, "final_norm", False)
    of_edges = {name: arguments[name] for name in _OF_EDGES if arguments.get(name) is not None}
    of_norm = (
        [arguments.get("batch"), arguments.get("batch_size")] if getattr(model, "supports_norm_batch", False) else []
    )
    matrix = lru_cache(partial(gcn_matrix, data, data.x.dtype))
    order = lru_cache(partial(by_row, data.edge_index[1], data.num_nodes))
    x = data.x
    for depth, (conv, norm) in enumerate(zip(convs, norms, strict=True), 1):
        if isinstance(conv, (GCNConv, SGConv)) and getattr(conv, "normalize", True):
            options = {"improved": getattr(conv, "improved", False), "add_self_loops": conv.add_self_loops}
            x = _smooth(conv, x, matrix(**options))
        else:
            x = _in_chunks(conv, x, data.edge_index, of_edges, chunk, *order())
        if depth < len(convs) or final_norm:
            act = model.act if depth < len(convs) or final else nn.Identity()
            x = norm(act(x), *of_norm) if model.act_first else act(norm(x, *of_norm))
    return model.act(x) if final and not final_norm else x


def _smooth(conv: MessagePassing, x: Tensor, matrix: Tensor) -> Tensor:
    """A GCN or SGC layer: propagation and weights commute, the bias comes last."""
    weight, bias = conv.lin.weight, conv.lin.bias if isinstance(conv, SGConv) else conv.bias
    narrows = weight.size(0) < weight.size(1)
    if narrows:
        x = features_product(x, weight.T)
    for _ in range(getattr(conv, "K", 1)):
        x = matrix @ x
    return (x if bias is None else x + bias) if narrows else F.linear(x, weight, bias)


def _in_chunks(
    conv: MessagePassing,
    x: Tensor,
    edge_index: Tensor,
    of_edges: dict[str, Tensor],
    chunk: int,
    order: Tensor,
    start: Tensor,
) -> Tensor:
    """Any layer, on the nodes of a chunk and those from which edges lead there."""
    n, (row, col) = x.size(0), edge_index
    place = torch.empty(n, dtype=torch.long, device=col.device)
    out = []
    for low in range(0, n, chunk):
        high = min(low + chunk, n)
        edges = order[start[low] : start[high]]
        source, target = row[edges], col[edges]
        outside = source[(source < low) | (source >= high)].unique()
        nodes = torch.cat([torch.arange(low, high, device=col.device), outside])
        place[nodes] = torch.arange(nodes.numel(), device=col.device)
        options = {name: value[edges] for name, value in of_edges.items()}
        out.append(conv(x[nodes], place[torch.stack([source, target])], **options)[: high - low])
    return torch.cat(out)
