"""The base class of the augmentors."""

import copy
from abc import abstractmethod

from torch import Generator
from torch_geometric.data import Data, HeteroData
from torch_geometric.transforms import BaseTransform


class Augmentor(BaseTransform):
    """A random map from a graph to a view of it: subclass it and write ``forward``.

    ``forward(data, generator)`` gets a shallow copy of the caller's graph: rebind attributes
    (``data.x = data.x * mask``), never write into their tensors. It works on ``Data`` and on a
    ``Batch``, and composes with ``torch_geometric.transforms.Compose``. A subclass whose ``forward`` takes a
    ``HeteroData`` too says so by ``hetero = True``; the others refuse it.

    Example:
        >>> import torch
        >>> class SignFlip(Augmentor):
        ...     def forward(self, data, generator=None):
        ...         flip = torch.rand(data.num_nodes, generator=generator) < 0.5
        ...         data.x = torch.where(flip[:, None], -data.x, data.x)
        ...         return data
        >>> view = SignFlip()(Data(x=torch.ones(3, 2)), generator=torch.Generator().manual_seed(0))
        >>> view.x[:, 0]
        tensor([-1.,  1., -1.])
    """

    hetero = False

    def __call__(self, data: Data | HeteroData, *, generator: Generator | None = None) -> Data | HeteroData:
        """Return a view of ``data``, which stays as it was; ``generator=None`` draws from torch's global seed."""
        if not isinstance(data, (Data, HeteroData)):
            raise TypeError(f"data must be a torch_geometric Data or Batch, got {type(data).__name__}")
        if isinstance(data, HeteroData) and not self.hetero:
            raise TypeError(f"data must be a Data or Batch for {type(self).__name__}, got {type(data).__name__}")
        return self.forward(copy.copy(data), generator=generator)

    @abstractmethod
    def forward(self, data: Data, *, generator: Generator | None = None) -> Data:
        """Turn the shallow copy ``data`` into the view."""
