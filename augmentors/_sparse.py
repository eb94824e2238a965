"""Sparse matrices from lists of edges."""

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


def csr_matrix(start: Tensor, col: Tensor, value: Tensor, num_cols: int) -> Tensor:
    """The matrix ``[M, num_cols]`` in CSR whose row i holds the entries from ``start[i]`` to ``start[i + 1]``."""
    shape = start.numel() - 1, num_cols
    return torch.sparse_csr_tensor(start, col, value, shape, check_invariants=False)
