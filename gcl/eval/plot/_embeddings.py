"""Plots of embeddings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from torch import Generator, Tensor

from augmentors._random import integers
from gcl._checks import check_embedding, check_labels, check_several, check_views
from gcl.eval._splits import draw_seed
from gcl.eval.plot._axes import axes_or_new, finish
from gcl.losses._similarity import unit

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def embedding_plot(
    z: Tensor, y: Tensor, ax: Axes | None = None, *, method: str = "t-SNE", generator: Generator | None = None
) -> Axes:
    """Scatter plot of unit-length rows in two dimensions, colored by class.

    Args:
        z: embeddings ``[N, D]``, N >= 2, any device.
        y: integer classes ``[N]``.
        ax: where to draw; ``None``: on a new figure.
        method: ``"t-SNE"`` keeps neighbors (distances between groups mean nothing), ``"PCA"`` the greatest variance.
        generator: for t-SNE.

    Raises:
        ImportError: matplotlib is not installed.
        TypeError: ``z`` is not floating-point, or ``y`` not integer.
        ValueError: ``z`` has NaN or one row only, the shapes do not fit, or the method is unknown.

    **Source:** t-SNE (Journal of Machine Learning Research 9, 2008) by scikit-learn. **Differs:** on at most 50
    principal components.

    Example:
        >>> import torch
        >>> y = torch.arange(12) % 3
        >>> embedding_plot(torch.eye(3)[y], y, method="PCA").get_title()
        'PCA'
    """
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    check_embedding("z", z)
    check_several("z", z)
    check_labels(y, z.size(0))
    if method not in ("t-SNE", "PCA"):
        raise ValueError(f"method must be 't-SNE' or 'PCA', got {method!r}")
    ax = axes_or_new(ax)
    rows = unit(z.detach().double()).cpu().numpy()
    seed = draw_seed(generator)
    wanted = 2 if method == "PCA" else 50
    flat = PCA(min(wanted, *rows.shape), random_state=seed).fit_transform(rows)
    if method == "t-SNE":
        perplexity = min(30.0, (len(rows) - 1) / 3)
        flat = TSNE(perplexity=perplexity, max_iter=500, random_state=seed).fit_transform(flat)
    flat = np.pad(flat, ((0, 0), (0, max(0, 2 - flat.shape[1]))))  # one column only: a line
    found, color = np.unique(y.cpu().numpy(), return_inverse=True)
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
        ax: where to draw; ``None``: on a new figure.
        max_pairs: number of random negative pairs.
        generator: for the negatives.

    Raises:
        ImportError: matplotlib is not installed.
        TypeError: an embedding is not floating-point.
        ValueError: the shapes differ, or there is one row only or NaN.

    Example:
        >>> import torch
        >>> ax = similarity_histogram(torch.eye(4), torch.eye(4))
        >>> [text.get_text() for text in ax.get_legend().get_texts()]
        ['negatives, mean 0.00', 'positives, mean 1.00']
    """
    check_views(z1, z2)
    for name, z in (("z1", z1), ("z2", z2)):
        check_embedding(name, z)
    check_several("z1", z1)
    ax = axes_or_new(ax)
    u1, u2 = unit(z1.detach().cpu()), unit(z2.detach().cpu())
    row = integers(len(u1), (max_pairs,), u1.device, generator)
    other = (row + 1 + integers(len(u1) - 1, (max_pairs,), u1.device, generator)) % len(u1)
    bins = np.linspace(-1, 1, 81).tolist()
    for name, color, cosine in (
        ("negatives", "#9aa0a6", (u1[row] * u2[other]).sum(1)),
        ("positives", "#1f77b4", (u1 * u2).sum(1)),
    ):
        values = cosine.clamp(-1, 1).numpy()
        weights = np.full(len(values), 1 / len(values))
        ax.hist(values, bins, weights=weights, color=color, alpha=0.75, label=f"{name}, mean {values.mean():.2f}")
    ax.set(title="similarity", xlabel="cosine", ylabel="fraction of pairs")
    return finish(ax)
