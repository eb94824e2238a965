"""Binary tasks scored by the area under the ROC curve, as OGB's molecule sets are."""

import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler
from torch import Tensor

from gcl._checks import check_embedding
from gcl.eval._probes import best_logistic, in_span
from gcl.eval._splits import Split


def roc_auc(z: Tensor, y: Tensor, split: Split) -> dict[str, float]:
    """ROC-AUC of a logistic regression for each task; its strength chosen on validation, test used once.

    Columns are brought to mean 0 and deviation 1 by the training rows: unlike :func:`gcl.eval.linear_probe` this keeps
    the rows' lengths, which for a summed readout hold the graphs' sizes.

    Args:
        z: embeddings ``[N, D]``, any device.
        y: 0 or 1, one column a task, ``[N]`` or ``[N, T]``; NaN: not labeled, left out of that task.
        split: rows for training, for choosing, for testing.

    Returns:
        ``roc_auc`` on the test rows in [0, 1], the mean over the tasks that have both classes there; ``num_tasks``,
        their number.

    Raises:
        TypeError: ``z`` is not floating-point.
        ValueError: ``z`` has NaN, ``y`` something else than 0, 1 and NaN, shapes do not fit, the split is not valid,
            no task has both classes on test, or one of those lacks a class on training or any label on validation.

    **Source:** the ``rocauc`` metric of OGB (arXiv 2005.00687). **Differs:** as there.

    Example:
        >>> y = torch.arange(30) % 2
        >>> split = Split(torch.arange(10), torch.arange(10, 20), torch.arange(20, 30))
        >>> roc_auc(torch.eye(2)[y], y, split)
        {'roc_auc': 1.0, 'num_tasks': 1}
    """
    check_embedding("z", z)
    split.check(z.size(0))
    labels = _tasks(y, z.size(0))
    train, val, test = (part.cpu().numpy() for part in split)
    features = z.detach().double().cpu().numpy()
    rows = StandardScaler().fit(features[train]).transform(features)
    scores = np.full(labels.shape, np.nan)
    for task in scorable(labels[test]):
        column = labels[:, task]
        fit, choose = (part[~np.isnan(column[part])] for part in (train, val))
        if len(np.unique(column[fit])) < 2:
            raise ValueError(f"split.train must hold both classes of task {task}, got only {np.unique(column[fit])}")
        if len(choose) == 0:
            raise ValueError(f"split.val must hold a labeled row of task {task}, got none")
        flat = in_span(rows, fit)
        scores[:, task] = best_logistic(flat, column, fit, choose)[0].decision_function(flat)
    return {"roc_auc": mean_roc_auc(labels[test], scores[test]), "num_tasks": len(scorable(labels[test]))}


def mean_roc_auc(labels: np.ndarray, scores: np.ndarray) -> float:
    """Mean ROC-AUC over the tasks with both classes, each over its labeled rows; both arguments ``[N, T]``."""
    tasks = scorable(labels)
    if not tasks:
        raise ValueError("y must hold both classes of at least one task on the rows of split.test, got none")
    known = ~np.isnan(labels)
    return float(np.mean([roc_auc_score(labels[known[:, t], t], scores[known[:, t], t]) for t in tasks]))


def scorable(labels: np.ndarray) -> list[int]:
    """The columns that hold both 0 and 1."""
    return [task for task in range(labels.shape[1]) if {0, 1} <= set(np.unique(labels[:, task]))]


def _tasks(y: Tensor, num_rows: int) -> np.ndarray:
    """``y`` as ``[N, T]`` in double precision, checked."""
    if y.dim() not in (1, 2) or y.size(0) != num_rows:
        raise ValueError(f"y must have shape [{num_rows}] or [{num_rows}, T], got {tuple(y.shape)}")
    labels = y.double().reshape(num_rows, -1)
    wrong = labels[~((labels == 0) | (labels == 1) | torch.isnan(labels))]
    if len(wrong):
        raise ValueError(f"y must hold 0, 1 or NaN, got {wrong[0].item():g}")
    return labels.cpu().numpy()
