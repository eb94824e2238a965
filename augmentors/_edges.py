"""Augmentors that perturb the edges.

Where ``undirected`` is true, both directions of an edge, and its duplicates, share their fate; where it is false, each
column of ``edge_index`` has its own. In a ``HeteroData`` this concerns the types from a node type to itself; a type
between two node types has no reverse within itself and draws for each column. A type and its reverse, such as the
``rev_`` types of PyG's ``ToUndirected``, are two types: each draws on its own, so that one direction of an edge can go
while the other stays. Augment before ``ToUndirected`` where they shall share their fate.
"""

import torch
from torch import Generator, Tensor
from torch_geometric.data import Data, HeteroData
from torch_geometric.data.storage import BaseStorage

from augmentors._base import Augmentor
from augmentors._checks import check_per_type, check_probability
from augmentors._graphs import EdgeFloat, edge_stores, ends, graph_of_nodes, per_type
from augmentors._random import bits_per_pair, pick, random_bits, uniform, uniform_per_pair
from augmentors._selection import keep_edges, set_edge_weight


class EdgeDrop(Augmentor):
    """Drop each edge independently with probability ``p``, with all that belongs to it.

    Args:
        p: probability of dropping, in [0, 1]; for a ``HeteroData`` also ``{edge_type: p}``, the other types staying.
        undirected: both directions of an edge, and its duplicates, share their fate; ``False`` draws for
            each column of ``edge_index``.
        as_weight: keep all edges and give the dropped ones ``edge_weight`` 0 (the others 1, or the weight they had):
            shapes stay, as ``torch.compile`` likes them, for encoders that use ``edge_weight``. (``GCNConv`` leaves a
            loop of weight 0 as it is, where it would add one in place of a dropped one.)
        max_drop: the share of a node's d edges, in [0, 1], that it loses at most: of the edges that end in it (loops
            not counted) at most ``round(max_drop * d)`` are dropped, and never the last. Those that would be too
            many stay, chosen at random, so that fewer than ``p`` are dropped; ``None``: no limit.

    Raises:
        ValueError: ``p`` or ``max_drop`` is outside [0, 1], or ``p`` has types as keys that the graph lacks.

    **Source:** GRACE (arXiv 2006.04131), section 3.2.2, "removing edges"; the budgets of ``max_drop`` are those of
    POT (arXiv 2309.13944). **Differs:** the authors' code draws for each direction, which makes the view directed
    (``undirected=False``), and POT's draws views beyond its budgets.

    Example:
        >>> path = Data(edge_index=torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]]), num_nodes=3)
        >>> EdgeDrop(0.5)(path, generator=torch.Generator().manual_seed(1)).edge_index
        tensor([[0, 1],
                [1, 0]])
        >>> EdgeDrop(0.5, as_weight=True)(path, generator=torch.Generator().manual_seed(1)).edge_weight
        tensor([1., 1., 0., 0.])
    """

    hetero = True

    def __init__(
        self, p: EdgeFloat, undirected: bool = True, as_weight: bool = False, max_drop: float | None = None
    ) -> None:
        self.p = check_per_type("p", p, check_probability)
        self.undirected = undirected
        self.as_weight = as_weight
        self.max_drop = None if max_drop is None else check_probability("max_drop", max_drop)

    def forward(self, data: Data | HeteroData, *, generator: Generator | None = None) -> Data | HeteroData:
        """Draw the edges that stay."""
        for store, p in per_type("p", self.p, edge_stores(data)):
            draw = uniform_per_edge(data, store, self.undirected, generator)
            keep = draw >= p
            if self.max_drop is not None:
                keep |= ~_within_budget(data, store, draw, ~keep, self.max_drop, self.undirected)
            drop_edges(data, store, keep, self.as_weight)
        return data

    def __repr__(self) -> str:
        limit = "" if self.max_drop is None else f", max_drop={self.max_drop}"
        return f"EdgeDrop(p={self.p}, undirected={self.undirected}{', as_weight=True' * self.as_weight}{limit})"


