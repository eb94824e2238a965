"""SimGRACE."""

import copy

import torch
from torch import Generator, Tensor, nn
from torch_geometric.data import Data
from torch_geometric.nn import global_add_pool

from augmentors._checks import check_positive
from augmentors._random import normal
from gcl.losses import nt_xent_one_way
from gcl.methods._base import Method, width_of
from gcl.methods._graphcl import relu_head
from gcl.nn import encode
from gcl.nn._readouts import Readout


class SimGRACE(Method):
    r"""Contrasts each graph with its embedding by an encoder with noise on its weights; no augmentation.

    .. math:: \theta'_l = \theta_l + \eta \sigma_l \epsilon, \qquad \epsilon \sim N(0, I)

    with :math:`\sigma_l` the deviation of the entries of parameter l.

    Args:
        encoder, dim: as for :class:`gcl.methods.GRACE`, such as :func:`gcl.nn.gin`.
        noise: :math:`\eta`, above 0.
        temperature: above 0.
        readout: as for :class:`gcl.methods.Method`.

    Raises:
        ValueError: ``noise`` or the temperature is not above 0, or the encoder does not say its width; (by ``loss``)
            the batch has one graph only.

    **Source:** SimGRACE (arXiv 2202.03104), eq. 1 and 2, and the authors' code, where the deviation is each parameter's
    own, BatchNorms of the perturbed encoder take the batch's statistics and it gets no gradient. **Differs:** the
    deviation is 0 for a parameter of one entry; the anchor is the graph's own embedding, where the code has the
    perturbed one.

    Example:
        >>> from gcl.nn import gin
        >>> from torch_geometric.data import Batch
        >>> graph = Data(x=torch.eye(3), edge_index=torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]]))
        >>> SimGRACE(gin(3, 8)).embed(Batch.from_data_list([graph, graph])).shape
        torch.Size([2, 8])
    """

    def __init__(
        self,
        encoder: nn.Module,
        dim: int | None = None,
        *,
        noise: float = 1.0,
        temperature: float = 0.2,
        readout: Readout = global_add_pool,
    ) -> None:
        super().__init__(encoder, readout)
        self.noise = check_positive("noise", noise)
        self.temperature = check_positive("temperature", temperature)
        self.projector = relu_head(width_of(encoder, dim))

    def loss(self, data: Data, *, generator: Generator | None = None) -> Tensor:
        """InfoNCE of the graphs by the encoder against those by the perturbed one."""
        z1 = self.projector(self.represent(data))
        with torch.no_grad():
            h = encode(self.perturbed_encoder(generator=generator), data)
            z2 = self.projector(self.read_out(h, data))
        return nt_xent_one_way(z1, z2, self.temperature)

    @torch.no_grad()
    def perturbed_encoder(self, *, generator: Generator | None = None) -> nn.Module:
        """A copy with noisy parameters, whose batch norms keep statistics of their own."""
        noisy = copy.deepcopy(self.encoder)
        for p in noisy.parameters():
            p.add_(self.noise * p.std(correction=0) * normal(p.shape, p.device, generator, p.dtype))
        return noisy
