"""MVGRL, for nodes and for graphs."""

import copy

import torch
from torch import Generator, Tensor, nn
from torch_geometric.data import Data
from torch_geometric.nn import global_add_pool, global_mean_pool

from augmentors import Augmentor, NodeShuffle, PPRDiffusion
from gcl.checks import check_graph
from gcl.losses import node_graph_bce, node_graph_jsd
from gcl.methods.base import Method, check_takes_edge_weights, evaluating, graph_of
from gcl.nn import Readout
from gcl.nn.encoders import encode


class CrossView(Method):
    """Two encoders, one for the graph and one for its diffusion: what both forms of MVGRL share.

    The diffusion is computed at each step, unless it is stored with the graph: see :meth:`prepare`.
    """

    def __init__(self, encoder: nn.Module, diffusion_encoder: nn.Module, diffusion: Augmentor | None) -> None:
        super().__init__(encoder)
        check_takes_edge_weights("diffusion_encoder", diffusion_encoder)
        self.diffusion_encoder = diffusion_encoder
        self.diffusion = PPRDiffusion() if diffusion is None else diffusion

    def prepare(self, data: Data) -> Data:
        """``data`` with its diffusion as ``diffusion_index`` ``[2, M]`` and ``diffusion_weight`` ``[M]``.

        What is stored is used as it is: store it once before training, for each graph of a data set or for a batch,
        and anew for a graph whose nodes or edges have changed.
        """
        if "diffusion_index" in data:
            return data
        edges = Data(edge_index=data.edge_index, edge_weight=data.edge_weight, num_nodes=data.num_nodes)
        diffused, data = self.diffusion(edges), copy.copy(data)
        data.diffusion_index, data.diffusion_weight = diffused.edge_index, diffused.edge_weight
        return data

    def encode_views(self, data: Data) -> tuple[Tensor, Tensor]:
        """Node embeddings of the graph and of its diffusion, each ``[N, dim]``, for a graph that is prepared."""
        h2 = self.diffusion_encoder(data.x, data.diffusion_index, data.diffusion_weight)
        return encode(self.encoder, data), h2[: data.get("batch_size")]


class MVGRL(CrossView):
    r"""Nodes of one view shall be told from nodes with shuffled features by the summary of the other view.

    Args:
        encoder: ``(x, edge_index, edge_weight=None) -> h [N, dim]``, one layer with PReLU in the paper.
        diffusion_encoder: the same for the diffusion, whose weights it takes as they are: ``normalize=False`` in
            :func:`gcl.nn.gcn`. Shares no weights with ``encoder``.
        dim: width of both encoders' output.
        diffusion: makes the second view; ``None``: personalised PageRank, ``PPRDiffusion()``.

    Raises:
        ValueError: ``diffusion_encoder`` takes no edge weights.

    **Source:** Contrastive Multi-View Representation Learning on Graphs (arXiv 2006.05582), section 3, and the
    authors' code for nodes: DGI's loss across the views, one critic, embeddings summed. **Differs:** takes the whole
    graph at each step, where the authors take four blocks of 2000 nodes, and diffuses a loader's batch, where they cut
    blocks out of the whole graph's diffusion; the diffusion is sparse; the critic has no bias; on a batch, each graph
    has its own summary.

    Example:
        >>> from gcl.nn import gcn
        >>> method = MVGRL(gcn(4, 8, 8, 1, "prelu"), gcn(4, 8, 8, 1, "prelu", normalize=False), dim=8)
        >>> data = Data(x=torch.eye(4), edge_index=torch.tensor([[0, 1, 2, 3], [1, 0, 3, 2]]))
        >>> data = method.prepare(data)  # once, so that the steps need not diffuse
        >>> method.loss(data, torch.Generator().manual_seed(0)).shape
        torch.Size([])
    """

    def __init__(
        self, encoder: nn.Module, diffusion_encoder: nn.Module, dim: int, *, diffusion: Augmentor | None = None
    ) -> None:
        super().__init__(encoder, diffusion_encoder, diffusion)
        self.critic = nn.Parameter(nn.init.uniform_(torch.empty(dim, dim), -(dim**-0.5), dim**-0.5))
        self.corrupt = NodeShuffle()

    def loss(self, data: Data, generator: Generator | None = None) -> Tensor:
        """Binary cross-entropy of the critic on true and shuffled nodes, across the views."""
        data = self.prepare(data)
        batch, num_graphs = graph_of(data), getattr(data, "num_graphs", 1)
        true = self.encode_views(data)
        false = self.encode_views(self.corrupt(data, generator=generator))
        g1, g2 = (global_mean_pool(h, batch, num_graphs).sigmoid() @ self.critic.T for h in true)
        return (node_graph_bce(true[0], false[0], g2, batch) + node_graph_bce(true[1], false[1], g1, batch)) / 2

    def embed(self, data: Data) -> Tensor:
        """The sum of both views' node embeddings ``[N, dim]``; see :class:`Method`."""
        check_graph(data)
        with evaluating(self), torch.no_grad():
            h1, h2 = self.encode_views(self.prepare(data))
            return h1 + h2


