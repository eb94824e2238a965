"""GCA's adaptive augmentors, which rarely perturb central edges and features, and node centralities.

A centrality is a function ``Data -> Tensor [N]`` of values of at least 0, called each time; to call it once, store it:

    data.pagerank = pagerank(data)
    augmentor = AdaptiveEdgeDrop(0.3, centrality=operator.attrgetter("pagerank"))
"""

from collections.abc import Callable

import torch
from torch import Generator, Tensor
from torch_geometric.data import Data
from torch_geometric.utils import scatter

from augmentors._base import Augmentor
from augmentors._checks import check_callable, check_probability
from augmentors._edges import drop_edges, uniform_per_edge
from augmentors._graphs import check_structure, edge_stores, edges_of, graph_of_nodes
from augmentors._random import uniform
from augmentors._sparse import dense_or_coo

Centrality = Callable[[Data], Tensor]


def degree_centrality(data: Data) -> Tensor:
    """The number of edges that end in each node ``[N]``.

    **Source:** GCA (arXiv 2010.14945), section 3.2.1. **Differs:** nothing.

    Example:
        >>> degree_centrality(Data(edge_index=torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]]), num_nodes=3))
        tensor([1., 2., 1.], dtype=torch.float64)
    """
    check_structure(data)
    return edges_of(data)[1].bincount(minlength=data.num_nodes).double()


def pagerank(data: Data, damping: float = 0.85) -> Tensor:
    """PageRank ``[N]`` without edge weights: sums to 1 in each graph of a batch, error below 1e-8 in the 1-norm.

    .. math:: r = (1 - d) / n + d (A^T D^{-1} r + \\text{mass of nodes without outgoing edges} / n)

    Args:
        damping: fraction of the mass that follows the edges, in [0, 1).

    Raises:
        ValueError: ``damping`` is outside [0, 1).

    **Source:** Page et al. (1999); GCA (arXiv 2010.14945), section 3.2.1. **Differs:** GCA's code has a lazy walk,
    200 steps of :math:`r \\leftarrow (1 - d) r + d A^T D^{-1} r` from ones, which restarts where it is: it tends to
    each node's degree over the mean degree of its connected component.

    Example:
        >>> pagerank(Data(edge_index=torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]]), num_nodes=3))
        tensor([0.2568, 0.4865, 0.2568], dtype=torch.float64)
    """
    check_probability("damping", damping, below=1)
    check_structure(data)
    (batch, ptr), (row, col) = graph_of_nodes(data._store), edges_of(data)
    share = 1 / ptr.diff().double()[batch]
    degree = row.bincount(minlength=batch.numel()).double()
    rank, change = share, float("inf")
    while change > 1e-8 * (1 - damping) * (ptr.numel() - 1):
        flow = torch.zeros_like(rank).index_add_(0, col, (rank / degree).index_select(0, row))
        stuck = scatter(rank * (degree == 0), batch, dim_size=ptr.numel() - 1)[batch]
        new = (1 - damping) * share + damping * (flow + stuck * share)
        change, rank = float((new - rank).abs().sum()), new
    return rank


def eigenvector_centrality(data: Data) -> Tensor:
    """The leading eigenvector ``[N]`` of the adjacency matrix of each graph, by its incoming edges, of 2-norm 1.

    Power iteration on A + I, in each graph until a step changes it by less than 1e-8 in the 1-norm, or 1000 steps.

    **Source:** Bonacich (1987); GCA (arXiv 2010.14945), section 3.2.1. **Differs:** the authors call networkx.

    Example:
        >>> eigenvector_centrality(Data(edge_index=torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]]), num_nodes=3))
        tensor([0.5000, 0.7071, 0.5000], dtype=torch.float64)
    """
    check_structure(data)
    (batch, ptr), (row, col) = graph_of_nodes(data._store), edges_of(data)
    vector = torch.ones_like(batch, dtype=torch.float64)
    done = torch.zeros_like(ptr[1:], dtype=torch.bool)
    for _ in range(1000):
        new = vector.index_add(0, col, vector.index_select(0, row))
        new = new / scatter(new.square(), batch, dim_size=done.numel()).sqrt()[batch]
        new = torch.where(done[batch], vector, new)  # each graph stops as it would alone
        done = scatter((new - vector).abs(), batch, dim_size=done.numel()) < 1e-8
        vector = new
        if done.all():
            break
    return vector


class _AdaptiveAugmentor(Augmentor):
    """Checks and keeps the arguments that both augmentors take."""

    def __init__(self, p: float, centrality: Centrality = degree_centrality, *, threshold: float = 0.7) -> None:
        self.p = check_probability("p", p)
        self.centrality = check_callable("centrality", centrality, "a function Data -> Tensor [N]")
        self.threshold = check_probability("threshold", threshold)

    def _values(self, data: Data) -> Tensor:
        value = self.centrality(data)
        if not isinstance(value, Tensor) or value.shape != (data.num_nodes,):
            got = tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
            raise ValueError(f"centrality must give a tensor [{data.num_nodes}], got {got}")
        return value


