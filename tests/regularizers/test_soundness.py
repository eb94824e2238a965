"""The certificates hold: over sampled views, views that use the budget up, an adversary, and all views there are.

POT_NODE_CHECKS sets how many (node, view) pairs the search goes through: 12,000 by default, 120,000 for
`POT_NODE_CHECKS=120000 python -m pytest tests/regularizers/test_soundness.py`.
"""

import itertools
import os

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gcl.regularizers import compactness_bound
from gcl.regularizers.pot._activations import Leaky
from gcl.regularizers.pot._graph import AllowedViews, Graph
from gcl.regularizers.pot._intervals import interval, through
from gcl.regularizers.pot._layers import layers_of
from tests.graphs import graphs
from tests.inputs import seeded
from tests.regularizers.dense import adjacency, budgets, directions, embeddings, random_encoder, random_graph

CHECKS = int(os.environ.get("POT_NODE_CHECKS", 12_000))
EXACT = 1e-10
ACTIVATIONS = ("relu", "prelu", "leaky_relu", "elu")


def allowed_views(edge_index, n, budget, count, undirected, seed):
    """Adjacencies ``[count, N, N]``: edges dropped in random order while the budgets last; every other one to the end.

    ``undirected`` drops an edge with its reverse, and both ends must be able to lose it.
    """
    generator = seeded(seed)
    a = adjacency(edge_index, n)
    pairs = a.nonzero().tolist()
    views = a.repeat(count, 1, 1)
    for number, view in enumerate(views):
        left = budget.clone()
        stop = len(pairs) if number % 2 else int(torch.randint(len(pairs) + 1, (), generator=generator))
        for k in torch.randperm(len(pairs), generator=generator)[:stop].tolist():
            i, j = pairs[k]
            both = undirected and i != j
            if view[i, j] > 0 and left[i] > 0 and not (both and left[j] < 1):
                for u, v in ((i, j), (j, i)) if both else ((i, j),):
                    view[u, v] -= 1
                    left[u] -= 1
    return views


def case(seed, n, activation, final, undirected, num_layers=2):
    encoder = random_encoder(activation, final, num_layers=num_layers, seed=seed)
    torch.manual_seed(seed)
    x = torch.randn(n, 6, dtype=torch.double)
    edge_index = random_graph(n, 2 * n, undirected, seed)
    a = adjacency(edge_index, n)
    a.clamp_(max=1)  # so that an undirected drop is one edge at each end
    edge_index = a.nonzero().T.flip(0)
    return encoder, x, edge_index, directions(encoder(x, edge_index).detach())


@torch.no_grad()
def test_no_view_goes_below_its_bounds():
    n, count, checked = 25, 12, 0
    settings_ = itertools.cycle(itertools.product(ACTIVATIONS, (True, False), (True, False), (0.2, 0.4, 0.7)))
    for seed, (activation, final, undirected, p) in enumerate(settings_):
        if checked >= CHECKS:
            break
        encoder, x, edge_index, c = case(seed, n, activation, final, undirected)
        views = allowed_views(edge_index, n, budgets(adjacency(edge_index, n), p), count, undirected, seed)
        true = (c * embeddings(encoder, x, views)).sum(-1)
        worst, tight = (compactness_bound(encoder, x, edge_index, c, p, mode=m) for m in ("worst", "worst_tight"))
        assert (worst <= tight + EXACT).all(), (seed, activation, final, undirected, p)
        assert (tight <= true + EXACT).all(), (seed, activation, final, undirected, p)
        for view, scores in zip(views[::3], true[::3], strict=True):
            seen = view.nonzero().T.flip(0)
            linear = compactness_bound(encoder, x, edge_index, c, p, mode="linear", view=seen)
            assert (linear <= scores + EXACT).all(), (seed, activation, final, undirected, p)
        checked += true.numel()


@torch.no_grad()
@pytest.mark.parametrize("num_layers", [2, 3, 4])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_more_layers_and_every_interval(activation, num_layers):
    n, p = 20, 0.4
    for seed in range(4):
        encoder, x, edge_index, c = case(seed, n, activation, seed % 2 == 0, seed < 2, num_layers)
        views = allowed_views(edge_index, n, budgets(adjacency(edge_index, n), p), 10, seed < 2, seed)
        true = (c * embeddings(encoder, x, views)).sum(-1)
        worst, tight = (compactness_bound(encoder, x, edge_index, c, p, mode=m) for m in ("worst", "worst_tight"))
        assert (worst <= tight + EXACT).all()
        assert (tight <= true + EXACT).all()
        layers = layers_of(encoder)
        allowed = AllowedViews.of(Graph(edge_index, n, x.dtype), p)
        scale = (1 + views.sum(-1)).rsqrt()
        matrix = scale[..., :, None] * (views + torch.eye(n, dtype=x.dtype)) * scale[..., None, :]
        for is_tight in (False, True):
            h, (low, high) = x, 2 * (x @ layers[0].weight,)
            for i, one in enumerate(layers):
                low, high = (end + one.bias for end in interval(allowed, low, high, is_tight))
                before = matrix @ (h @ one.weight) + one.bias
                assert (low <= before + EXACT).all()
                assert (before <= high + EXACT).all()
                h = one.activation(before)
                low, high = one.activation.image(low, high)
                assert (low <= h + EXACT).all()
                assert (h <= high + EXACT).all()
                if i + 1 < len(layers):
                    low, high = through(layers[i + 1].weight, low, high)


