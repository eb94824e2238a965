"""Labels and other numbers from any array, checked."""

import torch
from numpy.typing import ArrayLike
from torch import Tensor
from torch_geometric.data import Data
from torch_geometric.data.storage import NodeStorage

Labels = Tensor | ArrayLike


def labels_of(data: Data | NodeStorage) -> Tensor:
    """``data.y``, which must be there."""
    y = data.get("y")
    if y is None:
        raise ValueError("data.y is missing: set it to the labels, one row for each of the nodes")
    return y


def as_tensor(values: Labels, name: str = "y") -> Tensor:
    """``values`` as a tensor on the CPU."""
    try:
        return values.detach().cpu() if isinstance(values, Tensor) else torch.tensor(values)
    except (TypeError, ValueError, RuntimeError) as error:
        raise TypeError(f"{name} must be a tensor or an array of numbers, got {type(values).__name__}") from error


def as_classes(y: Labels, num_rows: int | None = None, rows: Tensor | None = None, name: str = "y") -> Tensor:
    """``y`` as integer classes ``[N]`` on the CPU, none of them -1 on ``rows`` (``None``: on all)."""
    given = as_tensor(y, name)
    num_rows = given.numel() if num_rows is None else num_rows
    if given.is_floating_point() or given.is_complex():
        raise TypeError(f"{name} must hold integer classes, got {given.dtype}")
    if given.shape != (num_rows,):
        raise ValueError(f"{name} must have shape [{num_rows}], one class a row, got {tuple(given.shape)}")
    classes = given.long()
    rows = torch.arange(num_rows) if rows is None else rows
    unlabeled = rows[classes[rows] < 0]
    if len(unlabeled):
        got = f"{classes[unlabeled[0]]} in row {unlabeled[0]} ({len(unlabeled)} such rows)"
        raise ValueError(f"{name} must be at least 0 (-1: unlabeled, leave such rows out), got {got}")
    return classes


def check_several_classes(name: str, classes: Tensor) -> None:
    """``classes`` holds at least two."""
    found = classes.unique().tolist()
    if len(found) < 2:
        raise ValueError(f"{name} must cover at least two classes, got only class {', '.join(map(str, found))}")
