"""Plots of node compactness."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from gcl.eval.plot._axes import axes_or_new, finish

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def certified_fraction_curve(
    drop_rates: Sequence[float], fractions: Mapping[str, Sequence[float]], ax: Axes | None = None
) -> Axes:
    """Line plot of the fraction of certified nodes against the drop rate, a line for each model.

    Args:
        drop_rates: in [0, 1].
        fractions: for each name what :func:`gcl.eval.certified_fraction` gives at these rates.
        ax: where to draw; ``None``: on a new figure.

    Raises:
        ImportError: matplotlib is not installed.
        ValueError: a model has another number of fractions than there are rates.
    """
    ax = axes_or_new(ax)
    for name, values in fractions.items():
        if len(values) != len(drop_rates):
            raise ValueError(f"fractions[{name!r}] must have {len(drop_rates)} values, one a rate, got {len(values)}")
        ax.plot(drop_rates, values, marker="o", markersize=3, label=name)
    ax.set(title="certified nodes", xlabel="drop rate", ylabel="fraction of nodes", ylim=(-0.02, 1.02))
    return finish(ax)


def compactness_histogram(bounds: Mapping[str, Tensor], ax: Axes | None = None) -> Axes:
    """Histogram of the compactness bounds ``[N]`` of each model, with a line at 0.

    Raises:
        ImportError: matplotlib is not installed.
    """
    ax = axes_or_new(ax)
    values = {name: bound.detach().cpu().numpy() for name, bound in bounds.items()}
    ax.hist(list(values.values()), bins=50, histtype="step", label=list(values))
    ax.axvline(0, color="black", linewidth=0.8)
    ax.set(title="compactness", xlabel="lower bound of the compactness", ylabel="nodes")
    return finish(ax)


def compactness_against_degree(bound: Tensor, edge_index: Tensor, ax: Axes | None = None) -> Axes:
    """Scatter plot of the compactness bounds against the degrees, with their mean in bins that double.

    Args:
        bound: ``[N]``, what :func:`gcl.eval.node_compactness` gives.
        edge_index: the graph's ``[2, E]``; the degree is the number of edges that end in a node.
        ax: where to draw; ``None``: on a new figure.

    Raises:
        ImportError: matplotlib is not installed.
    """
    ax = axes_or_new(ax)
    bound = bound.detach().cpu()
    degree = edge_index[1].cpu().bincount(minlength=len(bound))
    ax.scatter(degree + 1, bound, s=4, alpha=0.3, linewidths=0)
    octave = (degree + 1).log2().long()
    count = octave.bincount()
    filled = count.nonzero().squeeze(1)
    mean = torch.zeros(len(count), dtype=bound.dtype).index_add_(0, octave, bound)[filled] / count[filled]
    ax.plot(2.0 ** (filled + 0.5), mean, color="black", marker="o", markersize=3, label="mean")
    ax.axhline(0, color="black", linewidth=0.8)
    ax.set(title="compactness", xscale="log", xlabel="degree + 1", ylabel="lower bound of the compactness")
    return finish(ax)
