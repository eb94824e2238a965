"""Augmentors that perturb the edges.

With ``undirected=True``, both directions of an edge and its duplicates are drawn together; with ``False``, each column
of ``edge_index`` is drawn independently. In a ``HeteroData`` this concerns edge types from a node type to itself; the
columns of other types are drawn independently, but together with those of a type that is their reverse, column by
column, such as the ``rev_`` types of PyG's ``ToUndirected``.
"""

from abc import abstractmethod
from typing import Any, NamedTuple

import torch
from torch import Generator, Tensor
from torch_geometric.data import Data, HeteroData
from torch_geometric.data.storage import BaseStorage

from augmentors._base import PerTypeAugmentor
from augmentors._checks import check_probability
from augmentors._features import Mask
from augmentors._graphs import EdgeFloat, Graph, edge_stores, ends, graph_of_nodes, is_reverse, per_type, pick_node
from augmentors._random import bits_per_pair, random_bits, uniform, uniform_per_pair
from augmentors._selection import keep_edges, scale_edge_weight


class _Draw(NamedTuple):
    """What was drawn for the edges of a type."""

    key: Any
    edge_index: Tensor  # before the change
    p: float
    number: Tensor  # [E]
    new: Tensor | None  # the random ends [2, M] of those that change

    def serves(self, store: BaseStorage, p: float) -> bool:
        """Whether the edges of ``store`` are these, reversed."""
        return self.p == p and is_reverse(self.key, self.edge_index, store)


class _EdgeAugmentor(PerTypeAugmentor):
    """Draws a number for each edge, and changes those below ``p``; ``_moves``: to random ends."""

    _moves = True

    def __init__(self, p: EdgeFloat, *, undirected: bool = True) -> None:
        super().__init__(p)
        self.undirected = undirected

    def forward(self, data: Data | HeteroData, *, generator: Generator | None = None) -> Data | HeteroData:
        done: list[_Draw] = []
        for store, p in per_type("p", self.p, edge_stores(data)):
            twin = next((draw for draw in done if self.undirected and draw.serves(store, p)), None)
            draw = self._draw(data, store, p, generator) if twin is None else _reversed(twin, store)
            self._change(data, store, draw)
            done.append(draw)
        return data

    @abstractmethod
    def _change(self, data: Graph, store: BaseStorage, draw: _Draw) -> None:
        """Change the edges whose number is below ``p``."""

    def _draw(self, data: Graph, store: BaseStorage, p: float, generator: Generator | None) -> _Draw:
        number = uniform_per_edge(data, store, self.undirected, generator)
        new = self._random_ends(data, store, (number < p).nonzero().squeeze(1), generator) if self._moves else None
        return _Draw(store._key, store.edge_index, p, number, new)

    def _random_ends(self, data: Graph, store: BaseStorage, chosen: Tensor, generator: Generator | None) -> Tensor:
        """Two random nodes ``[2, M]`` of the graph of each ``chosen`` edge, reversed for the edge's reverse."""
        start, end = ends(data, store)
        edge_index = store.edge_index.index_select(1, chosen)
        graph = graph_of_nodes(start)[0][edge_index[0]]
        drawn = []
        for nodes in (start, end):
            if self.undirected and start is end:
                bits = bits_per_pair(edge_index, start.num_nodes, generator)
            else:
                bits = random_bits(graph.shape, graph.device, generator)
            drawn.append(pick_node(bits, graph, graph_of_nodes(nodes)[1]))
        new = torch.stack(drawn)
        backward = edge_index[0] > edge_index[1]
        return torch.where(backward, new.flip(0), new) if start is end else new


def _reversed(draw: _Draw, store: BaseStorage) -> _Draw:
    new = None if draw.new is None else draw.new.flip(0)
    return draw._replace(key=store._key, edge_index=store.edge_index, new=new)


