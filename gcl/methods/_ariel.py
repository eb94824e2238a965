"""ARIEL: a two-view method with a third view that maximizes the loss within a budget."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch_geometric.data import Data

from augmentors import AdversarialView, Augmentor, UniformSubgraph
from augmentors._checks import check_not_negative
from gcl._pair import Pair
from gcl.losses import information_regularizer
from gcl.losses._info_nce import fixed_anchor_info_nce
from gcl.methods._base import check_no_seeds, evaluating
from gcl.methods._grace import GRACE
from gcl.methods._graphcl import GraphCL
from gcl.methods._two_view import TwoView, Wrapper
from gcl.nn._takes import check_takes_edge_weight

AttackFactory = Callable[[Callable[[Data], Tensor]], Augmentor]
_GRAPH_ATTACK = partial(AdversarialView, edge_budget=0.1, feature_step=0.001)


class _Adversarial(Wrapper):
    """A two-view method, and a third view of the graph made by an attack on the first view's loss."""

    def __init__(self, method: TwoView, attack: AttackFactory, adversarial_weight: float) -> None:
        super().__init__(method)
        self.needs_edges, self.hetero = True, False
        self.adversarial_weight = check_not_negative("adversarial_weight", adversarial_weight)
        if adversarial_weight:
            check_takes_edge_weight("encoder", method.encoder)
        self.attack = attack

    def loss_of(self, pair: Pair, *, generator: Generator | None = None) -> Tensor:
        """The method's loss, and that of the first view against the adversarial one."""
        loss = self.method.loss_of(pair, generator=generator)
        if self.adversarial_weight:
            z = self._project(self.adversarial_view(pair, generator=generator))
            loss = loss + self.adversarial_weight * self.objective(pair.z1, z)
        return loss

    def adversarial_view(self, pair: Pair, *, generator: Generator | None = None) -> Data:
        """The view of the graph that the attack finds against the first view, the networks in evaluation mode."""
        with evaluating(self.method):
            with torch.no_grad():
                against = self.anchored_objective(self._project(pair.view1))
            return self.attack(lambda view: against(self._project(view)))(pair.data, generator=generator)

    def anchored_objective(self, z1: Tensor) -> Callable[[Tensor], Tensor]:
        """The loss ``z -> scalar`` of projections against the fixed ones of the first view."""
        return partial(self.objective, z1)

    def _project(self, view: Data) -> Tensor:
        return self.method.projector(self.represent(view))


