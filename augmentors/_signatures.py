"""What a callable takes."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from torch import nn

_STARRED = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def parameters_of(function: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    """The named parameters of a function, or of a module's ``forward``; ``*args`` and ``**kwargs`` name nothing."""
    signature = inspect.signature(function.forward if isinstance(function, nn.Module) else function)
    return {name: p for name, p in signature.parameters.items() if p.kind not in _STARRED}
