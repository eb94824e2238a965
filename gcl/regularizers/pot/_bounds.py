r"""Bounds of a node's compactness over all allowed edge drops, in O(E + N D) memory.

With c_i the direction in which node i should point, its compactness in a view A is :math:`f_i(A) = c_i \cdot z_i(A)`.
"""

from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from augmentors._checks import check_long, check_numbers, check_positive, check_probability
from gcl._checks import check_edges, check_matrix, check_several
from gcl.nn._features import features_product
from gcl.pairwise._numerics import at_least_float32, huge
from gcl.regularizers.pot._exact import exact_bounds
from gcl.regularizers.pot._graph import AllowedViews, Graph
from gcl.regularizers.pot._intervals import pick, preactivation, through, worst_rows
from gcl.regularizers.pot._layers import Layer, layers_of

Mode = Literal["reference", "linear", "worst", "worst_tight"]
MODES: tuple[Mode, ...] = get_args(Mode)


def compactness_bound(
    encoder: nn.Module | Sequence[Layer],
    x: Tensor,
    edge_index: Tensor,
    contrast: Tensor,
    drop_rate: float | Tensor,
    *,
    mode: Mode,
    view: Tensor | None = None,
    targets: Tensor | None = None,
) -> Tensor:
    r"""Lower bound of :math:`f_i(A) = c_i \cdot z_i(A)` over views A that lost edges, or POT's surrogate of it.

    A view is allowed if each node i keeps its last edge and loses at most k_i of the d_i edges that end in it,

    .. math:: k_i = \min\Big(d_i - 1,\; \mathrm{round} \sum_{e \to i} p_e\Big)

    Modes, each differentiable in the encoder, ``x`` and ``contrast``:

    - ``"worst"``: at most f in every allowed view: a certificate.
    - ``"worst_tight"``: a certificate that is never below ``"worst"``, since it counts that a row loses at most its k_i
      greatest entries. Without allowed drops it is f itself.
    - ``"linear"``: at most f in the allowed view ``view``, and tighter there. Two layers.
    - ``"reference"``: the score that POT trains on, **not a bound**: it is above f for most nodes. Two layers.

    Args:
        encoder: PyG's ``GCN``, :func:`gcl.nn.gcn`, or a sequence of :func:`gcl.regularizers.layer`; ReLU, LeakyReLU,
            PReLU or ELU, and no normalization or dropout in between.
        x: features ``[N, F]``.
        edge_index: the whole graph ``[2, E]``, without weights. Duplicates count as edges; self-loops do not, since
            the layers put them back.
        contrast: directions c ``[N, D]``, such as :func:`contrast_directions` of the other view's embeddings.
        drop_rate: :math:`p_e` in [0, 1]: one number, or ``[E]``, one for each column of ``edge_index``.
        mode: as above.
        view: edges ``[2, E']`` of the view for ``"reference"`` and ``"linear"``; ``None``: the whole graph.
        targets: long ``[T]``, the nodes to score, each in the whole graph; ``None``: all.

    Returns:
        ``[N]``, or ``[T]``. In float32 a certificate holds up to rounding.

    Raises:
        TypeError, ValueError: the encoder is not covered (the message says why), or an argument is out of range.

    **Source:** Provable Training for Graph Contrastive Learning (arXiv 2309.13944) and its authors' code; CROWN
    (arXiv 1811.00866); interval bounds (arXiv 1810.12715). **Differs:** ``"reference"`` has the numbers of the code for
    undirected views, from sparse products of N x D arrays; with ``targets`` the graph is not cut to them. A learnt
    slope outside [0, 1] gets valid bounds. The other modes are ours.

    Example:
        >>> from gcl.nn import gcn
        >>> _ = torch.manual_seed(0)
        >>> encoder, x = gcn(4, 8, 2, 4), torch.eye(4)
        >>> ring = torch.tensor([[0, 1, 1, 2, 2, 3, 3, 0], [1, 0, 2, 1, 3, 2, 0, 3]])
        >>> directions = contrast_directions(encoder(x, ring))
        >>> bound = compactness_bound(encoder, x, ring, directions, 0.5, mode="worst_tight")
        >>> bool((bound <= (directions * encoder(x, ring[:, 2:])).sum(1)).all())
        True
    """
    layers = layers_of(encoder)
    weight = layers[0].weight
    for name, value in (("x", x), ("contrast", contrast)):
        check_matrix(name, value)
        if value.dtype != weight.dtype:
            raise ValueError(f"{name} must be of {weight.dtype} as the encoder is, got {value.dtype}")
    if x.size(1) != weight.size(0):
        raise ValueError(f"x must have the {weight.size(0)} columns that the encoder takes, got {x.size(1)}")
    check_mode(mode)
    check_edges("edge_index", edge_index, x.size(0))
    if view is not None:
        check_edges("view", view, x.size(0))
    if targets is not None:
        check_long("targets", targets, "T")
        check_numbers("targets", targets, "node", x.size(0))
    _check_rate(drop_rate)
    wanted = (x.size(0), layers[-1].weight.size(1))
    if contrast.shape != wanted:
        raise ValueError(f"contrast must have shape {wanted}, the encoder's output, got {tuple(contrast.shape)}")
    allowed = AllowedViews.of(Graph(edge_index, x.size(0), x.dtype), drop_rate)
    return score(ScoreInputs(layers, x, allowed.graph), allowed, contrast, mode, view, targets)


