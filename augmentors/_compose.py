"""Augmentors made of other augmentors."""

from collections.abc import Callable, Sequence

import torch
from torch import Generator
from torch_geometric.data import Data, HeteroData

from augmentors._base import Augmentor

Transform = Callable[[Data], Data]


class Identity(Augmentor):
    """The view that is the graph itself.

    Example:
        >>> Identity()(Data(x=torch.ones(2, 1))).x.tolist()
        [[1.0], [1.0]]
    """

    hetero = True

    def forward(self, data: Data | HeteroData, *, generator: Generator | None = None) -> Data | HeteroData:
        """Return ``data``."""
        return data


class Compose(Augmentor):
    """Apply transforms one after the other; the augmentors among them share the generator.

    Args:
        transforms: augmentors or any PyG transforms ``Data -> Data``.

    Raises:
        TypeError: a transform is not callable.

    Example:
        >>> from augmentors import EdgeDrop, FeatureMask
        >>> Compose([EdgeDrop(0.2), FeatureMask(0.3)])
        Compose([EdgeDrop(p=0.2, undirected=True), FeatureMask(p=0.3)])
    """

    hetero = True

    def __init__(self, transforms: Sequence[Transform]) -> None:
        self.transforms = _check_transforms(transforms)

    def forward(self, data: Data | HeteroData, *, generator: Generator | None = None) -> Data | HeteroData:
        """Apply every transform in turn."""
        for transform in self.transforms:
            data = _apply(transform, data, generator)
        return data

    def __repr__(self) -> str:
        return f"Compose({self.transforms!r})"


class RandomChoice(Augmentor):
    """Apply ``num_choices`` of the transforms, drawn without replacement at each call, in the drawn order.

    Args:
        transforms: augmentors or any PyG transforms ``Data -> Data``.
        num_choices: how many to draw, in [1, len(transforms)].

    Raises:
        TypeError: a transform is not callable.
        ValueError: ``num_choices`` is outside its range.

    Example:
        >>> from augmentors import EdgeDrop, FeatureMask
        >>> RandomChoice([EdgeDrop(0.2), FeatureMask(0.3), Identity()], num_choices=1)
        RandomChoice([EdgeDrop(p=0.2, undirected=True), FeatureMask(p=0.3), Identity()], num_choices=1)
    """

    hetero = True

    def __init__(self, transforms: Sequence[Transform], num_choices: int = 1) -> None:
        self.transforms = _check_transforms(transforms)
        if not 1 <= num_choices <= len(self.transforms):
            raise ValueError(f"num_choices must be in [1, {len(self.transforms)}], got {num_choices}")
        self.num_choices = num_choices

    def forward(self, data: Data | HeteroData, *, generator: Generator | None = None) -> Data | HeteroData:
        """Draw the transforms and apply them."""
        device = "cpu" if generator is None else generator.device
        order = torch.randperm(len(self.transforms), generator=generator, device=device)
        for i in order[: self.num_choices].tolist():
            data = _apply(self.transforms[i], data, generator)
        return data

    def __repr__(self) -> str:
        return f"RandomChoice({self.transforms!r}, num_choices={self.num_choices})"


def _apply(transform: Transform, data: Data | HeteroData, generator: Generator | None) -> Data:
    return transform(data, generator=generator) if isinstance(transform, Augmentor) else transform(data)


def _check_transforms(transforms: Sequence[Transform]) -> list[Transform]:
    if not isinstance(transforms, Sequence):
        raise TypeError(f"transforms must be a sequence of transforms, got {transforms!r}")
    for transform in transforms:
        if not callable(transform):
            raise TypeError(f"transforms must hold callables Data -> Data, got {transform!r}")
    return list(transforms)
