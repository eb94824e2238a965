"""InfoGraph."""

from torch import Generator, Tensor, nn
from torch_geometric.data import Data
from torch_geometric.nn import global_add_pool

from gcl.losses import node_graph_jsd
from gcl.methods._base import Method, width_of
from gcl.nn import encode
from gcl.nn._heads import ShortcutHead
from gcl.nn._readouts import Readout, graph_of


class InfoGraph(Method):
    """Maximizes the mutual information between nodes and their graph; graph embeddings.

    Args:
        encoder, dim: as for :class:`gcl.methods.GRACE`, such as :func:`gcl.nn.gin`; the paper's concatenates its
            layers (``jk="cat"``).
        readout: as for :class:`gcl.methods.Method`.

    Raises:
        ValueError: the encoder does not say its width; (by ``loss``) the batch has one graph only.

    **Source:** InfoGraph (arXiv 1908.01000), the unsupervised loss, with the heads of the authors' code.
    **Differs:** no prior on the graph embeddings, which is off in the code too.

    Example:
        >>> import torch
        >>> from gcl.nn import gin
        >>> from torch_geometric.data import Batch
        >>> graph = Data(x=torch.eye(3), edge_index=torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]]))
        >>> method = InfoGraph(gin(3, 8, jk="cat"))
        >>> method.embed(Batch.from_data_list([graph, graph])).shape
        torch.Size([2, 24])
    """

    def __init__(self, encoder: nn.Module, dim: int | None = None, *, readout: Readout = global_add_pool) -> None:
        super().__init__(encoder, readout)
        dim = width_of(encoder, dim)
        self.node_projector, self.graph_projector = (ShortcutHead(dim, nn.ReLU) for _ in range(2))

    def loss(self, data: Data, *, generator: Generator | None = None) -> Tensor:
        """Jensen-Shannon estimator of nodes against the graphs of the batch."""
        self.check_kind(data)
        h = encode(self.encoder, data)
        g = self.read_out(h, data)
        return node_graph_jsd(self.node_projector(h), self.graph_projector(g), graph_of(data))
