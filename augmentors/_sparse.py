"""Lists of edges by rows, and sparse matrices from them."""

import warnings

import torch
from torch import Tensor

with warnings.catch_warnings():  # the first CSR tensor of a process warns that the layout is in beta
    warnings.simplefilter("ignore")
    torch.eye(1).to_sparse_csr()


def by_row(row: Tensor, num_rows: int) -> tuple[Tensor, Tensor]:
    """The places of ``row`` ``[E]`` in the order of the rows, and where each row starts there ``[num_rows + 1]``."""
    ordered, order = row.sort(stable=True)
    return order, torch.searchsorted(ordered, torch.arange(num_rows + 1, device=row.device))


def largest(row: Tensor, value: Tensor, count: Tensor) -> Tensor:
    """The places of the ``count`` ``[M]`` largest values of each row, row by row and the largest first."""
    order = value.argsort(descending=True, stable=True)
    by_rows, start = by_row(row[order], count.numel())
    order = order[by_rows]
    return order[numbers_below(start.diff()) < count[row[order]]]


def sums_before(count: Tensor) -> Tensor:
    """The sum of ``count`` ``[M]`` before each place, and of all ``[M + 1]``; of a mask, how many are true."""
    return torch.cat([count.new_zeros(1, dtype=torch.long), count.cumsum(0)])


def numbers_below(count: Tensor) -> Tensor:
    """The numbers 0, ..., ``count[i]`` - 1 for each i, one after the other."""
    first = sums_before(count)[:-1].repeat_interleave(count)
    return torch.arange(first.numel(), device=count.device) - first


def dense_or_coo(value: Tensor) -> Tensor:
    """``value``, as COO if it is in another sparse layout: torch selects rows and broadcasts in COO only."""
    return value if value.layout in (torch.strided, torch.sparse_coo) else value.to_sparse_coo()


def csr_matrix(start: Tensor, col: Tensor, value: Tensor, num_cols: int) -> Tensor:
    """The matrix ``[M, num_cols]`` in CSR whose row i holds the entries from ``start[i]`` to ``start[i + 1]``."""
    shape = start.numel() - 1, num_cols
    return torch.sparse_csr_tensor(start, col, value, shape, check_invariants=False)
