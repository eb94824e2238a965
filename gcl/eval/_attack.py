"""Poisoned graphs, to see what a method learns from them: pairs of nodes flipped at random, by label, by gradient.

Each is ``(data, rate, generator) -> Data`` and flips ``round(rate * |E|)`` pairs, |E| counting undirected edges; see
:mod:`augmentors._pairs` for what a flip is. Labels, where they are used, are all of ``data.y``: the attacker knows more
than the methods do.
"""

from collections.abc import Callable

import torch
from sklearn.linear_model import LogisticRegression
from torch import Generator, Tensor
from torch_geometric.data import Data

from augmentors._pairs import pair_graph, present_pairs, random_pairs
from gcl._checks import check_graph, check_labels
from gcl.nn import propagate

_BLOCK = 512  # rows of the gradient looked at together
_ROUNDS = 40


def random_flips(data: Data, rate: float, *, generator: Generator | None = None) -> Data:
    """Remove edges and add as many, uniformly: the baseline for the other attacks.

    Args:
        data: one graph.
        rate: flips for each edge, at least 0.
        generator: randomness.

    Raises:
        ValueError: the graph is not valid, ``rate`` is out of range, or too few pairs are absent.

    Example:
        >>> data = Data(x=torch.eye(6), edge_index=torch.tensor([[0, 1, 2, 3, 4, 5], [1, 0, 3, 2, 5, 4]]))
        >>> random_flips(data, 0.67, generator=torch.Generator().manual_seed(0)).num_edges  # one off, one on
        6
    """
    present, count = present_pairs(data), _count(data, rate)
    off = _choose(present, count // 2, generator)
    on = _absent(data, count - off.numel(), lambda u, v: torch.ones_like(u, dtype=torch.bool), generator)
    return _flip(data, torch.cat([off, on]), generator)


def dice_attack(data: Data, rate: float, *, generator: Generator | None = None) -> Data:
    """Disconnect internally, connect externally: remove edges within classes, add as many between classes.

    Args:
        data, rate, generator: as for :func:`random_flips`; the graph has integer ``y`` ``[N]``. Where there are too few
            edges within classes, more are added.

    Raises:
        TypeError, ValueError: as :func:`random_flips`; or ``y`` is not valid.

    **Source:** Waniek et al. (arXiv 1608.00375), "DICE". **Differs:** exactly half of the flips are removals.

    Example:
        >>> data = Data(x=torch.eye(4), edge_index=torch.tensor([[0, 2], [1, 3]]), y=torch.tensor([0, 0, 1, 1]))
        >>> poisoned = dice_attack(data, 1.0, generator=torch.Generator().manual_seed(0))
        >>> (poisoned.y[poisoned.edge_index[0]] == poisoned.y[poisoned.edge_index[1]]).sum()
        tensor(1)
    """
    check_labels(data.y, data.num_nodes)
    present, count, y = present_pairs(data), _count(data, rate), data.y
    inside = present[y[present // data.num_nodes] == y[present % data.num_nodes]]
    off = _choose(inside, count // 2, generator)
    on = _absent(data, count - off.numel(), lambda u, v: y[u] != y[v], generator)
    return _flip(data, torch.cat([off, on]), generator)


def gradient_flips(data: Data, rate: float, *, generator: Generator | None = None) -> Data:
    r"""The flips that most raise the error of a linear surrogate, a fortieth of them at a time by the exact gradient.

    The surrogate is logistic regression on :math:`\hat A^2 X`, fitted to all labels on the graph as it is; its
    weights stay. The gradient for all N (N - 1) / 2 pairs is of rank 4C and computed in blocks of rows.

    Args:
        data, rate, generator: as for :func:`dice_attack`. Edge weights and directions are not seen by the surrogate.

    Raises:
        TypeError, ValueError: as :func:`dice_attack`.

    **Source:** Metattack's first-order structure attack (arXiv 1902.08412), without retraining, on SGC
    (arXiv 1902.07153). **Differs:** fixed surrogate, true labels, several flips a round, and the expected error instead
    of the cross-entropy, which spends the flips on nodes that are wrong already (arXiv 2110.14038).

    Example:
        >>> edge_index = torch.tensor([[0, 1, 1, 2, 3, 4, 4, 5], [1, 0, 2, 1, 4, 3, 5, 4]])
        >>> y = torch.tensor([0, 0, 0, 1, 1, 1])
        >>> poisoned = gradient_flips(Data(x=torch.eye(2)[y], edge_index=edge_index, y=y), 0.25)
        >>> row, col = poisoned.edge_index
        >>> (y[row] != y[col]).any()
        tensor(True)
    """
    check_labels(data.y, data.num_nodes)
    present, count = present_pairs(data), _count(data, rate)
    z, bias = _surrogate(data, present)
    flipped = present[:0]
    for done in range(_ROUNDS):
        share = count * (done + 1) // _ROUNDS - flipped.numel()
        if share:
            now, times = torch.cat([present, flipped]).unique(return_counts=True)
            flipped = torch.cat([flipped, _steepest(z, bias, data.y, now[times == 1], flipped, share)])
    return _flip(data, flipped, generator)


def pair_gradient(z: Tensor, bias: Tensor, y: Tensor, present: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    r"""Factors of the gradient of the surrogate's expected error for the entries of A, both of a pair together.

    .. math:: \frac{\partial L}{\partial A_{uv}} = \langle l_u, r_v \rangle + \langle r_u, l_v \rangle + c_u + c_v

    Args:
        z: :math:`X W` ``[N, C]``.
        bias: ``[C]``.
        y: classes ``[N]``.
        present: numbers of the pairs that are joined.

    Returns:
        l and r ``[N, 2C]``, c ``[N]``.
    """
    n = z.size(0)
    graph = _graph(z, present)
    h1 = propagate(graph, 1)
    h2 = propagate(_graph(h1, present), 1).requires_grad_()
    (gamma2,) = torch.autograd.grad(expected_error(h2 + bias, y), h2)
    gamma1 = propagate(_graph(gamma2, present), 1)
    back = propagate(_graph(gamma1, present), 1)
    degree = 1 + graph.edge_index[0].bincount(minlength=n).to(z.dtype)
    scale = degree.rsqrt()[:, None]
    through_degree = (gamma2 * h2 + gamma1 * h1 + h1 * gamma1 + z * back).sum(1)
    left, right = torch.cat([gamma2, gamma1], 1) * scale, torch.cat([h1, z], 1) * scale
    return left, right, (-through_degree / (2 * degree)).detach()


def expected_error(logits: Tensor, y: Tensor) -> Tensor:
    """How often classes drawn by softmax of ``logits`` ``[N, C]`` are wrong."""
    return 1 - logits.softmax(1).gather(1, y[:, None]).mean()


def _steepest(z: Tensor, bias: Tensor, y: Tensor, present: Tensor, fixed: Tensor, count: int) -> Tensor:
    """The ``count`` pairs with the highest gradient for a flip, those of ``fixed`` left out."""
    n = z.size(0)
    left, right, c = (part.detach() for part in pair_gradient(z, bias, y, present))
    best, numbers = z.new_zeros(0), present[:0]
    for start in range(0, n, _BLOCK):
        rows = torch.arange(start, min(start + _BLOCK, n), device=z.device)
        score = left[rows] @ right.T + right[rows] @ left.T + c[rows, None] + c
        joined, left_out = (_inside(pairs, rows, n) for pairs in (present, fixed))
        score.view(-1)[joined] *= -1
        score.view(-1)[left_out] = -torch.inf
        score.masked_fill_(rows[:, None] >= torch.arange(n, device=z.device), -torch.inf)
        top = score.flatten().topk(min(count, score.numel()))
        best, order = torch.cat([best, top.values]).sort(descending=True, stable=True)
        numbers = torch.cat([numbers, top.indices + start * n])[order][:count]
        best = best[:count]
    return numbers


def _inside(numbers: Tensor, rows: Tensor, n: int) -> Tensor:
    """Where in the flattened block of ``rows`` the pairs stand."""
    row = numbers // n
    return numbers[(row >= rows[0]) & (row <= rows[-1])] - rows[0] * n


def _surrogate(data: Data, present: Tensor) -> tuple[Tensor, Tensor]:
    """X W ``[N, C]`` and bias ``[C]`` of logistic regression on A^2 X, in float64."""
    check_graph(data)
    x = data.x.double()
    rows = propagate(_graph(x, present), 2).cpu().numpy()
    probe = LogisticRegression(max_iter=1000).fit(rows, data.y.cpu().numpy())
    weight, bias = (torch.from_numpy(part).to(x.device) for part in (probe.coef_, probe.intercept_))
    if len(probe.classes_) == 2:
        weight, bias = torch.cat([-weight, weight]) / 2, torch.cat([-bias, bias]) / 2
    return x @ weight.T, bias


def _graph(x: Tensor, present: Tensor) -> Data:
    row, col = present // x.size(0), present % x.size(0)
    return Data(x=x, edge_index=torch.stack([torch.cat([row, col]), torch.cat([col, row])]))


def _count(data: Data, rate: float) -> int:
    check_graph(data)
    if getattr(data, "num_graphs", 1) != 1:
        raise ValueError(f"data must be one graph, got a batch of {data.num_graphs}")
    if not 0 <= rate < float("inf"):
        raise ValueError(f"rate must be finite and at least 0, got {rate}")
    return round(rate * present_pairs(data).numel())


def _choose(numbers: Tensor, count: int, generator: Generator | None) -> Tensor:
    """``count`` of the numbers without replacement, all where there are fewer."""
    device = numbers.device if generator is None else generator.device
    return numbers[torch.randperm(numbers.numel(), generator=generator, device=device).to(numbers.device)[:count]]


def _absent(data: Data, count: int, allowed: Callable[[Tensor, Tensor], Tensor], generator: Generator | None) -> Tensor:
    """``count`` absent pairs ``allowed(u, v)``, uniform and without replacement."""
    present, n = present_pairs(data), data.num_nodes
    found = present[:0]
    for _ in range(100):
        if found.numel() >= count:
            return _choose(found, count, generator)
        drawn = random_pairs(data, torch.tensor([2 * count + 10], device=present.device), generator)
        drawn = drawn[allowed(drawn // n, drawn % n) & ~torch.isin(drawn, present)]
        found = torch.cat([found, drawn]).unique()
    raise ValueError(f"rate asks for {count} edges more, but the graph has only {found.numel()} such pairs or few more")


def _flip(data: Data, numbers: Tensor, generator: Generator | None) -> Data:
    graph = pair_graph(data, numbers, generator)
    return graph.flipped(torch.isin(graph.numbers, numbers))
