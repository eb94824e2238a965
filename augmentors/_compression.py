"""StructComp's views: a graph compressed to one node for each cluster.

A cluster vector belongs to one graph: no ``Batch`` of several. Of the attributes, only ``x`` is kept, as means.
"""

import copy
from collections.abc import Sequence

import torch
from torch import Generator, Tensor
from torch_geometric.data import Batch, Data
from torch_geometric.utils import coalesce

from augmentors._base import Augmentor
from augmentors._checks import check_long, check_probability
from augmentors._graphs import device_of, edges_of
from augmentors._random import integers, random_bits
from augmentors._sparse import csr_matrix, numbers_below, sums_before


class Compress(Augmentor):
    r"""Replace each cluster by one node with the mean features of its members, and remove all edges.

    .. math:: X_c = M^{-1} C^\top X, \qquad C_{ij} = [c_i = j], \quad M = \mathrm{diag}(m_1, \ldots, m_K)

    A GCN on a graph without edges is an MLP with the same weights: trained on the view, it embeds the whole graph.

    Args:
        cluster: long ``[N]``, the cluster in [0, K) of each node; none empty. Keep it on the graph's device.
        coarse: also give the view ``coarse_edge_index`` ``[2, E']``, the pairs of clusters that edges join (a cluster
            with itself for edges inside), and ``coarse_edge_weight`` ``[E']``, the number of edges or the sum of their
            weights: :math:`C^\top A C`. ``edge_index`` is empty.

    Returns:
        (by a call) ``Data`` with ``x`` ``[K, F]``, dense where the graph's is a sparse matrix, ``edge_index``
        ``[2, 0]`` and ``num_members`` ``[K]``, how many nodes each row is the mean of.

    Raises:
        TypeError: ``cluster`` is no long tensor.
        ValueError: ``cluster`` has another shape or an empty cluster; (by a call) not N entries; a batch of several.

    **Source:** StructComp (ICLR 2024), X_c = P^T X. **Differs:** the code's coarse graph ignores the counts.

    Example:
        >>> path = Data(x=torch.tensor([[1.0], [3.0], [8.0]]), edge_index=torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]]))
        >>> view = Compress(torch.tensor([0, 0, 1]), coarse=True)(path)
        >>> view.x.T, view.num_members, view.coarse_edge_weight
        (tensor([[2., 8.]]), tensor([2, 1]), tensor([2., 1., 1.]))
    """

    def __init__(self, cluster: Tensor, *, coarse: bool = False) -> None:
        self.cluster, self.num_members = _check_cluster(cluster)
        self.coarse = coarse
        self.members = cluster.argsort(stable=True)

    def forward(self, data: Data, *, generator: Generator | None = None) -> Data:
        view = _average(data, self.cluster, self.members, self.num_members)
        if self.coarse:
            edge_index, weight = edges_of(data), data.get("edge_weight")
            if weight is None:
                weight = torch.ones(edge_index.size(1), device=edge_index.device)
            ends = self.cluster.to(edge_index.device)[edge_index]
            view.coarse_edge_index, view.coarse_edge_weight = coalesce(ends, weight, num_nodes=view.num_nodes)
        return view

    def __repr__(self) -> str:
        return f"Compress({_shape(self)}{', coarse=True' * self.coarse})"


class DropMember(Augmentor):
    r"""Replace each cluster by one node with the mean features of a random subset of its members; remove all edges.

    Of the m members of a cluster, s = max(1, floor((1 - p) m)) are drawn without replacement. With x and S the mean and
    the covariance (divided by m) of all members, the row x' has

    .. math:: \mathbb{E}\, x' = x, \qquad \mathrm{Cov}\, x' = S\, \frac{m - s}{s (m - 1)}

    Args:
        cluster: as for :class:`Compress`.
        p: fraction of the members to drop, in [0, 1]; at least one is kept.

    Returns:
        (by a call) as :class:`Compress`; ``num_members`` ``[K]`` is s.

    Raises:
        TypeError, ValueError: as :class:`Compress`; or ``p`` is outside [0, 1].

    **Source:** StructComp (ICLR 2024), DropMember. **Differs:** p = 1/2 in the code, which fails for m = 1.

    Example:
        >>> pair = Data(x=torch.tensor([[1.0], [3.0], [8.0]]), edge_index=torch.empty(2, 0).long())
        >>> DropMember(torch.tensor([0, 0, 1]))(pair, generator=torch.Generator().manual_seed(0)).x.T
        tensor([[1., 8.]])
    """

    def __init__(self, cluster: Tensor, p: float = 0.5) -> None:
        self.cluster, size = _check_cluster(cluster)
        self.p = check_probability("p", p)
        self.num_members = (size * (1 - self.p) + 1e-6).long().clamp_min(1)  # 1e-6: (1 - 0.9) * 10 is below 1
        self.kept = (numbers_below(size) < self.num_members.repeat_interleave(size)).nonzero().squeeze(1)

    def forward(self, data: Data, *, generator: Generator | None = None) -> Data:
        """Draw the members to keep: the first ones of each cluster in a random order."""
        cluster = self.cluster.to(device_of(data._store))
        order = (random_bits(cluster.shape, cluster.device, generator) + (cluster << 32)).argsort()
        return _average(data, cluster, order[self.kept.to(order.device)], self.num_members)

    def __repr__(self) -> str:
        return f"DropMember({_shape(self)}, p={self.p})"


