"""Checkpoints that lose nothing."""

import os
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Generator


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
