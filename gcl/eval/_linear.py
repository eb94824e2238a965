"""Linear probe of frozen embeddings."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from gcl._checks import check_embedding
from gcl.eval._labels import Labels, as_classes, as_tensor, check_several_classes
from gcl.eval._logistic import best_logistic
from gcl.eval._scores import class_scores, mean_roc_auc, scorable, standardized
from gcl.eval._splits import Split, as_split
from gcl.losses._similarity import unit


def linear_probe(z: Tensor, y: Labels, split: Sequence[Tensor]) -> dict[str, float]:
    """L2-regularized logistic regression; its strength is chosen on validation, test is used once.

    The chosen strength has the least log-loss on the validation rows, which varies less than their accuracy. The
    strengths go from 0.1 to 10,000 in steps of half a decade, and end where two in a row bring no improvement.

    Args:
        z: embeddings ``[N, D]``, any device.
        y: a tensor or array of integer classes ``[N]``; or binary tasks, 0 or 1 with NaN for unlabeled, ``[N, T]`` or
            floating-point ``[N]``. For classes the rows of ``z`` are scaled to unit length. For tasks its columns are
            brought to mean 0 and deviation 1 by the training rows, and the rows keep their lengths, which for a summed
            readout hold the graphs' sizes; each task is fitted to its own labeled rows.
        split: a :class:`gcl.eval.Split` or three tensors of row numbers: for training, for choosing, for testing;
            rows in none of them may be unlabeled (-1).

    Returns:
        For classes: ``accuracy`` and ``macro_f1`` on the test rows, ``val_accuracy``, all in [0, 1]; ``strength``, the
        chosen inverse regularization; and ``roc_auc`` and ``val_roc_auc`` if training and that part hold the same two
        classes.

        For tasks: ``micro_f1`` and the mean ``roc_auc`` on the test rows, both in [0, 1], over the tasks that have
        both classes there, and ``num_tasks``, their number.

    Raises:
        TypeError, ValueError: ``z`` is not floating-point or has NaN, ``y`` holds other values than these, shapes do
            not fit, the split is not valid, a row of it is unlabeled (-1) or training has one class only; for tasks:
            none has both classes on test, or one that has lacks a class on training or any label on validation.

    **Source:** the evaluation of DGI (arXiv 1809.10341) and GRACE (arXiv 2006.04131), section 4; the ``rocauc`` of OGB
    (arXiv 2005.00687). **Differs:** the strength is chosen on validation rows, not by cross-validation on training.

    Example:
        >>> y = torch.arange(30) % 3
        >>> split = torch.arange(30).split([9, 6, 15])
        >>> linear_probe(torch.eye(3)[y], y, split)["accuracy"]
        1.0
        >>> linear_probe(torch.eye(3)[y], torch.eye(3)[y], split)
        {'micro_f1': 1.0, 'roc_auc': 1.0, 'num_tasks': 3}
    """
    check_embedding("z", z)
    parts, labels = as_split(split, z.size(0)), as_tensor(y)
    if labels.dim() != 1 or labels.is_floating_point():
        return _probe_tasks(z, _as_tasks(labels, z.size(0)), parts)
    return _probe_classes(z, as_classes(labels, z.size(0), torch.cat(parts)), parts)


def _probe_classes(z: Tensor, y: Tensor, split: Split) -> dict[str, float]:
    check_several_classes("split.train", y[split.train])
    rows, classes = unit(z.detach()).cpu().numpy(), y.numpy()
    train, val, test = (part.numpy() for part in split)
    known = val[np.isin(classes[val], classes[train])]
    if len(known) == 0:
        raise ValueError("split.val must hold a row of a class that split.train covers, got none")
    model = best_logistic(rows, classes, train, known)
    scores = class_scores(classes[test], model.predict(rows[test])) | {
        "val_accuracy": float((model.predict(rows[val]) == classes[val]).mean()),
        "strength": model.strength,
    }
    for name, part in {"roc_auc": test, "val_roc_auc": val}.items():
        if len(model.classes) == 2 and set(classes[part]) == set(model.classes):
            positive = classes[part][:, None] == model.classes[1]
            scores[name] = mean_roc_auc(positive.astype(float), model.logits(rows[part])[:, 1:])
    return scores


def _probe_tasks(z: Tensor, labels: np.ndarray, split: Split) -> dict[str, float]:
    from sklearn.metrics import f1_score

    train, val, test = (part.numpy() for part in split)
    tasks = scorable(labels[test])
    if not tasks:
        raise ValueError("y must hold both classes of at least one task on the rows of split.test, got none")
    rows = standardized(z, train)
    logits = np.empty((len(test), len(tasks)))
    for number, task in enumerate(tasks):
        column = labels[:, task]
        fit, choose = (part[~np.isnan(column[part])] for part in (train, val))
        if len(np.unique(column[fit])) < 2:
            raise ValueError(f"split.train must hold both classes of task {task}, got only {np.unique(column[fit])}")
        if len(choose) == 0:
            raise ValueError(f"split.val must hold a labeled row of task {task}, got none")
        logits[:, number] = best_logistic(rows, column, fit, choose).logits(rows[test])[:, 1]
    truth = labels[test][:, tasks]
    known = ~np.isnan(truth)
    micro_f1 = float(f1_score(truth[known], logits[known] > 0))
    return {"micro_f1": micro_f1, "roc_auc": mean_roc_auc(truth, logits), "num_tasks": len(tasks)}


def _as_tasks(y: Tensor, num_rows: int) -> np.ndarray:
    """``y`` as ``[N, T]`` in double precision, checked."""
    if y.dim() not in (1, 2) or y.size(0) != num_rows:
        raise ValueError(f"y must have shape [{num_rows}] or [{num_rows}, T], got {tuple(y.shape)}")
    labels = y.double().reshape(num_rows, -1)
    wrong = labels[~((labels == 0) | (labels == 1) | labels.isnan())]
    if len(wrong) and y.dim() == 1:
        raise TypeError(f"y must hold integer classes, got {y.dtype} (only 0, 1 and NaN may be floating-point)")
    if len(wrong):
        raise ValueError(f"y must hold 0, 1 or NaN, got {wrong[0].item():g}")
    return labels.numpy()
