"""GraphMAE."""

import copy

import torch
from torch import Generator, Tensor, nn
from torch_geometric.data import Data

from augmentors._checks import check_at_least, check_probability, check_shape, check_tensor
from augmentors._random import integers, uniform
from gcl.losses import scaled_cosine_error
from gcl.losses._matching import check_gamma
from gcl.methods._base import Method, check_initialized, width_of
from gcl.nn import encode, gcn
from gcl.nn._readouts import Readout
from gcl.nn._takes import name_of, takes_of


class GraphMAE(Method):
    r"""Masks the features of random nodes and reconstructs them from the embeddings of their neighbors.

    .. math:: \frac{1}{|M|} \sum_{i \in M} \left( 1 - \cos(\hat x_i, x_i) \right)^\gamma, \qquad
              \hat X = \mathrm{decoder}(H W), \quad H = \mathrm{encoder}(\tilde X)

    where the rows M of :math:`\tilde X` are one learned vector, or some of them the features of random nodes, and the
    rows M of :math:`H W` are set to 0 again for the decoder. Only the encoder embeds.

    Args:
        encoder, dim: as for :class:`gcl.methods.GRACE`.
        num_features: F, the width of ``data.x``; ``None``: the encoder's ``in_channels``.
        decoder: a layer or encoder that takes edges, from ``dim`` to F; ``None``: a GCN layer.
        mask: probability of masking a node; of each graph or batch, and of a loader's seeds, one is masked at least.
        replace: share of the masked nodes that get the features of a random node instead of the learned vector.
        gamma: :math:`\gamma`, at least 1: see :func:`gcl.losses.scaled_cosine_error`.
        readout: as for :class:`gcl.methods.Method`; the loss is of nodes all the same.

    Raises:
        ValueError: a probability is outside [0, 1], ``gamma`` is below 1, ``decoder`` takes no edges, or a width is not
            known; (by ``loss``) ``data.x`` has another width than ``num_features``, or no rows.
        TypeError: (by ``loss``) ``data.x`` is not floating-point.

    **Source:** GraphMAE: Self-Supervised Masked Graph Autoencoders (arXiv 2205.10803) and the authors' code.
    **Differs:** each node is masked on its own where the authors draw a set of fixed size; the decoder's default is a
    GCN layer, theirs a GAT or GIN layer as the encoder's are. Of a loader's batch the loss is that of its masked seeds.

    Example:
        >>> method = GraphMAE(gcn(4, 8))
        >>> data = Data(x=torch.eye(4), edge_index=torch.tensor([[0, 1, 2, 3], [1, 0, 3, 2]]))
        >>> 0 <= method.loss(data, generator=torch.Generator().manual_seed(0)) <= 8
        tensor(True)
    """

    def __init__(
        self,
        encoder: nn.Module,
        dim: int | None = None,
        *,
        num_features: int | None = None,
        decoder: nn.Module | None = None,
        mask: float = 0.5,
        replace: float = 0.05,
        gamma: float = 3.0,
        readout: Readout | None = None,
    ) -> None:
        super().__init__(encoder, readout)
        dim, num_features = width_of(encoder, dim), features_of(encoder, num_features)
        self.decoder = gcn(dim, num_features, 1, final_activation=False) if decoder is None else decoder
        check_initialized(self.decoder)
        if not takes_of(self.decoder).edge_index:
            raise ValueError(f"decoder must take edges, by which it sees neighbors, got {name_of(decoder)}")
        self.mask = check_probability("mask", mask)
        self.replace = check_probability("replace", replace)
        self.gamma = check_gamma(gamma)
        self.token = nn.Parameter(torch.zeros(num_features))
        self.to_decoder = nn.Linear(dim, dim, bias=False)

    def loss(self, data: Data, *, generator: Generator | None = None) -> Tensor:
        """Mask nodes, and compare their reconstructed features with the true ones."""
        masked, hidden = self.hide(data, generator=generator)
        code = self.to_decoder(encode(self.encoder, hidden))
        return self.error(data, code.masked_fill(masked[:, None], 0.0), masked)

    def hide(self, data: Data, *, generator: Generator | None = None) -> tuple[Tensor, Data]:
        """Which nodes are masked ``[N]``, and the graph without their features."""
        x = data.x
        check_tensor("data.x", x, "a floating-point tensor [N, F] to be reconstructed")
        check_shape("data.x", x, "N", self.token.numel())
        if x.size(0) == 0:
            raise ValueError("data.x must have at least one row, got none")
        draw = uniform(x.size(0), x.device, generator)
        masked = draw <= draw[: data.get("batch_size")].min().clamp_min(self.mask)
        hidden = whole(data)
        hidden.x = torch.where(masked[:, None], self.token, x)
        noisy = (draw < self.mask * self.replace).nonzero().squeeze(1)
        hidden.x = hidden.x.index_copy(0, noisy, x[integers(x.size(0), noisy.shape, x.device, generator)])
        return masked, hidden

    def error(self, data: Data, code: Tensor, masked: Tensor) -> Tensor:
        """The error of the masked seeds' features, decoded from ``code`` ``[N, D]``."""
        coded = whole(data)
        coded.x = code
        rows = masked[: data.get("batch_size")].nonzero().squeeze(1)
        return scaled_cosine_error(encode(self.decoder, coded)[rows], data.x[rows], self.gamma)


def features_of(encoder: nn.Module, num_features: int | None) -> int:
    """The width of the features: ``num_features``, or what the encoder says in ``in_channels``."""
    if num_features is None:
        num_features = getattr(encoder, "in_channels", None)
    if num_features is None:
        raise ValueError(
            f"num_features must be the width of data.x, since {name_of(encoder)} has no in_channels, got None"
        )
    return check_at_least("num_features", num_features, 1)


def whole(data: Data) -> Data:
    """A copy of a loader's batch of which all nodes count, not the seeds alone."""
    data = copy.copy(data)
    for name in ("batch_size", "node_hop"):
        if name in data:
            del data[name]
    return data