class EdgeAdd(Augmentor):
    """Add, with probability ``p`` for each edge, an edge between two nodes drawn uniformly from the same graph.

    The added edge has the attributes of the edge it was drawn for, and follows it: no attribute has to be made up,
    and weights, types and features are distributed as before. It may be a loop or repeat an edge.

    Args:
        p: edges added for each edge that is there, in [0, 1]; for a ``HeteroData`` also ``{edge_type: p}``.
        undirected: an edge and its reverse add an edge and its reverse; ``False``: each column adds its own.

    Raises:
        ValueError: ``p`` is outside [0, 1], or has types as keys that the graph lacks.

    **Source:** GraphCL (arXiv 2010.13902), section 3.2, "edge perturbation", its adding half. **Differs:** the
    number of added edges is binomial; attributes are carried, as GraphCL's code has none.

    Example:
        >>> path = Data(edge_index=torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]]), num_nodes=3)
        >>> EdgeAdd(0.5)(path, generator=torch.Generator().manual_seed(1)).edge_index
        tensor([[0, 1, 1, 0, 2, 1],
                [1, 0, 2, 1, 1, 0]])
    """

    hetero = True

    def __init__(self, p: EdgeFloat, undirected: bool = True) -> None:
        self.p = check_per_type("p", p, check_probability)
        self.undirected = undirected

    def forward(self, data: Data | HeteroData, *, generator: Generator | None = None) -> Data | HeteroData:
        """Draw the edges that add one, and what they add."""
        for store, p in per_type("p", self.p, edge_stores(data)):
            adds = uniform_per_edge(data, store, self.undirected, generator) < p
            chosen = adds.nonzero().squeeze(1)
            drawn = _random_pairs(data, store, chosen, self.undirected, generator)
            keep_edges(data, 1 + adds.long(), store)
            added = chosen + torch.arange(1, chosen.numel() + 1, device=chosen.device)
            store.edge_index = store.edge_index.index_copy(1, added, drawn)
        return data

    def __repr__(self) -> str:
        return f"EdgeAdd(p={self.p}, undirected={self.undirected})"


class EdgeRewire(Augmentor):
    """Put each edge, with probability ``p``, between two nodes drawn uniformly from the same graph.

    The number of edges stays, and each keeps its attributes. A rewired edge may be a loop or repeat another.

    Args:
        p: probability of rewiring, in [0, 1]; for a ``HeteroData`` also ``{edge_type: p}``, the other types staying.
        undirected: an edge and its reverse become an edge and its reverse; ``False``: each column is rewired by itself.

    Raises:
        ValueError: ``p`` is outside [0, 1], or has types as keys that the graph lacks.

    **Source:** GraphCL (arXiv 2010.13902), section 3.2, "edge perturbation": a share of the edges is replaced by as
    many random ones. **Differs:** the number of rewired edges is binomial.

    Example:
        >>> path = Data(edge_index=torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]]), num_nodes=3)
        >>> EdgeRewire(0.5)(path, generator=torch.Generator().manual_seed(3)).edge_index
        tensor([[0, 0, 0, 2],
                [0, 0, 2, 0]])
    """

    hetero = True

    def __init__(self, p: EdgeFloat, undirected: bool = True) -> None:
        self.p = check_per_type("p", p, check_probability)
        self.undirected = undirected

    def forward(self, data: Data | HeteroData, *, generator: Generator | None = None) -> Data | HeteroData:
        """Draw the edges that move, and where to."""
        for store, p in per_type("p", self.p, edge_stores(data)):
            chosen = (uniform_per_edge(data, store, self.undirected, generator) < p).nonzero().squeeze(1)
            drawn = _random_pairs(data, store, chosen, self.undirected, generator)
            store.edge_index = store.edge_index.index_copy(1, chosen, drawn)
        return data

    def __repr__(self) -> str:
        return f"EdgeRewire(p={self.p}, undirected={self.undirected})"


