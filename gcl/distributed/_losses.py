"""Exact in-batch negatives and statistics across the processes of ``torch.distributed``.

Each rank holds some rows of the batch (their numbers may differ). Every rank gets the loss of the whole batch in one
process. Under ``DistributedDataParallel``, which averages gradients over the ranks, every parameter gets the gradient
of that loss. Only public collectives are used.
"""

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch.autograd.function import once_differentiable

from augmentors._checks import check_positive
from gcl._checks import check_views
from gcl._pair import Objective
from gcl.losses._similarity import stack_unit_rows
from gcl.pairwise import _tiles as tiles
from gcl.pairwise._numerics import log1p_exp


def with_all_ranks(objective: Objective) -> Objective:
    """An objective, such as any loss of :mod:`gcl.losses`, computed on the rows of all ranks; exact, with one gather.

    Every rank computes the loss of the whole batch and the gradient of its own rows, without communication in the
    backward pass. For InfoNCE on many ranks, :func:`sharded_info_nce` divides the work.

    Args:
        objective: ``(z1, z2, ...) -> scalar`` of embeddings; the result takes those of this rank, ``[N_rank, D]`` each.

    Raises:
        RuntimeError: (when called) no process group is initialized.

    **Source:** SimCLR (arXiv 2002.05709), section 2.2, "Global BN" and cross-device negatives. **Differs:** exact
    gradients for unequal shards too.

    Example:
        >>> from gcl.losses import barlow_twins
        >>> objective = with_all_ranks(barlow_twins)  # pass it to a method in place of barlow_twins
    """

    def on_all_rows(*embeddings: Tensor, **options: Any) -> Tensor:
        return objective(*map(_Gather.apply, embeddings), **options)

    return on_all_rows


def sharded_info_nce(z1: Tensor, z2: Tensor, temperature: float = 0.5) -> Tensor:
    """:func:`gcl.losses.info_nce` of the rows of all ranks, each of which compares its own rows with all.

    Every rank gets the loss of the whole batch. The forward pass gathers the embeddings, the backward pass two numbers
    per row.

    Args:
        z1, z2: this rank's embeddings ``[N_rank, D]`` of the two views.
        temperature: above 0.

    Raises:
        TypeError, ValueError: as :func:`gcl.losses.info_nce`.
        RuntimeError: no process group is initialized.
    """
    check_views(z1, z2)
    check_positive("temperature", temperature)
    x, positive = stack_unit_rows(z1, z2, temperature)
    terms = log1p_exp(_SymLse.apply(x, 1 / temperature) - positive)
    return mean_over_ranks(terms.sum()) / mean_over_ranks(terms.new_tensor(len(terms)))  # the mean over all rows


def mean_over_ranks(value: Tensor) -> Tensor:
    """Average a scalar over the ranks, for logging; without a process group, return it.

    Example:
        >>> mean_over_ranks(torch.tensor(3.0))
        tensor(3.)
    """
    return _MeanOverRanks.apply(value) if dist.is_initialized() else value


class _Gather(torch.autograd.Function):
    """The rows of all ranks; backward, the gradient of this rank's rows, times the ranks that DDP averages over."""

    @staticmethod
    def forward(ctx: Any, z: Tensor) -> Tensor:
        rows, ctx.start = _all_gather(z)
        ctx.rows = len(z)
        return rows

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return grad[ctx.start : ctx.start + ctx.rows] * dist.get_world_size()


class _MeanOverRanks(torch.autograd.Function):
    """The mean of a scalar over the ranks; backward, each rank's own gradient, which DDP averages."""

    @staticmethod
    def forward(ctx: Any, value: Tensor) -> Tensor:
        value = value.clone()
        dist.all_reduce(value)
        return value / dist.get_world_size()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return grad


class _SymLse(torch.autograd.Function):
    """:func:`gcl.pairwise.sym_lse` of this rank's stacked views against those of all ranks."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, bound: float) -> Tensor:
        x_all, start = _all_gather(x)
        row = torch.arange(len(x), device=x.device)
        exclude = start + torch.stack([row, row.roll(len(x) // 2)], dim=1)  # itself and its positive
        lse, _ = tiles.cross_lse(x, x_all, None, exclude, False, bound)
        ctx.save_for_backward(x, x_all, exclude, lse)
        ctx.bounded = bound <= tiles.NO_OVERFLOW
        return lse

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, None]:
        x, x_all, exclude, lse = ctx.saved_tensors
        lse_all, grad_all = _all_gather(torch.stack([lse, grad], dim=1))[0].unbind(1)
        rows, columns = tiles.Direction(lse, grad), tiles.Direction(lse_all, grad_all)
        dx, _, _ = tiles.cross_gradients(x, x_all, None, exclude, rows, columns, ctx.bounded, (True, False, False))
        return dx, None


def _all_gather(z: Tensor) -> tuple[Tensor, int]:
    """The rows ``z`` ``[N_rank, ...]`` of all ranks, whose numbers may differ, and where those of this rank start."""
    count = torch.tensor([len(z)], device=z.device)
    counts = [torch.empty_like(count) for _ in range(dist.get_world_size())]
    dist.all_gather(counts, count)
    sizes = [int(c) for c in counts]
    padded = z.new_zeros(max(sizes), *z.shape[1:])
    padded[: len(z)] = z
    shards = [torch.empty_like(padded) for _ in sizes]
    dist.all_gather(shards, padded)
    rows = [shard[:size] for shard, size in zip(shards, sizes, strict=True)]
    return torch.cat(rows), sum(sizes[: dist.get_rank()])
