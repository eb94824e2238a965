"""Augmentors that perturb the node features; nodes without ``x`` pass through."""

import torch
from torch import Generator
from torch_geometric.data import Data, HeteroData

from augmentors._base import Augmentor, PerTypeAugmentor
from augmentors._checks import check_not_negative, check_per_type
from augmentors._graphs import NodeFloat, per_type
from augmentors._random import normal, uniform
from augmentors._sparse import dense_or_coo


class Mask(PerTypeAugmentor):
    """Masks entries of an attribute with probability ``p``, alike along its dimensions before ``_dim``.

    A masked number is 0; a masked category, which is what signed integers are, is -1: 0 is a category as any other.
    """

    _stores, _key, _dim = "node_stores", "x", 1

    def forward(self, data: Data | HeteroData, *, generator: Generator | None = None) -> Data | HeteroData:
        for store, p in per_type("p", self.p, getattr(data, self._stores)):
            if self._key in store and p > 0:
                value = dense_or_coo(store[self._key])
                keep = uniform(value.shape[self._dim :], value.device, generator).ge_(p)
                if value.is_floating_point() or not value.is_signed():
                    store[self._key] = value * keep.to(value.dtype)
                else:
                    store[self._key] = value.to_dense().masked_fill(keep == 0, -1)
        return data


class FeatureMask(Mask):
    """Set each feature column to zero with probability ``p``, for all nodes (and graphs of a batch) alike.

    Integers, such as the numbers of atoms, are categories, and become -1, "masked", instead of 0: see
    :func:`gcl.nn.molecule_encoder`.

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


class FeatureDropout(Mask):
    """Set each entry of ``x`` to zero with probability ``p``; integers become -1, as by :class:`FeatureMask`.

    Args:
        p: probability of dropping, in [0, 1]; for a ``HeteroData`` also ``{node_type: p}``; other types are unchanged.

    Raises:
        ValueError: ``p`` is outside [0, 1], or has types as keys that the graph lacks.

    **Source:** PyGCL's ``FeatureDropout``. **Differs:** no scaling by 1 / (1 - p): binary features stay binary.

    Example:
        >>> FeatureDropout(0.5)(Data(x=torch.ones(2, 4)), generator=torch.Generator().manual_seed(0)).x
        tensor([[0., 1., 0., 0.],
                [0., 1., 0., 1.]])
    """

    _dim = 0


class FeatureNoise(Augmentor):
    """Add independent Gaussian noise of standard deviation ``std`` to each entry of ``x``.

    Args:
        std: in the units of ``x``, at least 0; for a ``HeteroData`` also ``{node_type: std}``; others are unchanged.

    Raises:
        ValueError: ``std`` is below 0 or not finite, or has types that the graph lacks; ``x`` is not floating-point.

    **Source:** training with noise, Bishop (1995). **Differs:** nothing.

    Example:
        >>> FeatureNoise(0.1)(Data(x=torch.ones(1, 3)), generator=torch.Generator().manual_seed(0)).x
        tensor([[1.1541, 0.9707, 0.7821]])
    """

    hetero = True

    def __init__(self, std: NodeFloat) -> None:
        self.std = check_per_type("std", std, check_not_negative)

    def forward(self, data: Data | HeteroData, *, generator: Generator | None = None) -> Data | HeteroData:
        for store, std in per_type("std", self.std, data.node_stores):
            if "x" in store:
                if not store.x.is_floating_point():
                    raise ValueError(f"x must be floating-point to get noise, got {store.x.dtype}")
                noise = normal(store.x.shape, store.x.device, generator)
                store.x = torch.add(store.x.to_dense(), noise.to(store.x.dtype), alpha=std)
        return data
