"""Batches of rows of a matrix, in memory or on disk."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Generator, Tensor
from torch_geometric.data import Data

from augmentors._checks import check_at_least
from augmentors._random import permutation


class RowLoader:
    """See :func:`row_loader`."""

    def __init__(self, x: Any, batch_size: int, generator: Generator | None) -> None:
        self.x, self.batch_size, self.generator = x, batch_size, generator

    def __len__(self) -> int:
        return -(-len(self.x) // self.batch_size)

    def __iter__(self) -> Iterator[Data]:
        for rows in permutation(len(self.x), torch.device("cpu"), self.generator).split(self.batch_size):
            rows = rows.sort().values  # in the order of the file
            x = torch.as_tensor(self.x[rows if isinstance(self.x, Tensor) else rows.numpy()])
            yield Data(x=x.to(torch.promote_types(x.dtype, torch.float32)), edge_index=rows.new_empty(2, 0))


def row_loader(x: Any, batch_size: int = 1024, *, generator: Generator | None = None) -> RowLoader:
    """Random batches of the rows of a matrix, as graphs without edges: for methods that need no graph any more.

    Such as :class:`gcl.methods.HopContrast` on the rows of :func:`gcl.eval.filter_bank`, of a graph of any size: only
    the rows of a batch are read. An epoch has each row once; the last batch may be smaller.

    Args:
        x: floating-point ``[N, D]``: a tensor, or an array, which may be on disk (``numpy.load(path, mmap_mode="r")``).
        batch_size: rows at a time, at least 1.
        generator: randomness of the order, on the CPU.

    Returns:
        A loader for :func:`gcl.fit`, of ``Data`` with ``x`` in at least float32.

    Raises:
        TypeError, ValueError: ``x`` is no floating-point matrix with a row, or ``batch_size`` no int above 0.

    Example:
        >>> loader = row_loader(torch.arange(6.0).view(3, 2), batch_size=2, generator=torch.Generator().manual_seed(0))
        >>> [batch.x.tolist() for batch in loader]
        [[[0.0, 1.0], [4.0, 5.0]], [[2.0, 3.0]]]
    """
    shape = tuple(getattr(x, "shape", ()))
    if len(shape) != 2 or shape[0] == 0:
        raise ValueError(f"x must be a matrix [N, D] with at least one row, got {shape or type(x).__name__}")
    if isinstance(x, Tensor) and x.layout is not torch.strided:
        raise TypeError(f"x must be dense, got {x.layout}: x.to_dense()")
    if not torch.as_tensor(x[[0]]).is_floating_point():
        raise TypeError(f"x must be floating-point, got {x.dtype}")
    return RowLoader(x, check_at_least("batch_size", batch_size, 1), generator)
