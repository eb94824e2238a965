"""Deep Graph Infomax."""

import torch
from torch import Generator, Tensor, nn
from torch_geometric.data import Data
from torch_geometric.nn import global_mean_pool

from augmentors import NodeShuffle
from gcl.losses import node_graph_bce
from gcl.methods.base import Method, graph_of
from gcl.nn.encoders import encode


class DGI(Method):
    """Nodes shall be told from nodes with shuffled features by the summary of their graph.

    Args:
        encoder: ``(x, edge_index, edge_weight=None) -> h [N, dim]``, one layer with PReLU in the paper.
        dim: width of the encoder's output.

    **Source:** Deep Graph Infomax (arXiv 1809.10341). **Differs:** as there; on a batch, each graph has its own
    summary and is shuffled within itself.

    Example:
        >>> from gcl.nn import gcn
        >>> method = DGI(gcn(4, 8, 8, num_layers=1, activation="prelu"), dim=8)
        >>> data = Data(x=torch.eye(4), edge_index=torch.tensor([[0, 1, 2, 3], [1, 0, 3, 2]]))
        >>> method.loss(data, torch.Generator().manual_seed(0)).shape
        torch.Size([])
    """

    def __init__(self, encoder: nn.Module, dim: int) -> None:
        super().__init__(encoder)
        self.critic = nn.Parameter(nn.init.uniform_(torch.empty(dim, dim), -(dim**-0.5), dim**-0.5))
        self.corrupt = NodeShuffle()

    def loss(self, data: Data, generator: Generator | None = None) -> Tensor:
        """Binary cross-entropy of the critic on true and shuffled nodes."""
        h = encode(self.encoder, data)
        h_negative = encode(self.encoder, self.corrupt(data, generator=generator))
        batch = graph_of(data)
        summary = global_mean_pool(h, batch, getattr(data, "num_graphs", 1)).sigmoid()
        return node_graph_bce(h, h_negative, summary @ self.critic.T, batch)