class EdgeDrop(_EdgeAugmentor):
    """Drop each edge independently with probability ``p``, with its attributes.

    Args:
        p: probability of dropping, in [0, 1]; for a ``HeteroData`` also ``{edge_type: p}``; other types are unchanged.
        undirected: draw both directions of an edge, and its duplicates, together; ``False``: draw for each column.
        as_weight: keep all edges and give the dropped ones ``edge_weight`` 0 (the others 1, or theirs): static shapes
            for encoders that use ``edge_weight``. (``GCNConv`` keeps a self-loop of weight 0, and adds a dropped one.)
        max_drop: the largest fraction of a node's edges to drop, in [0, 1]: of the d edges that end in it (self-loops
            not counted) at most ``round(max_drop * d)`` are dropped, at random, and never the last; ``None``: no limit.

    Raises:
        ValueError: ``p`` or ``max_drop`` is outside [0, 1], or ``p`` has types as keys that the graph lacks.

    **Source:** GRACE (arXiv 2006.04131), section 3.2.2, "removing edges"; ``max_drop`` is the budget of POT
    (arXiv 2309.13944). **Differs:** the authors' code draws for each direction, which makes the view directed
    (``undirected=False``), and POT's code draws views beyond its budgets.

    Example:
        >>> path = Data(edge_index=torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]]), num_nodes=3)
        >>> EdgeDrop(0.5)(path, generator=torch.Generator().manual_seed(1)).edge_index
        tensor([[0, 1],
                [1, 0]])
    """

    _moves = False

    def __init__(
        self, p: EdgeFloat, *, undirected: bool = True, as_weight: bool = False, max_drop: float | None = None
    ) -> None:
        super().__init__(p, undirected=undirected)
        self.as_weight = as_weight
        self.max_drop = None if max_drop is None else check_probability("max_drop", max_drop)

    def _change(self, data: Graph, store: BaseStorage, draw: _Draw) -> None:
        keep = draw.number >= draw.p
        if self.max_drop is not None:
            keep |= ~self._within_budget(data, store, draw.number, ~keep, self.max_drop)
        drop_edges(data, store, keep, self.as_weight)

    def _within_budget(self, data: Graph, store: BaseStorage, draw: Tensor, drop: Tensor, max_drop: float) -> Tensor:
        """Whether each edge ``[E]`` is a self-loop, or among the ``drop`` of least ``draw`` that its end may lose."""
        (start, end), (row, col) = ends(data, store), store.edge_index
        proper = row != col if start is end else torch.ones_like(drop)
        degree = torch.zeros(end.num_nodes, dtype=torch.double, device=col.device).index_add_(0, col, proper.double())
        budget = torch.minimum((max_drop * degree).round(), (degree - 1).clamp(min=0))
        place = col + draw.double()  # sorts by end, then draw, which is below 1 and a multiple of 2**-24
        order = place.masked_fill(~(drop & proper), torch.inf).sort().values
        rank = torch.searchsorted(order, place, right=True) - torch.searchsorted(order, col.double())
        within = (rank <= budget.index_select(0, col)) | ~proper
        if self.undirected and start is end:  # a pair is kept if any of its columns is
            pair = torch.minimum(row, col) * end.num_nodes + torch.maximum(row, col)
            pair = torch.unique(pair, return_inverse=True)[1]
            within = torch.zeros_like(place).index_add_(0, pair, (~within).double()).index_select(0, pair) == 0
        return within


