"""The base class of the methods."""

import copy
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Generator, Tensor, nn
from torch.nn.parameter import UninitializedParameter
from torch_geometric.data import Data, HeteroData
from torch_geometric.data.storage import BaseStorage

from augmentors._checks import check_at_least
from augmentors._graphs import Graph
from gcl._checks import check_graph, check_hetero_graph
from gcl.nn import encode
from gcl.nn._hetero import nodes_of
from gcl.nn._readouts import Readout, read_out


class Method(nn.Module, ABC):
    """An encoder with a loss that trains it without labels: subclass it and write ``loss``.

    Args:
        encoder: any model or layer of PyG, or a module of your own: see :func:`gcl.nn.encode`; for a ``HeteroData`` a
            :class:`gcl.nn.NodeType`. A subclass whose ``loss`` takes a ``HeteroData`` sets ``hetero = True``; the
            others refuse it.
        readout: ``(h [N, D], batch [N], size) -> g [B, D]``, such as PyG's ``global_add_pool``: the method then
            embeds graphs; ``None``: nodes.

    Example: a denoising autoencoder.

        >>> class Denoise(Method):
        ...     def __init__(self, encoder, num_features):
        ...         super().__init__(encoder)
        ...         self.decoder = nn.Linear(encoder.out_channels, num_features)
        ...
        ...     def loss(self, data, *, generator=None):
        ...         noisy = copy.copy(data)
        ...         noisy.x = data.x + torch.randn(data.x.shape, generator=generator)
        ...         return (self.decoder(self.represent(noisy)) - data.x).square().mean()
        >>> from gcl.nn import gcn
        >>> data = Data(x=torch.ones(3, 4), edge_index=torch.tensor([[0, 1], [1, 2]]))
        >>> Denoise(gcn(4, 8), num_features=4).embed(data).shape
        torch.Size([3, 8])
    """

    hetero = False

    def __init__(self, encoder: nn.Module, readout: Readout | None = None) -> None:
        super().__init__()
        check_initialized(encoder)
        self.encoder = encoder
        self.readout = readout

    @abstractmethod
    def loss(self, data: Graph, *, generator: Generator | None = None) -> Tensor:
        """The scalar to minimize on this graph or batch of graphs."""

    def forward(self, data: Graph, *, generator: Generator | None = None) -> Tensor:
        """``loss``, under the name that ``DistributedDataParallel`` and ``torch.compile`` hook into."""
        self.check_kind(data)
        return self.loss(data, generator=generator)

    def check_kind(self, data: Graph) -> None:
        """Raise ``TypeError`` unless the method takes this kind of graph."""
        if isinstance(data, HeteroData) and not self.hetero:
            raise TypeError(f"data must be a Data or Batch for {type(self).__name__}, got {type(data).__name__}")

    def nodes(self, data: Graph) -> Data | BaseStorage:
        """What holds the attributes of the embedded nodes: the graph, of a ``HeteroData`` the store of their type."""
        return nodes_of(self.encoder, data)

    def represent(self, data: Graph, *, chunk: int | None = None) -> Tensor:
        """The embeddings of nodes ``[N, D]``, of a loader's batch of its seeds, or of graphs ``[B, D]``."""
        return self.read_out(encode(self.encoder, data, chunk=chunk), data)

    def read_out(self, h: Tensor, data: Graph) -> Tensor:
        """The graph embeddings of node embeddings ``h``; ``h`` itself where there is no readout."""
        return h if self.readout is None else read_out(self.readout, h, self.nodes(data))

    def embed(self, data: Graph, *, chunk: int | None = None) -> Tensor:
        """The embeddings without augmentation, in evaluation mode and without gradients, on the method's device.

        Args:
            data: a graph or a batch, on any device; features and edge weights are cast to the parameters' dtype.
            chunk: embed layer by layer, so many nodes at a time: see :func:`gcl.nn.encode`.

        Returns:
            Node embeddings ``[N, D]``, of a loader's batch its seeds' ``[batch_size, D]``; with a readout graph
            embeddings ``[B, D]``.

        Raises:
            ValueError: ``data`` has no nodes, no features, NaN or edges out of range.
        """
        check_data(self, data)
        with evaluating(self), torch.no_grad():
            return self.represent(moved(data, self), chunk=chunk)

    def prepare(self, data: Graph) -> Graph:
        """``data`` with what the method can compute once, before training; :func:`gcl.fit` calls it."""
        return data

    def after_step(self) -> None:
        """Called after each optimizer step; a moving target moves here."""


def width_of(encoder: nn.Module, dim: int | None) -> int:
    """The width of the encoder's embeddings: ``dim``, or what the encoder says in ``out_channels``."""
    width = getattr(encoder, "out_channels", None) if dim is None else dim
    if width is None:
        raise ValueError(
            f"dim must be the width of the embeddings, since {type(encoder).__name__} has no out_channels, got None"
        )
    return check_at_least("dim", width, 1)


def check_data(method: Method, data: Graph) -> None:
    """``data`` is a valid graph of a kind that the method takes; reads values back to the host."""
    method.check_kind(data)
    if isinstance(data, HeteroData):
        check_hetero_graph(data)
    else:
        check_graph(data)


def check_initialized(encoder: nn.Module) -> None:
    """Raise if layers of the encoder still wait for a graph to tell their width (-1)."""
    if isinstance(encoder, nn.Module) and any(isinstance(p, UninitializedParameter) for p in encoder.parameters()):
        raise ValueError("encoder must know its widths, got layers of width -1: run it once on the graph first")


def moved(data: Graph, module: nn.Module) -> Graph:
    """``data`` on the device of the module's first parameter, floating-point features and edge weights in its dtype."""
    like = next(module.parameters(), None)
    if like is None:
        return data
    data = copy.copy(data).to(like.device)
    for store in data.stores:
        for name in ("x", "edge_attr", "edge_weight"):
            if isinstance(value := store.get(name), Tensor) and value.is_floating_point():
                store[name] = value.to(like.dtype)
    return data


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
