"""AD-GCL."""

import copy
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch_geometric.data import Data
from torch_geometric.nn import global_add_pool

from augmentors._checks import check_positive
from augmentors._random import uniform
from gcl.losses import nt_xent_one_way
from gcl.methods._base import Method, check_no_seeds, width_of
from gcl.methods._graphcl import relu_head
from gcl.nn import encode
from gcl.nn._encode import num_graphs
from gcl.nn._readouts import Readout, graph_of
from gcl.nn._takes import check_takes_edge_weight

_BIAS = 1e-4  # keeps the noise finite


class ADGCL(Method):
    r"""Contrasts each graph with a view whose dropped edges a second network learns to choose; graph embeddings.

    The view learner gives each edge :math:`e = (u, v)` the log-odds :math:`\omega_e` of being kept, and the view
    weighs it by a relaxed Bernoulli draw

    .. math::
        p_e = \sigma(\log \delta - \log(1 - \delta) + \omega_e), \qquad
        \omega_e = \mathrm{MLP}([h'_u, h'_v]), \qquad \delta \sim U(0, 1).

    With L the symmetric InfoNCE between the graphs and their views, and R the mean of 1 - p over the edges of a graph
    and then over the graphs, the encoder minimizes L and the view learner maximizes :math:`L - \lambda R`.

    Args:
        encoder, dim: as for :class:`gcl.methods.GRACE`, such as :func:`gcl.nn.gin`; it must take edge weights.
        view_encoder: gives the view learner its :math:`h'` ``[N, D']``; shares no weights with ``encoder``.
        hidden: hidden width of the view learner's perceptron.
        regularizer_weight: :math:`\lambda`, above 0; the higher, the fewer edges are dropped.
        temperature: of InfoNCE, above 0.
        readout: as for :class:`gcl.methods.Method`.

    Raises:
        ValueError: ``encoder`` takes no edge weights, an encoder does not say its width, ``regularizer_weight`` or the
            temperature is not above 0; (by ``loss``) the batch has one graph only.

    **Source:** Adversarial Graph Augmentation to Improve Graph Contrastive Learning (arXiv 2106.05819), eq. 7 to 9.
    **Differs:** both players move in the same step: the gradient of L is reversed on its way to the view learner, so
    that one optimizer serves them, where the authors alternate with two, the network at rest in evaluation mode; their
    tables are on sets of graphs whose features are replaced by a constant. As in their code, each column of
    ``edge_index`` has its own draw, and features of edges, such as bonds, reach :math:`\omega` by the
    :math:`h'` of a view encoder that takes them. The loss returned is :math:`L + \lambda R`.

    Example:
        >>> from gcl.nn import gin
        >>> from torch_geometric.data import Batch
        >>> graph = Data(x=torch.eye(3), edge_index=torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]]))
        >>> method = ADGCL(gin(3, 8), gin(3, 8))
        >>> method.embed(Batch.from_data_list([graph, graph])).shape
        torch.Size([2, 8])
    """

    def __init__(
        self,
        encoder: nn.Module,
        view_encoder: nn.Module,
        dim: int | None = None,
        *,
        hidden: int = 64,
        regularizer_weight: float = 5.0,
        temperature: float = 0.2,
        readout: Readout = global_add_pool,
    ) -> None:
        super().__init__(encoder, readout)
        check_takes_edge_weight("encoder", encoder)
        self.regularizer_weight = check_positive("regularizer_weight", regularizer_weight)
        self.temperature = check_positive("temperature", temperature)
        self.projector = relu_head(width_of(encoder, dim))
        self.view_encoder = view_encoder
        self.view_head = nn.Sequential(
            nn.Linear(2 * width_of(view_encoder, dim), hidden), nn.ReLU(), nn.Linear(hidden, 1)
        )

    def loss(self, data: Data, *, generator: Generator | None = None) -> Tensor:
        """InfoNCE of the graphs and their views, and the regularizer."""
        check_no_seeds("ADGCL", data, "it compares graphs")
        keep = self._keep(data, generator)
        z, z_view = (self.projector(self.represent(view)) for view in (data, _weigh(data, _Reverse.apply(keep))))
        contrast = nt_xent_one_way(z, z_view, self.temperature) + nt_xent_one_way(z_view, z, self.temperature)
        return contrast / 2 + self.regularizer_weight * _mean_drop(data, keep)

    def _keep(self, data: Data, generator: Generator | None) -> Tensor:
        """The weight of each edge in the view ``[E]``, in (0, 1)."""
        h = encode(self.view_encoder, data)
        row, col = data.edge_index
        log_odds = self.view_head(torch.cat([h[row], h[col]], dim=1)).squeeze(1)
        noise = uniform(row.numel(), row.device, generator).to(h.dtype)
        return (log_odds + (_BIAS + (1 - 2 * _BIAS) * noise).logit()).sigmoid()


def _weigh(data: Data, weight: Tensor) -> Data:
    """``data`` with its edges' weights multiplied by ``weight``."""
    view = copy.copy(data)
    view.edge_weight = weight if data.edge_weight is None else weight * data.edge_weight
    return view


def _mean_drop(data: Data, keep: Tensor) -> Tensor:
    """The mean of 1 - keep over the edges of a graph, and then over the graphs that have edges; 0 if none has."""
    graph = graph_of(data)[data.edge_index[0]]
    zeros = keep.new_zeros(num_graphs(data))
    count = zeros.index_add(0, graph, torch.ones_like(keep))
    drop = zeros.index_add(0, graph, 1 - keep) / count.clamp_min(1)
    return drop.sum() / (count > 0).sum().clamp_min(1)


class _Reverse(torch.autograd.Function):
    """The identity, whose gradient is reversed."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return -grad
