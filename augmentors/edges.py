"""Augmentors that perturb the edges."""

from torch import Generator
from torch_geometric.data import Data

from augmentors.base import Augmentor, check_probability, keep_edges, uniform, uniform_per_pair


class EdgeDrop(Augmentor):
    """Drop each edge independently with probability ``p``, with all that belongs to it.

    Args:
        p: probability of dropping, in [0, 1].
        undirected: both directions of an edge, and its duplicates, share their fate; ``False`` draws for
            each column of ``edge_index``.

    Raises:
        ValueError: ``p`` is outside [0, 1].

    **Source:** GRACE (arXiv 2006.04131), section 3.2.2, "removing edges".
    **Differs:** the authors' code draws for each direction, which makes the view directed (``undirected=False``).

    Example:
        >>> import torch
        >>> path = Data(edge_index=torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]]), num_nodes=3)
        >>> EdgeDrop(0.5)(path, generator=torch.Generator().manual_seed(1)).edge_index
        tensor([[0, 1],
                [1, 0]])
    """

    def __init__(self, p: float, undirected: bool = True) -> None:
        self.p = check_probability("p", p)
        self.undirected = undirected

    def forward(self, data: Data, generator: Generator | None = None) -> Data:
        """Draw the edges that stay."""
        if data.edge_index is None:
            return data
        if self.undirected:
            draw = uniform_per_pair(data.edge_index, data.num_nodes, generator)
        else:
            draw = uniform(data.num_edges, data.edge_index.device, generator)
        return keep_edges(data, draw >= self.p)

    def __repr__(self) -> str:
        return f"EdgeDrop(p={self.p}, undirected={self.undirected})"
