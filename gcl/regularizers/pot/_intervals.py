"""Interval bounds of ``A y``, where A is the normalized adjacency of any allowed view."""

import torch
from torch import Tensor

from augmentors._sparse import largest, numbers_below
from gcl.pairwise import edge_dot
from gcl.regularizers.pot._graph import AllowedViews
from gcl.regularizers.pot._layers import Layer


def interval(allowed: AllowedViews, low: Tensor, high: Tensor, tight: bool = False) -> tuple[Tensor, Tensor]:
    r"""Least and greatest value ``[N, D]`` of ``A y`` over the allowed views, for ``low <= y <= high``.

    With delta in [lo, hi] a neighbor's positive part adds at least :math:`lo_j y_j^+`, or nothing where it is dropped,
    and its negative part takes at most :math:`hi_j y_j^-`. ``tight`` counts that a row loses at most k_i neighbors:

    .. math:: \Big(\sum_j lo_j y_j^+ - k_i \max_j lo_j y_j^+\Big)^{\!+} - \sum_j hi_j y_j^-

    Without ``tight`` the first part is 0. The sum is scaled by the node's own delta, low or high by its sign.
    """
    bottom, top = _least(allowed, torch.cat([low, -high], dim=1), tight).chunk(2, dim=1)
    return bottom, -top


def preactivation(
    layer: Layer, allowed: AllowedViews, low: Tensor, high: Tensor, targets: Tensor | None = None, tight: bool = False
) -> tuple[Tensor, Tensor]:
    """Least and greatest value ``[T, D]`` of ``A y + bias``, the input of the layer's activation."""
    bottom, top = interval(allowed, low, high, tight)
    return pick(bottom, targets) + layer.bias, pick(top, targets) + layer.bias


def through(weight: Tensor, low: Tensor, high: Tensor) -> tuple[Tensor, Tensor]:
    """Least and greatest value of ``h weight`` for ``low <= h <= high``."""
    middle, radius = (high + low) / 2 @ weight, (high - low) / 2 @ weight.abs()
    return middle - radius, middle + radius


def worst_rows(
    allowed: AllowedViews, g: Tensor, low: Tensor, high: Tensor, targets: Tensor | None, tight: bool
) -> Tensor:
    """Least value ``[T]`` of ``g_i . (A h)_i`` over the allowed views, for ``low <= h <= high``.

    Like :func:`interval`, with one number for each edge; ``tight`` subtracts the exact sum of the k_i greatest.
    """
    graph, budget, lo, hi = allowed.graph, allowed.budget[:, 0], allowed.low[:, 0], allowed.high[:, 0]
    if targets is None:
        targets = torch.arange(graph.num_nodes, device=g.device)
    count = graph.start.diff().index_select(0, targets)
    row = torch.repeat_interleave(count)  # of each edge that ends in a target, the target's place
    edge = graph.start.index_select(0, targets).index_select(0, row) + numbers_below(count)
    col, value = graph.col.index_select(0, edge), graph.value.index_select(0, edge)
    signed, ends = torch.cat([g.relu(), -g.neg().relu()], dim=1), torch.cat([low, high], dim=1)
    own = (signed * ends.index_select(0, targets)).sum(1)
    e = edge_dot(signed, ends, torch.stack([row, col])) * value
    rest = -own.new_zeros(len(targets)).index_add(0, row, hi.index_select(0, col) * e.neg().relu())
    if tight:
        added = lo.index_select(0, col) * e.relu()
        dropped = largest(row, added, budget.index_select(0, targets))
        rest = rest.index_add(0, row, added.index_fill(0, dropped, 0))
    return _scaled(lo.index_select(0, targets), hi.index_select(0, targets), own, rest)


def pick(value: Tensor, targets: Tensor | None) -> Tensor:
    """The rows of the targets; all rows without targets."""
    return value if targets is None else value.index_select(0, targets)


def _least(allowed: AllowedViews, y: Tensor, tight: bool) -> Tensor:
    graph, low, high = allowed.graph, allowed.low, allowed.high
    negative = y.neg().relu()
    if not tight:
        return low.square() * y.relu() - graph.propagate(negative, high)
    added = low * y.relu()
    kept = (graph.sum_neighbors(added) - allowed.budget * graph.max_neighbors(added)).relu()
    return _scaled(low, high, y, kept - graph.sum_neighbors(high * negative))


def _scaled(low: Tensor, high: Tensor, own: Tensor, rest: Tensor) -> Tensor:
    """The node's own term and its neighbors' ``rest``, both with the node's own delta at its worst."""
    self_term = low.square() * own.relu() - high.square() * own.neg().relu()
    return self_term + low * rest.relu() - high * rest.neg().relu()