class EdgeAttrMask(Augmentor):
    """Set each column of ``edge_attr`` to zero with probability ``p``, for all edges alike.

    An ``edge_attr`` ``[E]`` is one column. A graph without ``edge_attr`` passes through.

    Args:
        p: probability of masking, in [0, 1]; for a ``HeteroData`` also ``{edge_type: p}``, the other types staying.

    Raises:
        ValueError: ``p`` is outside [0, 1], or has types as keys that the graph lacks.

    **Source:** PyGCL's ``EdgeAttrMasking`` (as documented there). **Differs:** as there.

    Example:
        >>> loop = Data(edge_index=torch.tensor([[0], [0]]), edge_attr=torch.ones(1, 4), num_nodes=1)
        >>> EdgeAttrMask(0.5)(loop, generator=torch.Generator().manual_seed(0)).edge_attr
        tensor([[0., 1., 0., 0.]])
    """

    hetero = True

    def __init__(self, p: EdgeFloat) -> None:
        self.p = check_per_type("p", p, check_probability)

    def forward(self, data: Data | HeteroData, *, generator: Generator | None = None) -> Data | HeteroData:
        """Draw the columns that stay."""
        for store, p in per_type("p", self.p, data.edge_stores):
            if "edge_attr" in store:
                keep = uniform(store.edge_attr.shape[1:], store.edge_attr.device, generator) >= p
                store.edge_attr = store.edge_attr * keep.to(store.edge_attr.dtype)
        return data

    def __repr__(self) -> str:
        return f"EdgeAttrMask(p={self.p})"


def drop_edges(data: Data | HeteroData, store: BaseStorage, keep: Tensor, as_weight: bool) -> None:
    """Keep the edges where ``keep`` is true, or give the others the weight 0."""
    if not as_weight:
        keep_edges(data, keep, store)
    elif "edge_weight" in store:
        store.edge_weight = store.edge_weight * keep.to(store.edge_weight.dtype)
    else:
        set_edge_weight(data, keep.to(torch.get_default_dtype()), store)


def uniform_per_edge(
    data: Data | HeteroData, store: BaseStorage, undirected: bool, generator: Generator | None
) -> Tensor:
    """Uniform in [0, 1) for each edge ``[E]``, shared by its reverse and duplicates where ``undirected``."""
    start, end = ends(data, store)
    if undirected and start is end:
        return uniform_per_pair(store.edge_index, start.num_nodes, generator)
    return uniform(store.edge_index.size(1), store.edge_index.device, generator)


def _within_budget(
    data: Data | HeteroData, store: BaseStorage, draw: Tensor, drop: Tensor, max_drop: float, undirected: bool
) -> Tensor:
    """Whether each edge ``[E]`` is a loop, or among the ``drop`` of least ``draw`` that its end may lose."""
    (start, end), (row, col) = ends(data, store), store.edge_index
    proper = row != col if start is end else torch.ones_like(drop)
    degree = torch.zeros(end.num_nodes, dtype=torch.double, device=col.device).index_add_(0, col, proper.double())
    budget = torch.minimum((max_drop * degree).round(), (degree - 1).clamp(min=0))
    place = col + draw.double()  # sorts by end, then draw, which is below 1 and a multiple of 2**-24
    order = place.masked_fill(~(drop & proper), torch.inf).sort().values
    rank = torch.searchsorted(order, place, right=True) - torch.searchsorted(order, col.double())
    within = (rank <= budget.index_select(0, col)) | ~proper
    if undirected and start is end:  # a pair stays if any of its columns has to
        pair = torch.minimum(row, col) * end.num_nodes + torch.maximum(row, col)
        pair = torch.unique(pair, return_inverse=True)[1]
        within = torch.zeros_like(place).index_add_(0, pair, (~within).double()).index_select(0, pair) == 0
    return within


def _random_pairs(
    data: Data | HeteroData, store: BaseStorage, chosen: Tensor, undirected: bool, generator: Generator | None
) -> Tensor:
    """For each edge of the indices ``chosen`` two nodes of its graph ``[2, M]``, in reverse for its reverse."""
    start, end = ends(data, store)
    edge_index = store.edge_index.index_select(1, chosen)
    graph = graph_of_nodes(start)[0][edge_index[0]]
    pair = []
    for nodes in (start, end):
        if undirected and start is end:
            bits = bits_per_pair(edge_index, start.num_nodes, generator)
        else:
            bits = random_bits(graph.shape, graph.device, generator)
        ptr = graph_of_nodes(nodes)[1]
        pair.append(ptr[graph] + pick(bits, ptr.diff()[graph]))
    drawn = torch.stack(pair)
    backward = edge_index[0] > edge_index[1]
    return torch.where(backward, drawn.flip(0), drawn) if start is end else drawn
