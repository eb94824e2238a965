"""Access to the stores of a graph: one for a ``Data``, one for each node and edge type of a ``HeteroData``."""

from typing import Any, TypeAlias

import torch
from torch import Generator, Tensor
from torch_geometric.data import Data, HeteroData
from torch_geometric.data.storage import BaseStorage

from augmentors._checks import check_long, check_numbers, check_shape, check_tensor
from augmentors._random import permutation, pick

Graph: TypeAlias = Data | HeteroData
NodeFloat = float | dict[str, float]
EdgeFloat = float | dict[tuple[str, str, str], float]


def check_structure(
    data: Graph, *, hetero: bool = False, edges: bool = False, weights: bool = True, read: bool = False
) -> None:
    """``data`` is a graph whose ``x``, ``edge_index`` and ``edge_weight`` fit; ``edges``: with an ``edge_index``.

    ``weights=False`` is for callers that do not read ``edge_weight``. Types and shapes are always checked, the range of
    ``edge_index`` on a CPU, where reading it back is cheap, and with ``read`` on any device.
    """
    if not isinstance(data, (Data, HeteroData) if hetero else Data):
        raise TypeError(f"data must be a torch_geometric Data or Batch, got {type(data).__name__}")
    for store in data.node_stores:
        if "x" in store and (not isinstance(store.x, Tensor) or store.x.dim() == 0):
            got = "a scalar" if isinstance(store.x, Tensor) else type(store.x).__name__
            raise TypeError(f"{store_name(store)}.x must be a tensor with a row for each node, got {got}")
    for store in data.edge_stores:
        name = f"{store_name(store)}.edge_index"
        if "edge_index" in store:
            check_long(name, store.edge_index, 2, "E")
            if read or store.edge_index.device.type == "cpu":
                for end, nodes in zip(ends(data, store), store.edge_index, strict=True):
                    check_numbers(name, nodes, end._key or "node", end.num_nodes or 0)
            if weights and "edge_weight" in store:
                name = f"{store_name(store)}.edge_weight"
                check_tensor(name, store.edge_weight, "a tensor of numbers [E]", lambda x: not x.is_complex())
                check_shape(name, store.edge_weight, store.edge_index.size(1))
        elif edges:
            raise ValueError(f"{name} is missing: set it to a long tensor [2, E] (E may be 0)")


def store_name(store: BaseStorage) -> str:
    """What errors call a store."""
    return "data" if store._key is None else f"data[{store._key!r}]"


def per_type(name: str, value: float | dict, stores: list[BaseStorage]) -> list[tuple[BaseStorage, float]]:
    """Each store with its value; the types that a ``{type: value}`` leaves out are left out here."""
    if not isinstance(value, dict):
        return [(store, value) for store in stores]
    types = [store._key for store in stores]
    if unknown := [key for key in value if key not in types]:
        raise ValueError(f"{name} must have types of the graph as keys, {types}, got {unknown}")
    return [(store, value[store._key]) for store in stores if store._key in value]


def edge_stores(data: Graph) -> list[BaseStorage]:
    """The stores that hold an ``edge_index``."""
    for store in data.edge_stores:
        if "adj_t" in store or "adj" in store:
            raise ValueError("data must hold its edges as edge_index, got a sparse adjacency matrix")
    return [store for store in data.edge_stores if "edge_index" in store]


def edges_of(data: Data) -> Tensor:
    """``edge_index``, or an empty one where there is none."""
    if stores := edge_stores(data):
        return stores[0].edge_index
    return torch.empty(2, 0, dtype=torch.long, device=device_of(data._store))


def ends(data: Graph, store: BaseStorage) -> tuple[BaseStorage, BaseStorage]:
    """The stores of the nodes where the edges of ``store`` start and where they end."""
    return (store, store) if store._key is None else (data[store._key[0]], data[store._key[2]])


def is_reverse(key: Any, edge_index: Tensor, store: BaseStorage) -> bool:
    """Whether the edges of ``store`` are those of the type ``key``, each reversed, in the same order."""
    mirrored = key is not None and key[::2] == store._key[::-2]
    return mirrored and torch.equal(edge_index.flip(0), store.edge_index)


def graph_of_nodes(store: BaseStorage) -> tuple[Tensor, Tensor]:
    """The graph of each node ``[N]`` and where each graph's nodes start and end ``[B + 1]``."""
    if "batch" in store and "ptr" in store:
        return store.batch, store.ptr
    if store.num_nodes is None:
        raise ValueError("data.num_nodes is missing: set it, or x or edge_index, which tell it")
    device = device_of(store)
    ptr = torch.tensor([0, store.num_nodes], device=device)
    return torch.zeros(store.num_nodes, dtype=torch.long, device=device), ptr


def device_of(store: BaseStorage) -> torch.device:
    """The device of the first tensor, or torch's default where there is none."""
    devices = (value.device for value in store.values() if isinstance(value, Tensor))
    return next(devices, torch.get_default_device())


def pick_node(bits: Tensor, graph: Tensor, ptr: Tensor) -> Tensor:
    """Turn uniform ``bits`` in [0, 2**32) into a uniform choice among the nodes of each ``graph``."""
    return ptr[graph] + pick(bits, ptr.diff()[graph])


def random_order(store: BaseStorage, generator: Generator | None) -> Tensor:
    """The nodes ``[N]`` graph by graph, and within each graph in random order."""
    batch, ptr = graph_of_nodes(store)
    order = permutation(batch.numel(), batch.device, generator)
    return order if ptr.numel() == 2 else order[batch[order].argsort(stable=True)]