class MVGRLGraph(CrossView):
    """Each node of one view shall be told to which graph of the batch it belongs in the other; graph embeddings.

    Args:
        encoder: ``(x, edge_index, edge_weight=None) -> h [N, dim]``, GCN layers with PReLU in the paper.
        diffusion_encoder, dim, diffusion: as for :class:`MVGRL`.
        readout: ``(h, batch) -> g [B, dim]``.

    Raises:
        ValueError: ``diffusion_encoder`` takes no edge weights; (by ``loss``) the batch has one graph only.

    **Source:** Contrastive Multi-View Representation Learning on Graphs (arXiv 2006.05582), eq. 5, with the
    Jensen-Shannon estimator and the heads of the authors' code. **Differs:** the encoder's last layer stands for the
    paper's concatenation of all layers unless the encoder concatenates (``jk="cat"``); the diffusion is sparse; the
    authors pad the graphs to one size and divide by the number of padded nodes.

    Example:
        >>> from gcl.nn import gcn
        >>> from torch_geometric.data import Batch
        >>> graph = Data(x=torch.eye(3), edge_index=torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]]))
        >>> method = MVGRLGraph(gcn(3, 8, 8), gcn(3, 8, 8, normalize=False), dim=8)
        >>> batch = Batch.from_data_list([method.prepare(graph), method.prepare(graph)])
        >>> method.embed(batch).shape
        torch.Size([2, 8])
    """

    def __init__(
        self,
        encoder: nn.Module,
        diffusion_encoder: nn.Module,
        dim: int,
        *,
        diffusion: Augmentor | None = None,
        readout: Readout = global_add_pool,
    ) -> None:
        super().__init__(encoder, diffusion_encoder, diffusion)
        self.node_head, self.graph_head = _Head(dim), _Head(dim)
        self.readout = readout

    def loss(self, data: Data, generator: Generator | None = None) -> Tensor:
        """Jensen-Shannon estimator of the nodes of each view against the graphs of the other."""
        batch, (h1, h2) = graph_of(data), self.encode_views(self.prepare(data))
        g1, g2 = (self.graph_head(self.readout(h, batch)) for h in (h1, h2))
        return node_graph_jsd(self.node_head(h1), g2, batch) + node_graph_jsd(self.node_head(h2), g1, batch)

    def embed(self, data: Data) -> Tensor:
        """The sum of both views' graph embeddings ``[B, dim]``, behind the head; see :class:`Method`."""
        check_graph(data)
        with evaluating(self), torch.no_grad():
            views = self.encode_views(self.prepare(data))
            g1, g2 = (self.graph_head(self.readout(h, graph_of(data))) for h in views)
            return g1 + g2


class _Head(nn.Module):
    """Three layers with PReLU, beside a linear shortcut."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(*(layer for _ in range(3) for layer in (nn.Linear(dim, dim), nn.PReLU())))
        self.shortcut = nn.Linear(dim, dim)

    def forward(self, h: Tensor) -> Tensor:
        return self.layers(h) + self.shortcut(h)
