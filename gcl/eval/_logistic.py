"""Logistic regression along a path of regularization strengths."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy import ndarray

STRENGTHS = tuple(10.0 ** (k / 2) for k in range(-2, 9))


class Logistic(NamedTuple):
    """A fitted model: sorted classes ``[C]``, weight ``[D, C]``, bias ``[C]``; of two classes the first has logit 0."""

    classes: ndarray
    weight: ndarray
    bias: ndarray
    strength: float

    def logits(self, rows: ndarray) -> ndarray:
        """``[N, C]`` for ``rows`` ``[N, D]``."""
        return rows @ self.weight + self.bias

    def predict(self, rows: ndarray) -> ndarray:
        """The most probable class of each row ``[N]``."""
        return self.classes[self.logits(rows).argmax(1)]

    def log_loss(self, rows: ndarray, classes: ndarray) -> float:
        """Mean negative log-likelihood of ``classes`` ``[N]``, which training has seen."""
        from scipy.special import log_softmax

        numbers = np.searchsorted(self.classes, classes)
        return -float(log_softmax(self.logits(rows), axis=1)[np.arange(len(rows)), numbers].mean())


def best_logistic(rows: ndarray, classes: ndarray, train: ndarray, val: ndarray) -> Logistic:
    """The fit to the rows ``train`` that has the least log-loss on the rows ``val``; two worse ones end the search."""
    models, losses = [], []
    for model in logistic_path(rows[train], classes[train]):
        models.append(model)
        losses.append(model.log_loss(rows[val], classes[val]))
        if np.argmin(losses) < len(losses) - 2:
            break
    return models[int(np.argmin(losses))]


def logistic_path(rows: ndarray, classes: ndarray, strengths: Sequence[float] = STRENGTHS) -> Iterator[Logistic]:
    r"""Minimize the mean log-loss plus :math:`\|W\|^2 / (2 n C)` for each strength C, starting from the last minimum.

    The rows are centered and turned to their principal axes, and each weight is scaled by its curvature at W = 0. The
    minimum stays the same (the bias is not penalized), and L-BFGS finds it in a tenth of the steps.
    """
    from scipy.optimize import minimize

    n, (found, numbers) = len(rows), np.unique(classes, return_inverse=True)
    target = np.arange(len(found))[:, None] == numbers
    center = rows.mean(0)
    centered = (rows - center).astype(float)
    square, axes = _principal_axes(centered)
    x = np.column_stack([centered @ axes.T, np.ones(n)]).astype(np.float32)
    curvature = np.append(square / n, 1) * (len(found) - 1) / len(found) ** 2
    reference = int(len(found) == 2)
    weight = np.zeros((len(found) - reference, len(curvature)))
    for strength in strengths:
        ridge = np.append(np.full(len(square), 1 / (n * strength)), 0)
        scale = (curvature + ridge) ** -0.5
        start, arguments = (weight / scale).ravel(), (x, target, ridge, scale)
        minimum = minimize(_objective, start, arguments, method="L-BFGS-B", jac=True, options={"gtol": 1e-4})
        weight = scale * minimum.x.reshape(weight.shape)
        full = np.pad(weight, ((reference, 0), (0, 0)))
        turned = (full[:, :-1] @ axes).T
        yield Logistic(found, turned.astype(rows.dtype), full[:, -1] - center @ turned, strength)


def _principal_axes(x: ndarray) -> tuple[ndarray, ndarray]:
    """The squared singular values ``[R]`` of ``x`` ``[N, D]`` that are not 0, and their axes ``[R, D]``."""
    wide = x.shape[0] < x.shape[1]
    square, vectors = np.linalg.eigh(x @ x.T if wide else x.T @ x)
    kept = square > 1e-12 * square[-1:]
    square, vectors = square[kept], vectors[:, kept]
    return square, (vectors / np.sqrt(square)).T @ x if wide else vectors.T


def _objective(flat: ndarray, x: ndarray, target: ndarray, ridge: ndarray, scale: ndarray) -> tuple[float, ndarray]:
    """The penalized loss at the scaled weights, and its gradient."""
    weight = scale * flat.reshape(-1, len(scale))
    reference = len(target) - len(weight)
    logits = np.concatenate([np.zeros((reference, len(x)), x.dtype), weight.astype(x.dtype) @ x.T])
    logits -= logits.max(0)
    odds = np.exp(logits)
    total = odds.sum(0)
    error = (odds / total - target)[reference:] / len(x)
    loss = (ridge * weight**2).sum() / 2 + np.log(total).mean(dtype=float) - logits[target].mean(dtype=float)
    return loss, (scale * (error @ x + ridge * weight)).ravel()
