"""Checkpoints that lose nothing, and are loaded whole or not at all."""

import copy
import hashlib
import io
import os
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Generator, Tensor
from torch.optim import Optimizer

_MAGIC = b"torch-gcl checkpoint 1\n"
_STALE = 3600.0  # seconds after which the draft of another process counts as left behind by a kill


def save_checkpoint(path: str | Path, epoch: int, **parts: Any) -> None:
    """Save a run after an epoch, so that it goes on as if it had not been stopped.

    The file appears whole or not at all: a kill during the write leaves the previous one.

    Args:
        path: the file; its folder is made. Of a symbolic link the target is replaced.
        epoch: the number of epochs done.
        **parts: everything with a state, by a name of your choice: ``method=``, ``optimizer=``, ``generator=``,
            a learning-rate scheduler. torch's global random states are saved too.

    Raises:
        TypeError: a part has no state.

    Example:
        >>> g = torch.Generator().manual_seed(0)
        >>> path = Path(tempfile.mkdtemp(), "run.ckpt")
        >>> save_checkpoint(path, 7, generator=g)
        >>> before = torch.rand(2, generator=g)
        >>> load_checkpoint(path, generator=g)
        7
        >>> torch.equal(before, torch.rand(2, generator=g))
        True
    """
    path = Path(os.path.realpath(path))
    state = {
        "epoch": epoch,
        "parts": {name: _state_of(name, part) for name, part in parts.items()},
        "cpu_rng": torch.get_rng_state(),
        "cuda_rng": torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else [],
    }
    buffer = io.BytesIO()
    torch.save(state, buffer)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(prefix=f"{path.name}.", suffix=".part", dir=path.parent)
    try:
        with open(handle, "wb") as file:
            file.write(_MAGIC + hashlib.sha256(buffer.getbuffer()).digest())
            file.write(buffer.getbuffer())
            file.flush()
            os.fsync(file.fileno())
        Path(draft).replace(path)
    finally:
        Path(draft).unlink(missing_ok=True)
    _remove_stale_drafts(path)


def load_checkpoint(path: str | Path, **parts: Any) -> int:
    """Put a run's parts back into the state saved by :func:`save_checkpoint`, and return the epochs done.

    A damaged file is found by its checksum before anything is loaded. Every part is compared with its saved state, in
    names, shapes and dtypes, before any is changed. Tensors are loaded onto the devices of the parts; nothing but
    tensors and plain containers is unpickled.

    Args:
        path: the file.
        **parts: the parts by the names that they were saved by. Some of them will do, such as ``method=`` alone for
            inference; torch's global random states come back where all are given.

    Raises:
        FileNotFoundError, OSError: there is no such file, or it cannot be read.
        ValueError: the file is no checkpoint or damaged, or a part does not fit its saved state; no part is changed.
        TypeError: a part has no state.

    Example:
        >>> path = Path(tempfile.mkdtemp(), "run.ckpt")
        >>> method = torch.nn.Linear(2, 2)
        >>> save_checkpoint(path, 3, method=method, optimizer=torch.optim.Adam(method.parameters()))
        >>> load_checkpoint(path, method=torch.nn.Linear(2, 2))  # for inference
        3
    """
    state = _read(Path(path))
    saved = state["parts"]
    if not parts.keys() <= saved.keys():
        raise ValueError(f"{path} holds the parts {sorted(saved)}, got {sorted(parts)}")
    before = {name: copy.deepcopy(_state_of(name, part)) for name, part in parts.items()}
    for name, part in parts.items():
        if difference := _difference(part, before[name], saved[name]):
            raise ValueError(f"{name} does not fit its saved state in {path}: {difference}")
    try:
        for name, part in parts.items():
            _set_state(part, saved[name])
    except Exception as error:
        for earlier, part in parts.items():
            _set_state(part, before[earlier])
        raise ValueError(f"{name} does not fit its saved state in {path}: {error}") from error
    if parts.keys() == saved.keys():
        torch.set_rng_state(state["cpu_rng"])
        if state["cuda_rng"] and torch.cuda.is_available():
            torch.cuda.set_rng_state_all(state["cuda_rng"])
    return state["epoch"]


def _read(path: Path) -> dict[str, Any]:
    """What is in the file."""
    if not path.exists():
        raise FileNotFoundError(f"no checkpoint at {path}")
    content = path.read_bytes()
    start = len(_MAGIC) + hashlib.sha256().digest_size
    digest, payload = content[len(_MAGIC) : start], memoryview(content)[start:]
    if not content.startswith(_MAGIC) or hashlib.sha256(payload).digest() != digest:
        raise ValueError(f"{path} is no checkpoint of gcl.train.save_checkpoint, or it is damaged")
    return torch.load(io.BytesIO(payload), map_location="cpu", weights_only=True)


def _remove_stale_drafts(path: Path) -> None:
    """Remove what kills left behind; the draft of a running process is younger."""
    for draft in path.parent.glob(f"{path.name}.*.part"):
        try:
            if time.time() - draft.stat().st_mtime > _STALE:
                draft.unlink()
        except FileNotFoundError:
            pass  # another process was faster


def _state_of(name: str, part: Any) -> Any:
    if isinstance(part, Generator):
        return part.get_state()
    if not hasattr(part, "state_dict") or not hasattr(part, "load_state_dict"):
        raise TypeError(f"{name} must have a state_dict or be a torch.Generator, got {type(part).__name__}")
    return part.state_dict()


def _set_state(part: Any, state: Any) -> None:
    if isinstance(part, Generator):
        part.set_state(state)
    else:
        part.load_state_dict(state)


def _difference(part: Any, own: Any, saved: Any) -> str | None:
    """How the saved state differs from the part's own in names, shapes or dtypes; ``None``: it does not."""
    if type(own) is not type(saved):
        return "it was saved from something else"
    if isinstance(part, Optimizer):
        parameters = [p for group in part.param_groups for p in group["params"]]
        moments = [(n, moment) for n, values in saved.get("state", {}).items() for moment in values.values()]
        wrong = [n for n, m in moments if n >= len(parameters) or (m.dim() and m.shape != parameters[n].shape)]
        return f"the moments of its parameters {wrong} have other shapes" if wrong else None
    if not isinstance(own, Mapping):
        return None
    if others := own.keys() ^ saved.keys():
        return f"only one of the two has {sorted(others)}"
    kinds = ((name, *(_kind(state[name]) for state in (own, saved))) for name in own)
    return next((f"{name} is {mine}, in the file {theirs}" for name, mine, theirs in kinds if mine != theirs), None)


def _kind(value: Any) -> str:
    return f"{value.dtype} {tuple(value.shape)}" if isinstance(value, Tensor) else "no tensor"
