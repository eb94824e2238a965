"""Axes to draw on, and their finish."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def axes_or_new(ax: Axes | None) -> Axes:
    """``ax``, or the axes of a new figure, which is not registered with pyplot and need not be closed."""
    if ax is not None:
        return ax
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("plots need matplotlib: pip install torch-gcl[plot]") from error
    return Figure(figsize=(5, 4.2), layout="constrained", dpi=110).subplots()


def finish(ax: Axes, *, legend: bool = True) -> Axes:
    """Remove the upper and the right spine, and draw the legend."""
    if legend:
        ax.legend(frameon=False)
    ax.spines[["top", "right"]].set_visible(False)
    return ax