class AdaptiveEdgeDrop(_AdaptiveAugmentor):
    """Drop edges with probabilities that average to ``p`` in each graph, lower between central nodes.

    .. math:: p_{uv} = \\min\\Big(\\frac{s_{max} - s_{uv}}{s_{max} - \\mu_s} p,\\; p_\\tau\\Big),
              \\quad s_{uv} = \\log \\frac{\\varphi(u) + \\varphi(v)}{2}

    Args:
        p: mean probability of dropping, before clipping at ``threshold``; in [0, 1].
        centrality: :func:`degree_centrality`, :func:`pagerank`, :func:`eigenvector_centrality`, or your own.
        threshold: the highest probability, p_tau, in [0, 1].
        undirected: draw both directions of an edge together; ``False``: each column, by the centrality of its target.
        as_weight: keep all edges and give the dropped ones ``edge_weight`` 0, as in :class:`augmentors.EdgeDrop`.

    Raises:
        TypeError, ValueError: ``centrality`` is not callable; ``p`` or ``threshold`` is outside [0, 1].

    **Source:** GCA (arXiv 2010.14945), equations 2 and 3. **Differs:** the authors' code uses the edge's target for
    undirected graphs too. Weights of 0 (log 0) are left out of the mean and get ``threshold``, where the code adds
    1e-8; if all weights above 0 are equal, all get ``p``, where the formula is 0 / 0.

    Example:
        >>> data = Data(edge_index=torch.tensor([[0, 1, 1, 2, 2, 3], [1, 0, 2, 1, 3, 2]]), num_nodes=4)
        >>> AdaptiveEdgeDrop(0.4).probabilities(data)
        tensor([0.6000, 0.6000, 0.0000, 0.0000, 0.6000, 0.6000], dtype=torch.float64)
    """

    def __init__(
        self,
        p: float,
        centrality: Centrality = degree_centrality,
        *,
        threshold: float = 0.7,
        undirected: bool = True,
        as_weight: bool = False,
    ) -> None:
        super().__init__(p, centrality, threshold=threshold)
        self.undirected = undirected
        self.as_weight = as_weight

    def probabilities(self, data: Data) -> Tensor:
        """The probability ``[E]`` of dropping each edge."""
        value, (row, col) = self._values(data).double(), data.edge_index
        weight = value.index_select(0, col)
        if self.undirected:
            weight = (weight + value.index_select(0, row)) / 2
        batch, ptr = graph_of_nodes(data._store)
        return _probabilities(weight, batch[row], ptr.numel() - 1, self.p, self.threshold)

    def forward(self, data: Data, *, generator: Generator | None = None) -> Data:
        for store in edge_stores(data):
            draw = uniform_per_edge(data, store, self.undirected, generator)
            drop_edges(data, store, draw >= self.probabilities(data), self.as_weight)
        return data


class AdaptiveFeatureMask(_AdaptiveAugmentor):
    """Set feature columns to zero with probabilities that average to ``p``, lower for those of central nodes.

    .. math:: p_i = \\min\\Big(\\frac{s_{max} - s_i}{s_{max} - \\mu_s} p,\\; p_\\tau\\Big),
              \\quad s_i = \\log \\sum_u |x_{ui}| \\varphi(u)

    A graph without ``x`` passes through; the columns are masked for all graphs of a batch alike.

    Args:
        p: mean probability of masking, before clipping at ``threshold``; in [0, 1].
        centrality, threshold: as for :class:`AdaptiveEdgeDrop`.
        binary: count x_ui as 1 wherever it is not 0, as GCA's code does with bags of words whose rows are normalized.

    Raises:
        TypeError, ValueError: as for :class:`AdaptiveEdgeDrop`.

    **Source:** GCA (arXiv 2010.14945), equations 4 to 7. **Differs:** weights of 0 as in :class:`AdaptiveEdgeDrop`.

    Example:
        >>> x = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
        >>> data = Data(x=x, edge_index=torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]]))
        >>> AdaptiveFeatureMask(0.3).probabilities(data)
        tensor([0.6000, 0.0000], dtype=torch.float64)
    """

    def __init__(
        self,
        p: float,
        centrality: Centrality = degree_centrality,
        *,
        threshold: float = 0.7,
        binary: bool = False,
    ) -> None:
        super().__init__(p, centrality, threshold=threshold)
        self.binary = binary

    def probabilities(self, data: Data) -> Tensor:
        """The probability ``[F]`` of masking each column."""
        if data.x.dim() != 2:
            raise ValueError(f"data.x must have shape [N, F], got {tuple(data.x.shape)}")
        x = dense_or_coo(data.x if data.x.is_floating_point() else data.x.float())
        weight = self._values(data).to(x.dtype) @ (x.sign() if self.binary else x).abs()
        group = torch.zeros_like(weight, dtype=torch.long)
        return _probabilities(weight.double(), group, 1, self.p, self.threshold)

    def forward(self, data: Data, *, generator: Generator | None = None) -> Data:
        if data.x is not None:
            p = self.probabilities(data)
            keep = uniform(p.numel(), data.x.device, generator) >= p
            data.x = dense_or_coo(data.x) * keep.to(data.x.dtype)
        return data


def _probabilities(weight: Tensor, group: Tensor, groups: int, p: float, threshold: float) -> Tensor:
    """GCA's probabilities for float64 weights, normalized within each group."""
    score, positive = weight.log(), weight > 0
    highest = score.new_full((groups,), -torch.inf).scatter_reduce(0, group, score, "amax")
    mean = scatter(score.masked_fill(~positive, 0), group, dim_size=groups) / scatter(
        positive.double(), group, dim_size=groups
    )
    spread = (highest - mean).masked_fill(highest - mean < 1e-6, torch.nan)
    ratio = (highest.index_select(0, group) - score) / spread.index_select(0, group)
    return (ratio.nan_to_num(nan=1.0) * p).clamp(max=threshold)
