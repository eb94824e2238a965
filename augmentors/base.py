"""What every augmentor shares: the base class, arguments per type, and sampling.

A ``Data`` has one store of attributes, a ``HeteroData`` one for each node type and edge type; the helpers take a store
of ``data.node_stores`` or ``data.edge_stores``, and ``None`` for the store of a ``Data``.
"""

import copy
from abc import abstractmethod
from collections.abc import Callable, Iterable

import torch
from torch import Generator, Tensor
from torch_geometric.data import Data, HeteroData
from torch_geometric.data.storage import BaseStorage
from torch_geometric.transforms import BaseTransform

NodeFloat = float | dict[str, float]
EdgeFloat = float | dict[tuple[str, str, str], float]


class Augmentor(BaseTransform):
    """A random map from a graph to a view of it: subclass it and write ``forward``.

    ``forward(data, generator)`` gets a shallow copy of the caller's graph: rebind attributes
    (``data.x = data.x * mask``), never write into their tensors. It works on ``Data`` and on a
    ``Batch``, and composes with ``torch_geometric.transforms.Compose``. A subclass whose ``forward`` takes a
    ``HeteroData`` too says so by ``hetero = True``; the others refuse it.

    Example:
        >>> class SignFlip(Augmentor):
        ...     def forward(self, data, generator=None):
        ...         flip = uniform(data.num_nodes, data.x.device, generator) < 0.5
        ...         data.x = torch.where(flip[:, None], -data.x, data.x)
        ...         return data
        >>> view = SignFlip()(Data(x=torch.ones(3, 2)), generator=torch.Generator().manual_seed(0))
        >>> view.x[:, 0]
        tensor([-1.,  1., -1.])
    """

    hetero = False

    def __call__(self, data: Data | HeteroData, *, generator: Generator | None = None) -> Data | HeteroData:
        """Return a view of ``data``, which stays as it was; ``generator=None`` draws from torch's global seed."""
        if not isinstance(data, (Data, HeteroData)):
            raise TypeError(f"data must be a torch_geometric Data or Batch, got {type(data).__name__}")
        if isinstance(data, HeteroData) and not self.hetero:
            raise TypeError(f"data must be a Data or Batch for {type(self).__name__}, got {type(data).__name__}")
        return self.forward(copy.copy(data), generator)

    @abstractmethod
    def forward(self, data: Data, generator: Generator | None = None) -> Data:
        """Turn the shallow copy ``data`` into the view."""


def check_probability(name: str, value: float) -> float:
    """``value`` as a float, or an error that names the argument."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{name} must be a float in [0, 1], got {value!r}")
    if not 0.0 <= value <= 1.0:
        raise ValueError(f"{name} must be in [0, 1], got {value}")
    return float(value)


def check_at_least(name: str, value: int, least: int) -> int:
    """``value`` if it is an integer from ``least`` on, or an error that names the argument."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be an int, got {value!r}")
    if value < least:
        raise ValueError(f"{name} must be at least {least}, got {value}")
    return value


def check_per_type(name: str, value: float | dict, check: Callable[[str, float], float]) -> float | dict:
    """``check`` on one value, or on each value of a ``{type: value}``."""
    if isinstance(value, dict):
        return {key: check(f"{name}[{key!r}]", one) for key, one in value.items()}
    return check(name, value)


def per_type(name: str, value: float | dict, stores: list[BaseStorage]) -> list[tuple[BaseStorage, float]]:
    """Each store with its value; the types that a ``{type: value}`` leaves out are left out here."""
    if not isinstance(value, dict):
        return [(store, value) for store in stores]
    types = [store._key for store in stores]
    if unknown := [key for key in value if key not in types]:
        raise ValueError(f"{name} must have types of the graph as keys, {types}, got {unknown}")
    return [(store, value[store._key]) for store in stores if store._key in value]


def edge_stores(data: Data | HeteroData) -> list[BaseStorage]:
    """The stores that hold an ``edge_index``."""
    for store in data.edge_stores:
        if "adj_t" in store or "adj" in store:
            raise ValueError("data must hold its edges as edge_index, got a sparse adjacency matrix")
    return [store for store in data.edge_stores if "edge_index" in store]


