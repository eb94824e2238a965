"""The information regularizer of ARIEL, for any method that compares two views."""

from torch import Tensor, nn

from augmentors._checks import check_positive
from gcl._pair import Pair
from gcl.losses import information_regularizer
from gcl.nn import encode


class Information:
    """:func:`gcl.losses.information_regularizer` of a pair's projections, for :class:`gcl.methods.Regularized`.

    Args:
        projector: the method's projector, which projects the graph itself too.
        temperature: above 0, usually that of the method's loss.

    Raises:
        ValueError: the temperature is not above 0.

    **Source:** ARIEL (arXiv 2208.06956). **Differs:** nothing.

    Example:
        >>> from gcl.data import csbm
        >>> from gcl.methods import GRACE
        >>> from gcl.nn import gcn
        >>> data, method = csbm(), GRACE(gcn(1433, 8), edge_drop=0, feature_mask=0)
        >>> Information(method.projector)(method.encoder, method.pair(data)).item()  # both views are the graph
        0.0
    """

    def __init__(self, projector: nn.Module, temperature: float = 0.5) -> None:
        check_positive("temperature", temperature)
        self.projector, self.temperature = projector, temperature

    def __call__(self, encoder: nn.Module, pair: Pair) -> Tensor:
        """The regularizer of a pair of views, a scalar."""
        z = self.projector(encode(encoder, pair.data))
        return information_regularizer(pair.z1, pair.z2, z, self.temperature)
