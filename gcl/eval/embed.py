"""Embeddings of graphs on which the encoder does not fit at once."""

from functools import lru_cache, partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch_geometric.data import Data
from torch_geometric.nn import GCNConv, MessagePassing, SGConv
from torch_geometric.nn.models.basic_gnn import BasicGNN

from gcl.checks import check_graph
from gcl.methods import Method, StructComp
from gcl.methods.base import check_no_seeds, evaluating
from gcl.nn import batch_statistics, gcn_matrix
from gcl.nn.features import features_product
from gcl.pairwise.edges import by_row


def embed(method: Method, data: Data, chunk: int = 50_000) -> Tensor:
    """As ``method.embed(data)`` for nodes, layer by layer, without a message ``[E, D]`` for each edge.

    GCN and SGC layers are products with one sparse matrix, on the narrower side of their weights. Other layers take
    ``chunk`` nodes at a time, with all edges that end in them. Memory holds the rows ``[N, D]`` of two layers.

    Args:
        method: its encoder is of :func:`gcl.nn.gcn` or :func:`gcl.nn.gin`, a model of PyG such as ``GCN``,
            ``GraphSAGE``, ``GAT`` (without jumping knowledge), or one of PyG's layers alone, such as ``SGConv``.
        data: graph with ``x`` ``[N, F]``.
        chunk: nodes at a time in layers other than GCN and SGC, at least 1.

    Returns:
        Node embeddings ``[N, D]``.

    Raises:
        ValueError: the encoder is none of these or takes no weights of edges, ``chunk`` is below 1, or the graph is not
            valid or a loader's batch.

    **Source:** the layer-wise inference of GraphSAGE's and PyG's examples. **Differs:** the sparse products.

    Example:
        >>> from gcl.methods import CCASSG
        >>> from gcl.nn import gcn
        >>> data = Data(x=torch.randn(5, 4), edge_index=torch.tensor([[0, 1, 2], [1, 2, 3]]))
        >>> method = CCASSG(gcn(4, 8, 8))
        >>> torch.allclose(embed(method, data), method.embed(data), atol=1e-6)
        True
    """
    check_graph(data)
    check_no_seeds("embed", data, "take method.embed for batches, or embed the whole graph")
    if chunk < 1:
        raise ValueError(f"chunk must be at least 1, got {chunk}")
    gnn = getattr(method.encoder, "gnn", method.encoder)  # gcl.nn's encoders hold PyG's model with a final activation
    if isinstance(gnn, BasicGNN) and gnn.jk_mode is None:
        convs, norms, final = gnn.convs, gnn.norms, gnn is not method.encoder
    elif isinstance(gnn, MessagePassing):
        convs, norms, final = [gnn], [nn.Identity()], False
    else:
        raise ValueError(f"method.encoder must be a PyG model without jumping knowledge or a layer, got {gnn}")
    matrix = lru_cache(partial(gcn_matrix, data, data.x.dtype))
    order = lru_cache(partial(by_row, data.edge_index[1], data.num_nodes))
    resampled = method.encoder if isinstance(method, StructComp) else nn.Identity()
    with evaluating(method), torch.no_grad(), batch_statistics(resampled):
        x = data.x
        for depth, (conv, norm) in enumerate(zip(convs, norms, strict=True), 1):
            if isinstance(conv, (GCNConv, SGConv)) and getattr(conv, "normalize", True):
                options = {"improved": getattr(conv, "improved", False), "add_self_loops": conv.add_self_loops}
                x = _smooth(conv, x, matrix(**options))
            else:
                x = _in_chunks(conv, x, data, chunk, *order())
            if depth < len(convs):
                x = norm(gnn.act(x)) if gnn.act_first else gnn.act(norm(x))
        return gnn.act(x) if final else x


def _smooth(conv: MessagePassing, x: Tensor, matrix: Tensor) -> Tensor:
    """A GCN or SGC layer: propagation and weights commute, the bias comes last."""
    weight, bias = conv.lin.weight, conv.lin.bias if isinstance(conv, SGConv) else conv.bias
    narrows = weight.size(0) < weight.size(1)
    if narrows:
        x = features_product(x, weight.T)
    for _ in range(getattr(conv, "K", 1)):
        x = matrix @ x
    return (x if bias is None else x + bias) if narrows else F.linear(x, weight, bias)


def _in_chunks(conv: MessagePassing, x: Tensor, data: Data, chunk: int, order: Tensor, start: Tensor) -> Tensor:
    """Any layer, on the nodes of a chunk and those from which edges lead there."""
    if "edge_weight" in data:
        raise ValueError(f"data must have no edge_weight for layers other than GCN and SGC, got {type(conv).__name__}")
    n, (row, col) = x.size(0), data.edge_index
    place = torch.empty(n, dtype=torch.long, device=col.device)
    out = []
    for low in range(0, n, chunk):
        high = min(low + chunk, n)
        edges = order[start[low] : start[high]]
        source, target = row[edges], col[edges]
        outside = source[(source < low) | (source >= high)].unique()
        nodes = torch.cat([torch.arange(low, high, device=col.device), outside])
        place[nodes] = torch.arange(nodes.numel(), device=col.device)
        out.append(conv(x[nodes], place[torch.stack([source, target])])[: high - low])
    return torch.cat(out)
