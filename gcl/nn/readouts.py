"""Readouts: from node embeddings to graph embeddings."""

from typing import Protocol

from torch import Tensor


class Readout(Protocol):
    """What a method asks of a readout: PyG's ``global_add_pool``, ``global_mean_pool`` and others have it."""

    def __call__(self, h: Tensor, batch: Tensor) -> Tensor:
        """Map node embeddings ``[N, D]`` and each node's graph ``[N]`` to graph embeddings ``[B, D]``."""
