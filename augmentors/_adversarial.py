"""The view that an objective likes least: edges and features perturbed by projected gradient ascent."""

import copy
import math
from collections.abc import Callable
from typing import Literal, NamedTuple

import torch
from torch import Generator, Tensor
from torch_geometric.data import Data

from augmentors._base import Augmentor
from augmentors._checks import check_at_least
from augmentors._graphs import edges_of, graph_of_nodes
from augmentors._pairs import PairGraph, all_pairs, pair_graph, present_pairs, random_pairs
from augmentors._random import uniform

ViewObjective = Callable[[Data], Tensor]
CANDIDATES = ("sampled", "best", "all")
_BLOCK = 2**18  # entries of the features that change at once


class Attack(NamedTuple):
    """What an attack found.

    Attributes:
        view: the graph with the drawn flips and the perturbed features.
        relaxed: the graph that the ascent ended at: all candidate edges, weighted.
        pairs: candidates ``[2, M]``, u < v.
        s: flips ``[M]`` in [0, 1], the probabilities of the draw.
    """

    view: Data
    relaxed: Data
    pairs: Tensor
    s: Tensor


class AdversarialView(Augmentor):
    r"""The view on which an objective is high, within a budget of flipped edges and changed features.

    Over a list of M candidate pairs of nodes, each flipped by :math:`s \in [0, 1]`, and a perturbation of the features,

    .. math::
        \max_{s, \delta} \; \mathrm{objective}(A + C \circ S,\; X + \delta), \qquad
        \sum s \le \rho |E|, \quad \lVert \delta \rVert_\infty \le \Delta

    with C = 1 for absent and -1 for present pairs, by T steps of projected gradient ascent from 0:

    .. math::
        s \leftarrow \Pi\big(s + \tfrac{\alpha}{\sqrt{t + 1}} \, g_s / \max |g_s|\big), \qquad
        \delta \leftarrow \mathrm{clip}(\delta + \beta \, \mathrm{sign}(g_\delta), -\Delta, \Delta)

    then each pair is flipped with probability s: the number of flips is :math:`\sum s` on average. :math:`\Delta` and
    :math:`\beta` count in the mean size of the entries of x that are not 0, which is 1 for binary features.

    A pair is unordered: where the graph joins it, in one direction or both, once or several times, a flip removes all
    that; where it does not, a flip adds both directions, with the attributes of an edge drawn from the same graph.
    Self-loops stay. Pairs never join graphs of a ``Batch``; a graph without edges has no budget and stays.

    Args:
        objective: ``view -> scalar``, differentiable in ``view.x`` and ``view.edge_weight``, where the flips stand;
            the view has more columns in ``edge_index`` than the graph, those of weight 0 included. It is called
            ``steps`` times. Networks in it should be in evaluation mode; their parameters get no gradient.
        edge_budget: :math:`\rho`, flips for each undirected edge, at least 0; 0 leaves the edges.
        feature_budget: :math:`\Delta`, at least 0; 0 leaves the features.
        steps: T, at least 1.
        edge_step: :math:`\alpha`, above 0.
        feature_step: :math:`\beta`, above 0.
        candidates: the present pairs and ``"sampled"``: up to ``absent`` drawn absent pairs for each of them;
            ``"best"``: those ``absent`` for each of them whose first gradient is highest, found in row blocks, at the
            price of an evaluation of the objective for each block; ``"all"``: all absent pairs, as in the paper, for
            some hundred nodes at most where the encoder gathers along edges.
        absent: how many absent pairs for each present one, at least 1.
        per_graph: each graph of a ``Batch`` has the share of its edges of the budget; ``False``: one budget for all.
        relative: as above; ``False``: the step is :math:`\alpha g_s / \sqrt{t + 1}`, and :math:`\Delta` and
            :math:`\beta` are in the units of x.

    Raises:
        TypeError: the objective is not callable.
        ValueError: an argument is out of range; (by the call) the features are not floating-point, or the objective
            gives no scalar that depends on the view.
        FloatingPointError: (by the call) the objective or its gradient is not finite.

    **Source:** ARIEL (arXiv 2208.06956) and the authors' code; projected gradient ascent over edges: Xu et al.
    (arXiv 1906.04214). **Differs:** a vector over candidate pairs instead of a matrix over all
    (``candidates="all"``); steps relative to the gradient (``relative=False, edge_step=200``); the sum of s is at most
    the budget, where the code overshoots by up to 1.4 %. As in the code, one draw is made, which may exceed the budget.

    Example: remove the edge that carries most.

        >>> path = Data(x=torch.tensor([[1.0], [1.0], [5.0]]), edge_index=torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]]))
        >>> def smoothness(view):
        ...     row, col = view.edge_index
        ...     return -(view.edge_weight * (view.x[row] - view.x[col]).square().squeeze(1)).sum()
        >>> attack = AdversarialView(smoothness, edge_budget=0.5, feature_budget=0.0)
        >>> attack(path, generator=torch.Generator().manual_seed(0)).edge_index
        tensor([[0, 1],
                [1, 0]])
    """

    def __init__(
        self,
        objective: ViewObjective,
        edge_budget: float = 0.2,
        feature_budget: float = 0.04,
        steps: int = 5,
        edge_step: float = 1.0,
        feature_step: float = 0.01,
        candidates: Literal["sampled", "best", "all"] = "sampled",
        *,
        absent: int = 2,
        per_graph: bool = True,
        relative: bool = True,
    ) -> None:
        if not callable(objective):
            raise TypeError(f"objective must be a function Data -> scalar Tensor, got {objective!r}")
        if candidates not in CANDIDATES:
            raise ValueError(f"candidates must be one of {', '.join(CANDIDATES)}, got {candidates!r}")
        self.objective = objective
        self.edge_budget = _check_size("edge_budget", edge_budget)
        self.feature_budget = _check_size("feature_budget", feature_budget)
        self.steps = check_at_least("steps", steps, 1)
        self.edge_step = _check_size("edge_step", edge_step, zero=False)
        self.feature_step = _check_size("feature_step", feature_step, zero=False)
        self.candidates = candidates
        self.absent = check_at_least("absent", absent, 1)
        self.per_graph = per_graph
        self.relative = relative

    def forward(self, data: Data, *, generator: Generator | None = None) -> Data:
        """Attack, and draw the view."""
        return self.attack(data, generator=generator).view

    def attack(self, data: Data, *, generator: Generator | None = None) -> Attack:
        """The view, with the relaxed graph that it was drawn from."""
        data = copy.copy(data)
        data.edge_index = edges_of(data)
        perturbed = self.feature_budget > 0 and data.x is not None
        if perturbed and not data.x.is_floating_point():
            raise ValueError(f"data.x must be floating-point to be perturbed (feature_budget > 0), got {data.x.dtype}")
        graph = self._candidate_graph(data, generator)
        group, budget = self._budgets(graph)
        s = _no_flips(graph)
        x = data.x.clone() if perturbed else None
        unit = _mean_size(data.x) if perturbed and self.relative else s.new_ones(())
        limit, step = unit * self.feature_budget, unit * self.feature_step
        values = []
        for t in range(self.steps):
            value, grad_s, grad_x = self._gradients(graph, s, x)
            values += [value, grad_s.sum()]
            s = project_to_budget(s.add_(self._edge_step(grad_s, group, budget, t)), budget, group)
            if x is not None and grad_x is not None:
                values.append(grad_x.sum())
                _move(x, grad_x, step, data.x, limit)
            del grad_x  # not held during the next evaluation
        if not torch.stack([value.isfinite() for value in values]).all():
            raise FloatingPointError("the objective or its gradient is not finite during the attack")
        view = graph.flipped(uniform(s.shape, s.device, generator) < s)
        relaxed = graph.relaxed(s)
        if x is not None:
            view.x = relaxed.x = x
        return Attack(view, relaxed, graph.pairs, s)

    def _candidate_graph(self, data: Data, generator: Generator | None) -> PairGraph:
        """The pairs that may be flipped, and the graph over them."""
        present = present_pairs(data)
        if not self.edge_budget:
            return pair_graph(data, present, generator)
        if self.candidates == "all":
            return pair_graph(data, torch.cat([present, *all_pairs(data)]), generator)
        batch, ptr = graph_of_nodes(data._store)
        count = self.absent * batch[present // max(1, data.num_nodes)].bincount(minlength=ptr.numel() - 1)
        if self.candidates == "sampled":
            return pair_graph(data, random_pairs(data, count, generator), generator)
        return pair_graph(data, self._best(data, count, generator), generator)

    def _best(self, data: Data, count: Tensor, generator: Generator | None) -> Tensor:
        """The ``count`` ``[B]`` absent pairs of each graph with the highest gradient at s = 0."""
        batch, _ = graph_of_nodes(data._store)
        best, score = present_pairs(data)[:0], torch.zeros(0, device=batch.device)
        for numbers in all_pairs(data):
            graph = pair_graph(data, numbers, generator)
            gradient = self._gradients(graph, _no_flips(graph), None)[1]
            best, score = torch.cat([best, graph.numbers[~graph.present]]), torch.cat([score, gradient[~graph.present]])
            order = score.argsort(descending=True, stable=True)
            order = order[batch[best[order] // data.num_nodes].argsort(stable=True)]
            group = batch[best[order] // data.num_nodes]
            before = group.bincount(minlength=count.numel()).cumsum(0) - group.bincount(minlength=count.numel())
            rank = torch.arange(group.numel(), device=group.device) - before[group]
            chosen = order[rank < count[group]]
            best, score = best[chosen], score[chosen]
        return best

    def _budgets(self, graph: PairGraph) -> tuple[Tensor | None, Tensor]:
        """The group ``[M]`` of each pair, ``None`` for one group, and the budget of each group."""
        batch, ptr = graph_of_nodes(graph.data._store)
        if not self.per_graph or ptr.numel() == 2:
            return None, self.edge_budget * graph.present.sum()
        group = batch[graph.pairs[0]]
        return group, self.edge_budget * group[graph.present].bincount(minlength=ptr.numel() - 1)

    def _edge_step(self, gradient: Tensor, group: Tensor | None, budget: Tensor, t: int) -> Tensor:
        """The step of s at iteration t."""
        if self.relative:
            highest = _highest(gradient.abs(), budget, group)
            gradient = gradient / _spread(highest.masked_fill(highest == 0, 1.0), group)
        return gradient * (self.edge_step / math.sqrt(t + 1))

    def _gradients(self, graph: PairGraph, s: Tensor, x: Tensor | None) -> tuple[Tensor, Tensor, Tensor | None]:
        """The objective at the flips ``s`` and the features ``x``, and its gradients; ``None``: x as it is."""
        with torch.enable_grad():
            leaves = [part.detach().requires_grad_() for part in (s, x) if part is not None]
            view = graph.relaxed(leaves[0])
            if x is not None:
                view.x = leaves[1]
            value = self.objective(view)
            if not (isinstance(value, Tensor) and value.numel() == 1 and value.requires_grad):
                raise ValueError(f"objective must give a scalar that depends on view.x or edge_weight, got {value!r}")
            gradients = torch.autograd.grad(value, leaves, allow_unused=True, materialize_grads=True)
        return value.detach().reshape(()), gradients[0], None if x is None else gradients[1]

    def __repr__(self) -> str:
        name = getattr(self.objective, "__name__", repr(self.objective))
        return (
            f"AdversarialView({name}, edge_budget={self.edge_budget}, feature_budget={self.feature_budget}, "
            f"steps={self.steps}, edge_step={self.edge_step}, feature_step={self.feature_step}, "
            f"candidates={self.candidates!r}, absent={self.absent}, per_graph={self.per_graph}, "
            f"relative={self.relative})"
        )


def project_to_budget(s: Tensor, budget: float | Tensor, group: Tensor | None = None) -> Tensor:
    r"""The nearest point to ``s`` whose entries are in [0, 1] and sum to at most ``budget``.

    .. math:: \mathrm{clip}(s - \mu, 0, 1), \qquad \mu = 0 \text{ or such that the sum is the budget}

    by bisection for :math:`\mu` between 0 and max s, one step for each bit of the dtype; of the last bracket the end
    where the sum is within the budget. No host synchronization.

    Args:
        s: floating-point ``[M]``.
        budget: at least 0; with ``group`` one for each group, ``[B]``.
        group: long ``[M]`` in [0, B): each group is projected onto its own budget; ``None``: one group.

    Returns:
        ``[M]``; NaN entries stay NaN.

    Raises:
        ValueError: the budget is a number below 0.

    **Source:** Xu et al. (arXiv 1906.04214), the projection. **Differs:** a fixed number of steps; a feasible end.

    Example:
        >>> project_to_budget(torch.tensor([1.5, 0.5, -1.0]), 1.25)
        tensor([1.0000, 0.2500, 0.0000])
    """
    if not isinstance(budget, Tensor):
        _check_size("budget", budget)
    budget = torch.as_tensor(budget, dtype=s.dtype, device=s.device)
    fits = _total(s.clamp(0, 1), budget, group) <= budget
    low = torch.zeros_like(budget)
    high = _highest(s, budget, group).masked_fill(fits, 0)
    for _ in range(torch.finfo(s.dtype).bits):
        middle = (low + high) / 2
        fits = _total((s - _spread(middle, group)).clamp_(0, 1), budget, group) <= budget
        low, high = torch.where(fits, low, middle), torch.where(fits, middle, high)
    return (s - _spread(high, group)).clamp_(0, 1)


def _no_flips(graph: PairGraph) -> Tensor:
    """A zero for each pair, in the dtype of the features."""
    x = graph.data.x
    dtype = x.dtype if x is not None and x.is_floating_point() else torch.get_default_dtype()
    return torch.zeros(graph.present.shape, dtype=dtype, device=graph.present.device)


def _total(value: Tensor, like: Tensor, group: Tensor | None) -> Tensor:
    """The sum over each group, in the shape of ``like``."""
    return value.sum() if group is None else torch.zeros_like(like).index_add_(0, group, value)


def _highest(value: Tensor, like: Tensor, group: Tensor | None) -> Tensor:
    """The highest value in each group, or 0 if that is higher, in the shape and on the device of ``like``."""
    zero = torch.zeros_like(like, dtype=value.dtype)
    if group is None:
        return torch.maximum(value.max(), zero) if value.numel() else zero
    return zero.scatter_reduce(0, group, value, "amax")


def _spread(of_group: Tensor, group: Tensor | None) -> Tensor:
    """The value of each entry's group."""
    return of_group if group is None else of_group[group]


def _move(x: Tensor, gradient: Tensor, step: Tensor, clean: Tensor, limit: Tensor) -> None:
    """A step of ``x`` up the gradient's signs, at most ``limit`` from ``clean``: in place, by blocks of rows."""
    rows = max(1, _BLOCK * x.size(0) // max(1, x.numel()))
    for part, g, origin in zip(x.split(rows), gradient.split(rows), clean.split(rows), strict=True):
        part.add_(step * g.sign()).clamp_(origin - limit, origin + limit)


def _mean_size(x: Tensor) -> Tensor:
    """The mean absolute value of the entries that are not 0; 0 where all are."""
    return x.abs().sum() / x.count_nonzero().clamp_min(1)


def _check_size(name: str, value: float, zero: bool = True) -> float:
    """``value`` as a float if it is finite and at least 0 (above 0), or an error that names the argument."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{name} must be a number, got {value!r}")
    if not (math.isfinite(value) and (value >= 0 if zero else value > 0)):
        raise ValueError(f"{name} must be finite and {'at least' if zero else 'above'} 0, got {value}")
    return float(value)
