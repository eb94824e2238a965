"""GraphCL."""

from functools import partial

from torch import nn
from torch_geometric.nn import global_add_pool

from augmentors import Augmentor, EdgeRewire, FeatureMask, NodeDrop, RandomChoice, RandomWalkSubgraph
from gcl.checks import check_positive
from gcl.losses import graphcl_nce
from gcl.methods.two_view import Objective, TwoView
from gcl.nn import Readout


class GraphCL(TwoView):
    """Two random perturbations of each graph shall be more alike than those of different graphs; graph embeddings.

    Args:
        encoder: ``(x, edge_index, edge_weight=None) -> h [N, dim]``, such as :func:`gcl.nn.gin`.
        dim: width of the encoder's output.
        augmentor: makes both views; ``None``: one of node dropping, edge perturbation, feature masking and random-walk
            subgraphs, at strength 0.2, drawn anew for each view of a batch.
        readout: ``(h, batch) -> g [B, dim]``.
        temperature: above 0.
        objective: ``(z1, z2) -> scalar``; ``None``: :func:`gcl.losses.graphcl_nce` at the temperature.

    Raises:
        ValueError: the temperature is not above 0.

    **Source:** Graph Contrastive Learning with Augmentations (arXiv 2010.13902). **Differs:** features are masked by
    columns of the batch; a subgraph is what ten walks of ten steps visit.

    Example:
        >>> import torch
        >>> from gcl.nn import gin
        >>> from torch_geometric.data import Batch, Data
        >>> graph = Data(x=torch.eye(3), edge_index=torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]]))
        >>> GraphCL(gin(3, 8, 8), dim=8).embed(Batch.from_data_list([graph, graph])).shape
        torch.Size([2, 8])
    """

    def __init__(
        self,
        encoder: nn.Module,
        dim: int,
        *,
        augmentor: Augmentor | None = None,
        readout: Readout = global_add_pool,
        temperature: float = 0.2,
        objective: Objective | None = None,
    ) -> None:
        check_positive("temperature", temperature)
        augmentor = augmentor or RandomChoice(
            [NodeDrop(0.2), EdgeRewire(0.2), FeatureMask(0.2), RandomWalkSubgraph(10, 10)]
        )
        projector = nn.Sequential(nn.Linear(dim, dim), nn.ReLU(), nn.Linear(dim, dim))
        objective = objective or partial(graphcl_nce, temperature=temperature)
        super().__init__(encoder, projector, augmentor, augmentor, objective, readout)
