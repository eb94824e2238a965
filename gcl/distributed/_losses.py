"""Exact in-batch negatives and statistics across the processes of ``torch.distributed``.

Each rank holds some rows of the batch (their numbers may differ); the losses here are those of the whole batch in one
process, on every rank, and under ``DistributedDataParallel``, which averages gradients over the ranks, every parameter
gets the gradient of that process. Only public collectives are used.
"""

from collections.abc import Callable
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch.autograd.function import once_differentiable

from augmentors._checks import check_positive
from gcl._checks import check_views
from gcl.losses._similarity import log1p_exp, stack_unit_rows
from gcl.pairwise import _tiles as tiles

Objective = Callable[..., Tensor]


def with_all_ranks(objective: Objective) -> Objective:
    r"""An objective on the rows of all ranks: any loss of :mod:`gcl.losses`, exact, at the cost of one gather.

    Every rank computes the loss of the whole batch, and takes the gradient of its own rows; nothing is exchanged in
    the backward pass. For InfoNCE on many ranks, :func:`info_nce` shares the work instead.

    Args:
        objective: ``(z1, z2, ...) -> scalar`` of embeddings, whose value is a sum or mean over rows or a statistic.

    Returns:
        The objective of local embeddings: ``[N_rank, D]`` each, the same number of rows in each of them.

    Raises:
        RuntimeError: (when called) no process group is initialized.

    **Source:** SimCLR (arXiv 2002.05709), section 2.2, "Global BN" and cross-device negatives. **Differs:** exact
    gradients for unequal shards too.

    Example:
        >>> from gcl import losses
        >>> objective = with_all_ranks(losses.barlow_twins)  # to be passed to a method in place of losses.barlow_twins
    """

    def over_all_ranks(*embeddings: Tensor, **options: Any) -> Tensor:
        return objective(*(_Gather.apply(z) for z in embeddings), **options)

    return over_all_ranks


def sharded_info_nce(z1: Tensor, z2: Tensor, temperature: float = 0.5) -> Tensor:
    """:func:`gcl.losses.info_nce` with the rows of all ranks as negatives, the work shared among the ranks.

    Each rank compares its own rows with all rows: embeddings are with_all_ranks in the forward pass, one number a row in
    the backward pass.

    Args:
        z1, z2: this rank's embeddings ``[N_rank, D]`` of the two views.
        temperature: above 0.

    Returns:
        The loss of the whole batch, on every rank.

    Raises:
        TypeError, ValueError: as :func:`gcl.losses.info_nce`.
        RuntimeError: no process group is initialized.
    """
    check_views(z1, z2)
    check_positive("temperature", temperature)
    n = len(z1)
    x, positive = stack_unit_rows(z1, z2, temperature)
    terms = log1p_exp(_SymLse.apply(x, 1 / temperature) - positive)
    # the sum over this rank's rows, weighted so that the average over the ranks is the mean over all rows
    total = torch.tensor(2.0 * n, dtype=terms.dtype, device=terms.device)
    dist.all_reduce(total)
    return _MeanOverRanks.apply(terms.sum() * dist.get_world_size() / total)


def mean_over_ranks(value: Tensor) -> Tensor:
    """The mean over the ranks of a number, for the log; without a process group the number.

    Example:
        >>> mean_over_ranks(torch.tensor(3.0))
        tensor(3.)
    """
    return _MeanOverRanks.apply(value) if dist.is_initialized() else value


class _Gather(torch.autograd.Function):
    """The rows of all ranks; backward, the own rows' gradient, times the ranks that DDP will average over."""

    @staticmethod
    def forward(ctx: Any, z: Tensor) -> Tensor:
        rows = _all_gather(z)
        ctx.start = sum(len(part) for part in rows[: dist.get_rank()])
        ctx.rows = len(z)
        return torch.cat(rows)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return grad[ctx.start : ctx.start + ctx.rows] * dist.get_world_size()


class _MeanOverRanks(torch.autograd.Function):
    """The mean of a scalar over the ranks; the gradient stays with each rank's own part."""

    @staticmethod
    def forward(ctx: Any, value: Tensor) -> Tensor:
        value = value.clone()
        dist.all_reduce(value)
        return value / dist.get_world_size()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return grad


class _SymLse(torch.autograd.Function):
    """``sym_lse`` of this rank's stacked views against those of all ranks."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, bound: float) -> Tensor:
        shards = _all_gather(x)
        start = sum(len(shard) for shard in shards[: dist.get_rank()])
        row = torch.arange(len(x), device=x.device)
        itself_and_partner = start + torch.stack([row, row.roll(len(x) // 2)], dim=1)
        everyone = torch.cat(shards)
        lse, _ = tiles.cross_lse(x, everyone, None, itself_and_partner, False, bound)
        ctx.save_for_backward(x, everyone, itself_and_partner, lse)
        ctx.bounded = bound <= tiles.NO_OVERFLOW
        return lse

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, None]:
        x, everyone, exclude, lse = ctx.saved_tensors
        lse_all, grad_all = torch.cat(_all_gather(torch.stack([lse, grad], dim=1))).unbind(1)
        rows, columns = tiles.Direction(lse, grad), tiles.Direction(lse_all, grad_all)
        (dx, _, _) = tiles.cross_gradients(x, everyone, None, exclude, rows, columns, ctx.bounded, (True, False, False))
        return dx, None


def _all_gather(z: Tensor) -> list[Tensor]:
    """``z`` ``[N_rank, ...]`` of every rank; the numbers of rows may differ."""
    count = torch.tensor([len(z)], device=z.device)
    counts = [torch.empty_like(count) for _ in range(dist.get_world_size())]
    dist.all_gather(counts, count)
    sizes = [int(c) for c in counts]
    padded = z.new_zeros(max(sizes), *z.shape[1:])
    padded[: len(z)] = z
    shards = [torch.empty_like(padded) for _ in sizes]
    dist.all_gather(shards, padded)
    return [shard[:size] for shard, size in zip(shards, sizes, strict=True)]
