"""Scores of embeddings without labels."""

import torch
from torch import Generator, Tensor
from torch_geometric.data import Data

from augmentors._checks import check_at_least
from augmentors._random import integers, normal, permutation
from gcl._checks import check_embedding, check_several, check_views
from gcl.eval._collapse import collapse_metrics
from gcl.eval._filter_bank import filters
from gcl.eval._scores import mean_roc_auc
from gcl.losses._similarity import unit

COLUMNS, PAIRS, DIRECTIONS = 64, 10_000, 256
CPU, TINY = torch.device("cpu"), torch.finfo(torch.double).tiny


def unsupervised_scores(
    h: Tensor, data: Data, h2: Tensor | None = None, *, max_rows: int = 4096, generator: Generator | None = None
) -> dict[str, float]:
    r"""Measure embeddings without labels: to choose a run, a setting or an epoch where there are none, with care.

    With the filter bank B of :func:`gcl.eval.filter_bank`, unit rows U of ``h``, singular values :math:`\sigma_k` of
    ``h``, eigenvalues :math:`\lambda_k` of its covariance, the covariances :math:`S` of the mean of both views and
    :math:`T` of half their difference:

    - all of :func:`gcl.eval.collapse_metrics`, with ``h2`` the ``alignment`` too;
    - ``stable_rank``: :math:`\sum_k \sigma_k^2 / \max_k \sigma_k^2`; ``spectral_decay``: the slope of
      :math:`-\log \lambda_k` against :math:`\log k`;
    - ``sigreg``: :math:`\int |\frac1N \sum_i e^{i t a \cdot h_i} - e^{-t^2/2}|^2 e^{-t^2/2} dt` over [-5, 5], a mean
      over 256 random unit vectors a, of columns of mean 0 and deviation 1: 0 for a normal distribution;
    - ``edge_auc``: ROC-AUC of the cosine of 10,000 edges against as many random pairs;
    - ``bank_from_h``, ``h_from_bank``: the part of the variance of B that ridge regression on U explains, and of U on
      B, fitted to half of the rows, on the other half: at most 1, 0 for what does not vary;
    - with ``h2`` ``view_information``: :math:`\frac12 \log \det(1 + T^{-1} S)`, how much one view tells of the other
      under normal distributions.

    In the 174 runs of ``benchmarks/selection.py``, one seed each, the greatest ``bank_from_h`` was within half a point
    of the best run on all six data sets, the choice by validation labels within two points. On the three sets that had
    no part in the design the other scores lost one to four points, and none ordered the runs of a single method.

    Args:
        h: embeddings ``[N, D]``, N >= 2, any device.
        data: their graph, with floating-point ``x``.
        h2: embeddings of an augmented view.
        max_rows: of more rows than this only as many, evenly spaced, are measured: time and memory stay linear in N.
        generator: for pairs, directions, halves, and a random projection of B to 64 columns. Runs that are compared
            need the same seed.

    Raises:
        TypeError, ValueError: an embedding is not floating-point or has NaN or one row, shapes differ, max_rows < 2, or
            as :func:`gcl.eval.filter_bank`.

    **Source:** stable rank: arXiv 2305.16562; decay: alpha-ReQ (arXiv 2202.05808); SIGReg: LeJEPA (arXiv 2511.08544),
    section 4. **Differs:** ``sigreg`` is not multiplied by N; the scores of the bank and of the views are ours.

    Example:
        >>> edge_index = torch.stack([torch.arange(80), (torch.arange(80) + 4) % 80])
        >>> data = Data(x=torch.eye(4).repeat(20, 1), edge_index=edge_index)
        >>> scores = unsupervised_scores(data.x, data, generator=torch.Generator().manual_seed(0))
        >>> {name: round(scores[name], 1) for name in ("stable_rank", "bank_from_h", "edge_auc")}
        {'stable_rank': 4.0, 'bank_from_h': 1.0, 'edge_auc': 0.9}
    """
    check_embedding("h", h)
    check_several("h", h)
    if h2 is not None:
        check_views(h, h2, ("h", "h2"))
        check_embedding("h2", h2)
    check_at_least("max_rows", max_rows, 2)
    bank, n = sketch(data, generator), len(h)
    if len(bank) != n:
        raise ValueError(f"h must have one row for each of data's {len(bank)} nodes, got {n}")
    scores = collapse_metrics(h, h2, max_rows)
    rows = torch.arange(min(n, max_rows)) * n // min(n, max_rows)
    rows = rows[permutation(len(rows), CPU, generator)]
    z, u, bank = (value.detach().cpu().double()[rows] for value in (h, unit(h), bank))
    scores |= {
        "stable_rank": float(z.square().sum() / torch.linalg.matrix_norm(z, 2).square().clamp_min(TINY)),
        "spectral_decay": _decay(z),
        "sigreg": _sigreg(z, generator),
        "edge_auc": _edge_auc(unit(h.detach()), data.edge_index, generator),
        "bank_from_h": _explained(u, bank),
        "h_from_bank": _explained(bank, u),
    }
    return scores if h2 is None else scores | {"view_information": _information(z, h2.detach().cpu().double()[rows])}


