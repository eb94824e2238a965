"""Checks of single arguments: each raises an error that names the argument, the value got and what is allowed."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor


def check_number(name: str, value: float, inside: Callable[[float], bool], allowed: str, wanted: str = "") -> float:
    """``value`` as a float for which ``inside`` is true; ``allowed`` and ``wanted`` describe it in the errors."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{name} must be {wanted or f'a number {allowed}'}, got {value!r}")
    if not inside(value):
        raise ValueError(f"{name} must be {allowed}, got {value}")
    return float(value)


def check_probability(name: str, value: float, below: float | None = None) -> float:
    """``value`` as a float in [0, 1], or in [0, ``below``)."""
    allowed = "in [0, 1]" if below is None else f"in [0, {below:g})"
    return check_number(name, value, lambda v: 0 <= v <= 1 and (below is None or v < below), allowed)


def check_positive(name: str, value: float) -> float:
    """``value`` as a finite float above 0."""
    return check_number(name, value, lambda v: 0 < v < math.inf, "finite and above 0", "a positive number")


def check_not_negative(name: str, value: float) -> float:
    """``value`` as a finite float of at least 0."""
    return check_number(name, value, lambda v: 0 <= v < math.inf, "finite and at least 0", "a number of at least 0")


def check_at_least(name: str, value: int, least: int) -> int:
    """``value`` if it is an integer of at least ``least``."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be an int, got {value!r}")
    if value < least:
        raise ValueError(f"{name} must be at least {least}, got {value}")
    return value


def check_callable(name: str, value: Any, wanted: str) -> Any:
    """``value`` if it can be called; ``wanted`` describes it in the error."""
    if not callable(value):
        raise TypeError(f"{name} must be {wanted}, got {value!r}")
    return value


def check_per_type(name: str, value: float | dict, check: Callable[[str, float], float]) -> float | dict:
    """``check`` on one value, or on each value of a ``{type: value}``."""
    if isinstance(value, dict):
        return {key: check(f"{name}[{key!r}]", one) for key, one in value.items()}
    return check(name, value)


def check_pair(name: str, value: float | tuple[float, float]) -> tuple[float, float]:
    """The probabilities of both views: ``value`` twice if it is one number."""
    pair = value if isinstance(value, (tuple, list)) else (value, value)
    if len(pair) != 2:
        raise ValueError(f"{name} must be a number or a pair, one for each view, got {value!r}")
    return check_probability(name, pair[0]), check_probability(name, pair[1])


def check_tensor(
    name: str, value: Tensor, wanted: str, fits: Callable[[Tensor], bool] = Tensor.is_floating_point
) -> None:
    """``value`` is a dense tensor of a dtype that ``fits``, which ``wanted`` describes."""
    if not isinstance(value, Tensor) or not fits(value):
        got = f"{value.dtype} tensor" if isinstance(value, Tensor) else type(value).__name__
        raise TypeError(f"{name} must be {wanted}, got {got}")
    if value.layout is not torch.strided:
        raise TypeError(f"{name} must be dense, got {value.layout}: use {name}.to_dense()")


def check_shape(name: str, value: Tensor, *shape: int | str) -> None:
    """``value`` has a shape, in which a word allows any size."""
    wanted = [size if isinstance(want, str) else want for want, size in zip(shape, value.shape, strict=False)]
    if value.dim() != len(shape) or list(value.shape) != wanted:
        raise ValueError(f"{name} must have shape [{', '.join(map(str, shape))}], got {tuple(value.shape)}")


def check_long(name: str, value: Tensor, *shape: int | str) -> None:
    """``value`` is a dense long tensor, of a shape if one is given."""
    check_tensor(name, value, "a long tensor", lambda x: x.dtype == torch.long)
    if shape:
        check_shape(name, value, *shape)


def check_numbers(name: str, value: Tensor, kind: str, size: int, least: int = 0) -> None:
    """``value`` holds numbers of ``size`` nodes or rows, as ``kind`` says; reads values back to the host."""
    if value.numel():
        low, high = (int(end) for end in value.aminmax())
        if low < least or high >= size:
            got = low if low < least else high
            raise ValueError(f"{name} must hold {kind} numbers in [{least}, {size}), got {got}")


def check_weights(name: str, value: Tensor) -> None:
    """``value`` is finite and at least 0; reads values back to the host."""
    if value.numel():
        low, high = (end.item() for end in value.aminmax())
        if low < 0:
            raise ValueError(f"{name} must be at least 0, got {low}")
        if not high < math.inf:
            raise ValueError(f"{name} must be finite, got {high}")