class ARIEL(_Adversarial):
    r"""GRACE on random subgraphs with an adversarial view and an information regularizer.

    .. math:: L(G_1, G_2) + \epsilon_1 L(G_1, G_{adv}) + \epsilon_2 L_I(G_1, G_2, G)

    G_adv is G itself, perturbed to raise :math:`L(G_1, \cdot)`; see :class:`augmentors.AdversarialView`.

    Args:
        encoder, dim: as for :class:`gcl.methods.GRACE`; it must take edge weights.
        temperature: of the losses, above 0.
        adversarial_weight: :math:`\epsilon_1`, at least 0; 0 leaves the attack out.
        information_weight: :math:`\epsilon_2`, at least 0, of :func:`gcl.losses.information_regularizer`; it does not
            carry over from one temperature to another.
        attack: ``objective -> augmentor`` for the third view; the authors' is ``functools.partial(AdversarialView,
            edge_step=200, feature_step=0.01, relative=False)``, a clean third view ``lambda objective: Identity()``.
        subgraph_size: nodes of the subgraph drawn at each step, at least 1; ``None``: the graph or loader's batch.
        **grace: passed to :class:`gcl.methods.GRACE` (``proj_dim``, ``edge_drop``, ``feature_mask``).

    Raises:
        ValueError: an argument is out of range; the encoder takes no edge weights.

    **Source:** ARIEL (arXiv 2208.06956) and the authors' code. **Differs:** both directions of an edge are dropped
    together; subgraphs are drawn from all nodes, isolated ones included; the weight does not grow during training
    (set ``method.adversarial_weight`` in the loop; in the code's last version it does not either); see
    :class:`augmentors.AdversarialView`.

    Example:
        >>> from gcl.nn import gcn
        >>> method = ARIEL(gcn(4, 8), adversarial_weight=0.5, subgraph_size=3)
        >>> data = Data(x=torch.eye(4), edge_index=torch.tensor([[0, 1, 2, 3], [1, 0, 3, 2]]))
        >>> method.loss(data, generator=torch.Generator().manual_seed(0)).shape
        torch.Size([])
    """

    def __init__(
        self,
        encoder: nn.Module,
        dim: int | None = None,
        *,
        temperature: float = 0.5,
        adversarial_weight: float = 1.0,
        information_weight: float = 0.0,
        attack: AttackFactory = AdversarialView,
        subgraph_size: int | None = 500,
        **grace: Any,
    ) -> None:
        method = GRACE(encoder, dim, temperature=temperature, **grace)
        super().__init__(method, attack, adversarial_weight)
        self.temperature = temperature
        self.information_weight = check_not_negative("information_weight", information_weight)
        self.subgraph = None if subgraph_size is None else UniformSubgraph(subgraph_size)

    def pair(self, data: Data, *, generator: Generator | None = None) -> Pair:
        """Draw a subgraph and its two views."""
        if self.subgraph is not None:
            check_no_seeds("subgraph_size", data, "they are subgraphs already, so set it to None")
            data = self.subgraph(data, generator=generator)
        return super().pair(data, generator=generator)

    def anchored_objective(self, z1: Tensor) -> Callable[[Tensor], Tensor]:
        """InfoNCE against the first view, whose own sums are computed once."""
        return fixed_anchor_info_nce(z1, self.temperature)

    def loss_of(self, pair: Pair, *, generator: Generator | None = None) -> Tensor:
        """Attack and compare the three views, and add the information regularizer."""
        loss = super().loss_of(pair, generator=generator)
        if self.information_weight:
            z = self._project(pair.data)
            loss = loss + self.information_weight * information_regularizer(pair.z1, pair.z2, z, self.temperature)
        return loss


class ARIELGraph(_Adversarial):
    r"""GraphCL with an adversarial view of each graph.

    .. math:: L(G_1, G) + \epsilon_1 L(G_1, G_{adv})

    Args:
        encoder, dim: as for :class:`gcl.methods.GRACE`, such as :func:`gcl.nn.gin`; it must take edge weights.
        temperature: above 0.
        adversarial_weight: :math:`\epsilon_1`, at least 0; 0 leaves the attack out.
        attack: as for :class:`ARIEL`; of molecules with integers it changes the edges alone.
        **graphcl: passed to :class:`gcl.methods.GraphCL` (``augmentor``, ``readout``).

    Raises:
        ValueError: an argument is out of range; the encoder takes no edge weights; (by ``loss``) the batch has one
            graph only.

    **Source:** ARIEL (arXiv 2208.06956), the graph-level form, and the authors' code. **Differs:** the anchor is the
    augmented view in both terms, where the code has it in the attack alone; each graph has its own share of the budget
    (``per_graph=False``: the code's); views as for :class:`gcl.methods.GraphCL`.

    Example:
        >>> from gcl.nn import gcn
        >>> from torch_geometric.data import Batch
        >>> graph = Data(x=torch.eye(3), edge_index=torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]]))
        >>> method = ARIELGraph(gcn(3, 8))
        >>> method.embed(Batch.from_data_list([graph, graph])).shape
        torch.Size([2, 8])
    """

    def __init__(
        self,
        encoder: nn.Module,
        dim: int | None = None,
        *,
        temperature: float = 0.2,
        adversarial_weight: float = 1.5,
        attack: AttackFactory = _GRAPH_ATTACK,
        **graphcl: Any,
    ) -> None:
        method = GraphCL(encoder, dim, temperature=temperature, **graphcl)
        super().__init__(method, attack, adversarial_weight)
