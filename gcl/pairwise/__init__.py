"""Row-wise reductions over all pairs of embeddings, in O(N) memory: what the contrastive losses are made of.

Each primitive returns one number a row, so weights, temperatures and reductions stay in plain autograd. The
backends give the same numbers: ``"tiles"`` (torch, any device, the default) recomputes blocks of the similarity
matrix in the backward pass; ``"triton"`` does so inside CUDA kernels (an optional extra, not yet run on a GPU);
``"dense"`` holds the whole matrix and is the reference of the tests.
"""

from types import ModuleType
from typing import Literal, overload

from torch import Tensor

from gcl.checks import check_matrix
from gcl.pairwise import dense, tiles

_BACKENDS: dict[str, ModuleType] = {"dense": dense, "tiles": tiles}

__all__ = ["cross_lse", "sym_lse"]


def sym_lse(x: Tensor, num_pairs: int = 0, *, bound: float = float("inf"), backend: str = "tiles") -> Tensor:
    r"""Log-sum-exp of each row's products with the other rows, itself and its partner left out.

    .. math:: \ell_i = \log \sum_{j \ne i,\; j \ne \pi(i)} \exp \langle x_i, x_j \rangle

    Args:
        x: rows ``[M, D]``; divide by the square root of the temperature beforehand.
        num_pairs: where M = 2 ``num_pairs``, row i and row i + ``num_pairs`` are partners, as in
            ``torch.cat([z1, z2])``; 0: no partners.
        bound: a number that no :math:`|\langle x_i, x_j \rangle|` exceeds, if one is known (1 / temperature
            for unit rows). Up to 60 the exponentials need no running maximum, which is faster.
        backend: ``"tiles"``, ``"triton"`` or ``"dense"``.

    Returns:
        ``[M]`` in the dtype of ``x``, float32 for half precision; ``-inf`` for a row with nothing to sum.

    Raises:
        TypeError: ``x`` is not floating-point.
        ValueError: ``x`` is no matrix, M is not 2 ``num_pairs``, or the backend is unknown. The Triton backend
            also refuses float64, more than 256 columns, and tensors that are not on a CUDA device.
        ImportError: Triton is asked for and not installed.

    **Source:** the denominator of NT-Xent (SimCLR, arXiv 2002.05709, eq. 1) without its positive.
    **Differs:** the positive is left out; add it back by ``softplus``, which loses no digits.

    Example:
        >>> import torch
        >>> sym_lse(torch.eye(3))  # each row: log(e^0 + e^0)
        tensor([0.6931, 0.6931, 0.6931])
    """
    check_matrix("x", x)
    if num_pairs < 0 or (num_pairs and x.size(0) != 2 * num_pairs):
        raise ValueError(f"num_pairs must be 0 or half the {x.size(0)} rows of x, got {num_pairs}")
    return _backend(backend).sym_lse(x, num_pairs, bound)


@overload
def cross_lse(
    q: Tensor,
    k: Tensor,
    *,
    log_w: Tensor | None = ...,
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
    log_w: Tensor | None = ...,
    exclude: Tensor | None = ...,
    both: Literal[True],
    bound: float = ...,
    backend: str = ...,
) -> tuple[Tensor, Tensor]: ...


def cross_lse(
    q: Tensor,
    k: Tensor,
    *,
    log_w: Tensor | None = None,
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
        log_w: ``[K]``, added to the scores of a column: the log of its weight.
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
    check_matrix("q", q)
    check_matrix("k", k)
    if q.size(1) != k.size(1):
        raise ValueError(f"q and k must have the same width, got {q.size(1)} and {k.size(1)}")
    if log_w is not None and log_w.shape != (k.size(0),):
        raise ValueError(f"log_w must have shape [{k.size(0)}], one for each row of k, got {tuple(log_w.shape)}")
    if exclude is not None and (exclude.dim() not in (1, 2) or exclude.size(0) != q.size(0)):
        raise ValueError(f"exclude must have shape [{q.size(0)}] or [{q.size(0)}, X], got {tuple(exclude.shape)}")
    if exclude is not None and exclude.dim() == 1:
        exclude = exclude.unsqueeze(1)
    rows, columns = _backend(backend).cross_lse(q, k, log_w, exclude, both, bound)
    return (rows, columns) if both else rows


def _backend(name: str) -> ModuleType:
    if name == "triton":
        return _triton()
    if name not in _BACKENDS:
        raise ValueError(f"backend must be one of {sorted([*_BACKENDS, 'triton'])}, got {name!r}")
    return _BACKENDS[name]


def _triton() -> ModuleType:
    """Imported at first use: the package works without Triton."""
    try:
        from gcl.pairwise import triton
    except ImportError as error:
        raise ImportError('backend="triton" needs Triton: pip install triton, or torch-gcl[triton]') from error
    return triton