@settings(deadline=None, max_examples=60)
@given(
    data=graphs(min_nodes=2, features=False),
    p=st.sampled_from([0.0, 0.3, 0.5, 1.0]),
    activation=st.sampled_from(ACTIVATIONS),
    per_edge=st.booleans(),
    seed=st.integers(0, 50),
)
@torch.no_grad()
def test_any_graph_with_loops_duplicates_and_isolated_nodes(data, p, activation, per_edge, seed):
    n = data.num_nodes
    encoder, x = random_encoder(activation, seed=seed), torch.randn(n, 6, dtype=torch.double)
    c = directions(encoder(x, data.edge_index))
    rate = torch.rand(data.num_edges) * p if per_edge else p
    allowed = AllowedViews.of(Graph(data.edge_index, n, x.dtype), rate)
    views = allowed_views(data.edge_index, n, allowed.budget[:, 0], 10, False, seed)
    true = (c * embeddings(encoder, x, views)).sum(-1)
    worst, tight = (compactness_bound(encoder, x, data.edge_index, c, rate, mode=m) for m in ("worst", "worst_tight"))
    assert (worst <= tight + EXACT).all()
    assert (tight <= true + EXACT).all()
    if p == 0:
        torch.testing.assert_close(tight, (c * encoder(x, data.edge_index)).sum(1), rtol=0, atol=1e-12)


@torch.no_grad()
@pytest.mark.parametrize("undirected", [True, False])
def test_the_greedy_adversary_stays_above(undirected):
    """For each node drop, one by one, the edge that lowers its score most, while the budgets last."""
    n, p = 9, 0.5
    for seed in range(4):
        encoder, x, edge_index, c = case(seed, n, ACTIVATIONS[seed], seed < 2, undirected)
        a = adjacency(edge_index, n)
        tight = compactness_bound(encoder, x, edge_index, c, p, mode="worst_tight")
        for node in range(n):
            view, left = a.clone(), budgets(a, p)
            score = (c[node] * embeddings(encoder, x, view)[node]).sum()
            while True:
                tries = []
                for i, j in view.nonzero().tolist():
                    if left[i] > 0 and (not undirected or (i < j and left[j] > 0)):
                        tries.append(view.clone())
                        tries[-1][i, j] = 0
                        if undirected:
                            tries[-1][j, i] = 0
                if not tries:
                    break
                scores = (c[node] * embeddings(encoder, x, torch.stack(tries))[:, node]).sum(-1)
                view = tries[int(scores.argmin())]
                left = budgets(a, p) - (a - view).sum(1)
                score = torch.minimum(score, scores.min())
            assert tight[node] <= score + EXACT


@torch.no_grad()
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_all_views_of_a_tiny_graph(activation):
    """The certificate against the true minimum, and the best that any certificate could say."""
    for seed in range(3):
        encoder, x, edge_index, c = case(seed, 5, activation, True, False)
        a = adjacency(edge_index, 5)
        places = a.nonzero()
        for p in (0.3, 0.5, 1.0):
            kept = torch.tensor(list(itertools.product((0.0, 1.0), repeat=len(places))), dtype=torch.double)
            views = torch.zeros(len(kept), 5, 5, dtype=torch.double)
            views[:, places[:, 0], places[:, 1]] = kept
            views = views[((a - views).sum(-1) <= budgets(a, p)).all(-1)]
            least = (c * embeddings(encoder, x, views)).sum(-1).amin(0)
            worst, tight = (compactness_bound(encoder, x, edge_index, c, p, mode=m) for m in ("worst", "worst_tight"))
            assert (worst <= tight + EXACT).all()
            assert (tight <= least + EXACT).all()
            assert (tight > worst + 1e-3).any()


@torch.no_grad()
def test_targets_are_as_in_the_whole_graph():
    encoder, x, edge_index, c = case(0, 25, "elu", True, False)
    targets = torch.tensor([7, 3, 24, 7, 0])
    for mode in ("linear", "worst", "worst_tight"):
        whole = compactness_bound(encoder, x, edge_index, c, 0.4, mode=mode)
        some = compactness_bound(encoder, x, edge_index, c, 0.4, mode=mode, targets=targets)
        torch.testing.assert_close(some, whole[targets], rtol=0, atol=1e-12)


@pytest.mark.parametrize("slope", [-2.0, -0.5, 0.0, 0.3, 1.0, 2.0])
def test_the_image_of_an_interval_is_exact(slope):
    activation = Leaky(torch.tensor([slope], dtype=torch.double))
    low = torch.randn(500, 1, dtype=torch.double)
    high = low + 3 * torch.rand_like(low)
    points = torch.cat([low + (high - low) * torch.linspace(0, 1, 101), torch.zeros_like(low).clamp(low, high)], dim=1)
    torch.testing.assert_close(activation.image(low, high), activation(points).aminmax(dim=1, keepdim=True))
