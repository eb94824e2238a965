"""GraphCL."""

from functools import partial

from torch import nn
from torch_geometric.nn import global_add_pool

from augmentors import EdgeDrop, EgoSubgraph, FeatureDropout, Identity, NodeDrop, RandomChoice
from augmentors._checks import check_positive
from gcl._pair import Objective
from gcl.losses import nt_xent_one_way
from gcl.methods._base import width_of
from gcl.methods._two_view import Transform, TwoView
from gcl.nn._readouts import Readout


class GraphCL(TwoView):
    """Contrasts a random perturbation of each graph with the graphs themselves; graph embeddings.

    Args:
        encoder, dim: as for :class:`gcl.methods.GRACE`, such as :func:`gcl.nn.gin`.
        augmentor: makes the view that is compared with the graph itself; ``None``: one of node, edge and feature
            dropping, at strength 0.1, and one-hop subgraphs, drawn anew for each batch. ``method.augmentor2`` is
            the other view's.
        readout: as for :class:`gcl.methods.Method`.
        temperature: above 0.
        objective: ``(z1, z2) -> scalar``; ``None``: :func:`gcl.losses.nt_xent_one_way` at the temperature.

    Raises:
        ValueError: the temperature is not above 0, or the encoder does not say its width.

    **Source:** Graph Contrastive Learning with Augmentations (arXiv 2010.13902), and the authors' code for sets of
    graphs, where one view is clean, the strength 0.1, edges are not added and subgraphs have one hop. **Differs:** the
    anchor is the perturbed graph; the batch's graphs share the kind of perturbation; features are set to 0, where the
    code draws those of a tenth of the nodes from a Gaussian; no self-loops, which the code adds to the clean graphs.

    Example:
        >>> import torch
        >>> from gcl.nn import gin
        >>> from torch_geometric.data import Batch, Data
        >>> graph = Data(x=torch.eye(3), edge_index=torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]]))
        >>> GraphCL(gin(3, 8)).embed(Batch.from_data_list([graph, graph])).shape
        torch.Size([2, 8])
    """

    hetero = False

    def __init__(
        self,
        encoder: nn.Module,
        dim: int | None = None,
        *,
        augmentor: Transform | None = None,
        readout: Readout = global_add_pool,
        temperature: float = 0.2,
        objective: Objective | None = None,
    ) -> None:
        check_positive("temperature", temperature)
        augmentor = augmentor or RandomChoice([NodeDrop(0.1), EdgeDrop(0.1), FeatureDropout(0.1), EgoSubgraph(1)])
        objective = objective or partial(nt_xent_one_way, temperature=temperature)
        super().__init__(encoder, relu_head(width_of(encoder, dim)), augmentor, Identity(), objective, readout)


def relu_head(dim: int) -> nn.Module:
    """The projection head of GraphCL and its followers: Linear, ReLU, Linear."""
    return nn.Sequential(nn.Linear(dim, dim), nn.ReLU(), nn.Linear(dim, dim))
