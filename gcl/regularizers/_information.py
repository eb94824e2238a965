"""The information regularizer of ARIEL for any method that compares two views."""

from torch import Tensor, nn

from augmentors._checks import check_positive
from gcl._pair import Pair
from gcl.losses import information_regularizer
from gcl.nn import encode


class Information:
    """Penalizes two views that are more similar to each other than to their graph.

    It is :func:`gcl.losses.information_regularizer` of the projections.

    Args:
        projector: the method's projector, which projects the graph itself too.
        temperature: above 0, usually that of the method's loss.

    Raises:
        ValueError: the temperature is not above 0.

    **Source:** ARIEL (arXiv 2208.06956). **Differs:** nothing.

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
        """The regularizer of a pair of views, a scalar."""
        z = self.projector(encode(encoder, pair.data))
        return information_regularizer(pair.z1, pair.z2, z, self.temperature)
