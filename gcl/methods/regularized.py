"""A method with a regularizer."""

from collections.abc import Callable
from typing import Any

from torch import Generator, Tensor
from torch_geometric.data import Data

from gcl.checks import check_probability
from gcl.methods.base import Method
from gcl.methods.two_view import Pair, TwoView


class Regularized(Method):
    r"""A two-view method whose loss gives way, in part, to a regularizer of the same two views.

    .. math:: (1 - w)\, \mathcal{L} + w\, \mathcal{R}

    Args:
        method: what to regularize; it may be regularized already.
        regularizer: ``(encoder, pair) -> scalar``, such as :class:`gcl.regularizers.POT`.
        weight: w, in [0, 1].

    Raises:
        ValueError: ``weight`` is outside [0, 1].

    **Source:** POT (arXiv 2309.13944), the authors' code. **Differs:** as there.

    Example:
        >>> from gcl.methods import GRACE
        >>> from gcl.nn import gcn
        >>> small = Regularized(GRACE(gcn(4, 8, 8), dim=8), lambda encoder, pair: pair.h1.square().mean(), weight=0.1)
    """

    def __init__(
        self, method: "TwoView | Regularized", regularizer: Callable[[Any, Pair], Tensor], weight: float
    ) -> None:
        super().__init__(method.encoder)
        check_probability("weight", weight)
        self.method = method
        self.regularizer = regularizer
        self.weight = weight

    def prepare(self, data: Data) -> Data:
        """The method's own."""
        return self.method.prepare(data)

    def pair(self, data: Data, generator: Generator | None = None) -> Pair:
        """The method's pair of views."""
        return self.method.pair(data, generator)

    def loss_of(self, pair: Pair) -> Tensor:
        """The weighted sum of the method's loss and the regularizer."""
        return (1 - self.weight) * self.method.loss_of(pair) + self.weight * self.regularizer(self.encoder, pair)

    def loss(self, data: Data, generator: Generator | None = None) -> Tensor:
        """Draw a pair of views, compare and regularize them."""
        return self.loss_of(self.pair(data, generator))

    def embed(self, data: Data) -> Tensor:
        """The method's embeddings."""
        return self.method.embed(data)

    def after_step(self) -> None:
        """The method's own."""
        self.method.after_step()
