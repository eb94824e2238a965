"""The information regularizer of ARIEL, to be added to any method that compares two views."""

from torch import Tensor, nn

from augmentors._checks import check_positive
from gcl._pair import Pair
from gcl.losses import information_regularizer
from gcl.nn import encode


class Information:
    """Two views shall not be more alike than each is like their graph; see :func:`gcl.losses.information_regularizer`.

    Args:
        projector: the method's, for the graph's own projections.
        temperature: that of the method's loss, above 0.

    Raises:
        ValueError: the temperature is not above 0.

    **Source:** ARIEL (arXiv 2208.06956). **Differs:** as :func:`gcl.losses.information_regularizer`.

    Example:
        >>> import torch
        >>> from gcl.methods import GRACE
        >>> from gcl.nn import gcn
        >>> from torch_geometric.data import Data
        >>> method = GRACE(gcn(4, 8), edge_drop=0, feature_mask=0)
        >>> data = Data(x=torch.eye(4), edge_index=torch.tensor([[0, 1, 2, 3], [1, 0, 3, 2]]))
        >>> Information(method.projector)(method.encoder, method.pair(data)).item()  # both views are the graph
        0.0
    """

    def __init__(self, projector: nn.Module, temperature: float = 0.5) -> None:
        check_positive("temperature", temperature)
        self.projector = projector
        self.temperature = temperature

    def __call__(self, encoder: nn.Module, pair: Pair) -> Tensor:
        """The regularizer of this pair of views."""
        z = self.projector(encode(encoder, pair.data))
        return information_regularizer(pair.z1, pair.z2, z, self.temperature)
