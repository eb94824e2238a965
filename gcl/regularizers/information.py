"""The information regularizer of ARIEL, to be added to any method that compares two views."""

from typing import Protocol

from torch import Tensor, nn
from torch_geometric.data import Data

from gcl.checks import check_positive
from gcl.losses import information
from gcl.nn.encoders import Encoder, encode


class Pair(Protocol):
    """What the regularizer reads of two views: :class:`gcl.methods.Pair` has it."""

    @property
    def data(self) -> Data:
        """The graph that the views were made from."""

    @property
    def z1(self) -> Tensor:
        """Projections ``[N, D]`` of the first view."""

    @property
    def z2(self) -> Tensor:
        """Projections ``[N, D]`` of the second view."""


class Information:
    """Two views shall not be more alike than each is like their graph; see :func:`gcl.losses.information`.

    Args:
        projector: the method's, for the graph's own projections.
        temperature: that of the method's loss, above 0.

    Raises:
        ValueError: the temperature is not above 0.

    **Source:** ARIEL (arXiv 2208.06956). **Differs:** as :func:`gcl.losses.information`.

    Example:
        >>> import torch
        >>> from gcl.methods import GRACE
        >>> from gcl.nn import gcn
        >>> method = GRACE(gcn(4, 8, 8), dim=8, edge_drop=(0, 0), feature_mask=(0, 0))
        >>> data = Data(x=torch.eye(4), edge_index=torch.tensor([[0, 1, 2, 3], [1, 0, 3, 2]]))
        >>> Information(method.projector)(method.encoder, method.pair(data)).item()  # both views are the graph
        0.0
    """

    def __init__(self, projector: nn.Module, temperature: float = 0.5) -> None:
        check_positive("temperature", temperature)
        self.projector = projector
        self.temperature = temperature

    def __call__(self, encoder: Encoder, pair: Pair) -> Tensor:
        """The regularizer of this pair of views."""
        z = self.projector(encode(encoder, pair.data))
        return information(pair.z1, pair.z2, z, self.temperature)
