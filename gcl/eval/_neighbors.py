"""Nearest-neighbor probe of frozen embeddings."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from gcl._checks import check_embedding
from gcl.eval._labels import Labels, as_classes
from gcl.eval._scores import class_scores
from gcl.eval._splits import as_split
from gcl.losses._similarity import unit


def knn_probe(
    z: Tensor, y: Labels, split: Sequence[Tensor], k: Sequence[int] = (1, 3, 5, 10, 20, 50)
) -> dict[str, float]:
    """Majority vote of the k training rows with the greatest cosine similarity; k is chosen by validation accuracy.

    Args:
        z, y, split: as for :func:`gcl.eval.linear_probe`, with classes ``[N]``.
        k: numbers of neighbors to choose from; those above the number of training rows are not tried. Of equally
            good ones the first is taken.

    Returns:
        ``accuracy`` and ``macro_f1`` on the test rows, ``val_accuracy``, all in [0, 1], and the chosen ``k``.

    Raises:
        TypeError, ValueError: as :func:`gcl.eval.linear_probe` for classes; or ``k`` is no sequence of ints, one is
            below 1, or all are above the number of training rows.

    **Source:** the nearest-neighbor evaluation of instance discrimination (arXiv 1805.01978), section 3.4.
    **Differs:** votes have equal weights, and k is chosen on validation rows.

    Example:
        >>> y = torch.arange(30) % 3
        >>> knn_probe(torch.eye(3)[y], y, torch.arange(30).split([9, 6, 15]))
        {'accuracy': 1.0, 'macro_f1': 1.0, 'val_accuracy': 1.0, 'k': 1}
    """
    from sklearn.neighbors import KNeighborsClassifier

    check_embedding("z", z)
    parts = as_split(split, z.size(0))
    classes = as_classes(y, z.size(0), torch.cat(parts)).numpy()
    if not isinstance(k, Sequence) or not all(type(number) is int for number in k):
        raise TypeError(f"k must be a sequence of ints, got {k!r}")
    train, val, test = (part.numpy() for part in parts)
    tried = [number for number in k if number <= len(train)]
    if not tried or min(k) < 1:
        raise ValueError(f"k must hold a number of neighbors in [1, {len(train)}] and none below 1, got {k}")
    rows = unit(z.detach().double()).cpu().numpy()
    probes = [KNeighborsClassifier(number).fit(rows[train], classes[train]) for number in tried]  # of unit length
    scores = [float(probe.score(rows[val], classes[val])) for probe in probes]
    best = int(np.argmax(scores))
    scored = class_scores(classes[test], probes[best].predict(rows[test]))
    return scored | {"val_accuracy": scores[best], "k": tried[best]}