def edges_of(data: Data) -> Tensor:
    """``edge_index``, or one without edges where there is none."""
    stores = edge_stores(data)
    return stores[0].edge_index if stores else graph_of(data._store)[0].new_empty(2, 0)


def ends(data: Data | HeteroData, store: BaseStorage) -> tuple[BaseStorage, BaseStorage]:
    """The stores of the nodes where the edges of ``store`` start and where they end."""
    return (store, store) if store._key is None else (data[store._key[0]], data[store._key[2]])


def graph_of(store: BaseStorage) -> tuple[Tensor, Tensor]:
    """The graph of each node ``[N]`` and where each graph's nodes start and end ``[B + 1]``."""
    if "batch" in store and "ptr" in store:
        return store.batch, store.ptr
    device = next((value.device for value in store.values() if isinstance(value, Tensor)), None)
    ptr = torch.tensor([0, store.num_nodes], device=device)
    return torch.zeros(store.num_nodes, dtype=torch.long, device=device), ptr


def uniform(size: int | Iterable[int], device: torch.device, generator: Generator | None) -> Tensor:
    """Uniform float32 in [0, 1) drawn on the generator's device, so that a CPU generator serves any device."""
    shape = (size,) if isinstance(size, int) else tuple(size)
    return torch.rand(shape, generator=generator, device=_source(device, generator)).to(device)


def normal(size: Iterable[int], device: torch.device, generator: Generator | None) -> Tensor:
    """Standard normal float32 drawn on the generator's device."""
    return torch.randn(tuple(size), generator=generator, device=_source(device, generator)).to(device)


def random_bits(size: Iterable[int], device: torch.device, generator: Generator | None) -> Tensor:
    """Uniform int64 in [0, 2**32)."""
    return torch.randint(2**32, tuple(size), generator=generator, device=_source(device, generator)).to(device)


def pick(bits: Tensor, count: Tensor) -> Tensor:
    """Turn uniform ``bits`` in [0, 2**32) into a uniform choice in [0, count), 0 where ``count`` is 0."""
    return bits * count >> 32


def random_order(store: BaseStorage, generator: Generator | None) -> Tensor:
    """The nodes ``[N]`` graph by graph, and within each graph in random order."""
    batch, ptr = graph_of(store)
    order = torch.randperm(batch.numel(), generator=generator, device=_source(batch.device, generator)).to(batch.device)
    return order if ptr.numel() == 2 else order[batch[order].argsort(stable=True)]


def uniform_per_pair(edge_index: Tensor, num_nodes: int, generator: Generator | None) -> Tensor:
    """Uniform float32 in [0, 1) ``[E]``, equal for ``(u, v)``, ``(v, u)`` and duplicates."""
    return bits_per_pair(edge_index, num_nodes, generator).bitwise_right_shift_(8).float().div_(2**24)


def bits_per_pair(edge_index: Tensor, num_nodes: int, generator: Generator | None) -> Tensor:
    """Uniform int64 in [0, 2**32) ``[E]``, equal for ``(u, v)``, ``(v, u)`` and duplicates.

    A random 63-bit key is mixed with the pair's number by the splitmix64 finaliser: linear time, no sort, no
    search for the reverse edge, no host synchronisation. On a CPU the pieces fit its cache.
    """
    device = edge_index.device
    key = torch.randint(2**63 - 1, (), generator=generator, device=_source(device, generator)).to(device)
    row, col = edge_index
    bits = torch.empty_like(row)
    piece = 2**15 if device.type == "cpu" else max(1, row.numel())
    for u, v, z in zip(row.split(piece), col.split(piece), bits.split(piece), strict=True):
        torch.minimum(u, v, out=z).mul_(num_nodes).add_(torch.maximum(u, v)).mul_(-0x61C8864680B583EB).add_(key)
        for shift, factor in ((30, -0x40A7B892E31B1A47), (27, -0x6B2FB644ECCEEE15), (31, 1)):
            z.bitwise_xor_((z >> shift).bitwise_and_(2 ** (64 - shift) - 1)).mul_(factor)
        z.bitwise_right_shift_(32).bitwise_and_(2**32 - 1)
    return bits


def _source(device: torch.device, generator: Generator | None) -> torch.device:
    return device if generator is None else generator.device
