"""What simple classifiers read off frozen embeddings."""

from collections.abc import Sequence

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score, log_loss
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import normalize
from torch import Tensor

from gcl._checks import check_embedding, check_labels
from gcl.eval._splits import Split

STRENGTHS = tuple(10.0 ** (k / 2) for k in range(-2, 9))


def linear_probe(z: Tensor, y: Tensor, split: Split) -> dict[str, float]:
    """L2-regularized logistic regression on unit-length rows; its strength chosen on validation, test used once.

    The strength is the one with the least log-loss on the validation rows, which varies less than their accuracy.

    Args:
        z: embeddings ``[N, D]``, any device.
        y: integer classes ``[N]``.
        split: rows for training, for choosing, for testing.

    Returns:
        ``accuracy`` and ``macro_f1`` on the test rows, ``val_accuracy``, all in [0, 1], and ``strength``, the
        inverse regularization that was chosen from 0.1 to 10,000 in steps of half a decade.

    Raises:
        TypeError: ``z`` is not floating-point, or ``y`` not integer.
        ValueError: ``z`` has NaN, shapes do not fit, the split is not valid or trains on one class only.

    **Source:** the evaluation of DGI (arXiv 1809.10341) and GRACE (arXiv 2006.04131), section 4. **Differs:** the
    strength is chosen on validation rows rather than by cross-validation on the training rows.

    Example:
        >>> import torch
        >>> y = torch.arange(30) % 3
        >>> split = Split(torch.arange(9), torch.arange(9, 15), torch.arange(15, 30))
        >>> linear_probe(torch.eye(3)[y], y, split)["accuracy"]
        1.0
    """
    check_embedding("z", z)
    check_labels(y, z.size(0))
    split.check(z.size(0))
    rows, classes = normalize(z.detach().double().cpu().numpy()), y.cpu().numpy()
    train, val, test = (part.cpu().numpy() for part in split)
    if len(np.unique(classes[train])) < 2:
        raise ValueError(f"split.train must cover at least two classes, got only class {classes[train[0]]}")
    known = val[np.isin(classes[val], classes[train])]
    if len(known) == 0:
        raise ValueError("split.val must hold a row of a class that split.train covers, got none")
    rows = in_span(rows, train)
    best, strength = best_logistic(rows, classes, train, known)
    guess = best.predict(rows[test])
    return {
        "accuracy": float(accuracy_score(classes[test], guess)),
        "macro_f1": float(f1_score(classes[test], guess, average="macro")),
        "val_accuracy": float(best.score(rows[val], classes[val])),
        "strength": strength,
    }


def knn_probe(z: Tensor, y: Tensor, split: Split, k: Sequence[int] = (1, 3, 5, 10, 20, 50)) -> dict[str, float]:
    """Majority vote of the k training rows with the greatest cosine similarity; k chosen by validation accuracy.

    Args:
        z: embeddings ``[N, D]``, any device.
        y: integer classes ``[N]``.
        split: rows for training, for choosing, for testing.
        k: numbers of neighbors to choose from; those above the number of training rows are not tried. Of equally
            good ones the first is taken.

    Returns:
        ``accuracy`` and ``macro_f1`` on the test rows, ``val_accuracy``, all in [0, 1], and the chosen ``k``.

    Raises:
        TypeError: ``z`` is not floating-point, or ``y`` not integer.
        ValueError: ``z`` has NaN, shapes do not fit, the split is not valid, or no ``k`` is from 1 to the number of
            training rows.

    **Source:** the nearest-neighbor evaluation of instance discrimination (arXiv 1805.01978), section 3.4.
    **Differs:** votes have equal weights, and k is chosen on validation rows.

    Example:
        >>> import torch
        >>> y = torch.arange(30) % 3
        >>> split = Split(torch.arange(9), torch.arange(9, 15), torch.arange(15, 30))
        >>> knn_probe(torch.eye(3)[y], y, split)
        {'accuracy': 1.0, 'macro_f1': 1.0, 'val_accuracy': 1.0, 'k': 1}
    """
    check_embedding("z", z)
    check_labels(y, z.size(0))
    split.check(z.size(0))
    tried = [number for number in k if number <= len(split.train)]
    if not tried or min(k) < 1:
        raise ValueError(f"k must hold a number of neighbors in [1, {len(split.train)}] and none below 1, got {k}")
    rows, classes = normalize(z.detach().double().cpu().numpy()), y.cpu().numpy()
    train, val, test = (part.cpu().numpy() for part in split)
    probes = [KNeighborsClassifier(number).fit(rows[train], classes[train]) for number in tried]  # of unit length
    scores = [probe.score(rows[val], classes[val]) for probe in probes]
    best = int(np.argmax(scores))
    guess = probes[best].predict(rows[test])
    return {
        "accuracy": float(accuracy_score(classes[test], guess)),
        "macro_f1": float(f1_score(classes[test], guess, average="macro")),
        "val_accuracy": float(scores[best]),
        "k": tried[best],
    }


def best_logistic(
    rows: np.ndarray, classes: np.ndarray, train: np.ndarray, val: np.ndarray
) -> tuple[LogisticRegression, float]:
    """Logistic regression on the training rows, and its strength: the one with the least log-loss on ``val``."""
    probes = []
    for strength in STRENGTHS:
        probe = LogisticRegression(C=strength, max_iter=2000).fit(rows[train], classes[train])
        loss = log_loss(classes[val], probe.predict_proba(rows[val]), labels=probe.classes_)
        probes.append((loss, strength, probe))
        if loss > 1.2 * min(probes)[0]:
            break  # the log-loss has one minimum: the strengths beyond only fit longer
    _, strength, best = min(probes)
    return best, strength


def in_span(rows: np.ndarray, train: np.ndarray) -> np.ndarray:
    """Rows in the span of the training rows, where a linear probe's solution lies: the same fit, in fewer columns."""
    return rows @ np.linalg.qr(rows[train].T)[0] if len(train) < rows.shape[1] else rows
