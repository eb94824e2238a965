"""Ids of nodes: arrays of integers or of strings."""

from typing import Any

import numpy as np
from numpy import ndarray
from torch import Tensor


def as_ids(name: str, values: Any) -> ndarray:
    """``values`` as an array of int64 or of strings."""
    array = values.cpu().numpy() if isinstance(values, Tensor) else np.asarray(values)
    if not isinstance(values, (Tensor, ndarray)) or array.dtype.kind == "O":
        objects = np.asarray(values, dtype=object)  # numpy makes the integer 1 the string "1" beside strings
        array = np.asarray(objects.tolist()) if array.dtype.kind == "O" else array
        if array.dtype.kind == "U" and not np.array_equal(array, objects):
            strange = objects[np.asarray(array != objects)][0]
            raise TypeError(f"{name} must hold only integers or only strings, got strings and {strange!r}")
    if array.dtype.kind not in "iuU" and array.size:
        missing = array.dtype.kind == "O" or (array.dtype.kind == "f" and np.isnan(array).any())
        got = "a missing one" if missing else str(array.dtype)
        raise TypeError(f"{name} must hold only integers or only strings, got {got}")
    if array.dtype.kind == "u" and array.size and array.max() > np.iinfo(np.int64).max:
        raise ValueError(f"{name} must hold integers below 2**63, got {array.max()}")
    return array if array.dtype.kind == "U" else array.astype(np.int64)


def check_unique(name: str, ids: ndarray) -> None:
    """No id is there twice."""
    found, count = np.unique(ids, return_counts=True)
    if len(found) < len(ids):
        raise ValueError(f"{name} must hold each id once, got {found[count.argmax()].item()!r} {count.max()} times")


def check_one_kind(problem: str, a: ndarray, b: ndarray) -> None:
    """Both hold integers, or both strings, if they hold any."""
    if len(a) and len(b) and a.dtype.kind != b.dtype.kind:
        kinds = ["strings" if array.dtype.kind == "U" else "integers" for array in (a, b)]
        raise TypeError(f"{problem}, got {kinds[0]} and {kinds[1]}")


def locate(ids: ndarray, nodes: ndarray, problem: str) -> ndarray:
    """The positions of ``ids`` in ``nodes``, which has each id once; ``problem`` describes an id that is missing."""
    check_one_kind(problem, ids, nodes)
    order = nodes.argsort()
    found = np.searchsorted(nodes, ids, sorter=order)
    inside = found < len(nodes)
    found = order[found[inside]]
    inside[inside] = nodes[found] == ids[inside]
    if not inside.all():
        unknown = ids[~inside]
        raise ValueError(f"{problem}, got none for {unknown[0].item()!r} ({len(unknown)} such ids)")
    return found
