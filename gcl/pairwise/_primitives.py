"""The primitives: checks of their arguments, and the choice of a backend."""

from collections.abc import Callable
from types import ModuleType
from typing import Literal, TypedDict, overload

from torch import Tensor
from typing_extensions import Unpack

from augmentors._checks import check_at_least, check_callable, check_long, check_number, check_numbers, check_tensor
from gcl._checks import check_index, check_matrix, check_one_dtype
from gcl.pairwise import _edges, _tiles


class _Options(TypedDict, total=False):
    """Options of :func:`cross_lse` that do not change the type of its result."""

    log_weight: Tensor | None
    exclude: Tensor | None
    bound: float
    backend: str


def sym_lse(
    x: Tensor,
    num_items: int = 0,
    *,
    log_weight: Callable[[Tensor], Tensor] | None = None,
    bound: float = float("inf"),
    backend: str = "tiles",
) -> Tensor:
    r"""Log-sum-exp of each row's inner products with all rows but itself and the other views of its item.

    .. math:: \ell_i = \log \sum_{j \ne i,\; j \not\equiv i\; (\mathrm{mod}\, n)} \exp \langle x_i, x_j \rangle

    Args:
        x: rows ``[M, D]``, already divided by the square root of the temperature.
        num_items: n, where ``x`` stacks several views of n items, as ``torch.cat([z1, z2])`` does: the rows of the same
            item are excluded. 0: each row excludes only itself.
        log_weight: an elementwise function of the scores :math:`\langle x_i, x_j \rangle`: the log of each pair's
            weight, which is added to its score. No gradient flows through it.
        bound: an upper bound on the magnitude of the exponents, if known (1 / temperature for unit rows). Up to 60 the
            exponentials need no running maximum, which is faster.
        backend: ``"tiles"`` or ``"triton"``.

    Returns:
        ``[M]`` in the dtype of ``x``, float32 for half precision; ``-inf`` for a row with nothing to sum.

    Raises:
        TypeError, ValueError: ``x`` is no floating-point matrix, M no multiple of ``num_items``, or the backend
            unknown. Triton also rejects float64, more than 256 columns, ``log_weight``, and tensors not on CUDA.
        ImportError: ``backend="triton"`` and Triton is not installed.

    **Source:** the denominator of NT-Xent (SimCLR, arXiv 2002.05709, eq. 1).
    **Differs:** excludes the positive; adding it back by ``softplus`` loses no digits.

    Example:
        >>> import torch
        >>> sym_lse(torch.eye(3))  # each row: log(e^0 + e^0)
        tensor([0.6931, 0.6931, 0.6931])
    """
    check_matrix("x", x)
    _check_bound(bound)
    if log_weight is not None:
        check_callable("log_weight", log_weight, "a function of the scores")
    if check_at_least("num_items", num_items, 0) and x.size(0) % num_items:
        raise ValueError(f"num_items must be 0 or divide the {x.size(0)} rows of x, got {num_items}")
    return _backend(backend).sym_lse(x, num_items, bound, log_weight)


@overload
def cross_lse(q: Tensor, k: Tensor, *, both: Literal[True], **options: Unpack[_Options]) -> tuple[Tensor, Tensor]: ...
@overload
def cross_lse(q: Tensor, k: Tensor, *, both: Literal[False] = ..., **options: Unpack[_Options]) -> Tensor: ...
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
    r"""Log-sum-exp of each row's inner products with another set of rows, and optionally that of each column.

    .. math:: r_i = \log \sum_{j \notin e_i} \exp(\langle q_i, k_j \rangle + w_j), \qquad
              c_j = \log \sum_{i:\, j \notin e_i} \exp(\langle q_i, k_j \rangle + w_j)

    Args:
        q: rows ``[N, D]``, already divided by the temperature (or by one temperature per row).
        k: columns ``[K, D]``.
        log_weight: ``[K]``, the log of each column's weight, added to its scores.
        exclude: long ``[N]`` or ``[N, X]``, the columns that row i excludes, such as its positive; -1 for none.
        both: return the column sums too.
        bound, backend: as in :func:`sym_lse`; the bound of :math:`\langle q_i, k_j \rangle + w_j`.

    Returns:
        ``r`` ``[N]``, or with ``both`` the pair ``r`` ``[N]``, ``c`` ``[K]``; dtype as in :func:`sym_lse`.

    Raises:
        TypeError, ValueError, ImportError: as :func:`sym_lse`; or the shapes do not match.

    **Source:** the two denominators of CLIP (arXiv 2103.00020, figure 3). **Differs:** columns can be weighted
    and excluded.

    Example:
        >>> import torch
        >>> rows, columns = cross_lse(torch.zeros(2, 4), torch.zeros(3, 4), both=True)
        >>> rows.exp(), columns.exp()
        (tensor([3., 3.]), tensor([2., 2., 2.]))
    """
    _check_rows(q, k)
    _check_bound(bound)
    if log_weight is not None:
        check_tensor("log_weight", log_weight, "a floating-point tensor [K]")
        check_one_dtype(k=k, log_weight=log_weight)
        if log_weight.shape != (k.size(0),):
            wanted = f"[{k.size(0)}], that of k's rows"
            raise ValueError(f"log_weight must have shape {wanted}, got {tuple(log_weight.shape)}")
    rows, columns = _backend(backend).cross_lse(q, k, log_weight, _columns(exclude, q, k), both, bound)
    return (rows, columns) if both else rows


