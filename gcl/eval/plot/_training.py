"""Plots of losses and predictions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from gcl._checks import check_labels
from gcl.eval.plot._axes import axes_or_new, finish

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def training_curve(losses: Sequence[float] | Tensor, ax: Axes | None = None, *, ylabel: str = "loss") -> Axes:
    """Line plot of the loss after each epoch.

    Args:
        losses: one number an epoch.
        ax: where to draw; ``None``: on a new figure.
        ylabel: what the numbers are.

    Raises:
        ImportError: matplotlib is not installed.
        ValueError: there are no losses.

    Example:
        >>> training_curve([3.0, 2.0, 1.5]).get_xlabel()
        'epoch'
    """
    values = torch.as_tensor(losses, dtype=torch.double).detach().cpu()
    if values.dim() != 1 or len(values) == 0:
        raise ValueError(f"losses must hold one number for each epoch, got shape {tuple(values.shape)}")
    ax = axes_or_new(ax)
    ax.plot(np.arange(1, len(values) + 1), values.numpy(), color="black", linewidth=1.2)
    ax.set(title="training", xlabel="epoch", ylabel=ylabel)
    ax.margins(x=0.02)
    return finish(ax, legend=False)


def confusion_matrix(y: Tensor, guess: Tensor, ax: Axes | None = None, *, names: Sequence[str] | None = None) -> Axes:
    """Confusion matrix in per cent of each class: true classes are its rows, predicted ones its columns.

    Args:
        y: integer classes ``[N]``.
        guess: predicted classes ``[N]``.
        ax: where to draw; ``None``: on a new figure.
        names: of the classes in ``y`` and ``guess``, sorted by number; ``None``: the numbers.

    Raises:
        ImportError: matplotlib is not installed.
        TypeError: the classes are not integer.
        ValueError: there are no rows, or the shapes or the number of names do not fit.

    Example:
        >>> ax = confusion_matrix(torch.tensor([0, 0, 1, 1]), torch.tensor([0, 1, 1, 1]))
        >>> [text.get_text() for text in ax.texts]
        ['50', '50', '0', '100']
    """
    from sklearn.metrics import confusion_matrix as count_pairs

    check_labels(y, guess.size(0))
    check_labels(guess, y.size(0))
    if len(y) == 0:
        raise ValueError("y must have at least one row, got none")
    found = torch.cat([y, guess]).unique().tolist()
    names = [str(number) for number in found] if names is None else list(names)
    if len(names) != len(found):
        raise ValueError(f"names must name the {len(found)} classes {found}, got {names}")
    ax = axes_or_new(ax)
    counts = count_pairs(y.cpu().numpy(), guess.cpu().numpy(), labels=found)
    percent = 100 * counts / np.maximum(counts.sum(1, keepdims=True), 1)
    ax.imshow(percent, cmap="Blues", vmin=0, vmax=100)
    for (row, column), value in np.ndenumerate(percent):
        ax.text(column, row, f"{value:.0f}", ha="center", va="center", color="white" if value > 55 else "black")
    ticks = range(len(names))
    ax.set(title="confusion (% of each class)", xlabel="predicted", ylabel="class")
    ax.set_xticks(ticks, names)
    ax.set_yticks(ticks, names)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return ax
