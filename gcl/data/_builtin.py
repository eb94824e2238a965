"""Data sets that need no download."""

import torch
from torch import Generator, Tensor
from torch_geometric.data import Data, InMemoryDataset
from torch_geometric.utils import from_scipy_sparse_matrix, to_undirected

from augmentors._checks import check_probability
from gcl.data._convert import from_networkx

CORA_CLASSES = (351, 217, 418, 818, 426, 298, 180)


def digits() -> Data:
    """scikit-learn's 1,797 handwritten digits: 64 pixels in [0, 1], 10 classes, symmetric 10-nearest-neighbor graph.

    Example:
        >>> digits()
        Data(x=[1797, 64], edge_index=[2, 24680], y=[1797])
    """
    from sklearn.datasets import load_digits
    from sklearn.neighbors import kneighbors_graph

    pixels, y = load_digits(return_X_y=True)
    edge_index = to_undirected(from_scipy_sparse_matrix(kneighbors_graph(pixels, n_neighbors=10))[0])
    return Data(torch.from_numpy(pixels).float() / 16, edge_index, y=torch.from_numpy(y).long())


def karate() -> Data:
    """Zachary's karate club from networkx: 34 members, 78 ties, the two clubs after the split as classes.

    Example:
        >>> karate()
        Data(edge_index=[2, 156], x=[34, 34], y=[34])
    """
    import networkx as nx

    return from_networkx(nx.karate_club_graph(), labels="club")


def atlas() -> InMemoryDataset:
    """networkx's atlas: all 1,252 graphs of one to seven nodes; the 401 that contain a 4-clique are class 1.

    The only node feature is the constant 1, so that the class depends on the edges alone.

    Example:
        >>> atlas()[-1]
        Data(edge_index=[2, 42], x=[7, 1], y=[1])
    """
    import networkx as nx

    graphs = []
    for graph in nx.graph_atlas_g()[1:]:
        data = from_networkx(graph, features=torch.ones(len(graph), 1))
        data.y = torch.tensor([int(max(map(len, nx.find_cliques(graph))) >= 4)])
        graphs.append(data)
    dataset = InMemoryDataset()
    dataset.data, dataset.slices = InMemoryDataset.collate(graphs)
    return dataset


def csbm(
    class_sizes: tuple[int, ...] = CORA_CLASSES,
    num_edges: int = 5280,
    *,
    homophily: float = 0.7,
    num_words: int = 1433,
    words_per_node: float = 17.0,
    class_words: int = 60,
    signal: float = 0.15,
    generator: Generator | None = None,
) -> Data:
    """A random graph from a degree-corrected block model, whose edges and bags of words both depend on the classes.

    Each node has a Pareto weight (tail exponent 2.5). An edge draws its first end by weight, and its second from the
    same class with probability ``homophily``, else from the other classes. A node draws a Poisson number of words: each
    with probability ``signal`` from its class's own words, else, as noise, from all by Zipf's law (weight 1 / rank).

    Args:
        class_sizes: nodes in each of C >= 2 classes; the default is Cora's.
        num_edges: distinct undirected edges, without self-loops.
        num_words: width of ``x``, at least C ``class_words``.
        words_per_node: mean number of words drawn for a node.
        class_words: number of words that belong to each class.
        homophily, signal: in [0, 1].
        generator: on the CPU; ``None`` draws from torch's global seed.

    Returns:
        ``Data`` with binary ``x [N, num_words]``, ``edge_index`` in both directions and ``y``; nodes in random order.

    Raises:
        ValueError: an argument is out of range, or ``num_edges`` distinct edges were not found.

    **Source:** contextual SBM (arXiv 1807.09596). **Differs:** corrected degrees, unequal classes, bags of words.

    Example:
        >>> csbm(generator=torch.Generator().manual_seed(0))
        Data(x=[2708, 1433], edge_index=[2, 10560], y=[2708])
    """
    check_probability("homophily", homophily)
    check_probability("signal", signal)
    if len(class_sizes) < 2 or min(class_sizes) < 1:
        raise ValueError(f"class_sizes must name at least two classes with nodes, got {class_sizes}")
    if class_words < 1 or num_words < class_words * len(class_sizes):
        raise ValueError(f"num_words must be at least {class_words * len(class_sizes)}, got {num_words}")
    n = sum(class_sizes)
    y = torch.repeat_interleave(torch.tensor(class_sizes))  # sorted until the end

    weight = (1 - torch.rand(n, generator=generator, dtype=torch.double)) ** (-1 / 2.5)
    total = torch.cat([weight.new_zeros(1), weight.cumsum(0)])
    start = torch.tensor([0, *class_sizes]).cumsum(0)

    draws = 4 * num_edges
    first = _pick(total, torch.zeros(draws), total[-1].expand(draws), generator)
    low, high = total[start[y[first]]], total[start[y[first] + 1]]
    inside = _pick(total, low, high - low, generator)
    outside = _pick(total, high, total[-1] - (high - low), generator)  # from the end of the class around to its start
    second = torch.where(torch.rand(draws, generator=generator) < homophily, inside, outside)

    low, high = torch.minimum(first, second), torch.maximum(first, second)
    distinct = (low * n + high)[low != high].unique()
    if len(distinct) < num_edges:
        raise ValueError(f"num_edges must be at most about {len(distinct)} for {n} nodes, got {num_edges}")
    chosen = distinct[torch.randperm(len(distinct), generator=generator)[:num_edges]]

    count = torch.poisson(torch.full((n,), float(words_per_node)), generator=generator).long()
    node = torch.repeat_interleave(count)
    own = torch.randint(class_words, node.shape, generator=generator) + class_words * y[node]
    zipf = (1 / torch.arange(1, num_words + 1))[torch.randperm(num_words, generator=generator)].cumsum(0)
    any_word = torch.searchsorted(zipf, zipf[-1] * torch.rand(node.shape, generator=generator)).clamp_max(num_words - 1)
    word = torch.where(torch.rand(node.shape, generator=generator) < signal, own, any_word)
    x = torch.zeros(n, num_words)
    x[node, word] = 1.0

    order = torch.randperm(n, generator=generator)
    edge_index = to_undirected(order.argsort()[torch.stack([chosen // n, chosen % n])], num_nodes=n)
    return Data(x[order], edge_index, y=y[order])


def _pick(total: Tensor, low: Tensor, width: Tensor, generator: Generator | None) -> Tensor:
    """Draw by weight one item from each interval ``[low, low + width)`` of the cumulated weights on a circle."""
    point = (low + width * torch.rand(len(low), generator=generator, dtype=torch.double)) % total[-1]
    return torch.searchsorted(total, point, right=True) - 1
