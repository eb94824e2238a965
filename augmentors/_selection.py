"""Selection of edges and nodes, with their attributes and the bookkeeping of a ``Batch``."""

import torch
from torch import Tensor
from torch_geometric.data import Batch, Data
from torch_geometric.data.storage import BaseStorage

from augmentors._graphs import Graph, edge_stores, ends
from augmentors._sparse import dense_or_coo, sums_before


def keep_edges(data: Graph, store: BaseStorage, keep: Tensor) -> Graph:
    """Keep the edges where ``keep`` ``[E]`` is true, with every edge-level attribute; ``data`` may be a ``Batch``.

    An integer ``keep`` says how often each edge appears; the copies of an edge follow each other.
    """
    keys = edge_keys(data, store)
    _cut_slices(data, store, keys, keep)
    index = keep.nonzero().squeeze(1) if keep.dtype == torch.bool else torch.repeat_interleave(keep)
    for key in keys:
        store[key] = _select(data, store, key, index)
    return data


def scale_edge_weight(data: Graph, store: BaseStorage, factor: Tensor) -> None:
    """Multiply the weight of each edge, 1 where there is none, by ``factor`` ``[E]``."""
    if "edge_weight" in store:
        store.edge_weight = store.edge_weight * factor
    else:
        set_edge_weight(data, store, factor if factor.is_floating_point() else factor.to(torch.get_default_dtype()))


def set_edge_weight(data: Graph, store: BaseStorage, weight: Tensor) -> None:
    """Give each edge a weight; ``data`` may be a ``Batch``."""
    store.edge_weight = weight
    if isinstance(data, Batch):
        _set_batch(data, "_slice_dict", store, {"edge_weight": _slices(data, store)["edge_index"]})
        _set_batch(data, "_inc_dict", store, {"edge_weight": torch.zeros(data.num_graphs, dtype=torch.long)})


def set_edges(data: Data, edge_index: Tensor, weight: Tensor) -> Data:
    """Replace all edges; those of a ``Batch`` are ordered by graph."""
    if isinstance(data, Batch):
        slices = torch.searchsorted(data.batch[edge_index[1]], torch.arange(data.num_graphs + 1, device=weight.device))
        _set_batch(data, "_slice_dict", data._store, {"edge_index": slices.cpu()})
    data.edge_index = edge_index
    set_edge_weight(data, data._store, weight)
    return data


def keep_nodes(data: Graph, keep: Tensor | dict[str, Tensor]) -> Graph:
    """Keep the nodes where ``keep`` ``[N]`` is true and the edges between them, with their attributes.

    Nodes are relabeled; ``n_id`` holds their old indices (those in the first graph for a view of a view). A ``Batch``
    can be separated as before. The remaining seeds of a loader's batch are still its first ``batch_size`` rows.
    ``data``, a shallow copy, is changed in place; for a ``HeteroData``, ``keep`` has one mask for each node type.
    """
    check_no_node_numbers(data)
    keeps = keep if isinstance(keep, dict) else {None: keep}
    before = {key: sums_before(mask) for key, mask in keeps.items()}
    of_nodes = {store._key: node_keys(data, store) for store in data.node_stores}  # before any length changes
    for store in edge_stores(data):
        (start, end), (row, col) = ends(data, store), store.edge_index
        keep_edges(data, store, keeps[start._key].index_select(0, row) & keeps[end._key].index_select(0, col))
        row, col = store.edge_index
        store.edge_index = torch.stack([before[start._key].index_select(0, row), before[end._key].index_select(0, col)])
        if isinstance(data, Batch):
            shifts = [before[node._key][node.ptr][:-1].cpu() for node in ends(data, store)]
            inc = shifts[0] if store._key is None else torch.stack(shifts, 1)[:, :, None]
            _set_batch(data, "_inc_dict", store, {"edge_index": inc})
    for store in data.node_stores:
        mask = keeps[store._key]
        index = mask.nonzero().squeeze(1)
        if "batch_size" in store:
            seeds = mask[: store.batch_size]
            store.batch_size = int(seeds.sum())
            if "input_id" in store:
                store.input_id = store.input_id[seeds]
        _cut_slices(data, store, of_nodes[store._key], mask)
        for key in of_nodes[store._key]:
            store[key] = _select(data, store, key, index)
        if "ptr" in store:
            store.ptr = before[store._key][store.ptr]
        if "num_nodes" in store:
            store.num_nodes = index.numel()
            if isinstance(data, Batch):
                store._num_nodes = store.ptr.diff().tolist()
        if "n_id" not in store:
            store.n_id = index
            if isinstance(data, Batch):
                _set_batch(data, "_slice_dict", store, {"n_id": store.ptr.cpu()})
                _set_batch(data, "_inc_dict", store, {"n_id": torch.zeros(data.num_graphs, dtype=torch.long)})
    return data


