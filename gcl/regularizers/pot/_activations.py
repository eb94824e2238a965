r"""Activations between two parallel lines: the linear relaxation of bound propagation.

On an interval [l, u] :class:`LinearBounds` hold the slope s and the intercepts t of

.. math:: s x + t_{low} \le \varphi(x) \le s x + t_{up} \quad \text{for } x \in [l, u]
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class LinearBounds(NamedTuple):
    """Slope and intercepts ``[N, D]`` of two parallel lines for each entry; ``low=None``: an intercept of 0."""

    slope: Tensor
    low: Tensor | None
    up: Tensor

    def map(self, function: Callable[[Tensor], Tensor]) -> "LinearBounds":
        """Apply ``function`` to the slope and to both intercepts."""
        return LinearBounds(function(self.slope), None if self.low is None else function(self.low), function(self.up))

    def intercept(self, coefficient: Tensor) -> Tensor:
        """Least sum ``[N]`` of the intercepts times ``coefficient`` ``[N, D]``: the upper one where it is negative."""
        total = -(coefficient.neg().relu() * self.up).sum(1)
        return total if self.low is None else total + (coefficient.relu() * self.low).sum(1)


class RelaxedActivation(ABC):
    """An activation with its image of an interval and its linear bounds there."""

    @abstractmethod
    def __call__(self, x: Tensor) -> Tensor:
        """Apply the activation."""

    @abstractmethod
    def bounds(self, low: Tensor, high: Tensor) -> LinearBounds:
        """Parallel lines below and above the activation on [low, high]."""

    def image(self, low: Tensor, high: Tensor) -> tuple[Tensor, Tensor]:
        """Least and greatest value on [low, high]: by default those of an increasing activation."""
        return self(low), self(high)

    def detach(self) -> "RelaxedActivation":
        """The activation without gradients to its parameters: by default it has none."""
        return self


@dataclass(frozen=True)
class Leaky(RelaxedActivation):
    r""":math:`\varphi(x) = x` for x >= 0 and :math:`\alpha x` else: the identity, ReLU, LeakyReLU and PReLU.

    With the share :math:`\rho = u^+ / (u^+ + l^-)` of the interval that is positive, both lines have the chord's slope
    :math:`\alpha + (1 - \alpha) \rho`; the chord's intercept is :math:`(1 - \alpha)\, l^- \rho`, the other line's is 0.
    The chord is the upper line where :math:`\alpha \le 1`, the lower one where a learnt slope exceeds 1. The image of
    the interval, where a learnt slope may be negative, is

    .. math:: [\, l^+ - \alpha^+ l^- + \alpha^- u^-,\;\; u^+ - \alpha^+ u^- + (\alpha^- l^- - u^+)^+ \,]

    Args:
        alpha: slope for x < 0: a number in [0, 1], or a tensor of any values, one or one for each column.

    **Source:** CROWN (arXiv 1811.00866), section 3.3. **Differs:** any slope; no denominator vanishes.
    """

    alpha: float | Tensor

    def __call__(self, x: Tensor) -> Tensor:
        if self.is_identity:
            return x
        return F.prelu(x, self.alpha) if isinstance(self.alpha, Tensor) else F.leaky_relu(x, self.alpha)

    def image(self, low: Tensor, high: Tensor) -> tuple[Tensor, Tensor]:
        if not isinstance(self.alpha, Tensor):
            return super().image(low, high)
        rises, falls = self.alpha.relu(), self.alpha.neg().relu()
        (low, low_part), (high, high_part) = ((end.relu(), end.neg().relu()) for end in (low, high))
        least = low - rises * low_part + falls * high_part
        return least, high - rises * high_part + (falls * low_part - high).relu()

    def bounds(self, low: Tensor, high: Tensor) -> LinearBounds:
        positive, negative = high.relu(), low.neg().relu()
        width = positive + negative
        empty = 1 - width.sign()  # the interval [0, 0] counts as positive
        share = (positive + empty) / (width + empty)
        return self.bounds_of(share, negative * share)

    def bounds_of(self, share: Tensor, chord: Tensor) -> LinearBounds:
        """The lines, from the positive share rho of the interval and rho times its negative part."""
        if not isinstance(self.alpha, Tensor):
            return LinearBounds(share, None, chord) if self.alpha == 0 else self._scaled(share, chord)
        slope, _, chord = self._scaled(share, chord)
        return LinearBounds(slope, -chord.neg().relu(), chord.relu())

    def _scaled(self, share: Tensor, chord: Tensor) -> LinearBounds:
        return LinearBounds(self.alpha + (1 - self.alpha) * share, None, (1 - self.alpha) * chord)

    @property
    def is_identity(self) -> bool:
        """Whether the activation changes nothing."""
        return not isinstance(self.alpha, Tensor) and self.alpha == 1

    def detach(self) -> "Leaky":
        return Leaky(self.alpha.detach()) if isinstance(self.alpha, Tensor) else self


@dataclass(frozen=True)
class Elu(RelaxedActivation):
    r""":math:`\varphi(x) = x` for x >= 0 and :math:`\alpha (e^x - 1)` else, :math:`0 < \alpha \le 1`: convex.

    Both lines have the chord's slope s: the upper one is the chord, the lower one the tangent of that slope, which
    touches at :math:`\ln(s / \alpha)`, or at 0 where :math:`s \ge \alpha`.
    """

    alpha: float

    def __call__(self, x: Tensor) -> Tensor:
        return F.elu(x, self.alpha)

    def bounds(self, low: Tensor, high: Tensor) -> LinearBounds:
        least, greatest, width = self(low), self(high), high - low
        narrow = width < 1e-4  # the chord would be a quotient of rounding errors: take the derivative in the middle
        middle = (low + high) / 2
        derivative = torch.where(middle >= 0, 1, self.alpha * middle.clamp(max=0).exp())
        chord = (greatest - least) / width.masked_fill(narrow, 1)
        slope = torch.where(narrow, derivative, chord).clamp(torch.finfo(low.dtype).tiny, 1)
        tangent = slope - self.alpha - slope * (slope / self.alpha).log()
        up = torch.maximum(least - slope * low, greatest - slope * high)
        return LinearBounds(slope, torch.where(slope >= self.alpha, 0, tangent), up)


def relaxed(activation: object) -> RelaxedActivation:
    """The relaxation of a torch activation.

    Raises:
        TypeError, ValueError: it is none of the identity, ReLU, LeakyReLU, PReLU and ELU; or the slope of a LeakyReLU
            is outside [0, 1], or the scale of an ELU outside (0, 1].

    Example:
        >>> relaxed(nn.LeakyReLU(0.2))
        Leaky(alpha=0.2)
    """
    if activation is None or isinstance(activation, nn.Identity):
        return Leaky(1.0)
    if isinstance(activation, nn.ReLU) or activation in (F.relu, torch.relu):
        return Leaky(0.0)
    if isinstance(activation, nn.PReLU):
        return Leaky(activation.weight)
    if isinstance(activation, nn.LeakyReLU):
        if not 0 <= activation.negative_slope <= 1:
            raise ValueError(f"the slope of a LeakyReLU must be in [0, 1], got {activation.negative_slope}")
        return Leaky(float(activation.negative_slope))
    if isinstance(activation, nn.ELU):
        if not 0 < activation.alpha <= 1:
            raise ValueError(f"the alpha of an ELU must be in (0, 1] for it to be convex, got {activation.alpha}")
        return Elu(float(activation.alpha))
    raise TypeError(f"the activation must be the identity, ReLU, LeakyReLU, PReLU or ELU, got {activation!r}")
