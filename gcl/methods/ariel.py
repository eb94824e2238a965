"""ARIEL: a two-view method with a third view that the loss likes least."""

from abc import ABC
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch_geometric.data import Data

from augmentors import AdversarialView, Augmentor, UniformSubgraph
from gcl.checks import check_not_negative
from gcl.losses import info_nce_against, information
from gcl.methods.base import Method, check_no_seeds, check_takes_edge_weights, evaluating
from gcl.methods.grace import GRACE
from gcl.methods.graphcl import GraphCL
from gcl.methods.two_view import Pair, TwoView

Attack = Callable[[Callable[[Data], Tensor]], Augmentor]
_GRAPH_ATTACK = partial(AdversarialView, edge_budget=0.1, feature_step=0.001)


class _Adversarial(Method, ABC):
    """A two-view method, and a third view of the graph made by an attack on the first view's loss.

    ``against(z1)`` is the loss ``z -> scalar`` of projections against the fixed ones of the first view.
    """

    def __init__(
        self, method: TwoView, against: Callable[[Tensor], Callable[[Tensor], Tensor]], attack: Attack, weight: float
    ) -> None:
        super().__init__(method.encoder)
        check_not_negative("adv_weight", weight)
        if weight:
            check_takes_edge_weights("encoder", method.encoder)
        self.method = method
        self.against = against
        self.attack = attack
        self.adv_weight = weight

    def embed(self, data: Data) -> Tensor:
        """Node or graph embeddings; see :class:`Method`."""
        return self.method.embed(data)

    def adversarial_view(self, pair: Pair, generator: Generator | None = None) -> Data:
        """The view of the graph that the attack finds against the first view, the networks in evaluation mode."""
        with evaluating(self.method):
            with torch.no_grad():
                against = self.against(self._project(pair.view1))
            return self.attack(lambda view: against(self._project(view)))(pair.data, generator=generator)

    def _contrast(self, pair: Pair, weight: float | Tensor, generator: Generator | None) -> Tensor:
        loss = self.method.loss_of(pair)
        if self.adv_weight:
            z = self._project(self.adversarial_view(pair, generator))
            loss = loss + weight * self.method.objective(pair.z1, z)
        return loss

    def _project(self, view: Data) -> Tensor:
        return self.method.projector(self.method.represent(view))