def contrast_directions(h: Tensor, eps: float = 1e-5) -> Tensor:
    r"""For each node, its own direction minus the mean direction of the others.

    .. math:: c_i = \bar z_i - \frac{1}{N-1} \sum_{j \ne i} \bar z_j, \quad \bar z = z / \sqrt{\|z\|^2 + \varepsilon^2}

    Args:
        h: embeddings ``[N, D]`` of one view, N >= 2.
        eps: above 0; bounds the gradient at rows of zeros, which fresh biases give to nodes without features.

    Raises:
        TypeError, ValueError: ``h`` is not floating-point or has one row only, or ``eps`` is not above 0.

    **Source:** POT (arXiv 2309.13944), section 4. **Differs:** the norm is smoothed; the code clamps it at 1e-12.

    Example:
        >>> contrast_directions(torch.tensor([[3.0, 0.0], [0.0, 2.0]]))
        tensor([[ 1., -1.],
                [-1.,  1.]])
    """
    check_several("h", h)
    check_positive("eps", eps)
    n, z = h.size(0), at_least_float32(h)
    divisor = huge(z, dim=1)
    z = z / divisor
    unit = z / torch.hypot(torch.linalg.vector_norm(z, dim=1, keepdim=True), eps / divisor)
    return ((n * unit - unit.sum(0)) / (n - 1)).to(h.dtype)


def check_mode(mode: str) -> None:
    """``mode`` is one of the four."""
    if mode not in MODES:
        raise ValueError(f"mode must be one of {', '.join(MODES)}, got {mode!r}")


class ScoreInputs:
    """What the scores at all drop rates share: layers, graph, and ``y``, the features times the first weight."""

    def __init__(self, layers: Sequence[Layer], x: Tensor, graph: Graph) -> None:
        self.layers, self.graph = layers, graph
        self.y = features_product(x, layers[0].weight)

    @cached_property
    def clean(self) -> Tensor:
        """The first layer's output in the undropped graph, times the second weight."""
        first, second = self.layers
        return first.activation(self.graph.propagate(self.y) + first.bias) @ second.weight


