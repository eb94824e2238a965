"""Random numbers drawn on the generator's device, so that a CPU generator gives the same numbers on any device."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Generator, Tensor

from augmentors._signatures import parameters_of


def uniform(size: int | Iterable[int], device: torch.device, generator: Generator | None) -> Tensor:
    """Uniform float32 in [0, 1)."""
    shape = (size,) if isinstance(size, int) else tuple(size)
    return torch.rand(shape, generator=generator, device=_source(device, generator)).to(device)


def normal(
    size: Iterable[int], device: torch.device, generator: Generator | None, dtype: torch.dtype = torch.float32
) -> Tensor:
    """Standard normal."""
    return torch.randn(tuple(size), generator=generator, device=_source(device, generator), dtype=dtype).to(device)


def integers(high: int, size: Iterable[int], device: torch.device, generator: Generator | None) -> Tensor:
    """Uniform int64 in [0, ``high``)."""
    return torch.randint(high, tuple(size), generator=generator, device=_source(device, generator)).to(device)


def permutation(n: int, device: torch.device, generator: Generator | None) -> Tensor:
    """The numbers below ``n`` in random order."""
    return torch.randperm(n, generator=generator, device=_source(device, generator)).to(device)


def random_bits(size: Iterable[int], device: torch.device, generator: Generator | None) -> Tensor:
    """Uniform int64 in [0, 2**32)."""
    return integers(2**32, size, device, generator)


def pick(bits: Tensor, count: Tensor) -> Tensor:
    """Turn uniform ``bits`` in [0, 2**32) into a uniform choice in [0, count), 0 where ``count`` is 0."""
    return bits * count >> 32


def uniform_per_pair(edge_index: Tensor, num_nodes: int, generator: Generator | None) -> Tensor:
    """Uniform float32 in [0, 1) ``[E]``, equal for ``(u, v)``, ``(v, u)`` and duplicates."""
    return bits_per_pair(edge_index, num_nodes, generator).bitwise_right_shift_(8).float().div_(2**24)


def bits_per_pair(edge_index: Tensor, num_nodes: int, generator: Generator | None) -> Tensor:
    """Uniform int64 in [0, 2**32) ``[E]``, equal for ``(u, v)``, ``(v, u)`` and duplicates.

    A random 63-bit key is mixed with the pair's number by the splitmix64 finalizer: linear time, no sort, no
    search for the reverse edge, no host synchronization. On a CPU the pieces fit its cache.
    """
    device = edge_index.device
    key = integers(2**63 - 1, (), device, generator)
    row, col = edge_index
    bits = torch.empty_like(row)
    piece = 2**15 if device.type == "cpu" else max(1, row.numel())
    for u, v, z in zip(row.split(piece), col.split(piece), bits.split(piece), strict=True):
        torch.minimum(u, v, out=z).mul_(num_nodes).add_(torch.maximum(u, v)).mul_(-0x61C8864680B583EB).add_(key)
        for shift, factor in ((30, -0x40A7B892E31B1A47), (27, -0x6B2FB644ECCEEE15), (31, 1)):
            z.bitwise_xor_((z >> shift).bitwise_and_(2 ** (64 - shift) - 1)).mul_(factor)
        z.bitwise_right_shift_(32).bitwise_and_(2**32 - 1)
    return bits


def call(function: Callable[..., Any], *arguments: Any, generator: Generator | None) -> Any:
    """``function(*arguments)``, with the generator if it takes one: plain PyG transforms and user functions may not."""
    if "generator" in parameters_of(function):
        return function(*arguments, generator=generator)
    return function(*arguments)


def _source(device: torch.device, generator: Generator | None) -> torch.device:
    return device if generator is None else generator.device
