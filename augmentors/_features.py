"""Augmentors that perturb the node features; nodes without ``x`` pass through."""

import torch
from torch import Generator, Tensor
from torch_geometric.data import Data, HeteroData

from augmentors._base import Augmentor
from augmentors._checks import check_per_type, check_probability
from augmentors._graphs import NodeFloat, per_type
from augmentors._random import normal, uniform


class FeatureMask(Augmentor):
    """Set each feature column to zero with probability ``p``, for all nodes (and graphs of a batch) alike.

    Args:
        p: probability of masking, in [0, 1]; for a ``HeteroData`` also ``{node_type: p}``, the other types staying.

    Raises:
        ValueError: ``p`` is outside [0, 1], or has types as keys that the graph lacks.

    **Source:** GRACE (arXiv 2006.04131), section 3.2.2, "masking node features". **Differs:** as there.

    Example:
        >>> FeatureMask(0.5)(Data(x=torch.ones(2, 4)), generator=torch.Generator().manual_seed(0)).x
        tensor([[0., 1., 0., 0.],
                [0., 1., 0., 0.]])
    """

    hetero = True

    def __init__(self, p: NodeFloat) -> None:
        self.p = check_per_type("p", p, check_probability)

    def forward(self, data: Data | HeteroData, *, generator: Generator | None = None) -> Data | HeteroData:
        """Draw the columns that stay."""
        for store, p in per_type("p", self.p, data.node_stores):
            if "x" in store and p > 0:
                keep = uniform(store.x.shape[1:], store.x.device, generator) >= p
                store.x = store.x * keep.to(store.x.dtype)
        return data

    def __repr__(self) -> str:
        return f"FeatureMask(p={self.p})"


class FeatureDropout(Augmentor):
    """Set each entry of ``x`` to zero with probability ``p``.

    Args:
        p: probability of dropping, in [0, 1]; for a ``HeteroData`` also ``{node_type: p}``, the other types staying.

    Raises:
        ValueError: ``p`` is outside [0, 1], or has types as keys that the graph lacks.

    **Source:** PyGCL's ``FeatureDropout``. **Differs:** the entries that stay are not scaled by 1 / (1 - p), so a
    binary feature stays binary.

    Example:
        >>> FeatureDropout(0.5)(Data(x=torch.ones(2, 4)), generator=torch.Generator().manual_seed(0)).x
        tensor([[0., 1., 0., 0.],
                [0., 1., 0., 1.]])
    """

    hetero = True

    def __init__(self, p: NodeFloat) -> None:
        self.p = check_per_type("p", p, check_probability)

    def forward(self, data: Data | HeteroData, *, generator: Generator | None = None) -> Data | HeteroData:
        """Draw the entries that stay."""
        for store, p in per_type("p", self.p, data.node_stores):
            if "x" in store:
                keep = uniform(store.x.shape, store.x.device, generator).ge_(p)
                store.x = store.x * keep.to(store.x.dtype)
        return data

    def __repr__(self) -> str:
        return f"FeatureDropout(p={self.p})"


class FeatureNoise(Augmentor):
    """Add independent Gaussian noise of deviation ``std`` to each entry of ``x``.

    Args:
        std: standard deviation in the units of ``x``, at least 0; for a ``HeteroData`` also ``{node_type: std}``, the
            other types staying.

    Raises:
        ValueError: ``std`` is below 0 or not finite, or has types as keys that the graph lacks; ``x`` is not of
            floating point.

    **Source:** training with noise, Bishop (1995). **Differs:** as there.

    Example:
        >>> FeatureNoise(0.1)(Data(x=torch.ones(1, 3)), generator=torch.Generator().manual_seed(0)).x
        tensor([[1.1541, 0.9707, 0.7821]])
    """

    hetero = True

    def __init__(self, std: NodeFloat) -> None:
        self.std = check_per_type("std", std, _check_std)

    def forward(self, data: Data | HeteroData, *, generator: Generator | None = None) -> Data | HeteroData:
        """Draw the noise."""
        for store, std in per_type("std", self.std, data.node_stores):
            if "x" in store:
                if not store.x.is_floating_point():
                    raise ValueError(f"x must be of floating point to get noise, got {store.x.dtype}")
                noise: Tensor = normal(store.x.shape, store.x.device, generator)
                store.x = torch.add(store.x, noise.to(store.x.dtype), alpha=std)
        return data

    def __repr__(self) -> str:
        return f"FeatureNoise(std={self.std})"


def _check_std(name: str, value: float) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{name} must be a float of at least 0, got {value!r}")
    if not 0.0 <= value < float("inf"):
        raise ValueError(f"{name} must be at least 0 and finite, got {value}")
    return float(value)
