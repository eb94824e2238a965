"""A method with a regularizer."""

from typing import Any

from torch import Generator, Tensor

from augmentors._checks import check_callable, check_probability
from augmentors._random import call
from gcl._pair import Pair, Regularizer
from gcl.methods._two_view import TwoView, Wrapper


class Regularized(Wrapper):
    r"""Mixes a two-view method's loss with a regularizer of the same two views.

    .. math:: (1 - w)\, \mathcal{L} + w\, \mathcal{R}

    Args:
        method: what to regularize; it may be regularized already.
        regularizer: ``(encoder, pair) -> scalar``, such as :class:`gcl.regularizers.POT`; it gets ``generator=`` if
            its signature names it.
        regularizer_weight: w, in [0, 1].

    Raises:
        TypeError: the method does not compare two views, or the regularizer cannot be called.
        ValueError: ``regularizer_weight`` is outside [0, 1], or the regularizer does not fit the method.

    **Source:** POT (arXiv 2309.13944), the authors' code. **Differs:** nothing.

    Example:
        >>> from gcl.methods import GRACE
        >>> from gcl.nn import gcn
        >>> def small(encoder, pair):
        ...     return pair.h1.square().mean()
        >>> method = Regularized(GRACE(gcn(4, 8)), small, regularizer_weight=0.1)
    """

    def __init__(self, method: TwoView, regularizer: Regularizer, regularizer_weight: float) -> None:
        super().__init__(method)
        self.regularizer: Any = check_callable("regularizer", regularizer, "a function (encoder, pair) -> scalar")
        self.regularizer_weight = check_probability("regularizer_weight", regularizer_weight)
        self.needs_edges |= getattr(regularizer, "needs_edges", False)
        if hasattr(regularizer, "check_method"):
            regularizer.check_method(self.encoder, readout=self.readout, drops_edges=self.drops_edges)

    def loss_of(self, pair: Pair, *, generator: Generator | None = None) -> Tensor:
        """The weighted sum of the method's loss and the regularizer."""
        loss = self.method.loss_of(pair, generator=generator)
        regularizer = call(self.regularizer, self.encoder, pair, generator=generator)
        return (1 - self.regularizer_weight) * loss + self.regularizer_weight * regularizer