class ARIEL(_Adversarial):
    r"""GRACE on random subgraphs with an adversarial view and an information regularizer.

    .. math:: L(G_1, G_2) + \epsilon_1 L(G_1, G_{adv}) + \epsilon_2 L_I(G_1, G_2, G)

    G_adv is G itself, perturbed to raise :math:`L(G_1, \cdot)`; see :class:`augmentors.AdversarialView`.

    Args:
        encoder: ``(x, edge_index, edge_weight=None) -> h [N, dim]``, such as :func:`gcl.nn.gcn`.
        dim: width of the encoder's output.
        temperature: of the losses, above 0.
        adv_weight: :math:`\epsilon_1`, at least 0; 0 leaves the attack out.
        ir_weight: :math:`\epsilon_2`, at least 0, of :func:`gcl.losses.information`; it does not carry over from
            one temperature to another.
        attack: ``objective -> augmentor`` for the third view; the authors' is ``functools.partial(AdversarialView,
            edge_step=200, feature_step=0.01, relative=False)``, a clean third view ``lambda objective: Identity()``.
        subgraph_size: nodes of the subgraph drawn at each step, at least 1; ``None``: the graph or loader's batch.
        weight_growth: what adv_weight is multiplied by, at least 1, every ``growth_every`` steps, up to ``max_weight``.
        **grace: passed to :class:`gcl.methods.GRACE` (``proj_dim``, ``edge_drop``, ``feature_mask``).

    Raises:
        ValueError: an argument is out of range; the encoder takes no edge weights.

    **Source:** ARIEL (arXiv 2208.06956) and the authors' code. **Differs:** both directions of an edge are dropped
    together; subgraphs are drawn from all nodes, isolated ones included; the growth of the weight, in the code without
    end and off in its last version, has a cap and is off; see :class:`augmentors.AdversarialView`.

    Example:
        >>> from gcl.nn import gcn
        >>> method = ARIEL(gcn(4, 8, 8), dim=8, adv_weight=0.5, subgraph_size=3)
        >>> data = Data(x=torch.eye(4), edge_index=torch.tensor([[0, 1, 2, 3], [1, 0, 3, 2]]))
        >>> method.loss(data, torch.Generator().manual_seed(0)).shape
        torch.Size([])
    """

    steps: Tensor

    def __init__(
        self,
        encoder: nn.Module,
        dim: int,
        *,
        temperature: float = 0.5,
        adv_weight: float = 1.0,
        ir_weight: float = 0.0,
        attack: Attack = AdversarialView,
        subgraph_size: int | None = 500,
        weight_growth: float = 1.0,
        growth_every: int = 20,
        max_weight: float = 10.0,
        **grace: Any,
    ) -> None:
        method = GRACE(encoder, dim, temperature=temperature, **grace)
        super().__init__(method, partial(info_nce_against, temperature=temperature), attack, adv_weight)
        check_not_negative("ir_weight", ir_weight)
        if not weight_growth >= 1:
            raise ValueError(f"weight_growth must be at least 1, got {weight_growth}")
        if growth_every < 1:
            raise ValueError(f"growth_every must be at least 1, got {growth_every}")
        if not max_weight >= adv_weight:
            raise ValueError(f"max_weight must be at least adv_weight = {adv_weight}, got {max_weight}")
        self.temperature = temperature
        self.ir_weight = ir_weight
        self.subgraph = None if subgraph_size is None else UniformSubgraph(subgraph_size)
        self.weight_growth, self.growth_every, self.max_weight = weight_growth, growth_every, max_weight
        self.register_buffer("steps", torch.zeros((), dtype=torch.long))

    def loss(self, data: Data, generator: Generator | None = None) -> Tensor:
        """Draw a subgraph and its views, attack, and compare."""
        if self.subgraph is not None:
            check_no_seeds("subgraph_size", data, "they are subgraphs already, so set it to None")
            data = self.subgraph(data, generator=generator)
        pair = self.method.pair(data, generator)
        loss = self._contrast(pair, self.current_weight(), generator)
        if self.ir_weight:
            z = self._project(data)
            loss = loss + self.ir_weight * information(pair.z1, pair.z2, z, self.temperature)
        return loss

    def current_weight(self) -> float | Tensor:
        """The weight of the adversarial view, as it has grown so far."""
        if self.weight_growth == 1:
            return self.adv_weight
        growth = torch.pow(self.weight_growth, self.steps // self.growth_every)
        return (self.adv_weight * growth).clamp(max=self.max_weight)

    def after_step(self) -> None:
        """Count the steps, by which the weight grows."""
        self.steps += 1


class ARIELGraph(_Adversarial):
    r"""GraphCL with an adversarial view of each graph.

    .. math:: L(G_1, G_2) + \epsilon_1 L(G_1, G_{adv})

    Args:
        encoder: ``(x, edge_index, edge_weight=None) -> h [N, dim]``, such as :func:`gcl.nn.gin`; it must take weights.
        dim: width of the encoder's output.
        temperature: above 0.
        adv_weight: :math:`\epsilon_1`, at least 0; 0 leaves the attack out.
        attack: as for :class:`ARIEL`.
        **graphcl: passed to :class:`gcl.methods.GraphCL` (``augmentor``, ``readout``).

    Raises:
        ValueError: an argument is out of range; the encoder takes no edge weights; (by ``loss``) the batch has one
            graph only.

    **Source:** ARIEL (arXiv 2208.06956), the graph-level form, and the authors' code. **Differs:** the first view is an
    augmented one, where the code takes the batch itself; the attack raises the loss that is trained,
    where the code swaps the views; each graph has its own share of the budget (``per_graph=False``: the code's).

    Example:
        >>> from gcl.nn import gcn
        >>> from torch_geometric.data import Batch
        >>> graph = Data(x=torch.eye(3), edge_index=torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]]))
        >>> method = ARIELGraph(gcn(3, 8, 8), dim=8)
        >>> method.embed(Batch.from_data_list([graph, graph])).shape
        torch.Size([2, 8])
    """

    def __init__(
        self,
        encoder: nn.Module,
        dim: int,
        *,
        temperature: float = 0.2,
        adv_weight: float = 1.5,
        attack: Attack = _GRAPH_ATTACK,
        **graphcl: Any,
    ) -> None:
        method = GraphCL(encoder, dim, temperature=temperature, **graphcl)
        super().__init__(method, partial(partial, method.objective), attack, adv_weight)

    def loss(self, data: Data, generator: Generator | None = None) -> Tensor:
        """Draw two views, attack, and compare."""
        return self._contrast(self.method.pair(data, generator), self.adv_weight, generator)
