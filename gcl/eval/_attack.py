"""Structure attacks: graphs with pairs of nodes flipped at random, by label or by gradient.

Each flips ``round(rate * |E|)`` pairs, |E| counting undirected edges: a present pair loses its edges, an absent one
gains them in both directions. Attacks that use labels use all of ``data.y``: they know more than the methods do.
"""

import torch
from torch import Generator, Tensor
from torch_geometric.data import Data

from augmentors._checks import check_not_negative
from augmentors._pairs import pair_graph, present_pairs, random_pairs
from augmentors._random import permutation
from gcl._checks import check_graph, check_own_degrees
from gcl.eval._labels import as_classes, check_several_classes, labels_of
from gcl.eval._logistic import logistic_path
from gcl.nn import gcn_matrix, propagate

_BLOCK = 512  # rows of the gradient computed together
_ROUNDS = 40


def random_flips(data: Data, rate: float, *, generator: Generator | None = None) -> Data:
    """Remove random edges and add as many: the baseline for the other attacks.

    Args:
        data: one graph.
        rate: flips for each edge, at least 0.
        generator: for the choice of the pairs.

    Raises:
        ValueError: the graph is not valid, ``rate`` is below 0, or too few pairs are absent.

    Example:
        >>> data = Data(x=torch.eye(6), edge_index=torch.tensor([[0, 1, 2, 3, 4, 5], [1, 0, 3, 2, 5, 4]]))
        >>> random_flips(data, 0.67, generator=torch.Generator().manual_seed(0)).num_edges  # one off, one on
        6
    """
    return _exchange(data, *_present_pairs(data, rate), None, generator)


def dice_attack(data: Data, rate: float, *, generator: Generator | None = None) -> Data:
    """Remove edges within classes and add as many between classes ("disconnect internally, connect externally").

    Args:
        data, rate, generator: as for :func:`random_flips`; the graph has integer ``y`` ``[N]``. If there are too few
            edges within classes, more are added.

    Raises:
        TypeError, ValueError: as :func:`random_flips`; or ``y`` is missing or not integer, has one class or a -1.

    **Source:** Waniek et al. (arXiv 1608.00375), "DICE". **Differs:** exactly half of the flips are removals.

    Example:
        >>> data = Data(x=torch.eye(4), edge_index=torch.tensor([[0, 2], [1, 3]]), y=torch.tensor([0, 0, 1, 1]))
        >>> edges = dice_attack(data, 1.0, generator=torch.Generator().manual_seed(0)).edge_index
        >>> data.y[edges].diff(dim=0).ne(0).sum()
        tensor(2)
    """
    return _exchange(data, *_present_pairs(data, rate), _classes(data), generator)


def gradient_flips(data: Data, rate: float, *, generator: Generator | None = None) -> Data:
    r"""Flip the pairs that most raise the error of a linear surrogate, a fortieth at a time, by the exact gradient.

    The surrogate is logistic regression on :math:`\hat A^2 X`, fitted to all labels on the clean graph; its weights
    stay. The gradient for all N (N - 1) / 2 pairs has rank 4C and is computed in blocks of rows.

    Args:
        data, rate, generator: as for :func:`dice_attack`. The surrogate ignores edge weights and directions.

    Raises:
        TypeError, ValueError: as :func:`dice_attack`.

    **Source:** Metattack's first-order structure attack (arXiv 1902.08412), without retraining, on SGC
    (arXiv 1902.07153). **Differs:** fixed surrogate, true labels, several flips a round, and the expected error, since
    the cross-entropy spends the flips on nodes that are misclassified already (arXiv 2110.14038).

    Example:
        >>> edge_index = torch.tensor([[0, 1, 1, 2, 3, 4, 4, 5], [1, 0, 2, 1, 4, 3, 5, 4]])
        >>> y = torch.arange(6) // 3
        >>> poisoned = gradient_flips(Data(x=torch.eye(2)[y], edge_index=edge_index, y=y), 0.25)
        >>> y[poisoned.edge_index].unique(dim=1).tolist()  # some edge joins the classes now
        [[0, 0, 1, 1], [0, 1, 0, 1]]
    """
    (present, count), y = _present_pairs(data, rate), _classes(data)
    z, bias = _surrogate(data, present)
    flipped = present[:0]
    for done in range(_ROUNDS):
        wanted = count * (done + 1) // _ROUNDS - flipped.numel()
        if wanted:
            now, times = torch.cat([present, flipped]).unique(return_counts=True)
            flipped = torch.cat([flipped, _steepest(z, bias, y, now[times == 1], flipped, wanted)])
    return _flip(data, flipped, generator)


