"""Augmentors that drop or shuffle nodes."""

import torch
from torch import Generator
from torch_geometric.data import Data, HeteroData

from augmentors._base import Augmentor, PerTypeAugmentor
from augmentors._graphs import graph_of_nodes, per_type, random_order
from augmentors._random import uniform
from augmentors._selection import keep_nodes
from augmentors._sparse import dense_or_coo


class NodeDrop(PerTypeAugmentor):
    """Drop each node independently with probability ``p``, with its edges and their attributes.

    ``n_id`` holds the old indices of the remaining nodes, at least one in each graph (and node type in it). The rows of
    two views do not match: use it at graph level (with a readout), or once before the augmentors of the two views.

    Args:
        p: probability of dropping, in [0, 1]; for a ``HeteroData`` also ``{node_type: p}``; other types are unchanged.

    Raises:
        ValueError: ``p`` is outside [0, 1], or has types that the graph lacks; another attribute holds node indices.

    **Source:** GraphCL (arXiv 2010.13902), section 3.2, "node dropping". **Differs:** the number of dropped nodes is
    binomial.

    Example:
        >>> path = Data(edge_index=torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]]), num_nodes=3)
        >>> view = NodeDrop(0.5)(path, generator=torch.Generator().manual_seed(2))
        >>> view.n_id, view.edge_index
        (tensor([0, 2]), tensor([], size=(2, 0), dtype=torch.int64))
    """

    def forward(self, data: Data | HeteroData, *, generator: Generator | None = None) -> Data | HeteroData:
        batches = {store._key: graph_of_nodes(store) for store in data.node_stores}
        keep = {key: torch.ones_like(batch, dtype=torch.bool) for key, (batch, _) in batches.items()}
        for store, p in per_type("p", self.p, data.node_stores):
            batch, ptr = batches[store._key]
            draw = uniform(batch.numel(), batch.device, generator)
            highest = draw.new_zeros(ptr.numel() - 1).scatter_reduce(0, batch, draw, "amax")
            keep[store._key] = (draw >= p) | (draw == highest[batch])
        return keep_nodes(data, keep)


class NodeShuffle(Augmentor):
    """Permute the rows of ``x`` among the nodes of a graph; edges and all other attributes are unchanged.

    **Source:** DGI (arXiv 1809.10341), section 4.2, the corruption function. **Differs:** within each graph of a batch.

    Example:
        >>> NodeShuffle()(Data(x=torch.arange(4)[:, None]), generator=torch.Generator().manual_seed(0)).x.T
        tensor([[0, 1, 3, 2]])
    """

    hetero = True

    def forward(self, data: Data | HeteroData, *, generator: Generator | None = None) -> Data | HeteroData:
        for store in data.node_stores:
            if "x" in store:
                store.x = dense_or_coo(store.x).index_select(0, random_order(store, generator))
        return data
