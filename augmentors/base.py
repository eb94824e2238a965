"""What every augmentor shares: the base class, sampling, argument checks and edge selection."""

import copy
from abc import abstractmethod
from collections.abc import Iterable

import torch
from torch import Generator, Tensor
from torch_geometric.data import Batch, Data
from torch_geometric.transforms import BaseTransform


class Augmentor(BaseTransform):
    """A random map from a graph to a view of it: subclass it and write ``forward``.

    ``forward(data, generator)`` gets a shallow copy of the caller's graph: rebind attributes
    (``data.x = data.x * mask``), never write into their tensors. It works on ``Data`` and on a
    ``Batch``, and composes with ``torch_geometric.transforms.Compose``.

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

    def __call__(self, data: Data, *, generator: Generator | None = None) -> Data:
        """Return a view of ``data``, which stays as it was; ``generator=None`` draws from torch's global seed."""
        if not isinstance(data, Data):
            raise TypeError(f"data must be a torch_geometric Data or Batch, got {type(data).__name__}")
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


def uniform(size: int | Iterable[int], device: torch.device, generator: Generator | None) -> Tensor:
    """Uniform float32 in [0, 1) drawn on the generator's device, so that a CPU generator serves any device."""
    shape = (size,) if isinstance(size, int) else tuple(size)
    return torch.rand(shape, generator=generator, device=_source(device, generator)).to(device)


def uniform_per_pair(edge_index: Tensor, num_nodes: int, generator: Generator | None) -> Tensor:
    """Uniform float32 in [0, 1) ``[E]``, equal for ``(u, v)``, ``(v, u)`` and duplicates.

    A random 63-bit key is mixed with the pair's number by the splitmix64 finaliser: linear time, no sort, no
    search for the reverse edge, no host synchronisation.
    """
    device = edge_index.device
    key = torch.randint(2**63 - 1, (), generator=generator, device=_source(device, generator)).to(device)
    row, col = edge_index
    z = (torch.minimum(row, col) * num_nodes + torch.maximum(row, col)).mul_(-0x61C8864680B583EB).add_(key)
    for shift, mask, factor in (
        (30, 0x3FFFFFFFF, -0x40A7B892E31B1A47),
        (27, 0x1FFFFFFFFF, -0x6B2FB644ECCEEE15),
    ):
        z = z.bitwise_xor_((z >> shift).bitwise_and_(mask)).mul_(factor)
    z = z.bitwise_xor_((z >> 31).bitwise_and_(0x1FFFFFFFF))
    return z.bitwise_right_shift_(40).bitwise_and_(0xFFFFFF).float().div_(2**24)


def keep_edges(data: Data, mask: Tensor) -> Data:
    """Keep the edges where ``mask`` ``[E]`` is true, with every edge-level attribute, in a ``Batch`` too."""
    slices = data._slice_dict if isinstance(data, Batch) else {}
    keys = edge_keys(data)
    if slices:
        kept_before = torch.cat([mask.new_zeros(1, dtype=torch.long), mask.cumsum(0)]).cpu()
        data._slice_dict = slices | {key: kept_before[slices[key]] for key in keys}
    index = mask.nonzero().squeeze(1)
    for key in keys:
        data[key] = _select(data[key], index, data.__cat_dim__(key, data[key]))
    return data


def edge_keys(data: Data) -> list[str]:
    """Names of the edge-level attributes; where the length also fits nodes or graphs, those with "edge" in the name."""
    num_edges, num_nodes = data.num_edges, data.num_nodes
    slices = data._slice_dict if isinstance(data, Batch) else {}

    def length(key: str) -> int:
        value = data[key]
        if isinstance(value, Tensor):
            return value.size(data.__cat_dim__(key, value)) if value.dim() else -1
        return len(value) if isinstance(value, (list, tuple)) else -1

    def is_edge_level(key: str) -> bool:
        if length(key) != num_edges or key in ("batch", "ptr"):
            return False
        if "edge" in key:
            return True
        if not slices:
            return num_edges != num_nodes
        one_a_graph = torch.equal(slices[key], torch.arange(len(slices[key])))
        nodes = data.ptr.cpu()
        edges = slices["edge_index"]
        return torch.equal(slices[key], edges) and not one_a_graph and not torch.equal(edges, nodes)

    return [key for key in data.keys() if is_edge_level(key)]  # noqa: SIM118 (a Data is no dict)


def _select(value: Tensor | list | tuple, index: Tensor, dim: int) -> Tensor | list | tuple:
    if isinstance(value, Tensor):
        return value.index_select(dim, index)
    return type(value)(value[i] for i in index.tolist())


def _source(device: torch.device, generator: Generator | None) -> torch.device:
    return device if generator is None else generator.device
