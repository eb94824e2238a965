"""Row-wise reductions over all pairs of embeddings, in O(N) memory, and products and sums along edges, in O(E).

Each reduction returns one number a row, so weights, temperatures and reductions stay in plain autograd. The
backends give the same numbers: ``"tiles"`` (torch, any device, the default) recomputes blocks of the similarity
matrix in the backward pass; ``"triton"`` does so inside CUDA kernels (an optional extra, not yet run on a GPU);
``"dense"`` holds the whole matrix and is the reference of the tests.
"""

from collections.abc import Callable
from types import ModuleType
from typing import Literal, overload

import torch
from torch import Tensor

from gcl._checks import check_matrix
from gcl.pairwise import _dense as dense
from gcl.pairwise import _edges as edges
from gcl.pairwise import _tiles as tiles

_BACKENDS: dict[str, ModuleType] = {"dense": dense, "tiles": tiles}

__all__ = ["cross_lse", "edge_dot", "edge_sum", "row_sum", "sym_lse"]


def sym_lse(
    x: Tensor,
    num_items: int = 0,
    *,
    log_weight: Callable[[Tensor], Tensor] | None = None,
    bound: float = float("inf"),
    backend: str = "tiles",
) -> Tensor:
    r"""Log-sum-exp of each row's products with the other rows, itself and its other views left out.

    .. math:: \ell_i = \log \sum_{j \ne i,\; j \not\equiv i\; (\mathrm{mod}\, n)} \exp \langle x_i, x_j \rangle

    Args:
        x: rows ``[M, D]``; divide by the square root of the temperature beforehand.
        num_items: n, where the rows are views of n items, one view after the other, as in ``torch.cat([z1, z2])``:
            the rows of the same item are left out; 0: each row leaves out itself only.
        log_weight: a function of scores :math:`\langle x_i, x_j \rangle`, entry by entry: the log of the pair's weight,
            which is added to its score. No gradient flows through it.
        bound: a number that no exponent exceeds in size, if one is known (1 / temperature
            for unit rows). Up to 60 the exponentials need no running maximum, which is faster.
        backend: ``"tiles"``, ``"triton"`` or ``"dense"``.

    Returns:
        ``[M]`` in the dtype of ``x``, float32 for half precision; ``-inf`` for a row with nothing to sum.

    Raises:
        TypeError: ``x`` is not floating-point.
        ValueError: ``x`` is no matrix, M is no multiple of ``num_items``, or the backend is unknown. The Triton backend
            also refuses float64, more than 256 columns, ``log_weight``, and tensors that are not on a CUDA device.
        ImportError: Triton is asked for and not installed.

    **Source:** the denominator of NT-Xent (SimCLR, arXiv 2002.05709, eq. 1) without its positive.
    **Differs:** the positive is left out; add it back by ``softplus``, which loses no digits.

    Example:
        >>> import torch
        >>> sym_lse(torch.eye(3))  # each row: log(e^0 + e^0)
        tensor([0.6931, 0.6931, 0.6931])
    """
    check_matrix("x", x)
    if num_items < 0 or (num_items and x.size(0) % num_items):
        raise ValueError(f"num_items must be 0 or divide the {x.size(0)} rows of x, got {num_items}")
    return _backend(backend).sym_lse(x, num_items, bound, log_weight)


@overload
def cross_lse(
    q: Tensor,
    k: Tensor,
    *,
    log_weight: Tensor | None = ...,
    exclude: Tensor | None = ...,
    both: Literal[False] = ...,
    bound: float = ...,
    backend: str = ...,
) -> Tensor: ...


@overload
def cross_lse(
    q: Tensor,
    k: Tensor,
    *,
    log_weight: Tensor | None = ...,
    exclude: Tensor | None = ...,
    both: Literal[True],
    bound: float = ...,
    backend: str = ...,
) -> tuple[Tensor, Tensor]: ...


