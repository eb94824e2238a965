"""Processes that ``torchrun`` started: their group, who comes first, and their randomness."""

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.distributed as dist
from torch import Generator


class Process(NamedTuple):
    """One of ``world_size`` processes that train together, numbered by ``rank``, and its device."""

    rank: int
    world_size: int
    device: torch.device


@contextmanager
def process_group() -> Iterator[Process]:
    """Join the processes that ``torchrun`` started, and leave them at the end; started without it, a process is alone.

    They meet over NCCL, a CUDA device each, where there is CUDA, else over gloo. No model in
    ``DistributedDataParallel`` may outlive the group (its end would wait for ever): build it in a function called here.
    Restarts by ``torchrun --max-restarts`` work on one machine; on several, where torch 2.13 may hand on the addresses
    of killed processes, set ``TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1``.

    Yields:
        This process.

    Example:
        >>> with process_group() as process:
        ...     process.rank, process.world_size
        (0, 1)
    """
    cuda = torch.cuda.is_available()
    if not dist.is_torchelastic_launched():
        yield Process(0, 1, torch.device("cuda" if cuda else "cpu"))
        return
    device = torch.device(f"cuda:{os.environ['LOCAL_RANK']}" if cuda else "cpu")
    if cuda:
        torch.cuda.set_device(device)
    rank, world_size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    options: dict[str, Any] = {}
    if os.environ.get("TORCHELASTIC_USE_AGENT_STORE") == "True":  # the store still has the addresses of those killed
        store = dist.TCPStore(os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"]), is_master=False)
        attempt = dist.PrefixStore(f"attempt-{os.environ['TORCHELASTIC_RESTART_COUNT']}", store)
        options = {"store": attempt, "rank": rank, "world_size": world_size}
    dist.init_process_group("nccl" if cuda else "gloo", **options)
    yield Process(rank, world_size, device)
    gc.collect()  # models in reference cycles too
    dist.destroy_process_group()


@contextmanager
def local_rank_zero_first() -> Iterator[None]:
    """What is inside, in the first process of each machine while the others wait, and then in these: to fill a cache.

    Without a process group it is simply done.

    Example:
        >>> with local_rank_zero_first():
        ...     print("downloads, unpacks, partitions")
        downloads, unpacks, partitions
    """
    first = int(os.environ.get("LOCAL_RANK", 0)) == 0
    if dist.is_initialized() and not first:
        dist.barrier()
    yield
    if dist.is_initialized() and first:
        dist.barrier()


def reseed(generator: Generator, *key: int) -> None:
    """Seed a generator by several numbers, such as ``seed, epoch, rank``: independent streams for different numbers.

    Called at the start of each epoch, it makes the epoch's randomness a function of these numbers, so that a run goes
    on exactly after a stop without the state of any rank's generator.

    Args:
        generator: what to seed.
        *key: each at least 0.

    Example:
        >>> generator = Generator()
        >>> reseed(generator, 0, 7, 1)
        >>> before = torch.rand(2, generator=generator)
        >>> reseed(generator, 0, 7, 1)
        >>> torch.equal(before, torch.rand(2, generator=generator))
        True
    """
    generator.manual_seed(int(np.random.SeedSequence(key).generate_state(1)[0]))
