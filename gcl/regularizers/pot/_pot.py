"""POT: train for node compactness."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import torch.nn.functional as F
from torch import Generator, Tensor, nn
from torch_geometric.data import Data

from augmentors._checks import check_at_least, check_probability
from augmentors._random import permutation
from gcl._checks import check_own_degrees
from gcl._pair import Pair
from gcl.nn._readouts import Readout
from gcl.regularizers.pot._bounds import Mode, ScoreInputs, check_mode, contrast_directions, score
from gcl.regularizers.pot._graph import AllowedViews, Graph
from gcl.regularizers.pot._layers import Layer, layers_of

Rate = float | Tensor | Callable[[Data], Tensor]
ViewTensors = tuple[Tensor, Tensor, Tensor]
AnyRate = TypeVar("AnyRate", float | Tensor, Rate)


class POT:
    """The regularizer of POT, which raises every node's compactness above 0 in both views.

    Use it as ``Regularized(method, POT(...), weight)`` with a method whose views drop edges, and mask features at most.

    Args:
        drop_rates: the probability of dropping an edge: of both views, or a pair. Each is a number in [0, 1], one
            number for each edge ``[E]``, or a function ``data -> [E]``, such as the ``probabilities`` of an
            :class:`augmentors.AdaptiveEdgeDrop`.
        mode: as for :func:`gcl.regularizers.compactness_bound`.
        target_batch: the number of nodes drawn for each step; ``None``: all. Their scores are those in the whole graph.

    Raises:
        TypeError, ValueError: an argument is out of range; (in ``Regularized``) the encoder is not covered, or the
            method has a readout or views without edges; (when called) the views are not covered.

    **Source:** Provable Training for Graph Contrastive Learning (arXiv 2309.13944), section 5 and the authors' code.
    **Differs:** with ``target_batch`` the graph is not cut to the drawn nodes. Views are not checked for edges that
    the graph lacks.

    Example:
        >>> import torch
        >>> from gcl.methods import GRACE, Regularized
        >>> from gcl.nn import gcn
        >>> method = Regularized(GRACE(gcn(4, 8)), POT((0.2, 0.4), mode="worst_tight"), 0.3)
        >>> ring = torch.tensor([[0, 1, 1, 2, 2, 3, 3, 0], [1, 0, 2, 1, 3, 2, 0, 3]])
        >>> method.loss(Data(x=torch.eye(4), edge_index=ring)).shape
        torch.Size([])
    """

    needs_edges = True

    def __init__(
        self, drop_rates: Rate | tuple[Rate, Rate], *, mode: Mode = "reference", target_batch: int | None = None
    ) -> None:
        check_mode(mode)
        if target_batch is not None:
            check_at_least("target_batch", target_batch, 1)
        self.drop_rates, self.mode, self.target_batch = _pair_of(drop_rates), mode, target_batch

    def check_method(self, encoder: nn.Module, *, readout: Readout | None, drops_edges: bool) -> None:
        """Raise unless a method's encoder and views are covered; :class:`gcl.methods.Regularized` calls it."""
        layers_of(encoder)
        if readout is not None:
            raise ValueError(f"POT needs a method that compares nodes, got one with the readout {readout!r}")
        if drops_edges:
            raise ValueError("POT needs views with edges, got a method whose views have none, such as StructComp")

    def __call__(
        self, encoder: nn.Module | Sequence[Layer], pair: Pair, *, generator: Generator | None = None
    ) -> Tensor:
        """The loss of the pair, a scalar: log 2 where every score is 0; the generator draws the target nodes."""
        data, view1, view2, n = pair.data, pair.view1, pair.view2, pair.data.num_nodes
        for view in (data, view1, view2):
            if view.get("edge_weight") is not None:
                raise ValueError("POT does not cover edge weights: remove data.edge_weight, drop without as_weight")
            if view.num_nodes != n:
                raise ValueError(f"POT needs views with all {n} nodes, got {view.num_nodes}")
        if (seeds := data.get("batch_size", n)) != n:
            hint = "use gcl.data.cluster_loader, whose nodes all count"
            raise ValueError(f"POT needs the embeddings of all {n} nodes, got those of {seeds} seeds: {hint}")
        check_own_degrees("POT", data)
        rate1, rate2 = (rate(data) if callable(rate) else rate for rate in self.drop_rates)
        targets = None
        if self.target_batch is not None and self.target_batch < n:
            targets = permutation(n, data.x.device, generator)[: self.target_batch]
        views = (view1.x, view1.edge_index, pair.h1), (view2.x, view2.edge_index, pair.h2)
        return pot_loss(encoder, data.edge_index, *views, (rate1, rate2), mode=self.mode, targets=targets)

    def __repr__(self) -> str:
        return f"POT(drop_rates={self.drop_rates}, mode={self.mode!r}, target_batch={self.target_batch})"


