"""The filter bank: features smoothed at several scales, which took no training."""

from collections.abc import Collection, Iterator

import torch
from torch import Tensor
from torch_geometric.data import Data

from augmentors._checks import check_weights
from augmentors._graphs import check_structure
from gcl._checks import check_embedding, check_own_degrees
from gcl.losses._similarity import unit
from gcl.nn._hops import COLUMNS, NUM_FILTERS, filter_lengths, smoothed


def filter_bank(data: Data) -> Tensor:
    r"""Features smoothed by five filters, side by side, the rows of each block of unit length: ``[N, 5 F]``.

    .. math:: [X \mid \hat A X \mid \hat A^2 X \mid P X \mid P^2 X]

    with :math:`\hat A` the matrix of a GCN layer, which mixes a node with its neighbors, and P the mean over the
    neighbors, which keeps them apart: so the bank serves graphs whose neighbors are alike and graphs whose neighbors
    differ. It is the baseline that a method has to beat, and a set of features to put beside its embeddings:
    ``torch.cat([unit rows of h, filter_bank(data)], dim=1)``.

    Args:
        data: graph with floating-point ``x`` ``[N, F]``; ``edge_weight`` counts.

    Returns:
        ``[N, 5 F]``, at least float32; rows of zeros stay zero, as those of P X for a node that no edge leads to.

    Raises:
        TypeError, ValueError: the graph is not valid, or has no finite ``x``.

    **Source:** SGC (arXiv 1902.07153) and SIGN (arXiv 2004.11198), without their weights. **Differs:** both filters at
    once, unit rows per block; self-loops are left out of P.

    Example:
        >>> path = Data(x=torch.tensor([[1.0], [2.0], [3.0]]), edge_index=torch.tensor([[0, 1], [1, 2]]))
        >>> filter_bank(path)[0]
        tensor([1., 1., 1., 0., 0.])
    """
    return torch.cat([unit(block) for block in filters(data)], dim=1)


def filters(data: Data) -> Iterator[Tensor]:
    """X, A X, A^2 X, P X and P^2 X, each ``[N, F]``."""
    yield from smoothed(*_checked(data))


def _checked(data: Data) -> tuple[Tensor, Tensor, Tensor | None]:
    """The features, at least float32, edges and their weights."""
    check_structure(data, edges=True)
    check_own_degrees("filter_bank", data)
    check_embedding("data.x", data.x)
    weight = data.get("edge_weight")
    if weight is not None:
        check_weights("data.edge_weight", weight)
    return data.x.to(torch.promote_types(data.x.dtype, torch.float32)), data.edge_index, weight


def in_span_of(data: Data, rows: Tensor, kept: Collection[int] = range(NUM_FILTERS)) -> Tensor:
    r"""The blocks ``kept`` of the filter bank in fewer columns, ``[N, len(rows) + 1]``, for a model fitted to ``rows``.

    Products between any row and one of ``rows`` are those of the bank, and so are lengths: what lies outside the span
    of ``rows`` is one column, in which they have 0. A linear model with a penalty on the length of its weights, fitted
    to ``rows``, predicts the same from both. Holds 1,024 columns of a block at a time, and the products.
    """
    x, edge_index, weight = _checked(data)
    lengths = filter_lengths(x, edge_index, weight)
    scale = torch.where(lengths > 0, 1 / lengths, 0.0)
    gram = x.new_zeros(len(x), len(rows))
    for part in x.split(COLUMNS, dim=1):
        for number, block in enumerate(smoothed(part, edge_index, weight)):
            if number in kept:
                block = block * scale[:, number, None]
                gram += block @ block[rows].T
    value, vector = torch.linalg.eigh(gram[rows].double())
    independent = value > 1e-9 * value[-1]
    z = (gram.double() @ vector[:, independent]) / value[independent].sqrt()
    square = (lengths[:, list(kept)] > 0).sum(1)  # of unit rows
    rest = (square - z.square().sum(1)).clamp_min(0).sqrt()
    rest[rows] = 0
    return torch.cat([z, rest[:, None]], dim=1).to(x.dtype)


def bank_for(data: Data, train: Tensor, kept: Collection[int] = range(NUM_FILTERS)) -> Tensor:
    """The blocks ``kept`` of the bank, in the span of the rows ``train`` where these are fewer than their columns."""
    if len(kept) * data.num_features > len(train):
        return in_span_of(data, train, kept)
    return torch.cat([unit(block) for number, block in enumerate(filters(data)) if number in kept], dim=1)


def beside(h: Tensor, bank: Tensor) -> Tensor:
    """Unit rows of ``h`` ``[N, D]`` beside the bank, for a linear probe."""
    return torch.cat([unit(h), bank.to(h.device)], dim=1)
