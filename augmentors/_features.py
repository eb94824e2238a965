"""Augmentors that perturb the node features; nodes without ``x`` pass through."""

import torch
from torch import Generator
from torch_geometric.data import Data, HeteroData
from torch_geometric.data.storage import BaseStorage

from augmentors._base import Augmentor, PerTypeAugmentor
from augmentors._checks import check_not_negative, check_per_type
from augmentors._graphs import NodeFloat, per_type
from augmentors._random import normal, uniform


class FeatureMask(PerTypeAugmentor):
    """Set each feature column to zero with probability ``p``, for all nodes (and graphs of a batch) alike.

    Args:
        p: probability of masking, in [0, 1]; for a ``HeteroData`` also ``{node_type: p}``; other types are unchanged.

    Raises:
        ValueError: ``p`` is outside [0, 1], or has types as keys that the graph lacks.

    **Source:** GRACE (arXiv 2006.04131), section 3.2.2, "masking node features". **Differs:** nothing.

    Example:
        >>> FeatureMask(0.5)(Data(x=torch.ones(2, 4)), generator=torch.Generator().manual_seed(0)).x
        tensor([[0., 1., 0., 0.],
                [0., 1., 0., 0.]])
    """

    def forward(self, data: Data | HeteroData, *, generator: Generator | None = None) -> Data | HeteroData:
        """Draw the columns to mask."""
        set_zero(per_type("p", self.p, data.node_stores), "x", 1, generator)
        return data


class FeatureDropout(PerTypeAugmentor):
    """Set each entry of ``x`` to zero with probability ``p``.

    Args:
        p: probability of dropping, in [0, 1]; for a ``HeteroData`` also ``{node_type: p}``; other types are unchanged.

    Raises:
        ValueError: ``p`` is outside [0, 1], or has types as keys that the graph lacks.

    **Source:** PyGCL's ``FeatureDropout``. **Differs:** the other entries are not scaled by 1 / (1 - p), so a binary
    feature stays binary.

    Example:
        >>> FeatureDropout(0.5)(Data(x=torch.ones(2, 4)), generator=torch.Generator().manual_seed(0)).x
        tensor([[0., 1., 0., 0.],
                [0., 1., 0., 1.]])
    """

    def forward(self, data: Data | HeteroData, *, generator: Generator | None = None) -> Data | HeteroData:
        """Draw the entries to drop."""
        set_zero(per_type("p", self.p, data.node_stores), "x", 0, generator)
        return data


class FeatureNoise(Augmentor):
    """Add independent Gaussian noise of standard deviation ``std`` to each entry of ``x``.

    Args:
        std: standard deviation in the units of ``x``, at least 0; for a ``HeteroData`` also ``{node_type: std}``;
            other types are unchanged.

    Raises:
        ValueError: ``std`` is below 0 or not finite, or has types as keys that the graph lacks; ``x`` is not
            floating-point.

    **Source:** training with noise, Bishop (1995). **Differs:** nothing.

    Example:
        >>> FeatureNoise(0.1)(Data(x=torch.ones(1, 3)), generator=torch.Generator().manual_seed(0)).x
        tensor([[1.1541, 0.9707, 0.7821]])
    """

    hetero = True

    def __init__(self, std: NodeFloat) -> None:
        self.std = check_per_type("std", std, check_not_negative)

    def forward(self, data: Data | HeteroData, *, generator: Generator | None = None) -> Data | HeteroData:
        """Draw the noise."""
        for store, std in per_type("std", self.std, data.node_stores):
            if "x" in store:
                if not store.x.is_floating_point():
                    raise ValueError(f"x must be floating-point to get noise, got {store.x.dtype}")
                noise = normal(store.x.shape, store.x.device, generator)
                store.x = torch.add(store.x, noise.to(store.x.dtype), alpha=std)
        return data


def set_zero(stores: list[tuple[BaseStorage, float]], key: str, dim: int, generator: Generator | None) -> None:
    """Set entries of ``key`` to zero with each store's probability, alike along the dimensions before ``dim``."""
    for store, p in stores:
        if key in store and p > 0:
            value = store[key]
            keep = uniform(value.shape[dim:], value.device, generator).ge_(p)
            store[key] = value * keep.to(value.dtype)
