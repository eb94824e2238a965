r"""Bounds of a node's compactness over all allowed edge drops, in O(E + N D) memory.

With c_i the direction in which node i should point, its compactness in a view A is :math:`f_i(A) = c_i \cdot z_i(A)`.
"""

from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn

from augmentors._checks import check_probability
from gcl._checks import check_edges, check_matrix
from gcl.nn._features import features_product
from gcl.regularizers.pot._activations import Lines
from gcl.regularizers.pot._exact import exact_lines
from gcl.regularizers.pot._graph import AllowedViews, Graph
from gcl.regularizers.pot._intervals import interval, through, worst_rows
from gcl.regularizers.pot._layers import Layer, layers_of

Mode = Literal["reference", "linear", "worst", "worst_tight"]
MODES = ("reference", "linear", "worst", "worst_tight")


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

    .. math:: k_i = \min(d_i - 1,\; \mathrm{round}\, p\, d_i)
              \quad\text{or}\quad \min(d_i - 1,\; \mathrm{round} \sum_{e \to i} p_e)

    Modes, each differentiable in the encoder, ``x`` and ``contrast``:

    - ``"worst"``: at most f in every allowed view: a certificate.
    - ``"worst_tight"``: the same, and never below ``"worst"``: a row loses at most k_i entries, of which the greatest
      are counted. Without allowed drops it is f itself.
    - ``"linear"``: at most f in the allowed view ``view``: a surrogate that is tighter there. Two layers.
    - ``"reference"``: the score that POT trains on, **not a bound**: it is above f for most nodes. Two layers.

    Args:
        encoder: PyG's ``GCN``, :func:`gcl.nn.gcn`, or a sequence of :func:`gcl.regularizers.layer`; ReLU, LeakyReLU,
            PReLU or ELU, and no normalization or dropout in between.
        x: features ``[N, F]``.
        edge_index: the whole graph ``[2, E]``, without weights. Duplicates count as edges; self-loops do not, since
            the layers put them back.
        contrast: directions c ``[N, D]``, such as :func:`contrast_directions` of the other view's embeddings.
        drop_rate: p in [0, 1], or ``[E]``, one for each column of ``edge_index``.
        mode: as above.
        view: edges ``[2, E']`` of the view for ``"reference"`` and ``"linear"``; ``None``: the whole graph.
        targets: long ``[T]``, the nodes asked for, each as in the whole graph; ``None``: all.

    Returns:
        ``[N]``, or ``[T]``. In float32 a certificate holds up to rounding.

    Raises:
        TypeError, ValueError: the encoder is not covered (the message says why), or an argument is out of range.

    **Source:** Provable Training for Graph Contrastive Learning (arXiv 2309.13944) and its authors' code; CROWN
    (arXiv 1811.00866); interval bounds (arXiv 1810.12715). **Differs:** the same numbers as the code in
    ``"reference"``, from sparse products of N x D arrays; with ``targets`` the graph is not cut to them. A learnt slope
    outside [0, 1] gets the right lines. The other modes are ours.

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
    check_matrix("x", x)
    check_mode(mode)
    for name, edges in (("edge_index", edge_index), ("view", view)):
        if edges is not None:
            check_edges(name, edges, x.size(0))
    _check_rate(drop_rate)
    wanted = (x.size(0), layers[-1].weight.size(1))
    if contrast.shape != wanted:
        raise ValueError(f"contrast must have shape {wanted}, the encoder's output, got {tuple(contrast.shape)}")
    allowed = AllowedViews.of(Graph(edge_index, x.size(0), x.dtype), drop_rate)
    start = Start(layers, x, allowed.graph)
    return score(start, allowed, contrast, mode, view=view, targets=targets)


def contrast_directions(h: Tensor, eps: float = 1e-5) -> Tensor:
    r"""For each node, its own direction minus the mean direction of the others.

    .. math:: c_i = \bar z_i - \frac{1}{N - 1} \sum_{j \ne i} \bar z_j, \qquad
              \bar z = \frac{z}{\sqrt{\lVert z \rVert^2 + \varepsilon^2}}

    Args:
        h: embeddings ``[N, D]`` of one view, N >= 2.
        eps: above 0; bounds the gradient at rows of zeros, which fresh biases give to nodes without features.

    Raises:
        ValueError: there are fewer than two rows.

    **Source:** POT (arXiv 2309.13944), section 4. **Differs:** the norm is smoothed (the code: at
    least 1e-12).

    Example:
        >>> contrast_directions(torch.tensor([[3.0, 0.0], [0.0, 2.0]]))
        tensor([[ 1., -1.],
                [-1.,  1.]])
    """
    check_matrix("h", h)
    n = h.size(0)
    if n < 2:
        raise ValueError(f"h must have at least two rows, got {n}")
    unit = h * (h.square().sum(1, keepdim=True) + eps**2).rsqrt()
    return (n * unit - unit.sum(0)) / (n - 1)


def check_mode(mode: str) -> None:
    """``mode`` is one of the four."""
    if mode not in MODES:
        raise ValueError(f"mode must be one of {', '.join(MODES)}, got {mode!r}")


class Start:
    """What all drop rates share: the layers, and ``y``, the features times the first weight."""

    def __init__(self, layers: Sequence[Layer], x: Tensor, graph: Graph) -> None:
        self.layers = layers
        self.graph = graph
        self.y = features_product(x, layers[0].weight)

    @cached_property
    def clean(self) -> Tensor:
        """The first layer's output in the undropped graph, times the second weight."""
        first, second = self.layers
        scale = (1 + self.graph.degree).rsqrt()[:, None]
        return first.activation(self.graph.propagate(self.y, scale) + first.bias) @ second.weight


def score(
    start: Start,
    allowed: AllowedViews,
    contrast: Tensor,
    mode: Mode,
    *,
    view: Tensor | None = None,
    targets: Tensor | None = None,
) -> Tensor:
    """:func:`compactness_bound` for a prepared graph and start."""
    if mode == "worst":
        return _certificate(start, allowed, contrast, targets, tight=False)
    if mode == "worst_tight":  # narrower intervals turn the lines, which may lower the sum: the greater of two bounds
        return torch.maximum(*(_certificate(start, allowed, contrast, targets, tight) for tight in (False, True)))
    if len(start.layers) != 2:
        raise ValueError(f"encoder must have two layers for mode {mode!r}, got {len(start.layers)}")
    graph = allowed.graph
    seen = graph if view is None else Graph(view, graph.num_nodes, start.y.dtype)
    if mode == "linear":
        return _linear(start, allowed, seen, contrast, targets)
    result = _reference(start, allowed, seen, contrast)
    return result if targets is None else result[targets]


def _reference(start: Start, allowed: AllowedViews, seen: Graph, contrast: Tensor) -> Tensor:
    """POT's score: coefficients at the source of a message, and the second interval from the undropped graph."""
    (first, second), y = start.layers, start.y
    lines1, lines2 = exact_lines(first, allowed, y), exact_lines(second, allowed, start.clean)
    q = lines2.slope * contrast
    g = q @ second.weight.T
    sg = lines1.slope * g
    w, beta1 = (sg * y).sum(1), sg @ first.bias + lines1.intercept(g)
    beta2 = q @ second.bias + lines2.intercept(contrast)
    scale = (1 + seen.degree).rsqrt()[:, None]
    inner = seen.propagate(w[:, None], scale) + beta1[:, None]
    return seen.propagate(inner, scale)[:, 0] + beta2


def _linear(start: Start, allowed: AllowedViews, seen: Graph, contrast: Tensor, targets: Tensor | None) -> Tensor:
    """Both activations replaced by lines, at the view ``seen``; the sign of g_i chooses the line at its neighbors."""
    (first, second), y = start.layers, start.y
    l1, u1 = (end + first.bias for end in interval(allowed, y, y, tight=False))
    lines1 = first.activation.lines(l1, u1)
    hidden = through(second.weight, *first.activation.image(l1, u1))
    lines2 = _lines(second, *(_pick(end, targets) for end in interval(allowed, *hidden, tight=False)))
    scale = (1 + seen.degree).rsqrt()[:, None]
    inner = lines1.slope * (seen.propagate(y, scale) + first.bias)
    at_view = Lines(inner, lines1.low, lines1.up).map(lambda part: _pick(seen.propagate(part, scale), targets))
    c = _pick(contrast, targets)
    q = lines2.slope * c
    g = q @ second.weight.T
    return (g * at_view.slope).sum(1) + at_view.intercept(g) + q @ second.bias + lines2.intercept(c)


def _certificate(start: Start, allowed: AllowedViews, contrast: Tensor, targets: Tensor | None, tight: bool) -> Tensor:
    """Intervals up to the last layer, lines there, and the worst row of the matrix for each node's coefficients."""
    layers, low, high = start.layers, start.y, start.y
    for before, after in pairwise(layers):
        h_low, h_high = before.activation.image(*(end + before.bias for end in interval(allowed, low, high, tight)))
        low, high = through(after.weight, h_low, h_high)
    last = layers[-1]
    ends = [_pick(end, targets) + last.bias for end in interval(allowed, low, high, tight)]
    lines = last.activation.lines(*ends)
    c = _pick(contrast, targets)
    q = lines.slope * c
    constant = q @ last.bias + lines.intercept(c)
    worst = worst_rows(allowed, q @ last.weight.T, h_low, h_high, targets, tight) + constant
    z_low, z_high = last.activation.image(*ends)
    return torch.maximum(worst, (c.relu() * z_low - c.neg().relu() * z_high).sum(1))


def _lines(layer: Layer, low: Tensor, high: Tensor) -> Lines:
    """The lines of a layer's activation where the propagated values are in [low, high]."""
    return layer.activation.lines(low + layer.bias, high + layer.bias)


def _check_rate(drop_rate: float | Tensor) -> None:
    if not isinstance(drop_rate, Tensor):
        check_probability("drop_rate", drop_rate)
    elif drop_rate.numel():
        for end in drop_rate.aminmax():
            check_probability("drop_rate", float(end))


def _pick(value: Tensor, targets: Tensor | None) -> Tensor:
    return value if targets is None else value.index_select(0, targets)