def cross_lse(
    q: Tensor,
    k: Tensor,
    *,
    log_weight: Tensor | None = None,
    exclude: Tensor | None = None,
    both: bool = False,
    bound: float = float("inf"),
    backend: str = "tiles",
) -> Tensor | tuple[Tensor, Tensor]:
    r"""Log-sum-exp of each row's products with another set of rows; on request of each column's too.

    .. math::
        r_i = \log \sum_{j \notin e_i} \exp(\langle q_i, k_j \rangle + w_j), \qquad
        c_j = \log \sum_{i:\, j \notin e_i} \exp(\langle q_i, k_j \rangle + w_j)

    Args:
        q: rows ``[N, D]``; divide by the temperature beforehand (by one for each row, if you like).
        k: columns ``[K, D]``.
        log_weight: ``[K]``, added to the scores of a column: the log of its weight.
        exclude: long ``[N]`` or ``[N, X]``, the columns that row i leaves out (its positive, say); -1 for none.
        both: return the column sums too.
        bound: as in :func:`sym_lse`, for :math:`\langle q_i, k_j \rangle + w_j`.
        backend: ``"tiles"``, ``"triton"`` or ``"dense"``.

    Returns:
        ``r`` ``[N]``, or with ``both`` the pair ``r`` ``[N]``, ``c`` ``[K]``; dtype as in :func:`sym_lse`.

    Raises:
        TypeError: ``q`` or ``k`` is not floating-point.
        ValueError: the shapes do not fit, the backend is unknown or, as in :func:`sym_lse`, refuses the input.
        ImportError: Triton is asked for and not installed.

    **Source:** the two denominators of CLIP (arXiv 2103.00020, figure 3). **Differs:** columns can be weighted
    and left out.

    Example:
        >>> import torch
        >>> rows, columns = cross_lse(torch.zeros(2, 4), torch.zeros(3, 4), both=True)
        >>> rows.exp(), columns.exp()
        (tensor([3., 3.]), tensor([2., 2., 2.]))
    """
    _check_rows(q, k)
    if log_weight is not None and log_weight.shape != (k.size(0),):
        raise ValueError(
            f"log_weight must have shape [{k.size(0)}], one for each row of k, got {tuple(log_weight.shape)}"
        )
    rows, columns = _backend(backend).cross_lse(q, k, log_weight, _columns(exclude, q), both, bound)
    return (rows, columns) if both else rows


def row_sum(q: Tensor, k: Tensor, f: str, *, exclude: Tensor | None = None, backend: str = "tiles") -> Tensor:
    r"""Sum of a function of each row's products with another set of rows.

    .. math:: t_i = \sum_{j \notin e_i} f(\langle q_i, k_j \rangle)

    A number for each row inside f, such as a margin, is one more column of ``q`` beside a column of ones in ``k``.

    Args:
        q: rows ``[N, D]``.
        k: columns ``[K, D]``.
        f: ``"softplus"``, ``"relu"`` or ``"exp"``.
        exclude: long ``[N]`` or ``[N, X]``, the columns that row i leaves out; -1 for none.
        backend: ``"tiles"``, ``"triton"`` or ``"dense"``.

    Returns:
        ``[N]``; dtype as in :func:`sym_lse`.

    Raises:
        TypeError: ``q`` or ``k`` is not floating-point.
        ValueError: the shapes do not fit, or ``f`` or the backend is unknown.

    Example: SigLIP's loss, as an example of a loss of one's own.

        >>> import torch
        >>> from torch.nn.functional import softplus
        >>> def siglip(u1, u2, scale=10.0, bias=-10.0):
        ...     partner, one = torch.arange(len(u1)), torch.ones(len(u1), 1)
        ...     q, k = torch.cat([scale * u1, bias * one], dim=1), torch.cat([u2, one], dim=1)
        ...     positive = softplus(-(q * k).sum(1))
        ...     return (positive + row_sum(q, k, "softplus", exclude=partner)).mean()
        >>> siglip(torch.eye(3), torch.eye(3))  # log 2 for the pair, 2 log(1 + e^-10) for the others
        tensor(0.6932)
    """
    _check_rows(q, k)
    if f not in tiles.FUNCTIONS:
        raise ValueError(f"f must be one of {sorted(tiles.FUNCTIONS)}, got {f!r}")
    return _backend(backend).row_sum(q, k, f, _columns(exclude, q))