def score(
    inputs: ScoreInputs,
    allowed: AllowedViews,
    contrast: Tensor,
    mode: Mode,
    view: Tensor | None,
    targets: Tensor | None,
) -> Tensor:
    """:func:`compactness_bound` of prepared inputs."""
    if mode == "worst":
        return _certificate(inputs, allowed, contrast, targets, tight=False)
    if mode == "worst_tight":  # narrower intervals turn the lines, which may lower the sum: the greater of two bounds
        return torch.maximum(*(_certificate(inputs, allowed, contrast, targets, tight) for tight in (False, True)))
    if len(inputs.layers) != 2:
        raise ValueError(f"encoder must have two layers for mode {mode!r}, got {len(inputs.layers)}")
    graph = allowed.graph
    seen = graph if view is None else Graph(view, graph.num_nodes, inputs.y.dtype)
    if mode == "linear":
        return _linear(inputs, allowed, seen, contrast, targets)
    return pick(_reference(inputs, allowed, seen, contrast), targets)


def _reference(inputs: ScoreInputs, allowed: AllowedViews, seen: Graph, contrast: Tensor) -> Tensor:
    """POT's score: coefficients at the source of a message, and the second interval from the undropped graph."""
    (first, second), y = inputs.layers, inputs.y
    bounds1, bounds2 = exact_bounds(first, allowed, y), exact_bounds(second, allowed, inputs.clean)
    q = bounds2.slope * contrast
    g = q @ second.weight.T
    sg = bounds1.slope * g
    w, beta1 = (sg * y).sum(1), sg @ first.bias + bounds1.intercept(g)
    beta2 = q @ second.bias + bounds2.intercept(contrast)
    inner = seen.propagate(w[:, None]) + beta1[:, None]
    return seen.propagate(inner)[:, 0] + beta2


def _linear(
    inputs: ScoreInputs, allowed: AllowedViews, seen: Graph, contrast: Tensor, targets: Tensor | None
) -> Tensor:
    """Both activations replaced by lines, at the view ``seen``; the sign of g_i chooses the line at its neighbors."""
    (first, second), y, c = inputs.layers, inputs.y, pick(contrast, targets)
    ends = preactivation(first, allowed, y, y)
    bounds1 = first.activation.bounds(*ends)
    hidden = through(second.weight, *first.activation.image(*ends))
    bounds2 = second.activation.bounds(*preactivation(second, allowed, *hidden, targets))
    inner = bounds1.slope * (seen.propagate(y) + first.bias)
    at_view = bounds1._replace(slope=inner).map(lambda part: pick(seen.propagate(part), targets))
    q = bounds2.slope * c
    g = q @ second.weight.T
    return (g * at_view.slope).sum(1) + at_view.intercept(g) + q @ second.bias + bounds2.intercept(c)


def _certificate(
    inputs: ScoreInputs, allowed: AllowedViews, contrast: Tensor, targets: Tensor | None, tight: bool
) -> Tensor:
    """Intervals up to the last layer, lines there, and the worst row of the matrix for each node's coefficients."""
    layers, low, high, c = inputs.layers, inputs.y, inputs.y, pick(contrast, targets)
    for before, after in pairwise(layers):
        h_low, h_high = before.activation.image(*preactivation(before, allowed, low, high, tight=tight))
        low, high = through(after.weight, h_low, h_high)
    last = layers[-1]
    ends = preactivation(last, allowed, low, high, targets, tight)
    bounds = last.activation.bounds(*ends)
    q = bounds.slope * c
    constant = q @ last.bias + bounds.intercept(c)
    worst = worst_rows(allowed, q @ last.weight.T, h_low, h_high, targets, tight) + constant
    z_low, z_high = last.activation.image(*ends)
    return torch.maximum(worst, (c.relu() * z_low - c.neg().relu() * z_high).sum(1))


def _check_rate(drop_rate: float | Tensor) -> None:
    if not isinstance(drop_rate, Tensor):
        check_probability("drop_rate", drop_rate)
    elif drop_rate.numel():
        for end in drop_rate.aminmax():
            check_probability("drop_rate", float(end))
