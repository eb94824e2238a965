"""The view that maximizes an objective within a budget, by projected gradient ascent over edges and features."""

import copy
import math
from collections.abc import Callable
from typing import Literal, NamedTuple

import torch
from torch import Generator, Tensor
from torch_geometric.data import Data

from augmentors._base import Augmentor
from augmentors._checks import check_at_least, check_callable, check_not_negative, check_positive
from augmentors._graphs import edges_of, graph_of_nodes
from augmentors._pairs import PairGraph, all_pairs, pair_graph, present_pairs, random_pairs
from augmentors._projection import highest, project_to_budget, spread
from augmentors._random import uniform
from augmentors._sparse import largest

ViewObjective = Callable[[Data], Tensor]
_CANDIDATES = ("sampled", "best", "all")
_BLOCK = 2**18  # entries of the features in a block of _move


class AttackResult(NamedTuple):
    """The result of an attack.

    Attributes:
        view: the graph with the drawn flips and the perturbed features.
        relaxed: the graph at the end of the ascent: all candidate edges, weighted.
        pairs: candidates ``[2, M]``, u < v.
        s: flips ``[M]`` in [0, 1], the probabilities of the draw.
    """

    view: Data
    relaxed: Data
    pairs: Tensor
    s: Tensor


class AdversarialView(Augmentor):
    r"""The view that maximizes an objective within a budget of flipped edges and perturbed features.

    Over a list of M candidate pairs of nodes, each flipped by :math:`s \in [0, 1]`, and a perturbation of the features,

    .. math::
        \max_{s, \delta} \; \mathrm{objective}(A + C \circ S,\; X + \delta), \qquad
        \sum s \le \rho |E|, \quad \lVert \delta \rVert_\infty \le \Delta

    with C = 1 for absent and -1 for present pairs, by T steps of projected gradient ascent from 0:

    .. math::
        s \leftarrow \Pi\big(s + \tfrac{\alpha}{\sqrt{t + 1}} \, g_s / \max |g_s|\big), \qquad
        \delta \leftarrow \mathrm{clip}(\delta + \beta \, \mathrm{sign}(g_\delta), -\Delta, \Delta)

    then each pair is flipped with probability s: the number of flips is :math:`\sum s` on average. The unit of
    :math:`\Delta` and :math:`\beta` is the mean absolute nonzero entry of x, which is 1 for binary features.

    A flip removes all edges of a joined pair, in both directions and with duplicates, and joins another in both
    directions, with the attributes of an edge drawn from the same graph. Self-loops are unchanged. Pairs never join
    graphs of a ``Batch``; a graph without edges has no budget.

    Args:
        objective: ``view -> scalar``, differentiable in ``view.x`` and ``view.edge_weight``, which holds the flips;
            ``view.edge_index`` has columns for all candidates, those of weight 0 included. It is called ``steps``
            times. Networks in it should be in evaluation mode; their parameters get no gradient.
        edge_budget: :math:`\rho`, flips per undirected edge, at least 0; 0 keeps the edges.
        feature_budget: :math:`\Delta`, at least 0; 0 keeps the features. Integers, such as the numbers of atoms, are
            categories without a gradient, and kept.
        steps: T, at least 1.
        edge_step, feature_step: :math:`\alpha` and :math:`\beta`, above 0.
        candidates: the present pairs and ``"sampled"``: up to ``absent`` random absent pairs for each of them;
            ``"best"``: the ``absent`` pairs for each of them with the highest first gradient, at the cost of one
            evaluation of the objective for each block of pairs; ``"all"``: all absent pairs, as in the paper, for a
            few hundred nodes at most if the encoder gathers along edges.
        absent: the number of absent pairs for each present one, at least 1.
        per_graph: each graph of a ``Batch`` has its own edge budget; ``False``: one budget for all.
        relative: as above; ``False``: the step is :math:`\alpha g_s / \sqrt{t + 1}`, and :math:`\Delta` and
            :math:`\beta` are in the units of x.

    Raises:
        TypeError: the objective is not callable.
        ValueError: an argument is out of range; (by the call) the features are sparse, or the objective gives no scalar
            that depends on the view.
        FloatingPointError: (by the call) the objective or its gradient is not finite.

    **Source:** ARIEL (arXiv 2208.06956) and the authors' code; projected gradient ascent over edges: Xu et al.
    (arXiv 1906.04214). **Differs:** a vector over candidate pairs instead of a matrix over all
    (``candidates="all"``); steps relative to the gradient (``relative=False, edge_step=200``); the sum of s is at most
    the budget, where the code overshoots by up to 1.4 %. As in the code, one draw is made, which may exceed the budget.

    Example: remove the edge with the largest difference.

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
        *,
        edge_budget: float = 0.2,
        feature_budget: float = 0.04,
        steps: int = 5,
        edge_step: float = 1.0,
        feature_step: float = 0.01,
        candidates: Literal["sampled", "best", "all"] = "sampled",
        absent: int = 2,
        per_graph: bool = True,
        relative: bool = True,
    ) -> None:
        if candidates not in _CANDIDATES:
            raise ValueError(f"candidates must be one of {', '.join(_CANDIDATES)}, got {candidates!r}")
        self.objective = check_callable("objective", objective, "a function Data -> scalar Tensor")
        self.edge_budget = check_not_negative("edge_budget", edge_budget)
        self.feature_budget = check_not_negative("feature_budget", feature_budget)
        self.steps = check_at_least("steps", steps, 1)
        self.edge_step = check_positive("edge_step", edge_step)
        self.feature_step = check_positive("feature_step", feature_step)
        self.candidates = candidates
        self.absent = check_at_least("absent", absent, 1)
        self.per_graph = per_graph
        self.relative = relative

    def forward(self, data: Data, *, generator: Generator | None = None) -> Data:
        """Return the view of :meth:`attack`."""
        return self.attack(data, generator=generator).view

    def attack(self, data: Data, *, generator: Generator | None = None) -> AttackResult:
        """Return the view, and the relaxed graph that it is drawn from."""
        data = copy.copy(data)
        data.edge_index = edges_of(data)
        perturbed = self.feature_budget > 0 and data.x is not None and data.x.is_floating_point()
        if perturbed and data.x.layout != torch.strided:
            raise ValueError(f"data.x must be dense to be perturbed (feature_budget > 0), got {data.x.layout}")
        graph = self._candidate_graph(data, generator)
        group, budget = self._budgets(graph)
        s = _no_flips(graph)
        clean = data.x.detach() if perturbed else s.new_empty(0)
        x = clean.clone() if perturbed else None
        unit = clean.abs().sum() / clean.count_nonzero().clamp_min(1) if self.relative else s.new_ones(())
        limit, step = unit * self.feature_budget, unit * self.feature_step
        values = []
        for t in range(self.steps):
            value, grad_s, grad_x = self._gradients(graph, s, x)
            values += [value, grad_s.sum()]
            s = project_to_budget(s.add_(self._edge_step(grad_s, group, budget, t)), budget, group)
            if x is not None and grad_x is not None:
                values.append(grad_x.sum())
                _move(x, grad_x, step, clean, limit)
            del grad_x  # frees its memory before the next evaluation
        if not torch.stack([value.isfinite() for value in values]).all():
            raise FloatingPointError("the objective or its gradient is not finite during the attack")
        view, relaxed = graph.flipped(uniform(s.shape, s.device, generator) < s), graph.relaxed(s)
        if x is not None:
            view.x = relaxed.x = x
        return AttackResult(view, relaxed, graph.pairs, s)

    def _candidate_graph(self, data: Data, generator: Generator | None) -> PairGraph:
        """The graph over the pairs that may be flipped."""
        present = present_pairs(data)
        if not self.edge_budget:
            return pair_graph(data, present, generator)
        if self.candidates == "all":
            return pair_graph(data, torch.cat([present, *all_pairs(data)]), generator)
        batch, ptr = graph_of_nodes(data._store)
        count = self.absent * batch[present // max(1, data.num_nodes)].bincount(minlength=ptr.numel() - 1)
        draw = random_pairs if self.candidates == "sampled" else self._best
        return pair_graph(data, draw(data, count, generator), generator)

    def _best(self, data: Data, count: Tensor, generator: Generator | None) -> Tensor:
        """The ``count`` ``[B]`` absent pairs of each graph with the highest gradient at s = 0."""
        batch, _ = graph_of_nodes(data._store)
        best, score = present_pairs(data)[:0], torch.zeros(0, device=batch.device)
        for numbers in all_pairs(data):
            graph = pair_graph(data, numbers, generator)
            gradient = self._gradients(graph, _no_flips(graph), None)[1]
            best, score = torch.cat([best, graph.numbers[~graph.present]]), torch.cat([score, gradient[~graph.present]])
            chosen = largest(batch[best // data.num_nodes], score, count)
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
            scale = highest(gradient.abs(), budget, group)
            gradient = gradient / spread(scale.masked_fill(scale == 0, 1.0), group)
        return gradient * (self.edge_step / math.sqrt(t + 1))

    def _gradients(self, graph: PairGraph, s: Tensor, x: Tensor | None) -> tuple[Tensor, Tensor, Tensor | None]:
        """The objective at the flips ``s`` and the features ``x``, and its gradients; ``None``: x as it is."""
        with torch.enable_grad():
            leaves = [leaf.detach().requires_grad_() for leaf in (s, x) if leaf is not None]
            view = graph.relaxed(leaves[0])
            if x is not None:
                view.x = leaves[1]
            value = self.objective(view)
            if not (isinstance(value, Tensor) and value.numel() == 1 and value.requires_grad):
                raise ValueError(f"objective must give a scalar that depends on view.x or edge_weight, got {value!r}")
            gradients = torch.autograd.grad(value, leaves, allow_unused=True, materialize_grads=True)
        return value.detach().reshape(()), gradients[0], None if x is None else gradients[1]


def _no_flips(graph: PairGraph) -> Tensor:
    """A zero for each pair, in the dtype of the features."""
    x = graph.data.x
    dtype = x.dtype if x is not None and x.is_floating_point() else torch.get_default_dtype()
    return torch.zeros(graph.present.shape, dtype=dtype, device=graph.present.device)


def _move(x: Tensor, gradient: Tensor, step: Tensor, clean: Tensor, limit: Tensor) -> None:
    """Step ``x`` along the gradient's signs, at most ``limit`` from ``clean``: in place, by blocks of rows."""
    rows = max(1, _BLOCK * x.size(0) // max(1, x.numel()))
    for block, g, origin in zip(x.split(rows), gradient.split(rows), clean.split(rows), strict=True):
        block.add_(step * g.sign()).clamp_(origin - limit, origin + limit)
