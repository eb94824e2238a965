"""Checks of single arguments: each raises an error that names the argument, the value got and what is allowed."""

import math
from collections.abc import Callable
from typing import Any


def check_probability(name: str, value: float, below: float | None = None) -> float:
    """``value`` as a float in [0, 1], or in [0, ``below``)."""
    allowed = "[0, 1]" if below is None else f"[0, {below:g})"
    _check_number(name, value, f"a number in {allowed}")
    if not (0 <= value <= 1 and (below is None or value < below)):
        raise ValueError(f"{name} must be in {allowed}, got {value}")
    return float(value)


def check_positive(name: str, value: float) -> float:
    """``value`` as a finite float above 0."""
    _check_number(name, value, "a positive number")
    if not (math.isfinite(value) and value > 0):
        raise ValueError(f"{name} must be finite and above 0, got {value}")
    return float(value)


def check_not_negative(name: str, value: float) -> float:
    """``value`` as a finite float of at least 0."""
    _check_number(name, value, "a number of at least 0")
    if not (math.isfinite(value) and value >= 0):
        raise ValueError(f"{name} must be finite and at least 0, got {value}")
    return float(value)


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
    if isinstance(value, (tuple, list)):
        if len(value) != 2:
            raise ValueError(f"{name} must be a number or a pair, one for each view, got {value!r}")
        first, second = value
        return check_probability(name, first), check_probability(name, second)
    return (check_probability(name, value),) * 2


def _check_number(name: str, value: float, wanted: str) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{name} must be {wanted}, got {value!r}")
