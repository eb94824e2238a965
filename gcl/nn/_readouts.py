"""Readouts: from node embeddings to graph embeddings."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch_geometric.data import Data
from torch_geometric.data.storage import BaseStorage

from augmentors._graphs import device_of
from augmentors._signatures import parameters_of
from gcl.nn._encode import num_graphs

Readout = Callable[..., Tensor]


def read_out(readout: Readout, h: Tensor, data: Data | BaseStorage) -> Tensor:
    """The graph embeddings ``[B, D]`` of a batch, a row for each of its graphs, those without nodes included.

    Args:
        readout: ``(h [N, D], batch [N], size) -> [B, D]``, as PyG's ``global_add_pool`` and others; an aggregation of
            PyG, whose last argument is ``dim_size``; or a function of ``h`` and ``batch`` alone.
        h: node embeddings ``[N, D]``.
        data: the batch; of a ``HeteroData`` the store of a node type.

    Raises:
        ValueError: the result has another number of rows than the batch has graphs.

    Example:
        >>> from torch_geometric.data import Batch
        >>> from torch_geometric.nn import global_add_pool
        >>> graphs = [Data(x=torch.ones(n, 1), edge_index=torch.empty(2, 0).long()) for n in (2, 1, 0)]
        >>> batch = Batch.from_data_list(graphs)
        >>> read_out(global_add_pool, batch.x, batch).T
        tensor([[2., 1., 0.]])
    """
    count = num_graphs(data)
    names = parameters_of(readout)
    size = next(({name: count} for name in ("size", "dim_size") if name in names), {})
    g = readout(h, graph_of(data), **size)
    if g.size(0) != count:
        raise ValueError(
            f"readout must return a row for each of the {count} graphs, got {g.size(0)}: "
            "let it take the number of graphs as size"
        )
    return g


def graph_of(data: Data | BaseStorage) -> Tensor:
    """The graph of each node that counts ``[N]``: 0 for a ``Data`` that is one graph."""
    batch = data.get("batch")
    if batch is None:
        store = data if isinstance(data, BaseStorage) else data._store
        batch = torch.zeros(data.num_nodes, dtype=torch.long, device=device_of(store))
    return batch[: data.get("batch_size")]