class ViewPool(Augmentor):
    """Draw one of some precomputed views, each equally likely, and ignore the graph that it is called with.

    The cost of a call does not depend on the size of the graph.

    Args:
        views: at least one; they are not copied.

    Raises:
        TypeError, ValueError: a view is no ``Data``; there are none.

    Example:
        >>> pool = ViewPool([Data(x=torch.full((1, 2), float(i))) for i in range(8)])
        >>> pool(Data(), generator=torch.Generator().manual_seed(0)).x
        tensor([[4., 4.]])
    """

    def __init__(self, views: Sequence[Data]) -> None:
        self.views = list(views)
        if not self.views:
            raise ValueError("views must hold at least one graph, got none")
        for view in self.views:
            if not isinstance(view, Data):
                raise TypeError(f"views must hold torch_geometric Data, got {type(view).__name__}")

    def forward(self, data: Data, *, generator: Generator | None = None) -> Data:
        return copy.copy(self.views[int(integers(len(self.views), (), torch.device("cpu"), generator))])

    def __repr__(self) -> str:
        return f"ViewPool([{self.views[0]}] and {len(self.views) - 1} more)"


def _average(data: Data, cluster: Tensor, members: Tensor, num_members: Tensor) -> Data:
    """The graph without edges whose row j is the mean of the next ``num_members[j]`` nodes of ``members``."""
    if isinstance(data, Batch) and data.num_graphs != 1:
        raise ValueError(f"data must be the one graph that cluster belongs to, got a batch of {data.num_graphs}")
    if data.num_nodes != cluster.numel():
        raise ValueError(f"cluster must have an entry for each of the {data.num_nodes} nodes, got {cluster.numel()}")
    device = device_of(data._store)
    members, num_members = members.to(device), num_members.to(device)
    edge_index = torch.empty(2, 0, dtype=torch.long, device=device)
    view = Data(edge_index=edge_index, num_nodes=num_members.numel(), num_members=num_members)
    if data.x is not None:
        view.x = _mean_rows(data.x, members, num_members)
    return view


def _mean_rows(x: Tensor, members: Tensor, num_members: Tensor) -> Tensor:
    """A sparse product, at least in float32; a sparse ``x`` is never made dense."""
    if x.dim() != 2:
        raise ValueError(f"data.x must have shape [N, F], got {tuple(x.shape)}")
    dtype = x.dtype if x.is_floating_point() else torch.float32
    x = x.to(torch.promote_types(dtype, torch.float32))
    value = num_members.to(x.dtype).reciprocal().repeat_interleave(num_members, output_size=members.numel())
    matrix = csr_matrix(sums_before(num_members), members, value, x.size(0))
    dense = x.layout == torch.strided
    mean = matrix @ x if dense else torch.sparse.mm(matrix.to_sparse_coo(), x.to_sparse_coo()).to_dense()
    return mean.to(dtype)


def _check_cluster(cluster: Tensor) -> tuple[Tensor, Tensor]:
    """``cluster`` if it is valid, and the size of each cluster ``[K]``."""
    check_long("cluster", cluster)
    if cluster.dim() != 1 or cluster.numel() == 0:
        raise ValueError(f"cluster must have shape [N] with N >= 1, got {tuple(cluster.shape)}")
    if cluster.min() < 0:
        raise ValueError(f"cluster must be at least 0, got {int(cluster.min())}")
    size = cluster.unique(return_counts=True)[1]
    if size.numel() != cluster.max() + 1:
        got = f"{size.numel()} clusters numbered up to {int(cluster.max())}: use cluster.unique(return_inverse=True)[1]"
        raise ValueError(f"cluster must leave no cluster empty, got {got}")
    return cluster, size


def _shape(augmentor: Compress | DropMember) -> str:
    return f"cluster=[{augmentor.cluster.numel()} -> {augmentor.num_members.numel()}]"
