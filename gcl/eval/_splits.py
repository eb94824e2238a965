"""Splits of rows into training, validation and test, and folds for cross-validation."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Generator, Tensor
from torch_geometric.data import Data
from torch_geometric.data.storage import NodeStorage

from augmentors._checks import check_at_least, check_number
from augmentors._random import integers, permutation
from gcl.eval._labels import Labels, as_classes, as_tensor

_CPU = torch.device("cpu")


class Split(NamedTuple):
    """Row numbers (long) of the training, validation and test parts."""

    train: Tensor
    val: Tensor
    test: Tensor

    def check(self, num_rows: int) -> None:
        """Raise ``ValueError`` unless the parts are non-empty, disjoint and within ``num_rows`` rows."""
        for name, part in zip(self._fields, self, strict=True):
            if part.dtype != torch.long or part.dim() != 1:
                raise ValueError(f"split.{name} must hold row numbers (long, one dimension), got {part.dtype}")
            if part.numel() == 0:
                raise ValueError(f"split.{name} must hold at least one row, got none")
            low, high = part.aminmax()
            if low < 0 or high >= num_rows:
                raise ValueError(f"split.{name} must hold rows in [0, {num_rows}), got {low if low < 0 else high}")
        if len(torch.cat(self).unique()) < sum(map(len, self)):
            raise ValueError("split.train, split.val and split.test must not share or repeat rows")


def as_split(split: Sequence[Tensor], num_rows: int) -> Split:
    """The three parts as a checked :class:`Split` on the CPU."""
    if not isinstance(split, (tuple, list)):
        raise TypeError(f"split must be a Split or three tensors (train, val, test), got {type(split).__name__}")
    if len(split) != 3:
        raise ValueError(f"split must have three parts (train, val, test), got {len(split)}")
    parts = Split(*(as_tensor(part, f"split.{name}") for name, part in zip(Split._fields, split, strict=True)))
    parts.check(num_rows)
    return parts


def check_fraction(name: str, value: float) -> None:
    """``value`` is in (0, 1)."""
    check_number(name, value, lambda v: 0 < v < 1, "in (0, 1)")


def check_data(data: Data) -> None:
    """``data`` is one graph, or a batch."""
    if not isinstance(data, Data):
        raise TypeError(f"data must be a torch_geometric Data or Batch, got {type(data).__name__}")


def random_split(n: int, train: float = 0.1, val: float = 0.1, *, generator: Generator | None = None) -> Split:
    """A random split of ``n`` rows; what is left over is the test part.

    Args:
        n: number of rows.
        train, val: fractions in (0, 1), together below 1.
        generator: randomness.

    Raises:
        TypeError, ValueError: a fraction is out of range or leaves a part without rows, or ``n`` is no int above 0.

    **Source:** the 10/10/80 protocol of GRACE (arXiv 2006.04131), section 4. **Differs:** nothing.

    Example:
        >>> [len(part) for part in random_split(100, 0.1, 0.2, generator=torch.Generator().manual_seed(0))]
        [10, 20, 70]
    """
    check_at_least("n", n, 1)
    check_fraction("train", train)
    check_fraction("val", val)
    sizes = round(n * train), round(n * val)
    rest = n - sum(sizes)
    if train + val >= 1 or min(*sizes, rest) < 1:
        got = f"n={n}, train={train}, val={val}"
        raise ValueError(f"n, train and val leave {(*sizes, rest)} rows: each must be >= 1, got {got}")
    return Split(*permutation(n, _CPU, generator).split([*sizes, rest]))


def split_from_masks(data: Data | NodeStorage, column: int | None = None) -> Split:
    """The split of ``data.train_mask``, ``val_mask`` and ``test_mask`` ``[N]`` (the public split of Planetoid).

    Args:
        data: a graph, or one node type of a ``HeteroData``: ``data["paper"]``.
        column: number of the split, where masks ``[N, S]`` hold S; masks ``[N]`` beside them are the same for each.

    Raises:
        TypeError: ``data`` is no graph, or ``column`` no int.
        ValueError: a mask is missing, or ``column`` is missing, too large or without use.

    Example:
        >>> masks = torch.eye(3).bool()
        >>> split_from_masks(Data(train_mask=masks[0], val_mask=masks[1], test_mask=masks[2]))
        Split(train=tensor([0]), val=tensor([1]), test=tensor([2]))
        >>> split_from_masks(Data(train_mask=masks, val_mask=masks.roll(1, 1), test_mask=masks[2]), column=1)
        Split(train=tensor([1]), val=tensor([0]), test=tensor([2]))
    """
    if not isinstance(data, NodeStorage):
        check_data(data)
    masks = {name: data.get(name) for name in ("train_mask", "val_mask", "test_mask")}
    for name, mask in masks.items():
        sound = isinstance(mask, Tensor) and mask.dtype == torch.bool
        if not sound or mask.dim() not in ((1,) if column is None else (1, 2)):
            got = f"{mask.dtype} {tuple(mask.shape)}" if isinstance(mask, Tensor) else mask or "nothing"
            choose = ": choose a column" if sound and mask.dim() == 2 else ""
            raise ValueError(f"data.{name} must be a bool tensor [N], got {got}{choose}")
    several = {name: mask for name, mask in masks.items() if mask.dim() == 2}
    if column is not None:
        check_at_least("column", column, 0)
        allowed = min((mask.size(1) for mask in several.values()), default=0)
        if column >= allowed:
            raise ValueError(f"column must be {f'below {allowed}' if allowed else 'None for masks [N]'}, got {column}")
        masks |= {name: mask[:, column] for name, mask in several.items()}
    return Split(*(mask.nonzero().squeeze(1) for mask in masks.values()))


def random_folds(y: Labels, num_folds: int = 10, *, generator: Generator | None = None) -> Tensor:
    """Stratified folds for cross-validation: each holds its share of every class.

    Args:
        y: a tensor or array of integer classes ``[N]``.
        num_folds: at least 2.
        generator: for the order of the rows.

    Returns:
        The fold of each row ``[N]``, long, from 0 to ``num_folds - 1``.

    Raises:
        TypeError, ValueError: ``y`` is not integer, has a -1 or fewer rows of a class than folds, or ``num_folds`` < 2.

    **Source:** scikit-learn's ``StratifiedKFold``. **Differs:** nothing.

    Example:
        >>> y = torch.tensor([0, 0, 0, 0, 1, 1])
        >>> folds = random_folds(y, 2, generator=torch.Generator().manual_seed(0))
        >>> folds[y == 0].bincount().tolist(), folds[y == 1].bincount().tolist()
        ([2, 2], [1, 1])
    """
    from sklearn.model_selection import StratifiedKFold

    classes = as_classes(y)
    check_at_least("num_folds", num_folds, 2)
    found, count = classes.unique(return_counts=True)
    if len(classes) == 0 or count.min() < num_folds:
        got = f"{count.min()} of class {found[count.argmin()]}" if len(classes) else "no rows"
        raise ValueError(f"y must have at least num_folds={num_folds} rows of each class, got {got}")
    folds = torch.empty(len(classes), dtype=torch.long)
    splitter = StratifiedKFold(num_folds, shuffle=True, random_state=draw_seed(generator))
    for number, (_, rows) in enumerate(splitter.split(np.zeros(len(classes)), classes.numpy())):
        folds[torch.from_numpy(rows)] = number
    return folds


def as_folds(folds: Labels, num_rows: int) -> np.ndarray:
    """The fold of each of ``num_rows`` rows, of which there are several."""
    folds = as_tensor(folds, "folds")
    if folds.is_floating_point() or folds.dtype == torch.bool:
        raise TypeError(f"folds must hold integers, got {folds.dtype}")
    if folds.shape != (num_rows,):
        raise ValueError(f"folds must have shape [{num_rows}], one fold a row, got {tuple(folds.shape)}")
    if len(folds.unique()) < 2:
        raise ValueError(f"folds must name at least two folds, got only {folds.unique().tolist()}")
    return folds.numpy()


def draw_seed(generator: Generator | None) -> int:
    """A seed for libraries that take no generator of torch."""
    return int(integers(2**31 - 1, (), _CPU, generator))
