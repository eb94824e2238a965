"""Cross-validated support vector machine on frozen embeddings."""

import numpy as np
from torch import Tensor

from gcl._checks import check_embedding
from gcl.eval._labels import Labels, as_classes
from gcl.eval._scores import class_scores, standardized
from gcl.eval._splits import as_folds

SVM_STRENGTHS = tuple(10.0**k for k in range(-3, 4))


def svm_cv(g: Tensor, y: Labels, folds: Tensor) -> dict[str, float]:
    """Cross-validated support vector machine with a Gaussian kernel; each fold is tested once.

    Columns are brought to mean 0 and deviation 1 by the training rows; the kernel is ``exp(-||a - b||^2 / D)``.
    Its C is chosen from 0.001 to 1,000 by a stratified 5-fold cross-validation inside the training rows.

    Args:
        g: graph embeddings ``[B, D]``, any device.
        y: a tensor or array of integer classes ``[B]``.
        folds: the fold of each row ``[B]``, as :func:`gcl.eval.random_folds` draws it.

    Returns:
        Means over the folds, in [0, 1], of ``accuracy`` and ``macro_f1``, and ``accuracy_std``, the deviation of the
        accuracy between folds (not between runs: it is mostly the size of a fold).

    Raises:
        TypeError: ``g`` is not floating-point, or ``y`` or ``folds`` not integer.
        ValueError: shapes do not fit, there is NaN, -1 or one fold, or a fold leaves one class or < 5 rows of a class.

    **Source:** the evaluation of InfoGraph (arXiv 1908.01000) and GraphCL (arXiv 2010.13902), whose grid of C it has.
    **Differs:** columns are standardized, and nothing but C is chosen, where InfoGraph's code prints each epoch's
    accuracy and MVGRL's that of each of 36 settings, with only the test folds to choose by.

    Example:
        >>> import torch
        >>> y, folds = torch.arange(40) % 2, torch.arange(40) // 10
        >>> svm_cv(torch.eye(2)[y], y, folds)
        {'accuracy': 1.0, 'accuracy_std': 0.0, 'macro_f1': 1.0}
    """
    from sklearn.metrics.pairwise import rbf_kernel
    from sklearn.model_selection import GridSearchCV, StratifiedKFold
    from sklearn.svm import SVC

    check_embedding("g", g)
    classes = as_classes(y, g.size(0)).numpy()
    fold = as_folds(folds, g.size(0))
    for number in np.unique(fold):
        found, count = np.unique(classes[fold != number], return_counts=True)
        if len(found) < 2:
            raise ValueError(f"folds must leave at least two classes to train on, got only {found} outside {number}")
        if count.min() < 5:
            raise ValueError(f"y must have at least five rows of each class outside fold {number}, got {count.min()}")
    inner_folds = StratifiedKFold(5, shuffle=True, random_state=0)
    svm = SVC(kernel="precomputed", tol=1e-2, cache_size=1000)
    search, scores = GridSearchCV(svm, {"C": SVM_STRENGTHS}, cv=inner_folds), []
    for number in np.unique(fold):
        train, test = fold != number, fold == number
        rows = standardized(g, train)
        kernel = rbf_kernel(rows, rows[train], gamma=1 / rows.shape[1])
        search.fit(kernel[train], classes[train])
        scores.append(class_scores(classes[test], search.predict(kernel[test])))
    accuracy, macro_f1 = ([score[name] for score in scores] for name in ("accuracy", "macro_f1"))
    means = {"accuracy": np.mean(accuracy), "accuracy_std": np.std(accuracy), "macro_f1": np.mean(macro_f1)}
    return {name: float(value) for name, value in means.items()}
