"""MVGRL, for nodes and for graphs."""

import copy

from torch import Generator, Tensor, nn
from torch_geometric.data import Data
from torch_geometric.nn import global_add_pool

from augmentors import NodeShuffle, PPRDiffusion
from augmentors._random import call
from gcl.losses import node_graph_bce, node_graph_jsd
from gcl.methods._base import Method, width_of
from gcl.methods._dgi import bilinear_critic, summarize
from gcl.methods._two_view import Transform
from gcl.nn import encode
from gcl.nn._heads import ShortcutHead
from gcl.nn._readouts import Readout, graph_of
from gcl.nn._takes import check_takes_edge_weight


class _CrossView(Method):
    """Two encoders, one for the graph and one for its diffusion: what both forms of MVGRL share.

    The diffusion is computed at each step, unless it is stored with the graph: see :meth:`prepare`.
    """

    def __init__(
        self,
        encoder: nn.Module,
        diffusion_encoder: nn.Module,
        diffusion: Transform | None,
        readout: Readout | None = None,
    ) -> None:
        super().__init__(encoder, readout)
        check_takes_edge_weight("diffusion_encoder", diffusion_encoder)
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
        diffused, data = call(self.diffusion, edges, generator=None), copy.copy(data)
        data.diffusion_index, data.diffusion_weight = diffused.edge_index, diffused.edge_weight
        return data

    def encode_views(self, data: Data, *, chunk: int | None = None) -> tuple[Tensor, Tensor]:
        """Node embeddings of the graph and of its diffusion, each ``[N, dim]``."""
        data = self.prepare(data)
        diffused = Data(x=data.x, edge_index=data.diffusion_index, edge_weight=data.diffusion_weight)
        for name in ("batch", "ptr", "batch_size"):
            if name in data:
                diffused[name] = data[name]
        return encode(self.encoder, data, chunk=chunk), encode(self.diffusion_encoder, diffused, chunk=chunk)


class MVGRL(_CrossView):
    r"""Discriminates real from feature-shuffled nodes of one view, given the graph's summary in the other view.

    Args:
        encoder: as for :class:`gcl.methods.Method`, one layer with PReLU in the paper.
        diffusion_encoder: the same for the diffusion, whose weights it takes as they are: ``normalize=False`` in
            :func:`gcl.nn.gcn`. Shares no weights with ``encoder``.
        dim: width of both encoders' output; ``None``: the first one's ``out_channels``.
        diffusion: makes the second view; ``None``: personalized PageRank, ``PPRDiffusion()``.

    Raises:
        ValueError: ``diffusion_encoder`` takes no edge weights.

    **Source:** Contrastive Multi-View Representation Learning on Graphs (arXiv 2006.05582), section 3, and the
    authors' code for nodes: DGI's loss across the views, one critic, embeddings summed. **Differs:** takes the whole
    graph at each step, where the authors take four blocks of 2000 nodes, and diffuses a loader's batch, where they cut
    blocks out of the whole graph's diffusion; the diffusion is sparse, and on CiteSeer not scaled column by column to
    [0, 1]; the graph has one self-loop a node, two in their code; the critic has no bias; on a batch, each graph has
    its own summary.

    Example:
        >>> import torch
        >>> from gcl.nn import gcn
        >>> method = MVGRL(gcn(4, 8, 1, act="prelu"), gcn(4, 8, 1, act="prelu", normalize=False))
        >>> data = Data(x=torch.eye(4), edge_index=torch.tensor([[0, 1, 2, 3], [1, 0, 3, 2]]))
        >>> data = method.prepare(data)  # once, so that the steps need not diffuse
        >>> method.loss(data, generator=torch.Generator().manual_seed(0)).shape
        torch.Size([])
    """

    def __init__(
        self,
        encoder: nn.Module,
        diffusion_encoder: nn.Module,
        dim: int | None = None,
        *,
        diffusion: Transform | None = None,
    ) -> None:
        super().__init__(encoder, diffusion_encoder, diffusion)
        self.critic = bilinear_critic(width_of(encoder, dim))
        self.corrupt = NodeShuffle()

    def loss(self, data: Data, *, generator: Generator | None = None) -> Tensor:
        """Binary cross-entropy of the critic on true and shuffled nodes, across the views."""
        self.check_kind(data)
        data = self.prepare(data)
        true, false = (self.encode_views(nodes) for nodes in (data, self.corrupt(data, generator=generator)))
        batch, (g1, g2) = graph_of(data), (summarize(h, data) @ self.critic.T for h in true)
        return (node_graph_bce(true[0], false[0], g2, batch) + node_graph_bce(true[1], false[1], g1, batch)) / 2

    def represent(self, data: Data, *, chunk: int | None = None) -> Tensor:
        """The sum of both views' node embeddings ``[N, dim]``."""
        h1, h2 = self.encode_views(data, chunk=chunk)
        return h1 + h2


class MVGRLGraph(_CrossView):
    """Maximizes the mutual information between nodes in one view and their graph in the other; graph embeddings.

    Args:
        encoder: as for :class:`gcl.methods.Method`, GCN layers with PReLU in the paper, which are concatenated
            (``jk="cat"``).
        diffusion_encoder, dim, diffusion: as for :class:`MVGRL`.
        readout: as for :class:`gcl.methods.Method`.

    Raises:
        ValueError: ``diffusion_encoder`` takes no edge weights; (by ``loss``) the batch has one graph only.

    **Source:** Contrastive Multi-View Representation Learning on Graphs (arXiv 2006.05582), eq. 5, with the
    Jensen-Shannon estimator and the heads of the authors' code. **Differs:** the diffusion is sparse; nodes are
    compared by all layers of the encoder, where the authors take the last one; they pad the graphs to one size and
    divide by the number of padded nodes; their code's optimizer misses the encoders' layers, which stay untrained.

    Example:
        >>> import torch
        >>> from gcl.nn import gcn
        >>> from torch_geometric.data import Batch
        >>> graph = Data(x=torch.eye(3), edge_index=torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]]))
        >>> method = MVGRLGraph(gcn(3, 8), gcn(3, 8, normalize=False))
        >>> batch = Batch.from_data_list([method.prepare(graph), method.prepare(graph)])
        >>> method.embed(batch).shape
        torch.Size([2, 8])
    """

    def __init__(
        self,
        encoder: nn.Module,
        diffusion_encoder: nn.Module,
        dim: int | None = None,
        *,
        diffusion: Transform | None = None,
        readout: Readout = global_add_pool,
    ) -> None:
        super().__init__(encoder, diffusion_encoder, diffusion, readout)
        dim = width_of(encoder, dim)
        self.node_head, self.graph_head = (ShortcutHead(dim, nn.PReLU) for _ in range(2))

    def loss(self, data: Data, *, generator: Generator | None = None) -> Tensor:
        """Jensen-Shannon estimator of the nodes of each view against the graphs of the other."""
        self.check_kind(data)
        batch, (h1, h2) = graph_of(data), self.encode_views(data)
        g1, g2 = (self.graph_head(self.read_out(h, data)) for h in (h1, h2))
        return node_graph_jsd(self.node_head(h1), g2, batch) + node_graph_jsd(self.node_head(h2), g1, batch)

    def represent(self, data: Data, *, chunk: int | None = None) -> Tensor:
        """The sum of both views' graph embeddings ``[B, dim]``, behind the head."""
        g1, g2 = (self.graph_head(self.read_out(h, data)) for h in self.encode_views(data, chunk=chunk))
        return g1 + g2
