"""SimGRACE."""

import torch
from torch import Generator, Tensor, nn
from torch.func import functional_call
from torch_geometric.data import Data
from torch_geometric.nn import global_add_pool

from gcl.checks import check_positive
from gcl.losses import graphcl_nce
from gcl.methods.base import Method, graph_of
from gcl.nn import Readout
from gcl.nn.encoders import encode


class SimGRACE(Method):
    r"""Graph embeddings that survive noise on the encoder's weights; no augmentation.

    .. math:: \theta'_l = \theta_l + \eta \sigma_l \epsilon, \qquad \epsilon \sim N(0, I)

    with :math:`\sigma_l` the deviation of the entries of parameter l.

    Args:
        encoder: ``(x, edge_index, edge_weight=None) -> h [N, dim]``, such as :func:`gcl.nn.gin`.
        dim: width of the encoder's output.
        noise: :math:`\eta`, above 0.
        temperature: above 0.
        readout: ``(h, batch) -> g [B, dim]``.

    Raises:
        ValueError: ``noise`` or the temperature is not above 0; (by ``loss``) the batch has one graph only.

    **Source:** SimGRACE (arXiv 2202.03104), eq. 1 and 2. **Differs:** the deviation is each parameter's own, 0 for a
    parameter of one entry; no gradient flows through the perturbed encoder, as in the authors' code.

    Example:
        >>> from gcl.nn import gin
        >>> from torch_geometric.data import Batch
        >>> graph = Data(x=torch.eye(3), edge_index=torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]]))
        >>> SimGRACE(gin(3, 8, 8), dim=8).embed(Batch.from_data_list([graph, graph])).shape
        torch.Size([2, 8])
    """

    def __init__(
        self,
        encoder: nn.Module,
        dim: int,
        *,
        noise: float = 1.0,
        temperature: float = 0.2,
        readout: Readout = global_add_pool,
    ) -> None:
        super().__init__(encoder)
        check_positive("noise", noise)
        check_positive("temperature", temperature)
        self.projector = nn.Sequential(nn.Linear(dim, dim), nn.ReLU(), nn.Linear(dim, dim))
        self.noise = noise
        self.temperature = temperature
        self.readout = readout

    def loss(self, data: Data, generator: Generator | None = None) -> Tensor:
        """InfoNCE of the graphs by the encoder against those by the perturbed one."""
        batch = graph_of(data)
        z1 = self.projector(self.readout(encode(self.encoder, data), batch))
        with torch.no_grad():
            noisy = {name: self._perturbed(p, generator) for name, p in self.encoder.named_parameters()}

            def encoder(x: Tensor, edge_index: Tensor, edge_weight: Tensor | None = None) -> Tensor:
                return functional_call(self.encoder, noisy, (x, edge_index, edge_weight))

            z2 = self.projector(self.readout(encode(encoder, data), batch))
        return graphcl_nce(z1, z2, self.temperature)

    def embed(self, data: Data) -> Tensor:
        """Graph embeddings ``[B, dim]``; see :class:`Method`."""
        return self.readout(super().embed(data), graph_of(data))

    def _perturbed(self, p: Tensor, generator: Generator | None) -> Tensor:
        device = p.device if generator is None else generator.device
        epsilon = torch.randn(p.shape, generator=generator, device=device, dtype=p.dtype).to(p.device)
        return p + self.noise * p.std(correction=0) * epsilon