def pot_loss(
    encoder: nn.Module | Sequence[Layer],
    edge_index: Tensor,
    view1: ViewTensors,
    view2: ViewTensors,
    drop_rates: float | Tensor | tuple[float | Tensor, float | Tensor],
    *,
    mode: Mode = "reference",
    targets: Tensor | None = None,
) -> Tensor:
    r"""POT's loss on plain tensors, a scalar, for a training loop of one's own.

    .. math:: \frac{1}{2T} \sum_i \mathrm{softplus}(-s_i^{1|2}) + \mathrm{softplus}(-s_i^{2|1})

    where :math:`s_i^{v|w}` is the score of node i over the views like v, in the direction that view w gives.

    Args:
        encoder, mode, targets: as for :func:`gcl.regularizers.compactness_bound`.
        edge_index: the graph ``[2, E]`` that both views were made from.
        view1, view2: ``(x [N, F], edge_index [2, E'], h [N, D])``: features, edges and embeddings of a view.
        drop_rates: the probability of dropping an edge, in [0, 1] or ``[E]``: of both views, or a pair.

    Raises:
        TypeError, ValueError: the encoder is not covered, a rate is out of range, or shapes do not fit.

    **Source:** POT (arXiv 2309.13944), section 5. **Differs:** with ``targets`` the graph is not cut to them.

    Example:
        >>> import torch
        >>> from torch_geometric.nn import GCN
        >>> encoder, x = GCN(4, 8, num_layers=2, out_channels=4), torch.eye(4)
        >>> ring = torch.tensor([[0, 1, 1, 2, 2, 3, 3, 0], [1, 0, 2, 1, 3, 2, 0, 3]])
        >>> views = [(x, edges, encoder(x, edges)) for edges in (ring[:, :6], ring[:, 2:])]
        >>> pot_loss(encoder, ring, *views, drop_rates=0.25).shape
        torch.Size([])
    """
    layers, (rate1, rate2) = layers_of(encoder), _pair_of(drop_rates)
    graph = Graph(edge_index, view1[0].size(0), view1[0].dtype)
    first = ScoreInputs(layers, view1[0], graph)
    second = first if view2[0] is view1[0] else ScoreInputs(layers, view2[0], graph)
    total = first.y.new_zeros(())
    for inputs, (_, seen, h), (_, _, other), rate in ((first, view1, view2, rate1), (second, view2, view1, rate2)):
        if h.shape != other.shape or h.size(0) != graph.num_nodes:
            raise ValueError(f"views must hold embeddings of the {graph.num_nodes} nodes, got {tuple(h.shape)}")
        directions, allowed = contrast_directions(other.to(inputs.y.dtype)), AllowedViews.of(graph, rate)
        total = total + F.softplus(-score(inputs, allowed, directions, mode, seen, targets)).mean() / 2
    return total


def _pair_of(drop_rates: AnyRate | tuple[AnyRate, AnyRate]) -> tuple[AnyRate, AnyRate]:
    """The rates of both views, of which numbers are checked."""
    rates = drop_rates if isinstance(drop_rates, (tuple, list)) else (drop_rates, drop_rates)
    if len(rates) != 2:
        raise ValueError(f"drop_rates must be one rate or a pair, one for each view, got {drop_rates!r}")
    for rate in rates:
        if not (isinstance(rate, Tensor) or callable(rate)):
            check_probability("drop_rates", rate)
    return rates[0], rates[1]
