"""The base class of the augmentors."""

import copy
from abc import abstractmethod
from typing import Any

from torch import Generator
from torch_geometric.data import Data, HeteroData
from torch_geometric.transforms import BaseTransform

from augmentors._checks import check_per_type, check_probability
from augmentors._graphs import check_structure
from augmentors._signatures import parameters_of


class Augmentor(BaseTransform):
    """A random map from a graph to a view of it: subclass it and write ``forward``.

    ``forward(data, generator)`` gets a shallow copy of the caller's graph: rebind attributes
    (``data.x = data.x * mask``), never write into their tensors. It works on ``Data`` and ``Batch``, and in PyG's
    ``Compose``. A subclass whose ``forward`` also takes a ``HeteroData`` sets ``hetero = True``; the others refuse it.

    Example:
        >>> import torch
        >>> class SignFlip(Augmentor):
        ...     def forward(self, data, generator=None):
        ...         data.x = data.x * torch.rand(data.num_nodes, 1, generator=generator).sub(0.5).sign()
        ...         return data
        >>> SignFlip()(Data(x=torch.ones(3, 1)), generator=torch.Generator().manual_seed(0)).x.T
        tensor([[-1.,  1., -1.]])
    """

    hetero = False

    def __call__(self, data: Data | HeteroData, *, generator: Generator | None = None) -> Data | HeteroData:
        """Return a view of ``data`` and leave ``data`` unchanged; ``generator=None`` uses torch's global seed."""
        if isinstance(data, HeteroData) and not self.hetero:
            raise TypeError(f"data must be a Data or Batch for {type(self).__name__}, got {type(data).__name__}")
        data = copy.copy(data)
        check_structure(data, hetero=True)
        return self.forward(data, generator=generator)

    @abstractmethod
    def forward(self, data: Data, *, generator: Generator | None = None) -> Data:
        """Turn the shallow copy ``data`` into the view."""

    def __repr__(self) -> str:
        """The call that makes the augmentor, without the arguments that have their default."""
        arguments = []
        for name, parameter in parameters_of(type(self)).items():
            shown, default = _shown(getattr(self, name, None)), _shown(parameter.default)
            if parameter.default is parameter.empty:
                arguments.append(shown)
            elif shown != default:
                arguments.append(f"{name}={shown}")
        return f"{type(self).__name__}({', '.join(arguments)})"


class PerTypeAugmentor(Augmentor):
    """An augmentor with a probability ``p`` in [0, 1], for a ``HeteroData`` also ``{type: p}``."""

    hetero = True

    def __init__(self, p: float | dict) -> None:
        self.p = check_per_type("p", p, check_probability)


def _shown(value: Any) -> str:
    return getattr(value, "__name__", repr(value))