def row_sum(q: Tensor, k: Tensor, f: str, *, exclude: Tensor | None = None, backend: str = "tiles") -> Tensor:
    r"""Sum of a function of each row's inner products with another set of rows.

    .. math:: t_i = \sum_{j \notin e_i} f(\langle q_i, k_j \rangle)

    To add a number per row inside f, such as a margin, append it to ``q`` as a column and a column of ones to ``k``.

    Args:
        q, k, exclude, backend: as in :func:`cross_lse`.
        f: ``"softplus"``, ``"relu"`` or ``"exp"``, infinite where a product exceeds 88 (float32).

    Returns:
        ``[N]``; dtype as in :func:`sym_lse`.

    Raises:
        TypeError, ValueError, ImportError: as :func:`cross_lse`; or ``f`` is unknown.

    Example: SigLIP's loss, as a custom loss.

        >>> import torch
        >>> from torch.nn.functional import softplus
        >>> def siglip(u1, u2, scale=10.0, bias=-10.0):
        ...     own, one = torch.arange(len(u1)), torch.ones(len(u1), 1)
        ...     q, k = torch.cat([scale * u1, bias * one], dim=1), torch.cat([u2, one], dim=1)
        ...     positive = softplus(-(q * k).sum(1))
        ...     return (positive + row_sum(q, k, "softplus", exclude=own)).mean()
        >>> siglip(torch.eye(3), torch.eye(3))  # log 2 for the pair, 2 log(1 + e^-10) for the others
        tensor(0.6932)
    """
    _check_rows(q, k)
    if f not in list(_tiles.FUNCTIONS):
        raise ValueError(f"f must be one of {sorted(_tiles.FUNCTIONS)}, got {f!r}")
    return _backend(backend).row_sum(q, k, f, _columns(exclude, q, k))


def edge_dot(q: Tensor, k: Tensor, edge_index: Tensor) -> Tensor:
    r"""Inner products of the rows at the ends of each edge, in O(E) memory forward and backward.

    .. math:: d_e = \langle q_{i_e}, k_{j_e} \rangle

    Args:
        q, k: rows ``[N, D]`` and ``[K, D]``.
        edge_index: long ``[2, E]``, rows of ``q`` and of ``k``.

    Returns:
        ``[E]``; dtype as in :func:`sym_lse`.

    Raises:
        TypeError, ValueError: ``q`` or ``k`` is not floating-point, the shapes do not match, or ``edge_index`` is out
            of range (checked on a CPU only).

    Example:
        >>> import torch
        >>> edge_dot(torch.eye(3), 2 * torch.eye(3), torch.tensor([[0, 0, 2], [0, 1, 2]]))
        tensor([2., 0., 2.])
    """
    _check_rows(q, k)
    _check_edges(edge_index, len(q), len(k))
    return _edges.edge_dot(q, k, edge_index)


def edge_sum(edge_weight: Tensor, x: Tensor, edge_index: Tensor, num_rows: int) -> Tensor:
    r"""Weighted sums of rows along edges, in O(E) memory; the gradient of :func:`edge_dot`.

    .. math:: y_i = \sum_{e:\, i_e = i} w_e \, x_{j_e}

    Args:
        edge_weight: w, ``[E]``.
        x: rows ``[K, D]``.
        edge_index: long ``[2, E]``, rows of the result and of ``x``.
        num_rows: N, the number of rows of the result.

    Returns:
        ``[N, D]``; dtype as in :func:`sym_lse`; 0 in a row without edges.

    Raises:
        TypeError, ValueError: as :func:`edge_dot`.

    Example:
        >>> import torch
        >>> edge_sum(torch.tensor([1.0, 2.0]), torch.eye(2), torch.tensor([[0, 0], [0, 1]]), num_rows=2)
        tensor([[1., 2.],
                [0., 0.]])
    """
    check_matrix("x", x)
    check_tensor("edge_weight", edge_weight, "a floating-point tensor [E]")
    _check_edges(edge_index, check_at_least("num_rows", num_rows, 0), len(x))
    if edge_weight.shape != edge_index.shape[1:]:
        raise ValueError(f"edge_weight must have shape [{edge_index.size(1)}], got {tuple(edge_weight.shape)}")
    return _edges.edge_sum(edge_weight, x, edge_index, num_rows)


def _check_rows(q: Tensor, k: Tensor) -> None:
    check_matrix("q", q)
    check_matrix("k", k)
    if q.size(1) != k.size(1):
        raise ValueError(f"q and k must have the same width, got {q.size(1)} and {k.size(1)}")
    check_one_dtype(q=q, k=k)


def _check_bound(bound: float) -> None:
    check_number("bound", bound, lambda value: value >= 0, "at least 0", "a number of at least 0")


def _check_edges(edge_index: Tensor, *num_rows: int) -> None:
    check_long("edge_index", edge_index, 2, "E")
    if edge_index.device.type == "cpu":
        for ends, size in zip(edge_index, num_rows, strict=True):
            check_numbers("edge_index", ends, "row", size)


def _columns(exclude: Tensor | None, q: Tensor, k: Tensor) -> Tensor | None:
    """``exclude`` as [N, X]."""
    if exclude is None:
        return None
    check_index("exclude", exclude, "column", max(len(k), 1), least=-1)
    if exclude.dim() not in (1, 2) or exclude.size(0) != q.size(0):
        raise ValueError(f"exclude must have shape [{q.size(0)}] or [{q.size(0)}, X], got {tuple(exclude.shape)}")
    return exclude.unsqueeze(1) if exclude.dim() == 1 else exclude


def _backend(name: str) -> ModuleType:
    if name == "tiles":
        return _tiles
    if name != "triton":
        raise ValueError(f"backend must be one of ['tiles', 'triton'], got {name!r}")
    try:  # imported at first use: the package works without Triton
        from gcl.pairwise import _triton
    except ImportError as error:
        raise ImportError('backend="triton" needs Triton: pip install triton, or torch-gcl[triton]') from error
    return _triton