class EdgeAdd(_EdgeAugmentor):
    """Add, with probability ``p`` for each edge, an edge between two nodes drawn uniformly from the same graph.

    The added edge follows the edge it was drawn for and copies its attributes, so weights, types and features are
    distributed as before. It may be a self-loop or a duplicate.

    Args:
        p: added edges per existing edge, in [0, 1]; for a ``HeteroData`` also ``{edge_type: p}``.
        undirected: an edge and its reverse add an edge and its reverse; ``False``: each column adds its own.

    Raises:
        ValueError: ``p`` is outside [0, 1], or has types as keys that the graph lacks.

    **Source:** GraphCL (arXiv 2010.13902), section 3.2, the additions of "edge perturbation". **Differs:** a
    binomial number of added edges; edges have attributes.

    Example:
        >>> path = Data(edge_index=torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]]), num_nodes=3)
        >>> EdgeAdd(0.5)(path, generator=torch.Generator().manual_seed(1)).edge_index
        tensor([[0, 1, 1, 0, 2, 1],
                [1, 0, 2, 1, 1, 0]])
    """

    def _change(self, data: Graph, store: BaseStorage, draw: _Draw) -> None:
        chosen = (draw.number < draw.p).nonzero().squeeze(1)
        keep_edges(data, store, 1 + (draw.number < draw.p).long())
        place = chosen + torch.arange(1, chosen.numel() + 1, device=chosen.device)
        store.edge_index = store.edge_index.index_copy(1, place, draw.new)


class EdgeRewire(_EdgeAugmentor):
    """Move each edge, with probability ``p``, to two nodes drawn uniformly from the same graph.

    Each edge keeps its attributes. A rewired edge may be a self-loop or a duplicate.

    Args:
        p: probability of rewiring, in [0, 1]; for a ``HeteroData`` also ``{edge_type: p}``; other types are unchanged.
        undirected: an edge and its reverse become an edge and its reverse; ``False``: rewire each column independently.

    Raises:
        ValueError: ``p`` is outside [0, 1], or has types as keys that the graph lacks.

    **Source:** GraphCL (arXiv 2010.13902), section 3.2, "edge perturbation": a fraction of the edges is replaced by as
    many random ones. **Differs:** the number of rewired edges is binomial.

    Example:
        >>> path = Data(edge_index=torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]]), num_nodes=3)
        >>> EdgeRewire(0.5)(path, generator=torch.Generator().manual_seed(3)).edge_index
        tensor([[0, 0, 0, 2],
                [0, 0, 2, 0]])
    """

    def _change(self, data: Graph, store: BaseStorage, draw: _Draw) -> None:
        chosen = (draw.number < draw.p).nonzero().squeeze(1)
        store.edge_index = store.edge_index.index_copy(1, chosen, draw.new)


class EdgeAttrMask(Mask):
    """Set each column of ``edge_attr`` to zero with probability ``p``, for all edges alike.

    Integers become -1, as by :class:`FeatureMask`. An ``edge_attr`` ``[E]`` is one column. A graph without
    ``edge_attr`` passes through.

    Args:
        p: probability of masking, in [0, 1]; for a ``HeteroData`` also ``{edge_type: p}``; other types are unchanged.

    Raises:
        ValueError: ``p`` is outside [0, 1], or has types as keys that the graph lacks.

    **Source:** PyGCL's ``EdgeAttrMasking``, as documented. **Differs:** nothing.

    Example:
        >>> loop = Data(edge_index=torch.tensor([[0], [0]]), edge_attr=torch.ones(1, 4), num_nodes=1)
        >>> EdgeAttrMask(0.5)(loop, generator=torch.Generator().manual_seed(0)).edge_attr
        tensor([[0., 1., 0., 0.]])
    """

    _stores, _key = "edge_stores", "edge_attr"


def drop_edges(data: Graph, store: BaseStorage, keep: Tensor, as_weight: bool) -> None:
    """Remove the edges where ``keep`` is false, or give them the weight 0."""
    change = scale_edge_weight if as_weight else keep_edges
    change(data, store, keep)


def uniform_per_edge(data: Graph, store: BaseStorage, undirected: bool, generator: Generator | None) -> Tensor:
    """Uniform in [0, 1) for each edge ``[E]``, shared by its reverse and duplicates where ``undirected``."""
    start, end = ends(data, store)
    if undirected and start is end:
        return uniform_per_pair(store.edge_index, start.num_nodes, generator)
    return uniform(store.edge_index.size(1), store.edge_index.device, generator)
