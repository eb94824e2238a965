"""Augmentors made of other augmentors."""

from collections.abc import Callable, Sequence

import torch
from torch import Generator
from torch_geometric.data import Data, HeteroData

from augmentors._base import Augmentor
from augmentors._checks import check_callable
from augmentors._random import call, permutation

Transform = Callable[[Data], Data]


class Identity(Augmentor):
    """Return the graph itself as the view.

    Example:
        >>> Identity()(Data(x=torch.ones(2, 1))).x.tolist()
        [[1.0], [1.0]]
    """

    hetero = True

    def forward(self, data: Data | HeteroData, *, generator: Generator | None = None) -> Data | HeteroData:
        return data


class Compose(Augmentor):
    """Apply transforms one after the other; those that take a generator share it.

    Args:
        transforms: augmentors, PyG transforms, or any callables ``Data -> Data``.

    Raises:
        TypeError: a transform is not callable.

    Example:
        >>> from augmentors import EdgeDrop, FeatureMask
        >>> Compose([EdgeDrop(0.2), FeatureMask(0.3)])
        Compose([EdgeDrop(0.2), FeatureMask(0.3)])
    """

    hetero = True

    def __init__(self, transforms: Sequence[Transform]) -> None:
        self.transforms = _check_transforms(transforms)

    def forward(self, data: Data | HeteroData, *, generator: Generator | None = None) -> Data | HeteroData:
        for transform in self.transforms:
            data = call(transform, data, generator=generator)
        return data


class RandomChoice(Augmentor):
    """Apply ``num_choices`` of the transforms, drawn without replacement at each call, in the drawn order.

    Args:
        transforms: as for :class:`Compose`.
        num_choices: how many to draw, in [1, len(transforms)].

    Raises:
        TypeError, ValueError: a transform is not callable; ``num_choices`` is outside its range.

    Example:
        >>> from augmentors import EdgeDrop, FeatureMask
        >>> RandomChoice([EdgeDrop(0.2), FeatureMask(0.3), Identity()], num_choices=2)
        RandomChoice([EdgeDrop(0.2), FeatureMask(0.3), Identity()], num_choices=2)
    """

    hetero = True

    def __init__(self, transforms: Sequence[Transform], num_choices: int = 1) -> None:
        self.transforms = _check_transforms(transforms)
        if not 1 <= num_choices <= len(self.transforms):
            raise ValueError(f"num_choices must be in [1, {len(self.transforms)}], got {num_choices}")
        self.num_choices = num_choices

    def forward(self, data: Data | HeteroData, *, generator: Generator | None = None) -> Data | HeteroData:
        for i in permutation(len(self.transforms), torch.device("cpu"), generator)[: self.num_choices].tolist():
            data = call(self.transforms[i], data, generator=generator)
        return data


def _check_transforms(transforms: Sequence[Transform]) -> list[Transform]:
    if not isinstance(transforms, Sequence):
        raise TypeError(f"transforms must be a sequence of transforms, got {transforms!r}")
    return [check_callable(f"transforms[{i}]", one, "a callable Data -> Data") for i, one in enumerate(transforms)]
