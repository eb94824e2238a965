"""Metrics of collapse, to watch during training."""

import torch
from torch import Tensor

from augmentors._checks import check_at_least
from gcl._checks import check_embedding, check_several
from gcl.losses import alignment, uniformity
from gcl.losses._similarity import unit


def collapse_metrics(z: Tensor, z2: Tensor | None = None, max_rows: int = 4096) -> dict[str, float]:
    r"""Measure how much of the space the rows use; cheap, draws no random number and leaves no gradient.

    With unit rows :math:`u_i`, singular values :math:`\sigma_k` of ``z`` and :math:`p_k = \sigma_k / \sum_l \sigma_l`:

    .. math:: \text{deviation}_d = \sqrt{D} \, \mathrm{std}_i(u_{id}), \qquad
        \text{effective rank} = \exp\Big( -\sum_k p_k \log p_k \Big)

    Args:
        z: embeddings or projections ``[N, D]``, N >= 2.
        z2: those of the other view, for the alignment.
        max_rows: of more rows than this only as many, evenly spaced, are measured: time and memory stay bounded.

    Returns:
        ``deviation``, the mean over the dimensions, and ``min_deviation``, both about 1 for rows spread evenly over
        the sphere and 0 for equal rows; ``dead``, the fraction of dimensions below 0.01, in [0, 1];
        ``effective_rank`` in [1, min(N, D)]; :func:`gcl.losses.uniformity`; with ``z2`` :func:`gcl.losses.alignment`.

    Raises:
        TypeError, ValueError: an embedding is not floating-point or has NaN or one row, shapes differ, or max_rows < 2.

    **Source:** deviation: SimSiam (arXiv 2011.10566), section 4.1; effective rank: RankMe (arXiv 2210.02885), eq. 1.
    **Differs:** the deviation is scaled to be 1 rather than :math:`1 / \sqrt{D}`; zero terms of the entropy are 0
    without an added constant.

    Example:
        >>> health = collapse_metrics(torch.cat([torch.eye(4), -torch.eye(4)]))
        >>> {name: round(value, 2) for name, value in health.items()}
        {'deviation': 1.0, 'min_deviation': 1.0, 'dead': 0.0, 'effective_rank': 4.0, 'uniformity': -4.15}
    """
    check_embedding("z", z)
    check_several("z", z)
    check_at_least("max_rows", max_rows, 2)
    if z2 is not None:
        check_embedding("z2", z2)
        if z2.shape != z.shape:
            raise ValueError(f"z and z2 must have the same shape, got {tuple(z.shape)} and {tuple(z2.shape)}")
    n, d = z.shape
    rows = torch.arange(min(n, max_rows), device=z.device) * n // min(n, max_rows)
    z = z.detach()[rows].double()
    deviation = unit(z).std(0, correction=0) * d**0.5
    sigma = torch.linalg.svdvals(z)
    p = sigma / sigma.sum().clamp_min(torch.finfo(z.dtype).tiny)  # zero rows have rank 1
    health = {
        "deviation": float(deviation.mean()),
        "min_deviation": float(deviation.min()),
        "dead": float((deviation < 0.01).double().mean()),
        "effective_rank": float(torch.special.entr(p).sum().exp()),
        "uniformity": float(uniformity(z)),
    }
    return health if z2 is None else health | {"alignment": float(alignment(z, z2.detach()[rows].double()))}
