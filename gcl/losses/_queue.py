"""A queue of negatives from earlier steps, and InfoNCE against it."""

import torch
from torch import Tensor, nn

from augmentors._checks import check_at_least, check_positive
from gcl._checks import check_matrix, check_views
from gcl.losses._similarity import unit
from gcl.pairwise import cross_lse
from gcl.pairwise._numerics import log1p_exp


class NegativeQueue(nn.Module):
    """Queue of the last ``size`` rows pushed, normalized; saved with the model, without parameters.

    Args:
        size, dim: number and width of the rows kept, at least 1.

    Raises:
        TypeError, ValueError: ``size`` or ``dim`` is no int of at least 1; (by ``push``) ``z`` has another width or
            more than ``size`` rows.

    **Source:** MoCo (arXiv 1911.05722), section 3.2. **Differs:** starts empty, where MoCo starts with random rows.

    Example:
        >>> queue = NegativeQueue(size=3, dim=2)
        >>> queue.push(torch.eye(2))
        >>> queue.push(-torch.eye(2))
        >>> queue.rows  # the oldest row was overwritten
        tensor([[-0., -1.],
                [ 0.,  1.],
                [-1., -0.]])
    """

    rows: Tensor
    log_weight: Tensor
    place: Tensor

    def __init__(self, size: int, dim: int) -> None:
        super().__init__()
        check_at_least("size", size, 1)
        check_at_least("dim", dim, 1)
        self.register_buffer("rows", torch.zeros(size, dim))
        self.register_buffer("log_weight", torch.full((size,), float("-inf")))  # 0 where a row has been pushed
        self.register_buffer("place", torch.zeros((), dtype=torch.long))

    @torch.no_grad()
    def push(self, z: Tensor) -> None:
        """Store the rows ``z`` ``[K, dim]``, K <= size, in place of the oldest ones."""
        check_matrix("z", z)
        size = self.rows.size(0)
        if z.size(1) != self.rows.size(1) or z.size(0) > size:
            raise ValueError(f"z must have shape [K <= {size}, {self.rows.size(1)}], got {tuple(z.shape)}")
        index = (self.place + torch.arange(z.size(0), device=z.device)) % size
        self.rows = self.rows.index_copy(0, index, unit(z).to(self.rows.dtype))
        self.log_weight = self.log_weight.index_fill(0, index, 0.0)
        self.place = (self.place + z.size(0)) % size


def queue_nce(q: Tensor, k: Tensor, queue: NegativeQueue, temperature: float = 0.07) -> Tensor:
    r"""InfoNCE of queries against their keys, with negatives from a queue.

    .. math:: \ell_i = -\log \frac{e^{s(q_i, k_i)}}{e^{s(q_i, k_i)} + \sum_n e^{s(q_i, n)}}

    Args:
        q, k: queries and their keys ``[N, D]``; the keys, usually of a momentum encoder, get no gradient.
        queue: the negatives; push ``k`` afterwards.
        temperature: above 0.

    Returns:
        Scalar; 0 while the queue is empty.

    Raises:
        TypeError, ValueError: as :func:`gcl.losses.info_nce`; or the queue has another width.

    **Source:** MoCo (arXiv 1911.05722), eq. 1. **Differs:** nothing.

    Example:
        >>> queue = NegativeQueue(size=4, dim=2)
        >>> queue.push(torch.tensor([[0.0, 1.0]]))
        >>> queue_nce(torch.tensor([[1.0, 0.0]]), torch.tensor([[1.0, 0.0]]), queue, temperature=1.0)  # log(1 + 1/e)
        tensor(0.3133)
    """
    check_views(q, k, ("q", "k"))
    if not isinstance(queue, NegativeQueue):
        raise TypeError(f"queue must be a NegativeQueue, got {type(queue).__name__}")
    if queue.rows.size(1) != q.size(1):
        raise ValueError(f"queue must have rows of width {q.size(1)} as q has, got {queue.rows.size(1)}")
    check_positive("temperature", temperature)
    q, k = unit(q) / temperature, unit(k.detach())
    negatives = cross_lse(q, queue.rows.to(q.dtype), log_weight=queue.log_weight.to(q.dtype), bound=1 / temperature)
    return log1p_exp(negatives - (q * k).sum(1)).mean()
