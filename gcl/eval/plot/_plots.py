"""Plots of embeddings, training and compactness, and the axes that they draw on."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Generator, Tensor

from augmentors._checks import check_at_least
from augmentors._random import integers
from gcl._checks import check_edges, check_embedding, check_several, check_views
from gcl.eval._labels import Labels, as_classes, as_tensor
from gcl.eval._splits import draw_seed
from gcl.losses._similarity import unit

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def embedding_plot(
    z: Tensor, y: Labels, ax: Axes | None = None, *, method: str = "t-SNE", generator: Generator | None = None
) -> Axes:
    """Scatter plot of unit-length rows in two dimensions, colored by class.

    Args:
        z: embeddings ``[N, D]``, N >= 2, any device.
        y: a tensor or array of integer classes ``[N]``.
        method: ``"t-SNE"`` keeps neighbors (distances between groups mean nothing), ``"PCA"`` the greatest variance.
        generator: for t-SNE.

    Raises:
        TypeError, ValueError: ``z`` has NaN or one row only, a dtype or shape does not fit, or the method is unknown.

    **Source:** t-SNE (Journal of Machine Learning Research 9, 2008) by scikit-learn. **Differs:** on at most 50
    principal components.

    Example:
        >>> y = torch.arange(12) % 3
        >>> embedding_plot(torch.eye(3)[y], y, method="PCA").get_title()
        'PCA'
    """
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    check_embedding("z", z)
    check_several("z", z)
    classes = as_classes(y, z.size(0))
    if method not in ("t-SNE", "PCA"):
        raise ValueError(f"method must be 't-SNE' or 'PCA', got {method!r}")
    ax = _axes_or_new(ax)
    rows = unit(z.detach().double()).cpu().numpy()
    seed = draw_seed(generator)
    flat = PCA(min(2 if method == "PCA" else 50, *rows.shape), random_state=seed).fit_transform(rows)
    if method == "t-SNE":
        perplexity = min(30.0, (len(rows) - 1) / 3)
        flat = TSNE(perplexity=perplexity, max_iter=500, random_state=seed).fit_transform(flat)
    flat = np.pad(flat, ((0, 0), (0, max(0, 2 - flat.shape[1]))))  # one column only: a line
    found, color = np.unique(classes, return_inverse=True)
    size = float(np.clip(8000 / len(rows), 4, 40))
    colors = "tab10" if len(found) <= 10 else "tab20"
    ax.scatter(flat[:, 0], flat[:, 1], c=color, cmap=colors, s=size, alpha=0.8, linewidths=0)
    ax.set(title=method, xticks=[], yticks=[])
    return ax


def similarity_histogram(
    z1: Tensor, z2: Tensor, ax: Axes | None = None, *, max_pairs: int = 100_000, generator: Generator | None = None
) -> Axes:
    """Histogram of the cosine similarities of positives (row i of both views) and negatives (row i and another row).

    Args:
        z1, z2: embeddings or projections ``[N, D]`` of two views, N >= 2.
        max_pairs: number of random negative pairs, at least 1.
        generator: for the negatives.

    Raises:
        TypeError, ValueError: an embedding is not floating-point or has NaN or one row only, or the shapes differ.

    Example:
        >>> ax = similarity_histogram(torch.eye(4), torch.eye(4))
        >>> [text.get_text() for text in ax.get_legend().get_texts()]
        ['negatives, mean 0.00', 'positives, mean 1.00']
    """
    check_at_least("max_pairs", max_pairs, 1)
    check_views(z1, z2, several=True)
    check_embedding("z1", z1)
    check_embedding("z2", z2)
    ax = _axes_or_new(ax)
    u1, u2 = unit(z1.detach().cpu()), unit(z2.detach().cpu())
    row = integers(len(u1), (max_pairs,), u1.device, generator)
    other = (row + 1 + integers(len(u1) - 1, (max_pairs,), u1.device, generator)) % len(u1)
    bins = np.linspace(-1, 1, 81).tolist()
    cosines = {"negatives": (u1[row] * u2[other]).sum(1), "positives": (u1 * u2).sum(1)}
    for (name, cosine), color in zip(cosines.items(), ("#9aa0a6", "#1f77b4"), strict=True):
        values = cosine.clamp(-1, 1).numpy()
        weights = np.full(len(values), 1 / len(values))
        ax.hist(values, bins, weights=weights, color=color, alpha=0.75, label=f"{name}, mean {values.mean():.2f}")
    ax.set(title="similarity", xlabel="cosine", ylabel="fraction of pairs")
    return _finish(ax)


def training_curve(losses: Sequence[float] | Tensor, ax: Axes | None = None, *, ylabel: str = "loss") -> Axes:
    """Line plot of the loss after each epoch.

    Args:
        losses: one number an epoch.
        ylabel: what the numbers are.

    Raises:
        ValueError: there are no losses.

    Example:
        >>> training_curve([3.0, 2.0, 1.5]).get_xlabel()
        'epoch'
    """
    values = as_tensor(losses, "losses")
    if values.dim() != 1 or len(values) == 0:
        raise ValueError(f"losses must hold one number for each epoch, got shape {tuple(values.shape)}")
    ax = _axes_or_new(ax)
    ax.plot(np.arange(1, len(values) + 1), values.numpy(), color="black", linewidth=1.2)
    ax.set(title="training", xlabel="epoch", ylabel=ylabel)
    ax.margins(x=0.02)
    return _finish(ax, legend=False)


def confusion_matrix(y: Labels, guess: Labels, ax: Axes | None = None, *, names: Sequence[str] | None = None) -> Axes:
    """Confusion matrix in per cent of each class: true classes are its rows, predicted ones its columns.

    Args:
        y: a tensor or array of integer classes ``[N]``.
        guess: predicted classes ``[N]``.
        names: of the classes in ``y`` and ``guess``, sorted by number; ``None``: the numbers.

    Raises:
        TypeError, ValueError: the classes are not integer, there are none, or shapes or the number of names do not fit.

    Example:
        >>> ax = confusion_matrix(torch.tensor([0, 0, 1, 1]), torch.tensor([0, 1, 1, 1]))
        >>> [text.get_text() for text in ax.texts]
        ['50', '50', '0', '100']
    """
    from sklearn import metrics

    truth = as_classes(y)
    guess = as_classes(guess, len(truth), name="guess")
    if len(truth) == 0:
        raise ValueError("y must have at least one row, got none")
    found = torch.cat([truth, guess]).unique().tolist()
    names = [str(number) for number in found] if names is None else list(names)
    if len(names) != len(found):
        raise ValueError(f"names must name the {len(found)} classes {found}, got {names}")
    ax = _axes_or_new(ax)
    counts = metrics.confusion_matrix(truth.numpy(), guess.numpy(), labels=found)
    percent = 100 * counts / np.maximum(counts.sum(1, keepdims=True), 1)
    picture = metrics.ConfusionMatrixDisplay(percent, display_labels=names)
    picture.plot(ax=ax, cmap="Blues", values_format=".0f", colorbar=False, im_kw={"vmin": 0, "vmax": 100})
    ax.set(title="confusion (% of each class)", xlabel="predicted", ylabel="class")
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return ax


def certified_fraction_curve(
    drop_rates: Sequence[float], fractions: Mapping[str, Sequence[float]], ax: Axes | None = None
) -> Axes:
    """Line plot of the fraction of certified nodes against the drop rate, a line for each model.

    Args:
        drop_rates: in [0, 1].
        fractions: for each name what :func:`gcl.eval.certified_fraction` gives at these rates.

    Raises:
        ValueError: a model has another number of fractions than there are rates.
    """
    ax = _axes_or_new(ax)
    for name, values in fractions.items():
        if len(values) != len(drop_rates):
            raise ValueError(f"fractions[{name!r}] must have {len(drop_rates)} values, one a rate, got {len(values)}")
        ax.plot(drop_rates, values, marker="o", markersize=3, label=name)
    ax.set(title="certified nodes", xlabel="drop rate", ylabel="fraction of nodes", ylim=(-0.02, 1.02))
    return _finish(ax)


def compactness_histogram(bounds: Mapping[str, Tensor], ax: Axes | None = None) -> Axes:
    """Histogram of the compactness bounds ``[N]`` of each model, with a line at 0."""
    ax = _axes_or_new(ax)
    values = [bound.detach().cpu().numpy() for bound in bounds.values()]
    ax.hist(values, bins=50, histtype="step", label=list(bounds))
    ax.axvline(0, color="black", linewidth=0.8)
    ax.set(title="compactness", xlabel="lower bound of the compactness", ylabel="nodes")
    return _finish(ax)


def compactness_against_degree(bound: Tensor, edge_index: Tensor, ax: Axes | None = None) -> Axes:
    """Scatter plot of the compactness bounds against the degrees, with their mean in bins that double.

    Args:
        bound: ``[N]``, what :func:`gcl.eval.node_compactness` gives.
        edge_index: the graph's ``[2, E]``; the degree is the number of edges that end in a node.

    Raises:
        TypeError, ValueError: ``bound`` is no vector or empty, or the edges do not fit it.
    """
    bound, edge_index = as_tensor(bound, "bound"), as_tensor(edge_index, "edge_index")
    if bound.dim() != 1 or len(bound) == 0:
        raise ValueError(f"bound must hold one number for each node, got shape {tuple(bound.shape)}")
    check_edges("edge_index", edge_index, len(bound))
    ax = _axes_or_new(ax)
    degree = edge_index[1].bincount(minlength=len(bound))
    ax.scatter(degree + 1, bound, s=4, alpha=0.3, linewidths=0)
    octaves, place = (degree + 1).log2().long().unique(return_inverse=True)
    mean = place.bincount(bound) / place.bincount()
    ax.plot(2.0 ** (octaves + 0.5), mean, color="black", marker="o", markersize=3, label="mean")
    ax.axhline(0, color="black", linewidth=0.8)
    ax.set(title="compactness", xscale="log", xlabel="degree + 1", ylabel="lower bound of the compactness")
    return _finish(ax)


def score_bars(
    scores: Mapping[str, Sequence[float]],
    ax: Axes | None = None,
    *,
    highlighted: Collection[str] = (),
    xlabel: str = "score",
) -> Axes:
    """Horizontal bars of mean scores, the least at the bottom, with whiskers of one standard deviation.

    Args:
        scores: for each name its scores, such as one a seed.
        highlighted: names whose bars are blue; the others are gray.
        xlabel: what the scores are.

    Raises:
        ValueError: there are no scores, for one name or at all.

    Example:
        >>> ax = score_bars({"raw": [0.6, 0.8], "GRACE": [0.8]}, highlighted=["GRACE"])
        >>> [round(float(bar.get_width()), 2) for bar in ax.patches]
        [0.7, 0.8]
    """
    values = {name: np.asarray(own, dtype=float) for name, own in scores.items()}
    if not values or not all(map(len, values.values())):
        raise ValueError(f"scores must have at least one number for each name, got {dict(scores)}")
    ax = _axes_or_new(ax)
    names = sorted(values, key=lambda name: values[name].mean())
    colors = ["#1f77b4" if name in highlighted else "#9aa0a6" for name in names]
    ax.barh(names, [values[n].mean() for n in names], xerr=[values[n].std() for n in names], color=colors)
    low, high = min(map(np.min, values.values())), max(map(np.max, values.values()))
    ax.set(xlabel=xlabel, xlim=(low - max(0.5 * (high - low), 0.02 * abs(high)), None))
    return _finish(ax, legend=False)


def _axes_or_new(ax: Axes | None) -> Axes:
    """``ax``, or the axes of a new figure, which is not registered with pyplot and need not be closed."""
    if ax is not None:
        return ax
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("plots need matplotlib: pip install torch-gcl[plot]") from error
    return Figure(figsize=(5, 4.2), layout="constrained", dpi=110).subplots()


def _finish(ax: Axes, *, legend: bool = True) -> Axes:
    """Remove the upper and the right spine, and draw the legend."""
    if legend:
        ax.legend(frameon=False)
    ax.spines[["top", "right"]].set_visible(False)
    return ax
