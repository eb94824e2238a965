"""InfoGraph."""

from torch import Generator, Tensor, nn
from torch_geometric.data import Data
from torch_geometric.nn import global_add_pool

from gcl.losses import node_graph_jsd
from gcl.methods.base import Method, graph_of
from gcl.nn import Readout
from gcl.nn.encoders import encode


class InfoGraph(Method):
    """Each node shall be told to which graph of the batch it belongs; graph embeddings.

    Args:
        encoder: ``(x, edge_index, edge_weight=None) -> h [N, dim]``, such as :func:`gcl.nn.gin`.
        dim: width of the encoder's output.
        readout: ``(h, batch) -> g [B, dim]``.

    Raises:
        ValueError: (by ``loss``) the batch has one graph only.

    **Source:** InfoGraph (arXiv 1908.01000), the unsupervised loss. **Differs:** as there; the encoder's last layer
    stands for the paper's concatenation of all layers unless the encoder concatenates (``jk="cat"``).

    Example:
        >>> import torch
        >>> from gcl.nn import gin
        >>> from torch_geometric.data import Batch
        >>> graph = Data(x=torch.eye(3), edge_index=torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]]))
        >>> method = InfoGraph(gin(3, 8, 8), dim=8)
        >>> method.embed(Batch.from_data_list([graph, graph])).shape
        torch.Size([2, 8])
    """

    def __init__(self, encoder: nn.Module, dim: int, *, readout: Readout = global_add_pool) -> None:
        super().__init__(encoder)
        self.readout = readout
        self.node_projector = _head(dim)
        self.graph_projector = _head(dim)

    def loss(self, data: Data, generator: Generator | None = None) -> Tensor:
        """Jensen-Shannon estimator of nodes against the graphs of the batch."""
        h, batch = encode(self.encoder, data), graph_of(data)
        g = self.readout(h, batch)
        return node_graph_jsd(self.node_projector(h), self.graph_projector(g), batch)

    def embed(self, data: Data) -> Tensor:
        """Graph embeddings ``[B, dim]``; see :class:`Method`."""
        return self.readout(super().embed(data), graph_of(data))


def _head(dim: int) -> nn.Module:
    return nn.Sequential(nn.Linear(dim, dim), nn.ReLU(), nn.Linear(dim, dim), nn.ReLU(), nn.Linear(dim, dim))
