"""The processes that ``torchrun`` starts: their group, their order and their randomness."""

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.distributed as dist
from torch import Generator

from augmentors._checks import check_at_least


class Process(NamedTuple):
    """Rank and device of one of the ``world_size`` processes that train together."""

    rank: int
    world_size: int
    device: torch.device


@contextmanager
def process_group() -> Iterator[Process]:
    """Join the process group that ``torchrun`` started, and destroy it at the end; without ``torchrun``, run alone.

    The backend is NCCL with one CUDA device per process if CUDA is available, else gloo. No model in
    ``DistributedDataParallel`` may outlive the group, which would then never end: build it in a function called inside.
    Restarts by ``torchrun --max-restarts`` work on one machine. On several, where torch 2.13 may reuse the addresses of
    killed processes, set ``TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1``.

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
    if os.environ.get("TORCHELASTIC_USE_AGENT_STORE") == "True":  # holds addresses of killed processes
        store = dist.TCPStore(os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"]), is_master=False)
        attempt = dist.PrefixStore(f"attempt-{os.environ['TORCHELASTIC_RESTART_COUNT']}", store)
        options = {"store": attempt, "rank": rank, "world_size": world_size}
    dist.init_process_group("nccl" if cuda else "gloo", **options)
    yield Process(rank, world_size, device)
    gc.collect()  # frees models in reference cycles
    dist.destroy_process_group()


@contextmanager
def local_rank_zero_first() -> Iterator[None]:
    """Run the body in the first process of each machine, then in its other processes, so that the first fills a cache.

    Without a process group, the body simply runs.

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
    """Seed a generator from integers of at least 0, such as ``seed, epoch, rank``; others give an independent stream.

    Called at the start of each epoch, it makes the epoch's randomness a function of these integers, so an interrupted
    run resumes exactly without the state of any rank's generator.

    Example:
        >>> generator = Generator()
        >>> reseed(generator, 0, 7, 1)
        >>> torch.rand(2, generator=generator)
        tensor([0.5117, 0.0743])
    """
    for part in key:
        check_at_least("key", part, 0)
    generator.manual_seed(int(np.random.SeedSequence(key).generate_state(1)[0]))
