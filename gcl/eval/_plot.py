"""Pictures of embeddings, training and compactness; needs matplotlib (``pip install torch-gcl[plot]``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from sklearn.metrics import confusion_matrix as count_confusion
from sklearn.preprocessing import normalize
from torch import Generator, Tensor

from gcl._checks import check_embedding, check_labels, check_several, check_views
from gcl.eval._splits import draw_seed
from gcl.losses._similarity import unit

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def embedding_plot(
    z: Tensor, y: Tensor, ax: Axes | None = None, *, method: str = "t-SNE", generator: Generator | None = None
) -> Axes:
    """Rows of unit length in the plane, colored by class.

    Args:
        z: embeddings ``[N, D]``, N >= 2, any device.
        y: integer classes ``[N]``.
        ax: where to draw; ``None``: on a new figure.
        method: ``"t-SNE"`` keeps neighbors (distances between groups mean nothing), ``"PCA"`` the widest directions.
        generator: for t-SNE.

    Raises:
        ImportError: matplotlib is not installed.
        TypeError: ``z`` is not floating-point, or ``y`` not integer.
        ValueError: ``z`` has NaN or one row only, the shapes do not fit, or the method is unknown.

    **Source:** t-SNE (Journal of Machine Learning Research 9, 2008) by scikit-learn. **Differs:** on at most 50
    principal components.

    Example:
        >>> y = torch.arange(12) % 3
        >>> embedding_plot(torch.eye(3)[y], y, method="PCA").get_title()
        'PCA'
    """
    check_embedding("z", z)
    check_several("z", z)
    check_labels(y, z.size(0))
    if method not in ("t-SNE", "PCA"):
        raise ValueError(f"method must be 't-SNE' or 'PCA', got {method!r}")
    ax = _axes(ax)
    rows = normalize(z.detach().double().cpu().numpy())
    seed = draw_seed(generator)
    wanted = 2 if method == "PCA" else 50
    flat = PCA(min(wanted, *rows.shape), random_state=seed).fit_transform(rows)
    if method == "t-SNE":
        perplexity = min(30.0, (len(rows) - 1) / 3)
        flat = TSNE(perplexity=perplexity, max_iter=500, random_state=seed).fit_transform(flat)
    flat = np.pad(flat, ((0, 0), (0, max(0, 2 - flat.shape[1]))))  # one column only: a line
    classes = y.cpu().numpy()
    size = float(np.clip(8000 / len(rows), 4, 40))
    colors = "tab10" if len(np.unique(classes)) <= 10 else "tab20"
    ax.scatter(
        flat[:, 0],
        flat[:, 1],
        c=np.unique(classes, return_inverse=True)[1],
        cmap=colors,
        s=size,
        alpha=0.8,
        linewidths=0,
    )
    ax.set(title=method, xticks=[], yticks=[])
    return ax


def training_curve(losses: Sequence[float] | Tensor, ax: Axes | None = None, *, ylabel: str = "loss") -> Axes:
    """The loss after each epoch.

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
    ax = _axes(ax)
    ax.plot(np.arange(1, len(values) + 1), values.numpy(), color="black", linewidth=1.2)
    ax.set(title="training", xlabel="epoch", ylabel=ylabel)
    ax.margins(x=0.02)
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def similarity_histogram(
    z1: Tensor, z2: Tensor, ax: Axes | None = None, *, generator: Generator | None = None, max_pairs: int = 100_000
) -> Axes:
    """Cosine similarities of positives (row i of both views) against those of negatives (row i and another row).

    Args:
        z1, z2: embeddings or projections ``[N, D]`` of two views, N >= 2.
        ax: where to draw; ``None``: on a new figure.
        generator: on the CPU, for the negatives.
        max_pairs: number of random negative pairs.

    Raises:
        ImportError: matplotlib is not installed.
        TypeError: an embedding is not floating-point.
        ValueError: the shapes differ, or there is one row only or NaN.

    Example:
        >>> ax = similarity_histogram(torch.eye(4), torch.eye(4))
        >>> [text.get_text() for text in ax.get_legend().get_texts()]
        ['negatives, mean 0.00', 'positives, mean 1.00']
    """
    check_views(z1, z2)
    for name, z in (("z1", z1), ("z2", z2)):
        check_embedding(name, z)
    check_several("z1", z1)
    ax = _axes(ax)
    u1, u2 = unit(z1.detach().cpu()), unit(z2.detach().cpu())
    row = torch.randint(len(u1), (max_pairs,), generator=generator)
    other = (row + torch.randint(1, len(u1), (max_pairs,), generator=generator)) % len(u1)
    bins = np.linspace(-1, 1, 81).tolist()
    for name, color, cosine in (
        ("negatives", "#9aa0a6", (u1[row] * u2[other]).sum(1)),
        ("positives", "#1f77b4", (u1 * u2).sum(1)),
    ):
        values = cosine.clamp(-1, 1).numpy()
        share = np.full(len(values), 1 / len(values))
        ax.hist(values, bins, weights=share, color=color, alpha=0.75, label=f"{name}, mean {values.mean():.2f}")
    ax.set(title="similarity", xlabel="cosine", ylabel="share of pairs")
    ax.legend(frameon=False)
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def confusion_matrix(y: Tensor, guess: Tensor, ax: Axes | None = None, *, names: Sequence[str] | None = None) -> Axes:
    """Share of each class's rows (a row of the picture) that were taken for each class (a column), in per cent.

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
    check_labels(y, guess.size(0))
    check_labels(guess, y.size(0))
    if len(y) == 0:
        raise ValueError("y must have at least one row, got none")
    found = torch.cat([y, guess]).unique().tolist()
    names = [str(number) for number in found] if names is None else list(names)
    if len(names) != len(found):
        raise ValueError(f"names must name the {len(found)} classes {found}, got {names}")
    ax = _axes(ax)
    counts = count_confusion(y.cpu().numpy(), guess.cpu().numpy(), labels=found)
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


def certified_fraction_curve(
    drop_rates: Sequence[float], shares: Mapping[str, Sequence[float]], ax: Axes | None = None
) -> Axes:
    """The share of certified nodes against the drop rate, one line for each model.

    Args:
        drop_rates: in [0, 1].
        shares: for each name what :func:`gcl.eval.certified_fraction` gives at these rates.
        ax: where to draw; ``None``: on a new figure.

    Raises:
        ImportError: matplotlib is not installed.
        ValueError: a model has another number of shares than there are rates.
    """
    ax = _axes(ax)
    for name, share in shares.items():
        if len(share) != len(drop_rates):
            raise ValueError(f"shares[{name!r}] must have {len(drop_rates)} values, one a rate, got {len(share)}")
        ax.plot(drop_rates, share, marker="o", markersize=3, label=name)
    ax.set(title="certified nodes", xlabel="drop rate", ylabel="share of nodes", ylim=(-0.02, 1.02))
    ax.legend(frameon=False)
    ax.spines[["top", "right"]].set_visible(False)
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
    ax.set(title="compactness", xlabel="lower bound of the compactness", ylabel="nodes")
    ax.legend(frameon=False)
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def compactness_against_degree(bound: Tensor, edge_index: Tensor, ax: Axes | None = None) -> Axes:
    """The bounds ``[N]`` against the nodes' degrees, and their mean in bins that double: is it fair to all?

    Args:
        bound: what :func:`gcl.eval.node_compactness` gives.
        edge_index: the graph's ``[2, E]``; the degree is the number of edges that end in a node.
        ax: where to draw; ``None``: on a new figure.

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
    ax.set(title="compactness", xscale="log", xlabel="degree + 1", ylabel="lower bound of the compactness")
    ax.legend(frameon=False)
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def _axes(ax: Axes | None) -> Axes:
    """``ax``, or those of a new figure, which pyplot knows nothing of and need not be closed."""
    if ax is not None:
        return ax
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("plots need matplotlib: pip install torch-gcl[plot]") from error
    return Figure(figsize=(5, 4.2), layout="constrained", dpi=110).subplots()
