"""POT: train for node compactness."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch.nn.functional as F
from torch import Generator, Tensor, nn
from torch_geometric.data import Data

from augmentors._checks import check_at_least, check_probability
from augmentors._random import permutation
from gcl._pair import Pair
from gcl.regularizers.pot._bounds import Mode, Start, check_mode, contrast_directions, score
from gcl.regularizers.pot._graph import AllowedViews, Graph
from gcl.regularizers.pot._layers import Layer, layers_of

Rate = float | Tensor | Callable[[Data], Tensor]


class View(NamedTuple):
    """A view and its embeddings; a plain tuple serves as well."""

    x: Tensor
    edge_index: Tensor
    h: Tensor


class POT:
    """The regularizer of POT: every node's compactness, in both views, should be above 0.

    Used as ``Regularized(method, POT(...), weight)`` with a method whose views drop edges, and mask features at most.

    Args:
        drop_rates: for each view the probability of dropping an edge, in [0, 1], one for each edge ``[E]``, or a
            function ``data -> [E]``, such as the ``probabilities`` of an :class:`augmentors.AdaptiveEdgeDrop`.
        mode: as for :func:`gcl.regularizers.compactness_bound`.
        target_batch: the number of nodes drawn for each step; ``None``: all. Their scores are those in the whole graph.

    Raises:
        TypeError, ValueError: an argument is out of range, or (when called) the encoder or the views are not covered.

    **Source:** Provable Training for Graph Contrastive Learning (arXiv 2309.13944), section 5 and the authors' code.
    **Differs:** with ``target_batch`` the graph is not cut to the drawn nodes; edges that a view lost twice or never
    had are the caller's matter.

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
        self, drop_rates: tuple[Rate, Rate], mode: Mode = "reference", target_batch: int | None = None
    ) -> None:
        if len(drop_rates) != 2:
            raise ValueError(f"drop_rates must hold one rate for each of the two views, got {len(drop_rates)}")
        for rate in drop_rates:
            if isinstance(rate, (int, float)):
                check_probability("drop_rates", rate)
        check_mode(mode)
        if target_batch is not None:
            check_at_least("target_batch", target_batch, 1)
        self.drop_rates = drop_rates
        self.mode = mode
        self.target_batch = target_batch

    def check_method(self, method: Any) -> None:
        """Raise unless the method's encoder and views are covered; called by :class:`gcl.methods.Regularized`."""
        layers_of(method.encoder)
        if method.readout is not None:
            raise ValueError(f"method must compare nodes for POT, got {method.method!r} with a readout")
        if method.drops_edges:
            raise ValueError("method must keep edges for POT, got StructComp, whose views have none")

    def __call__(
        self, encoder: nn.Module | Sequence[Layer], pair: Pair, *, generator: Generator | None = None
    ) -> Tensor:
        """The loss of the pair, a scalar: log 2 where every score is 0; the generator draws the target nodes."""
        data, views = pair.data, (pair.view1, pair.view2)
        for view in (data, *views):
            if view.get("edge_weight") is not None:
                raise ValueError(
                    "POT does not cover edge weights: remove edge_weight from data, drop without as_weight"
                )
            if view.num_nodes != data.num_nodes:
                raise ValueError(f"POT needs views with all {data.num_nodes} nodes, got {view.num_nodes}")
        if (num_seeds := data.get("batch_size", data.num_nodes)) != data.num_nodes:
            raise ValueError(
                f"POT needs the embeddings of all {data.num_nodes} nodes, got those of {num_seeds} seeds: "
                "use gcl.data.cluster_loader, whose nodes all count"
            )
        rates = [rate(data) if callable(rate) else rate for rate in self.drop_rates]
        targets = None
        if self.target_batch is not None and self.target_batch < data.num_nodes:
            targets = permutation(data.num_nodes, data.x.device, generator)[: self.target_batch]
        return pot_loss(
            encoder,
            data.edge_index,
            View(pair.view1.x, pair.view1.edge_index, pair.h1),
            View(pair.view2.x, pair.view2.edge_index, pair.h2),
            (rates[0], rates[1]),
            mode=self.mode,
            targets=targets,
        )

    def __repr__(self) -> str:
        return f"POT(drop_rates={self.drop_rates}, mode={self.mode!r}, target_batch={self.target_batch})"


def pot_loss(
    encoder: nn.Module | Sequence[Layer],
    edge_index: Tensor,
    view1: View | tuple[Tensor, Tensor, Tensor],
    view2: View | tuple[Tensor, Tensor, Tensor],
    drop_rates: tuple[float | Tensor, float | Tensor],
    *,
    mode: Mode = "reference",
    targets: Tensor | None = None,
) -> Tensor:
    r"""POT's loss on plain tensors, for a training loop of one's own.

    .. math:: \frac{1}{2T} \sum_i \mathrm{softplus}(-s_i^{1|2}) + \mathrm{softplus}(-s_i^{2|1})

    where :math:`s_i^{v|w}` is the score of node i over the views like v, in the direction that view w gives.

    Args:
        encoder: as for :func:`gcl.regularizers.compactness_bound`: PyG's ``GCN``, or its layers.
        edge_index: the graph ``[2, E]`` that both views were made of.
        view1, view2: ``(x [N, F], edge_index [2, E'], h [N, D])``: features, edges and embeddings of a view.
        drop_rates: the probability of dropping an edge in each view, in [0, 1] or ``[E]``.
        mode, targets: as for :func:`gcl.regularizers.compactness_bound`.

    Returns:
        Scalar.

    Raises:
        TypeError, ValueError: the encoder is not covered, or shapes do not fit.

    **Source:** POT (arXiv 2309.13944), section 5. **Differs:** as :class:`POT`.

    Example:
        >>> import torch
        >>> from torch_geometric.nn import GCN
        >>> encoder, x = GCN(4, 8, num_layers=2, out_channels=4), torch.eye(4)
        >>> ring = torch.tensor([[0, 1, 1, 2, 2, 3, 3, 0], [1, 0, 2, 1, 3, 2, 0, 3]])
        >>> views = [(x, edges, encoder(x, edges)) for edges in (ring[:, :6], ring[:, 2:])]
        >>> pot_loss(encoder, ring, *views, drop_rates=(0.25, 0.25)).shape
        torch.Size([])
    """
    layers = layers_of(encoder)
    graph = Graph(edge_index, view1[0].size(0), view1[0].dtype)
    first = Start(layers, view1[0], graph)
    second = first if view2[0] is view1[0] else Start(layers, view2[0], graph)
    total = first.y.new_zeros(())
    for start, view, other, rate in ((first, view1, view2, drop_rates[0]), (second, view2, view1, drop_rates[1])):
        (_, seen, h), contrast = view, other[2]
        if h.shape != contrast.shape or h.size(0) != graph.num_nodes:
            raise ValueError(
                f"view1 and view2 must hold embeddings of the {graph.num_nodes} nodes, got {tuple(h.shape)}"
            )
        directions, allowed = contrast_directions(contrast.to(start.y.dtype)), AllowedViews.of(graph, rate)
        scores = score(start, allowed, directions, mode, view=seen, targets=targets)
        total = total + F.softplus(-scores).mean() / 2
    return total
