"""Augmentors that replace the edges by those of a diffusion, without a dense matrix.

Both approximate a series of M = D^(-1/2) (A + I) D^(-1/2), where A holds ``edge_weight`` (or ones) and D the weighted
degrees of A + I, row by row: mass spreads from a node step by step, and small amounts are not passed on. Because
M sqrt(d) = sqrt(d), an amount of at most eps sqrt(d_u) at each node u becomes an error of at most eps sqrt(d_v) at each
node v, in graphs of any size. Blocks of rows share a workspace of fixed size.

Diffusion is not random. In a directed graph, mass spreads from target to source, and D counts outgoing edges.
"""

import itertools
import math
from collections.abc import Iterable

import torch
from torch import Generator, Tensor
from torch_geometric.data import Data

from augmentors._base import Augmentor
from augmentors._checks import check_at_least, check_number, check_weights
from augmentors._graphs import edge_stores
from augmentors._selection import edge_keys, set_edges
from augmentors._sparse import by_row, largest

_WORKSPACE = 2**23  # numbers in the workspace of a block of rows


class PPRDiffusion(Augmentor):
    """Replace the edges by personalized PageRank, found by push: the error is below ``eps * sqrt(degree)``.

    .. math:: S = \\alpha \\sum_k (1 - \\alpha)^k M^k, \\quad
              0 \\le S_{uv} - \\texttt{edge\\_weight}_{uv} \\le \\texttt{eps} \\sqrt{d_u}

    The bound holds for each pair u, v (with 0 for a pair that is no edge) before ``top_k``. On Cora the weights that
    are kept are 79 % of the sum of S; with ``eps=1e-4, top_k=128`` they are 90 %, of four times as many edges. The
    weights are normalized: use an encoder that does not normalize again, such as ``GCNConv(..., normalize=False)``.

    Args:
        alpha: probability of restarting, in [1e-3, 1]; the steps grow as 1 / alpha.
        eps: bound of the error in units of sqrt(degree), in [1e-9, 1).
        top_k: keep the largest weights of each node's incoming edges, at least 1, in O(N top_k) memory; ``None``: all.

    Raises:
        ValueError: an argument is outside its range; (by the call) the graph has edge attributes other than
            ``edge_weight``, which new edges cannot have, or a negative weight.

    **Source:** MVGRL (arXiv 2006.05582), equation 3; GDC (arXiv 1911.05485); push: Andersen, Chung and Lang (2006).
    **Differs:** sparse with a bound, where MVGRL inverts an N x N matrix.

    Example:
        >>> path = Data(edge_index=torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]]), num_nodes=3)
        >>> PPRDiffusion(0.2, eps=1e-6)(path).edge_weight.view(3, 3)[0]
        tensor([0.4902, 0.2882, 0.1569])
    """

    def __init__(self, alpha: float = 0.2, *, eps: float = 1e-3, top_k: int | None = 32) -> None:
        check_number("alpha", alpha, lambda a: 0 < a <= 1, "in (0, 1]")
        self.alpha = check_number("alpha", alpha, lambda a: a >= 1e-3, "at least 1e-3, as the steps grow as 1 / alpha")
        self.eps = check_number("eps", eps, lambda e: 1e-9 <= e < 1, "in [1e-9, 1)")
        self.top_k = top_k if top_k is None else check_at_least("top_k", top_k, 1)

    def forward(self, data: Data, *, generator: Generator | None = None) -> Data:
        return _diffuse(data, itertools.repeat(self.alpha), 1 - self.alpha, self.eps, carry=True, top_k=self.top_k)


