"""What every method is."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Generator, Tensor, nn
from torch_geometric.data import Data

from gcl.checks import check_graph
from gcl.nn.encoders import encode


class Method(nn.Module, ABC):
    """An encoder with a loss that trains it without labels: subclass it and write ``loss``.

    Example: a denoising autoencoder.

        >>> class Denoise(Method):
        ...     def __init__(self, encoder, dim, num_features):
        ...         super().__init__(encoder)
        ...         self.decoder = nn.Linear(dim, num_features)
        ...
        ...     def loss(self, data, generator=None):
        ...         noise = torch.randn(data.x.shape, generator=generator)
        ...         h = self.encoder(data.x + noise, data.edge_index)
        ...         return (self.decoder(h) - data.x).square().mean()
        >>> from gcl.nn import gcn
        >>> data = Data(x=torch.ones(3, 4), edge_index=torch.tensor([[0, 1], [1, 2]]))
        >>> Denoise(gcn(4, 8, 8), dim=8, num_features=4).embed(data).shape
        torch.Size([3, 8])
    """

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder

    @abstractmethod
    def loss(self, data: Data, generator: Generator | None = None) -> Tensor:
        """The scalar to minimise on this graph or batch of graphs."""

    def forward(self, data: Data, generator: Generator | None = None) -> Tensor:
        """``loss``, under the name that ``DistributedDataParallel`` and ``torch.compile`` hook into."""
        return self.loss(data, generator)

    def embed(self, data: Data) -> Tensor:
        """Node embeddings ``[N, D]``, of a loader's batch the seeds' ``[batch_size, D]``, without augmentation.

        In evaluation mode and without gradients.

        Raises:
            ValueError: ``data`` has no nodes, no features, NaN or edges out of range.
        """
        check_graph(data)
        with evaluating(self), torch.no_grad():
            return encode(self.encoder, data)

    def prepare(self, data: Data) -> Data:
        """``data`` with what the method can compute once, before training: call it on what ``fit`` is given."""
        return data

    def after_step(self) -> None:
        """Called after each optimizer step; a moving target moves here."""


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """Evaluation mode; afterwards each submodule has its own mode back."""
    modes = {part: part.training for part in module.modules()}
    module.eval()
    try:
        yield
    finally:
        for part, training in modes.items():
            part.training = training


def check_no_seeds(name: str, data: Data, reason: str) -> None:
    """``data`` is no loader's batch, of which the first ``batch_size`` rows count alone."""
    if "batch_size" in data:
        raise ValueError(f"{name} takes no batches of a loader (data.batch_size = {data.batch_size}): {reason}")


def check_takes_edge_weights(name: str, encoder: nn.Module) -> None:
    """``encoder`` does not say that it takes none."""
    if not getattr(encoder, "supports_edge_weight", True):
        raise ValueError(
            f"{name} must take edge weights, got one whose supports_edge_weight is False: use gcl.nn.gcn or gcl.nn.gin"
        )


def graph_of(data: Data) -> Tensor:
    """The graph of each node that counts ``[N]``: 0 for a ``Data`` that is one graph."""
    batch = data.x.new_zeros(data.x.size(0), dtype=torch.long) if data.batch is None else data.batch
    return batch[: data.get("batch_size")]
