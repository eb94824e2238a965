"""Deep Graph Infomax."""

import torch
from torch import Generator, Tensor, nn
from torch_geometric.data import Data
from torch_geometric.nn import global_mean_pool

from augmentors import NodeShuffle
from gcl.losses import node_graph_bce
from gcl.methods._base import Method, width_of
from gcl.nn._readouts import graph_of, read_out


class DGI(Method):
    """Discriminates real from feature-shuffled nodes, given a summary of their graph.

    Args:
        encoder, dim: as for :class:`gcl.methods.GRACE`; one layer with PReLU in the paper.

    Raises:
        ValueError: the encoder does not say its width.

    **Source:** Deep Graph Infomax (arXiv 1809.10341). **Differs:** the critic has no bias; on a batch, each graph
    has its own summary and is shuffled within itself.

    Example:
        >>> from gcl.nn import gcn
        >>> method = DGI(gcn(4, 8, 1, act="prelu"))
        >>> data = Data(x=torch.eye(4), edge_index=torch.tensor([[0, 1, 2, 3], [1, 0, 3, 2]]))
        >>> method.loss(data, generator=torch.Generator().manual_seed(0)).shape
        torch.Size([])
    """

    hetero = True

    def __init__(self, encoder: nn.Module, dim: int | None = None) -> None:
        super().__init__(encoder)
        self.critic = bilinear_critic(width_of(encoder, dim))
        self.corrupt = NodeShuffle()

    def loss(self, data: Data, *, generator: Generator | None = None) -> Tensor:
        """Binary cross-entropy of the critic on true and shuffled nodes."""
        h, h_negative = (self.represent(nodes) for nodes in (data, self.corrupt(data, generator=generator)))
        nodes = self.nodes(data)
        return node_graph_bce(h, h_negative, summarize(h, nodes) @ self.critic.T, graph_of(nodes))


def bilinear_critic(dim: int) -> nn.Parameter:
    """A matrix ``[dim, dim]``, uniform within sqrt(6 / (dim^2 + dim)), as the authors' ``Bilinear`` layer."""
    return nn.Parameter(nn.init.xavier_uniform_(torch.empty(1, dim, dim)).squeeze(0))


def summarize(h: Tensor, data: Data) -> Tensor:
    """The sigmoid of each graph's mean embedding ``[B, D]``."""
    return read_out(global_mean_pool, h, data).sigmoid()