class HeatDiffusion(Augmentor):
    """Replace the edges by the heat kernel, a truncated series: the error is below ``eps * sqrt(degree)``.

    .. math:: S = \\sum_k e^{-t} \\frac{t^k}{k!} M^k

    with the bound of :class:`PPRDiffusion`: the omitted last terms sum to at most eps / 2, and what is not passed on at
    each step is at most eps / (2 t + 2) sqrt(degree).

    Args:
        t: time, in (0, 100].
        eps, top_k: as for :class:`PPRDiffusion`.

    Raises:
        ValueError: as for :class:`PPRDiffusion`.

    **Source:** MVGRL (arXiv 2006.05582), equation 4; GDC (arXiv 1911.05485). **Differs:** sparse with a bound;
    symmetric normalization, where MVGRL's equation has A D^(-1).

    Example:
        >>> path = Data(edge_index=torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]]), num_nodes=3)
        >>> HeatDiffusion(2.0, eps=1e-6)(path).edge_weight.view(3, 3)[0]
        tensor([0.4904, 0.3160, 0.1226])
    """

    def __init__(self, t: float = 5.0, *, eps: float = 1e-2, top_k: int | None = 32) -> None:
        self.t = check_number("t", t, lambda t: 0 < t <= 100, "in (0, 100]")
        self.eps = check_number("eps", eps, lambda e: 1e-9 <= e < 1, "in [1e-9, 1)")
        self.top_k = top_k if top_k is None else check_at_least("top_k", top_k, 1)

    def forward(self, data: Data, *, generator: Generator | None = None) -> Data:
        weights = [math.exp(-self.t)]
        while 1 - math.fsum(weights) > self.eps / 2:
            weights.append(weights[-1] * self.t / len(weights))
        return _diffuse(data, weights, 1.0, self.eps / (2 * self.t + 2), carry=False, top_k=self.top_k)


def _diffuse(data: Data, weights: Iterable[float], decay: float, least: float, carry: bool, top_k: int | None) -> Data:
    """Replace the edges by sum_k weights[k] (decay M)^k; see :func:`_spread` for ``least`` and ``carry``."""
    if not edge_stores(data):
        return data
    data._store.pop("e_id", None)  # a loader's, which new edges do not have
    if others := [key for key in edge_keys(data, data._store) if key not in ("edge_index", "edge_weight")]:
        raise ValueError(f"data must have no edge attributes but edge_weight, as edges are replaced, got {others}")
    start, col, value, root = _transition(data)
    pieces = []
    for rows in torch.arange(root.numel(), device=col.device).split(max(1, _WORKSPACE // max(1, root.numel()))):
        row, near, weight = _spread(rows, (start, col, value * decay), root * least, weights, carry)
        if top_k is not None:
            chosen = largest(row - rows[:1], weight, torch.full_like(rows, top_k)).sort().values
            row, near, weight = row[chosen], near[chosen], weight[chosen]
        pieces.append((row, near, weight))
    row, near, weight = (torch.cat(blocks) for blocks in zip(*pieces, strict=True))
    return set_edges(data, torch.stack([near, row]), weight)


def _transition(data: Data) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """M's transpose in CSR as ``(start, col, value)``, and sqrt(d)."""
    n, (col, row) = data.num_nodes, data.edge_index
    weight = data.edge_weight if data.edge_weight is not None else torch.ones(row.numel(), device=row.device)
    check_weights("data.edge_weight", weight)
    weight = weight if weight.is_floating_point() else weight.float()
    loops = torch.arange(n, device=row.device)
    row, col, weight = torch.cat([row, loops]), torch.cat([col, loops]), torch.cat([weight, weight.new_ones(n)])
    order, start = by_row(row, n)
    row, col, weight = row[order], col[order], weight[order]
    root = weight.new_zeros(n).index_add_(0, col, weight).sqrt()
    return start, col, weight / (root[row] * root[col]), root


def _spread(
    rows: Tensor, matrix: tuple[Tensor, Tensor, Tensor], least: Tensor, weights: Iterable[float], carry: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """Rows of sum_k weights[k] matrix^k as ``(row, col, value)``, sorted.

    At each step, mass above ``least`` ``[N]`` is passed on; the rest is accumulated (``carry``) or lost.
    """
    start, col, value = matrix
    n = least.numel()
    workspace = value.new_zeros(rows.numel() * n)
    key = torch.arange(rows.numel(), device=rows.device) * n + rows
    mass = value.new_ones(rows.numel())
    keys, masses = [], []
    for weight in weights:
        keys.append(key)
        masses.append(weight * mass)
        node = key % n
        degree = start[node + 1] - start[node]
        source = torch.repeat_interleave(degree)
        shift = (start[node] - degree.cumsum(0) + degree).index_select(0, source)
        edge = torch.arange(source.numel(), device=rows.device).add_(shift)
        near = col.index_select(0, edge)
        target = (key - node).index_select(0, source).add_(near)
        workspace.index_add_(0, target, mass.index_select(0, source).mul_(value.index_select(0, edge)))
        key = target[workspace.index_select(0, target) > least.index_select(0, near)].unique()
        mass = workspace[key]
        workspace[key if carry else target] = 0
        if not key.numel():
            break
    key, position = torch.cat(keys).unique(return_inverse=True)
    total = value.new_zeros(key.numel()).index_add_(0, position, torch.cat(masses))
    return rows[key // n], key % n, total
