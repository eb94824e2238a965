"""The one training loop, and checkpoints that lose nothing."""

import copy
import os
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Generator, Tensor
from torch.nn.parallel import DistributedDataParallel
from torch.optim import Optimizer
from torch_geometric.data import Data

from gcl.checks import check_at_least_one, check_graph
from gcl.methods import Method


def fit(
    method: Method | DistributedDataParallel,
    batches: Iterable[Data],
    optimizer: Optimizer,
    epochs: int,
    *,
    generator: Generator | None = None,
    start: int = 0,
    accumulate: int = 1,
) -> Iterator[tuple[int, Tensor]]:
    """Train, and yield after each epoch: logging, evaluation, early stopping and checkpoints are the caller's lines.

    Args:
        method: what to train, alone or in ``DistributedDataParallel``; put in training mode at each epoch.
        batches: gone through once an epoch: ``[data]`` for a full graph, or a loader; a batch elsewhere than the method
            is copied to its device.
        optimizer: over the method's parameters.
        epochs: number of the last epoch.
        generator: randomness of the views; ``None`` draws from torch's global seed.
        start: epochs already done, as :func:`load_checkpoint` returns.
        accumulate: batches to a step, which takes their mean gradient; an epoch's last step takes those that are left.

    Yields:
        The epoch's number, from ``start + 1`` to ``epochs``, and its mean loss, a scalar on the device.

    Raises:
        ValueError: a batch is no valid graph (checked in the first epoch), there are none, or ``accumulate`` is not
            above 0.
        FloatingPointError: the mean loss of an epoch is not finite; raised in place of the epoch, so that the last
            checkpoint is one from before it.

    Example:
        >>> from gcl.methods import GRACE
        >>> from gcl.nn import gcn
        >>> data = Data(x=torch.eye(4), edge_index=torch.tensor([[0, 1, 2, 3], [1, 0, 3, 2]]))
        >>> method = GRACE(gcn(4, 8, 8), dim=8)
        >>> optimizer = torch.optim.Adam(method.parameters(), lr=1e-3)
        >>> [epoch for epoch, loss in fit(method, [data], optimizer, epochs=3)]
        [1, 2, 3]
    """
    check_at_least_one("accumulate", accumulate)
    own = method.module if isinstance(method, DistributedDataParallel) else method
    device = next(own.parameters()).device
    for epoch in range(start + 1, epochs + 1):
        method.train()
        losses = []
        remaining = iter(batches)
        while group := list(islice(remaining, accumulate)):
            optimizer.zero_grad(set_to_none=True)
            for batch in group:
                if epoch == start + 1:
                    check_graph(batch)
                loss = method(copy.copy(batch).to(device), generator)
                (loss / len(group)).backward()
                losses.append(loss.detach())
            optimizer.step()
            own.after_step()
        if not losses:
            raise ValueError("batches must hold at least one graph, got none")
        mean = torch.stack(losses).mean()
        if not torch.isfinite(mean):
            raise FloatingPointError(f"the mean loss of epoch {epoch} is {mean.item()}: try a lower learning rate")
        yield epoch, mean


class Stateful(Protocol):
    """Modules, optimizers, schedulers and gradient scalers: what has a state to save."""

    def state_dict(self) -> dict[str, Any]:
        """Return the state."""

    def load_state_dict(self, state_dict: dict[str, Any]) -> Any:
        """Take a state over."""


def save_checkpoint(path: str | Path, epoch: int, **parts: Stateful | Generator) -> None:
    """Save a run after an epoch, so that it goes on as if it had not been stopped.

    The file appears whole or not at all: a kill during the write leaves the previous one.

    Args:
        path: the file; its folder is made.
        epoch: the number of epochs done.
        **parts: everything with a state, by a name of your choice: ``method=``, ``optimizer=``, ``generator=``,
            a learning-rate scheduler. torch's global random states are saved too.

    Example:
        >>> import tempfile
        >>> g = torch.Generator().manual_seed(0)
        >>> path = Path(tempfile.mkdtemp(), "run.ckpt")
        >>> save_checkpoint(path, 7, generator=g)
        >>> before = torch.rand(2, generator=g)
        >>> load_checkpoint(path, generator=g)
        7
        >>> torch.equal(before, torch.rand(2, generator=g))
        True
    """
    path = Path(path)
    state = {
        "epoch": epoch,
        "parts": {name: _get_state(part) for name, part in parts.items()},
        "cpu_rng": torch.get_rng_state(),
        "cuda_rng": torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else [],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with draft.open("wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def load_checkpoint(path: str | Path, **parts: Stateful | Generator) -> int:
    """Put a run's parts back into the state saved by :func:`save_checkpoint`, and return the epochs done.

    Tensors are loaded onto the devices of the parts; nothing but tensors and plain containers is unpickled.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is no checkpoint, or was saved with other parts.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"no checkpoint at {path}")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        epoch, saved = state["epoch"], state["parts"]
    except Exception as error:
        raise ValueError(f"{path} is no checkpoint of gcl.train.save_checkpoint, or it is damaged") from error
    if saved.keys() != parts.keys():
        raise ValueError(f"{path} holds the parts {sorted(saved)}, got {sorted(parts)}")
    for name, part in parts.items():
        _set_state(part, saved[name])
    torch.set_rng_state(state["cpu_rng"])
    if state["cuda_rng"] and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(state["cuda_rng"])
    return epoch


def _get_state(part: Stateful | Generator) -> Any:
    return part.get_state() if isinstance(part, Generator) else part.state_dict()


def _set_state(part: Stateful | Generator, state: Any) -> None:
    if isinstance(part, Generator):
        part.set_state(state)
    else:
        part.load_state_dict(state)
