"""AD-GCL."""

import copy
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch_geometric.data import Data
from torch_geometric.nn import global_add_pool

from augmentors.base import uniform
from gcl.checks import check_positive
from gcl.losses import graphcl_nce
from gcl.methods.base import Method, check_no_seeds, check_takes_edge_weights, graph_of
from gcl.nn import Readout
from gcl.nn.encoders import encode

_BIAS = 1e-4  # keeps the noise finite


class ADGCL(Method):
    r"""Graph embeddings that survive the dropping of those edges that a second network chooses against them.

    The view learner gives each edge :math:`e = (u, v)` the log-odds :math:`\omega_e` of being kept, and the view
    weighs it by a relaxed Bernoulli draw

    .. math::
        p_e = \sigma(\log \delta - \log(1 - \delta) + \omega_e), \qquad
        \omega_e = \mathrm{MLP}([h'_u, h'_v]), \qquad \delta \sim U(0, 1).

    With L the symmetric InfoNCE between the graphs and their views, and R the mean of 1 - p over the edges of a graph
    and then over the graphs, the encoder minimises L and the view learner maximises :math:`L - \lambda R`.

    Args:
        encoder: ``(x, edge_index, edge_weight=None) -> h [N, dim]``, such as :func:`gcl.nn.gin`; uses edge weights.
        view_encoder: gives the view learner its :math:`h'` ``[N, dim]``; shares no weights with ``encoder``.
        dim: width of both encoders' output.
        hidden: hidden width of the view learner's perceptron.
        weight: :math:`\lambda`, above 0; the higher, the fewer edges are dropped.
        temperature: of InfoNCE, above 0.
        readout: ``(h, batch) -> g [B, dim]``.

    Raises:
        ValueError: ``encoder`` takes no edge weights, ``weight`` or the temperature is not above 0; (by ``loss``) the
            batch has one graph only.

    **Source:** Adversarial Graph Augmentation to Improve Graph Contrastive Learning (arXiv 2106.05819), eq. 7 to 9.
    **Differs:** both players move in the same step: the gradient of L is reversed on its way to the view learner, so
    that one optimizer serves them, where the authors alternate with two. As in their code, each column of
    ``edge_index`` has its own draw. The loss returned is :math:`L + \lambda R`.

    Example:
        >>> from gcl.nn import gin
        >>> from torch_geometric.data import Batch
        >>> graph = Data(x=torch.eye(3), edge_index=torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]]))
        >>> method = ADGCL(gin(3, 8, 8), gin(3, 8, 8), dim=8)
        >>> method.embed(Batch.from_data_list([graph, graph])).shape
        torch.Size([2, 8])
    """

    def __init__(
        self,
        encoder: nn.Module,
        view_encoder: nn.Module,
        dim: int,
        *,
        hidden: int = 64,
        weight: float = 5.0,
        temperature: float = 0.2,
        readout: Readout = global_add_pool,
    ) -> None:
        super().__init__(encoder)
        check_takes_edge_weights("encoder", encoder)
        check_positive("weight", weight)
        check_positive("temperature", temperature)
        self.projector = nn.Sequential(nn.Linear(dim, dim), nn.ReLU(), nn.Linear(dim, dim))
        self.view_encoder = view_encoder
        self.view_head = nn.Sequential(nn.Linear(2 * dim, hidden), nn.ReLU(), nn.Linear(hidden, 1))
        self.weight = weight
        self.temperature = temperature
        self.readout = readout

    def loss(self, data: Data, generator: Generator | None = None) -> Tensor:
        """InfoNCE of the graphs and their views, and the regulariser."""
        check_no_seeds("ADGCL", data, "it compares graphs")
        keep = self._keep(data, generator)
        z, z_view = self._project(data), self._project(_weigh(data, _Reverse.apply(keep)))
        contrast = graphcl_nce(z, z_view, self.temperature) + graphcl_nce(z_view, z, self.temperature)
        return contrast / 2 + self.weight * _mean_drop(data, keep)

    def embed(self, data: Data) -> Tensor:
        """Graph embeddings ``[B, dim]``; see :class:`Method`."""
        return self.readout(super().embed(data), graph_of(data))

    def _project(self, data: Data) -> Tensor:
        return self.projector(self.readout(encode(self.encoder, data), graph_of(data)))

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
    zeros = keep.new_zeros(getattr(data, "num_graphs", 1))
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
