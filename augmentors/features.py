"""Augmentors that perturb the node features; a graph without ``x`` passes through."""

from torch import Generator
from torch_geometric.data import Data

from augmentors.base import Augmentor, check_probability, uniform


class FeatureMask(Augmentor):
    """Set each feature column to zero with probability ``p``, for all nodes (and graphs of a batch) alike.

    Args:
        p: probability of masking, in [0, 1].

    Raises:
        ValueError: ``p`` is outside [0, 1].

    **Source:** GRACE (arXiv 2006.04131), section 3.2.2, "masking node features". **Differs:** as there.

    Example:
        >>> import torch
        >>> FeatureMask(0.5)(Data(x=torch.ones(2, 4)), generator=torch.Generator().manual_seed(0)).x
        tensor([[0., 1., 0., 0.],
                [0., 1., 0., 0.]])
    """

    def __init__(self, p: float) -> None:
        self.p = check_probability("p", p)

    def forward(self, data: Data, generator: Generator | None = None) -> Data:
        """Draw the columns that stay."""
        if data.x is not None:
            keep = uniform(data.x.size(1), data.x.device, generator) >= self.p
            data.x = data.x * keep.to(data.x.dtype)
        return data

    def __repr__(self) -> str:
        return f"FeatureMask(p={self.p})"


class FeatureDropout(Augmentor):
    """Set each entry of ``x`` to zero with probability ``p``.

    Args:
        p: probability of dropping, in [0, 1].

    Raises:
        ValueError: ``p`` is outside [0, 1].

    **Source:** PyGCL's ``FeatureDropout``. **Differs:** the entries that stay are not scaled by 1 / (1 - p), so a
    binary feature stays binary.

    Example:
        >>> import torch
        >>> FeatureDropout(0.5)(Data(x=torch.ones(2, 4)), generator=torch.Generator().manual_seed(0)).x
        tensor([[0., 1., 0., 0.],
                [0., 1., 0., 1.]])
    """

    def __init__(self, p: float) -> None:
        self.p = check_probability("p", p)

    def forward(self, data: Data, generator: Generator | None = None) -> Data:
        """Draw the entries that stay."""
        if data.x is not None:
            keep = uniform(data.x.shape, data.x.device, generator) >= self.p
            data.x = data.x * keep.to(data.x.dtype)
        return data

    def __repr__(self) -> str:
        return f"FeatureDropout(p={self.p})"