def pair_gradient(z: Tensor, bias: Tensor, y: Tensor, present: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    r"""Factors of the gradient of the surrogate's expected error for the entries of A, both of a pair together.

    .. math:: \frac{\partial L}{\partial A_{uv}} = \langle l_u, r_v \rangle + \langle r_u, l_v \rangle + c_u + c_v

    ``z`` ``[N, C]`` is :math:`X W`, ``bias`` ``[C]``, ``y`` ``[N]``, ``present`` numbers the present pairs; l and r are
    ``[N, 2C]``, c is ``[N]``.
    """
    graph = _graph(z, present)
    a_hat = gcn_matrix(graph, z.dtype)
    h1 = a_hat @ z
    h2 = (a_hat @ h1).requires_grad_()
    (gamma2,) = torch.autograd.grad(expected_error(h2 + bias, y), h2)
    gamma1 = a_hat @ gamma2
    degree = 1 + graph.edge_index[0].bincount(minlength=len(z)).to(z.dtype)
    scale = degree.rsqrt()[:, None]
    through_degree = (gamma2 * h2 + gamma1 * h1 + h1 * gamma1 + z * (a_hat @ gamma1)).sum(1)
    left, right = torch.cat([gamma2, gamma1], 1) * scale, torch.cat([h1, z], 1) * scale
    return left, right, (-through_degree / (2 * degree)).detach()


def expected_error(logits: Tensor, y: Tensor) -> Tensor:
    """The error rate of classes drawn by the softmax of ``logits`` ``[N, C]``."""
    return 1 - logits.softmax(1).gather(1, y[:, None]).mean()


def _steepest(z: Tensor, bias: Tensor, y: Tensor, present: Tensor, fixed: Tensor, count: int) -> Tensor:
    """The ``count`` pairs with the highest gradient for a flip, without those of ``fixed``."""
    left, right, c = pair_gradient(z, bias, y, present)
    n, nodes = len(z), torch.arange(len(z), device=z.device)
    best, numbers = z.new_zeros(0), present[:0]
    for rows in nodes.split(_BLOCK):
        score = left[rows] @ right.T + right[rows] @ left.T + c[rows, None] + c
        joined, left_out = (_inside(pairs, rows, n) for pairs in (present, fixed))
        score.view(-1)[joined] *= -1
        score.view(-1)[left_out] = -torch.inf
        score.masked_fill_(rows[:, None] >= nodes, -torch.inf)
        top = score.flatten().topk(min(count, score.numel()))
        best, order = torch.cat([best, top.values]).sort(descending=True, stable=True)
        numbers = torch.cat([numbers, top.indices + rows[0] * n])[order][:count]
        best = best[:count]
    return numbers


def _inside(numbers: Tensor, rows: Tensor, n: int) -> Tensor:
    """The places of the pairs in the flattened block of ``rows``."""
    row = numbers // n
    return numbers[(row >= rows[0]) & (row <= rows[-1])] - rows[0] * n


def _surrogate(data: Data, present: Tensor) -> tuple[Tensor, Tensor]:
    """X W ``[N, C]`` and bias ``[C]`` of logistic regression on A^2 X, in float64."""
    x = data.x.double()
    rows = propagate(_graph(x, present), 2).cpu().numpy()
    model = next(logistic_path(rows, as_classes(data.y).numpy(), strengths=[1.0]))
    weight, bias = (torch.from_numpy(part).to(x) for part in (model.weight, model.bias))
    return x @ weight, bias


def _graph(x: Tensor, present: Tensor) -> Data:
    """Features ``x`` on the graph of the present pairs."""
    row, col = present // x.size(0), present % x.size(0)
    return Data(x=x, edge_index=torch.stack([torch.cat([row, col]), torch.cat([col, row])]))


def _classes(data: Data) -> Tensor:
    """The class of each node, numbered from 0 without gaps, of at least two."""
    y = as_classes(labels_of(data), data.num_nodes, name="data.y")
    check_several_classes("data.y", y)
    return y.unique(return_inverse=True)[1].to(data.x.device)


def _present_pairs(data: Data, rate: float) -> tuple[Tensor, int]:
    """The present pairs and the number of flips, after the checks that all attacks share."""
    check_graph(data)
    check_own_degrees("an attack", data)
    if getattr(data, "num_graphs", 1) != 1:
        raise ValueError(f"data must be one graph, got a batch of {data.num_graphs}")
    present = present_pairs(data)
    return present, round(check_not_negative("rate", rate) * present.numel())


def _choose(numbers: Tensor, count: int, generator: Generator | None) -> Tensor:
    """``count`` of the numbers without replacement; all of them if there are fewer."""
    return numbers[permutation(numbers.numel(), numbers.device, generator)[:count]]


def _exchange(data: Data, present: Tensor, count: int, y: Tensor | None, generator: Generator | None) -> Data:
    """Remove random pairs and add as many; with the classes ``y`` those within a class and between classes."""
    n = data.num_nodes
    off = present if y is None else present[y[present // n] == y[present % n]]
    off = _choose(off, count // 2, generator)
    on, wanted = present[:0], count - off.numel()
    for _ in range(100):
        if on.numel() >= wanted:
            return _flip(data, torch.cat([off, _choose(on, wanted, generator)]), generator)
        drawn = random_pairs(data, torch.tensor([2 * wanted + 10], device=present.device), generator)
        drawn = drawn[~torch.isin(drawn, present)]
        if y is not None:
            drawn = drawn[y[drawn // n] != y[drawn % n]]
        on = torch.cat([on, drawn]).unique()
    raise ValueError(f"rate asks for {wanted} edges more, but the graph has only {on.numel()} such pairs or few more")


def _flip(data: Data, numbers: Tensor, generator: Generator | None) -> Data:
    """The graph with these pairs flipped."""
    graph = pair_graph(data, numbers, generator)
    return graph.flipped(torch.isin(graph.numbers, numbers))