def sketch(data: Data, generator: Generator | None) -> Tensor:
    """The filter bank times a random matrix, ``[N, 64]``: products of rows are those of the bank on average."""
    total = torch.zeros(())
    for block in map(unit, filters(data)):
        total = total + block @ normal((block.size(1), COLUMNS), block.device, generator, block.dtype)
    return total / COLUMNS**0.5


def _decay(z: Tensor) -> float:
    """Minus the slope of the logarithm of the covariance's eigenvalues against that of their rank."""
    value = torch.linalg.svdvals(z - z.mean(0)).square()
    value = value[value > 1e-10 * value[0]].log()
    rank = torch.arange(1, len(value) + 1, dtype=z.dtype).log()
    rank = rank - rank.mean() if len(rank) else rank
    return float(-(rank @ value) / rank.square().sum().clamp_min(TINY))


def _sigreg(z: Tensor, generator: Generator | None) -> float:
    """Mean Epps-Pulley statistic, over N, of random projections of columns of mean 0 and deviation 1."""
    z = z - z.mean(0)
    z = z / z.std(0, correction=0).clamp_min(TINY)
    z = z @ unit(normal((DIRECTIONS, z.size(1)), CPU, generator, z.dtype)).T
    t = torch.linspace(-5, 5, 17, dtype=z.dtype)
    normal_t = (-t.square() / 2).exp()
    real, imaginary = (torch.stack([wave(s * z).mean(0) for s in t]) for wave in (torch.cos, torch.sin))
    gap = (real - normal_t[:, None]).square() + imaginary.square()
    return float(torch.trapezoid(gap * normal_t[:, None], t, dim=0).mean())


def _edge_auc(u: Tensor, edge_index: Tensor, generator: Generator | None) -> float:
    """ROC-AUC of the cosine as a predictor of edges against random pairs; 0.5 without edges."""
    edges = edge_index[:, edge_index[0] != edge_index[1]].to(u.device)
    if edges.size(1) == 0:
        return 0.5
    drawn = edges[:, integers(edges.size(1), (PAIRS,), u.device, generator)]
    pairs = torch.cat([drawn, integers(len(u), (2, PAIRS), u.device, generator)], dim=1)
    cosine = (u[pairs[0]].double() * u[pairs[1]]).sum(1, keepdim=True)
    linked = (torch.arange(2 * PAIRS) < PAIRS).double()[:, None]
    return mean_roc_auc(linked.numpy(), cosine.cpu().numpy())


def _explained(x: Tensor, y: Tensor) -> float:
    """Variance of ``y`` in the second half of the rows explained by ridge regression on ``x`` from the first."""
    count = (len(x) + 1) // 2
    x, y = x - x[:count].mean(0), y - y[:count].mean(0)
    fit = x[:count]
    wide = fit.size(1) > count
    gram = fit @ fit.T if wide else fit.T @ fit
    gram.diagonal().add_(1e-3 * gram.trace() / fit.size(1) + TINY)
    slope = fit.T @ torch.linalg.solve(gram, y[:count]) if wide else torch.linalg.solve(gram, fit.T @ y[:count])
    total = float(y[count:].square().sum())
    return 1 - float((y[count:] - x[count:] @ slope).square().sum()) / total if total else 0.0


def _information(z1: Tensor, z2: Tensor) -> float:
    """Half the log-determinant of 1 + covariance of the mean over that of half the difference, in nats."""
    mean, half = (z1 + z2) / 2, (z1 - z2) / 2
    signal, noise = torch.cov(mean.T, correction=0), half.T @ half / len(half)
    signal, noise = (value.reshape(z1.size(1), -1) for value in (signal, noise))
    noise.diagonal().add_(1e-4 * noise.diagonal().mean() + 1e-8 * signal.diagonal().mean() + TINY)
    return float(torch.linalg.slogdet(noise + signal)[1] - torch.linalg.slogdet(noise)[1]) / 2
