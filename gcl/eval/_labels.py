"""Labels from any array, checked."""

import torch
from numpy.typing import ArrayLike
from torch import Tensor
from torch_geometric.data import Data

from gcl._checks import check_labels

Labels = Tensor | ArrayLike


def labels_of(data: Data) -> Tensor:
    """``data.y``, which must be there."""
    y = data.get("y")
    if y is None:
        raise ValueError("data.y is missing: set it to the labels, one row for each of the nodes")
    return y


def as_tensor(y: Labels) -> Tensor:
    """``y`` as a tensor on the CPU."""
    try:
        return y.detach().cpu() if isinstance(y, Tensor) else torch.tensor(y)
    except (TypeError, ValueError, RuntimeError) as error:
        raise TypeError(f"y must be a tensor or an array of numbers, got {type(y).__name__}") from error


def as_classes(y: Labels, num_rows: int | None = None, rows: Tensor | None = None) -> Tensor:
    """``y`` as integer classes ``[N]`` on the CPU, none of them -1 on ``rows`` (``None``: on all)."""
    classes = as_tensor(y)
    check_labels(classes, classes.numel() if num_rows is None else num_rows)
    rows = torch.arange(len(classes)) if rows is None else rows
    unlabeled = rows[classes[rows] < 0]
    if len(unlabeled):
        got = f"{classes[unlabeled[0]]} in row {unlabeled[0]} ({len(unlabeled)} such rows)"
        raise ValueError(f"y must be at least 0 (-1: unlabeled, leave such rows out), got {got}")
    return classes


def check_several_classes(name: str, classes: Tensor) -> None:
    """``classes`` holds at least two."""
    found = classes.unique().tolist()
    if len(found) < 2:
        raise ValueError(f"{name} must cover at least two classes, got only class {', '.join(map(str, found))}")
