"""Scaling of columns and scores of predictions, as the probes share them."""

import numpy as np
from torch import Tensor


def standardized(z: Tensor, train: np.ndarray) -> np.ndarray:
    """``z`` in double precision, with columns of mean 0 and deviation 1 on the rows ``train``."""
    from sklearn.preprocessing import StandardScaler

    rows = z.detach().double().cpu().numpy()
    return StandardScaler().fit(rows[train]).transform(rows)


def class_scores(truth: np.ndarray, guess: np.ndarray) -> dict[str, float]:
    """``accuracy`` and ``macro_f1`` of predicted classes ``[N]``."""
    from sklearn.metrics import f1_score

    macro_f1 = float(f1_score(truth, guess, average="macro"))
    return {"accuracy": float((guess == truth).mean()), "macro_f1": macro_f1}


def mean_roc_auc(labels: np.ndarray, scores: np.ndarray) -> float:
    """Mean ROC-AUC over the tasks with both classes, each over its labeled rows; both arguments ``[N, T]``."""
    from sklearn.metrics import roc_auc_score

    known = ~np.isnan(labels)
    return float(np.mean([roc_auc_score(labels[known[:, t], t], scores[known[:, t], t]) for t in scorable(labels)]))


def scorable(labels: np.ndarray) -> list[int]:
    """The columns of ``labels`` ``[N, T]`` that hold both 0 and 1."""
    return [task for task in range(labels.shape[1]) if {0, 1} <= set(np.unique(labels[:, task]))]