def edge_dot(q: Tensor, k: Tensor, edge_index: Tensor) -> Tensor:
    r"""Products of the pairs of rows that a list names, in O(E) memory forward and backward.

    .. math:: d_e = \langle q_{i_e}, k_{j_e} \rangle

    Args:
        q: rows ``[N, D]``.
        k: rows ``[K, D]``.
        edge_index: long ``[2, E]``, rows of ``q`` and of ``k``.

    Returns:
        ``[E]``; dtype as in :func:`sym_lse`.

    Raises:
        TypeError: ``q`` or ``k`` is not floating-point.
        ValueError: the shapes do not fit, or ``edge_index`` names a row that is not there (looked for on a CPU only).

    Example:
        >>> import torch
        >>> edge_dot(torch.eye(3), 2 * torch.eye(3), torch.tensor([[0, 0, 2], [0, 1, 2]]))
        tensor([2., 0., 2.])
    """
    _check_rows(q, k)
    _check_edges(edge_index, len(q), len(k))
    return edges.edge_dot(q, k, edge_index)


def edge_sum(weight: Tensor, x: Tensor, edge_index: Tensor, num_rows: int) -> Tensor:
    r"""Weighted sums of the rows that a list of edges names, the gradient of :func:`edge_dot`, in O(E) memory.

    .. math:: y_i = \sum_{e:\, i_e = i} w_e \, x_{j_e}

    Args:
        weight: w, ``[E]``.
        x: rows ``[K, D]``.
        edge_index: long ``[2, E]``, rows of the result and of ``x``.
        num_rows: N, rows of the result.

    Returns:
        ``[N, D]``; dtype as in :func:`sym_lse`; 0 in a row without edges.

    Raises:
        TypeError: ``x`` is not floating-point.
        ValueError: as :func:`edge_dot`.

    Example:
        >>> import torch
        >>> edge_sum(torch.tensor([1.0, 2.0]), torch.eye(2), torch.tensor([[0, 0], [0, 1]]), num_rows=2)
        tensor([[1., 2.],
                [0., 0.]])
    """
    check_matrix("x", x)
    _check_edges(edge_index, num_rows, len(x))
    if weight.shape != edge_index.shape[1:]:
        raise ValueError(f"weight must have shape [{edge_index.size(1)}], got {tuple(weight.shape)}")
    return edges.edge_sum(weight, x, edge_index, num_rows)


def _check_rows(q: Tensor, k: Tensor) -> None:
    check_matrix("q", q)
    check_matrix("k", k)
    if q.size(1) != k.size(1):
        raise ValueError(f"q and k must have the same width, got {q.size(1)} and {k.size(1)}")


def _check_edges(edge_index: Tensor, *num_rows: int) -> None:
    if edge_index.dim() != 2 or edge_index.size(0) != 2 or edge_index.dtype != torch.long:
        raise ValueError(f"edge_index must be a long tensor [2, E], got {edge_index.dtype} {tuple(edge_index.shape)}")
    if edge_index.device.type == "cpu" and edge_index.numel():
        for ends, n in zip(edge_index, num_rows, strict=True):
            low, high = ends.aminmax()
            if low < 0 or high >= n:
                raise ValueError(f"edge_index must name rows from 0 to {n - 1}, got {low} to {high}")


def _columns(exclude: Tensor | None, q: Tensor) -> Tensor | None:
    """``exclude`` as [N, X]."""
    if exclude is None:
        return None
    if exclude.dim() not in (1, 2) or exclude.size(0) != q.size(0):
        raise ValueError(f"exclude must have shape [{q.size(0)}] or [{q.size(0)}, X], got {tuple(exclude.shape)}")
    return exclude.unsqueeze(1) if exclude.dim() == 1 else exclude


def _backend(name: str) -> ModuleType:
    if name == "triton":
        return _triton()
    if name not in _BACKENDS:
        raise ValueError(f"backend must be one of {sorted([*_BACKENDS, 'triton'])}, got {name!r}")
    return _BACKENDS[name]


def _triton() -> ModuleType:
    """Imported at first use: the package works without Triton."""
    try:
        from gcl.pairwise import _triton as triton
    except ImportError as error:
        raise ImportError('backend="triton" needs Triton: pip install triton, or torch-gcl[triton]') from error
    return triton