def check_no_node_numbers(data: Graph) -> None:
    """Raise if an attribute other than ``edge_index`` holds node indices, which relabeling would invalidate."""
    keys = [key for store in data.stores for key in store.keys()]  # noqa: SIM118 (a store is no dict)
    if stale := [key for key in keys if key != "edge_index" and ("index" in key or key == "face")]:
        raise ValueError(f"data must hold no node indices but edge_index where nodes are dropped, got {stale}")


def edge_keys(data: Graph, store: BaseStorage) -> list[str]:
    """Names of the edge-level attributes; if the length also fits nodes or graphs, those with "edge" in the name."""
    num_edges, slices = store.num_edges, _slices(data, store)

    def is_edge_level(key: str) -> bool:
        if _length(data, store, key) != num_edges or key in ("batch", "ptr", "input_id"):
            return False
        if "edge" in key or key == "e_id" or store._key is not None:
            return True
        if key not in slices:
            return num_edges not in (1, store.num_nodes)
        own, nodes, edges = _ends(data, store, key), data.ptr.cpu(), slices["edge_index"]
        one_a_graph = torch.equal(own, torch.arange(len(own)))
        return torch.equal(own, edges) and not one_a_graph and not torch.equal(edges, nodes)

    return [key for key in store.keys() if is_edge_level(key)]  # noqa: SIM118 (a store is no dict)


def node_keys(data: Graph, store: BaseStorage) -> list[str]:
    """Names of the node-level attributes: those with N entries that are not edge-level."""
    others = {"ptr", "input_id", *(edge_keys(data, store) if store._key is None and "edge_index" in store else [])}
    slices = _slices(data, store)
    fitting = [key for key in store.keys() if key not in others and _length(data, store, key) == store.num_nodes]  # noqa: SIM118
    return [key for key in fitting if key not in slices or torch.equal(_ends(data, store, key), store.ptr.cpu())]


def _length(data: Graph, store: BaseStorage, key: str) -> int:
    value = store[key]
    if isinstance(value, Tensor):
        return value.size(data.__cat_dim__(key, value, store)) if value.dim() else -1
    if _is_list_of_lists(data, store, key):
        return sum(map(len, value))
    return len(value) if isinstance(value, (list, tuple)) else -1


def _is_list_of_lists(data: Graph, store: BaseStorage, key: str) -> bool:
    """``key`` holds one list for each graph of a ``Batch``, as PyG collates lists."""
    return key in _slices(data, store) and isinstance(store[key], list) and all(isinstance(v, list) for v in store[key])


def _select(data: Graph, store: BaseStorage, key: str, index: Tensor) -> Tensor | list | tuple:
    """The entries ``index`` of an attribute."""
    value = store[key]
    if not isinstance(value, Tensor):
        if not _is_list_of_lists(data, store, key):
            return type(value)(value[i] for i in index.tolist())
        flat = [(graph, entry) for graph, entries in enumerate(value) for entry in entries]
        chosen = [flat[i] for i in index.tolist()]
        return [[entry for own, entry in chosen if own == graph] for graph in range(len(value))]
    dim = data.__cat_dim__(key, value, store)
    if value.dim() == 2 and dim % 2 == 1:  # row by row is faster
        return torch.stack([row.index_select(0, index) for row in value])
    return dense_or_coo(value).index_select(dim, index)


def _slices(data: Graph, store: BaseStorage) -> dict[str, Tensor]:
    """Where in each attribute of ``store`` the graphs of a ``Batch`` start and end."""
    if not isinstance(data, Batch):
        return {}
    return data._slice_dict if store._key is None else data._slice_dict.get(store._key, {})


def _ends(data: Graph, store: BaseStorage, key: str) -> Tensor:
    """Where among the entries of an attribute of a ``Batch`` the graphs start and end ``[B + 1]``."""
    if _is_list_of_lists(data, store, key):
        return torch.tensor([0, *map(len, store[key])]).cumsum(0)
    return _slices(data, store)[key].reshape(-1)  # those of a sparse attribute are [B + 1, 1]


def _cut_slices(data: Graph, store: BaseStorage, keys: list[str], keep: Tensor) -> None:
    """Update the slices of the attributes ``keys``, of which ``keep`` is kept."""
    if slices := _slices(data, store):
        before = sums_before(keep).cpu()
        cut = [key for key in keys if key in slices and not _is_list_of_lists(data, store, key)]
        _set_batch(data, "_slice_dict", store, {key: before[slices[key]] for key in cut})


def _set_batch(data: Batch, name: str, store: BaseStorage, new: dict[str, Tensor]) -> None:
    """Update a bookkeeping dictionary of a ``Batch`` with ``new``, in a copy."""
    old = getattr(data, name)
    setattr(data, name, old | (new if store._key is None else {store._key: old.get(store._key, {}) | new}))
