"""Pictures of node compactness; each draws on ``ax``, or on axes of its own, and returns them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def certified_share_plot(
    drop_rates: Sequence[float], shares: Mapping[str, Sequence[float]], ax: Axes | None = None
) -> Axes:
    """The share of certified nodes against the drop rate, one line for each model.

    Args:
        drop_rates: in [0, 1].
        shares: for each name what :func:`gcl.eval.certified_share` gives at these rates.
        ax: axes to draw on.

    Raises:
        ImportError: matplotlib is not installed.
        ValueError: a model has another number of shares than there are rates.
    """
    ax = _axes(ax)
    for name, share in shares.items():
        if len(share) != len(drop_rates):
            raise ValueError(f"shares[{name!r}] must have {len(drop_rates)} values, one a rate, got {len(share)}")
        ax.plot(drop_rates, share, marker="o", markersize=3, label=name)
    ax.set(xlabel="drop rate", ylabel="share of certified nodes", ylim=(-0.02, 1.02))
    ax.legend(frameon=False)
    return ax


def compactness_histogram(bounds: Mapping[str, Tensor], ax: Axes | None = None) -> Axes:
    """Histogram of the nodes' compactness bounds ``[N]``, one for each model, with a line at 0.

    Raises:
        ImportError: matplotlib is not installed.
    """
    ax = _axes(ax)
    values = {name: bound.detach().cpu().numpy() for name, bound in bounds.items()}
    ax.hist(list(values.values()), bins=50, histtype="step", label=list(values))
    ax.axvline(0, color="black", linewidth=0.8)
    ax.set(xlabel="lower bound of the compactness", ylabel="nodes")
    ax.legend(frameon=False)
    return ax


def compactness_degree_plot(bound: Tensor, edge_index: Tensor, ax: Axes | None = None) -> Axes:
    """The bounds ``[N]`` against the nodes' degrees, and their mean in bins that double: is it fair to all?

    Args:
        bound: what :func:`gcl.eval.node_compactness` gives.
        edge_index: the graph's ``[2, E]``; the degree is the number of edges that end in a node.
        ax: axes to draw on.

    Raises:
        ImportError: matplotlib is not installed.
    """
    ax = _axes(ax)
    bound = bound.detach().cpu()
    degree = edge_index[1].cpu().bincount(minlength=len(bound))
    ax.scatter(degree + 1, bound, s=4, alpha=0.3, linewidths=0)
    octave = (degree + 1).log2().long()
    count = octave.bincount()
    filled = count.nonzero().squeeze(1)
    mean = torch.zeros(len(count), dtype=bound.dtype).index_add_(0, octave, bound)[filled] / count[filled]
    ax.plot(2.0 ** (filled + 0.5), mean, color="black", marker="o", markersize=3, label="mean")
    ax.axhline(0, color="black", linewidth=0.8)
    ax.set(xscale="log", xlabel="degree + 1", ylabel="lower bound of the compactness")
    ax.legend(frameon=False)
    return ax


def _axes(ax: Axes | None) -> Axes:
    if ax is not None:
        return ax
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError("plots need matplotlib: pip install matplotlib, or torch-gcl[plot]") from error
    return plt.subplots(layout="constrained")[1]
