"""What the attack on a view finds: against the dense relaxed graph, its budgets, and what it leaves alone."""

from functools import partial

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch_geometric.data import Batch, Data
from torch_geometric.nn import GCNConv

from augmentors import AdversarialView, project_to_budget
from augmentors._pairs import all_pairs, pair_graph, present_pairs, random_pairs
from tests.graphs import batches, graphs
from tests.inputs import seeded


def random_graph(n=12, edges=15, seed=0):
    """Undirected, without loops or duplicates; the last node is isolated."""
    g = seeded(seed)
    pairs = torch.triu_indices(n - 1, n - 1, 1)
    pairs = pairs[:, torch.randperm(pairs.size(1), generator=g)[:edges]]
    x = torch.randn(n, 5, dtype=torch.double, generator=g)
    return Data(x=x, edge_index=torch.cat([pairs, pairs.flip(0)], 1))


class Network(torch.nn.Module):
    """Two convolutions, and a loss whose gradient reaches everything."""

    def __init__(self):
        super().__init__()
        self.convs = torch.nn.ModuleList([GCNConv(5, 7), GCNConv(7, 3)]).double()
        self.target = torch.randn(12, 3, dtype=torch.double)

    def loss(self, h):
        return (h - self.target[: len(h)]).square().mean()

    def forward(self, view):
        h = self.convs[0](view.x, view.edge_index, view.edge_weight).tanh()
        return self.loss(self.convs[1](h, view.edge_index, view.edge_weight))

    def dense(self, a, x):
        """The same on a dense adjacency matrix without loops."""
        a = a + torch.eye(len(a), dtype=a.dtype)
        scale = a.sum(1).rsqrt()
        a = scale[:, None] * a * scale
        for conv, act in zip(self.convs, (torch.tanh, lambda h: h), strict=True):
            x = act(a @ x @ conv.lin.weight.T + conv.bias)
        return self.loss(x)


def adjacency(data):
    a = torch.zeros(data.num_nodes, data.num_nodes, dtype=torch.double)
    weight = data.get("edge_weight")
    return a.index_put((data.edge_index[1], data.edge_index[0]), torch.ones(()).double() if weight is None else weight)


def signs(a):
    """+1 for an absent pair, -1 for a present one, 0 on the diagonal."""
    return 1 - torch.eye(len(a), dtype=a.dtype) - 2 * a


# the projection


def solve(s, budget):
    """mu by sorting the 2M points where the sum of clip(s - mu, 0, 1) bends, exactly."""
    if s.clamp(0, 1).sum() <= budget:
        return s.clamp(0, 1)
    bends = torch.cat([s, s - 1]).sort().values
    sums = (s - bends[:, None]).clamp(0, 1).sum(1)
    k = int((sums > budget).sum())  # sums fall from bend to bend: the budget lies between bends k - 1 and k
    low, high = bends[k - 1], bends[k]
    mu = low + (sums[k - 1] - budget) / (sums[k - 1] - sums[k]) * (high - low)
    return (s - mu).clamp(0, 1)


values = st.lists(st.floats(-3, 300, width=32), max_size=12).map(partial(torch.tensor, dtype=torch.double))


@given(s=values, budget=st.floats(0, 8))
def test_the_projection_is_the_exact_one(s, budget):
    projected = project_to_budget(s, budget)
    torch.testing.assert_close(projected, solve(s, budget), rtol=0, atol=1e-10)
    assert ((projected >= 0) & (projected <= 1)).all()
    assert projected.sum() <= budget * (1 + 1e-12)
    for _ in range(3):  # no feasible point is nearer
        other = project_to_budget(torch.rand(s.shape, dtype=s.dtype), budget)
        assert (projected - s).norm() <= (other - s).norm() * (1 + 1e-9) + 1e-9


def test_the_projection_of_groups_is_that_of_each():
    s, group = torch.randn(40, dtype=torch.double) * 2, torch.randint(5, (40,))
    budget = torch.tensor([0.0, 0.7, 2.0, 100.0, 3.0], dtype=torch.double)
    together = project_to_budget(s, budget, group)
    for b in range(5):
        torch.testing.assert_close(together[group == b], solve(s[group == b], budget[b]), rtol=0, atol=1e-12)


def test_the_projection_keeps_what_is_feasible_and_its_dtype():
    s = torch.tensor([0.25, 0.5, 0.0])
    assert torch.equal(project_to_budget(s, 0.75), s)
    assert project_to_budget(s, 0.5).dtype == torch.float32
    assert project_to_budget(s[:0], 0.5).shape == (0,)
    assert project_to_budget(torch.tensor([float("nan"), 1.0]), 0.5).isnan()[0]
    with pytest.raises(ValueError, match="budget must be finite and at least 0, got -1"):
        project_to_budget(s, -1)


# the graph over pairs


def test_partial_flips_are_the_dense_formula():
    data, network = random_graph(), Network()
    graph = pair_graph(data, torch.cat(list(all_pairs(data))))
    assert graph.present.numel() == 66
    s = torch.rand(66, dtype=torch.double, requires_grad=True)
    dense_s = torch.zeros(12, 12, dtype=torch.double).index_put(tuple(graph.pairs), s.detach()).requires_grad_()
    a = adjacency(data)
    relaxed = a + signs(a) * (dense_s + dense_s.T)
    torch.testing.assert_close(adjacency(graph.relaxed(s)), relaxed, rtol=0, atol=1e-15)
    x1, x2 = (data.x.clone().requires_grad_() for _ in range(2))
    view = graph.relaxed(s)
    view.x = x1
    one, other = network(view), network.dense(relaxed, x2)
    assert abs(one - other) < 1e-12
    for mine, dense in zip(torch.autograd.grad(one, [s, x1]), torch.autograd.grad(other, [dense_s, x2]), strict=True):
        dense = dense[tuple(graph.pairs)] if mine.dim() == 1 else dense
        torch.testing.assert_close(mine, dense, rtol=0, atol=1e-12)


@given(data=st.one_of(graphs(), batches()), share=st.floats(0, 1))
def test_a_flip_removes_all_columns_of_a_pair_or_adds_both(data, share):
    graph = pair_graph(data, torch.cat([present_pairs(data), *all_pairs(data)]), seeded())
    assert torch.equal(graph.numbers, graph.numbers.unique())
    flip = torch.rand(graph.present.shape, generator=seeded()) < share
    view, n = graph.flipped(flip), data.num_nodes
    before, after = present_pairs(data), present_pairs(view)
    expected = graph.numbers[graph.present ^ flip]
    assert torch.equal(after, expected)
    columns = [tuple(edge) for edge in view.edge_index.T.tolist()]
    for number in set(after.tolist()) - set(before.tolist()):
        u, v = divmod(number, n)
        assert (columns.count((u, v)), columns.count((v, u))) == (1, 1)
    for edge in data.edge_index.T.tolist():
        kept = edge[0] == edge[1] or min(edge) * n + max(edge) in expected.tolist()
        assert columns.count(tuple(edge)) == kept * data.edge_index.T.tolist().count(edge)
    if isinstance(data, Batch):
        assert torch.equal(data.batch[graph.pairs[0]], data.batch[graph.pairs[1]])
        assert [member.num_nodes for member in view.to_data_list()] == data.ptr.diff().tolist()


def test_all_pairs_come_in_blocks_once(monkeypatch):
    monkeypatch.setattr("augmentors._pairs._BLOCK", 10)
    batch = Batch.from_data_list([random_graph(6, 3), Data(x=torch.ones(3, 5), edge_index=torch.empty(2, 0).long())])
    blocks = list(all_pairs(batch))
    assert len(blocks) > 3
    expected = [u * 9 + v for u in range(6) for v in range(u + 1, 6)]  # the graph without edges has none
    assert torch.cat(blocks).tolist() == expected


def test_added_edges_have_the_attributes_of_edges_of_their_graph():
    a, b = random_graph(8, 6), random_graph(8, 6, seed=1)
    a.edge_attr, b.edge_attr = torch.zeros(12, 1), torch.ones(12, 1)
    batch = Batch.from_data_list([a, b])
    view = pair_graph(batch, random_pairs(batch, torch.tensor([9, 9]), seeded()), seeded()).data
    assert view.num_edges > 24
    assert torch.equal(view.edge_attr[:, 0].long(), batch.batch[view.edge_index[0]])


# the attack


def dense_attack(network, data, budget, limit, steps, edge_step, feature_step):
    """The paper's, on matrices."""
    a, n = adjacency(data), data.num_nodes
    upper = torch.triu_indices(n, n, 1)
    s, delta = torch.zeros_like(a), torch.zeros_like(data.x)
    for t in range(steps):
        s.requires_grad_(), delta.requires_grad_()
        value = network.dense(a + signs(a) * (s + s.T), data.x + delta)
        g_s, g_x = torch.autograd.grad(value, [s, delta])
        step = s.detach() + edge_step / (t + 1) ** 0.5 * g_s
        s = torch.zeros_like(a).index_put(tuple(upper), solve(step[tuple(upper)], budget))
        delta = (delta.detach() + feature_step * g_x.sign()).clamp(-limit, limit)
    return a + signs(a) * (s + s.T), data.x + delta


def test_with_all_pairs_it_is_the_papers_attack():
    data, network = random_graph(), Network()
    attack = AdversarialView(
        network,
        edge_budget=0.2,
        feature_budget=0.04,
        steps=5,
        edge_step=20,
        feature_step=0.015,
        candidates="all",
        relative=False,
    ).attack(data, generator=seeded())
    a, x = dense_attack(network, data, 0.2 * 15, 0.04, 5, 20, 0.015)
    assert (adjacency(attack.relaxed) - a).abs().max() < 1e-12
    assert (attack.relaxed.x - x).abs().max() < 1e-12
    assert abs(attack.s.sum() - 3) < 1e-12


def test_relative_steps_do_not_see_the_scale():
    data, network = random_graph(), Network()
    plain = AdversarialView(network, candidates="all").attack(data, generator=seeded())
    scaled = AdversarialView(lambda view: 1e6 * network(view), candidates="all").attack(data, generator=seeded())
    torch.testing.assert_close(plain.s, scaled.s, rtol=0, atol=1e-9)
    larger = data.clone()
    larger.x = data.x * 100
    moved = AdversarialView(lambda view: view.x.sum(), steps=2).attack(larger, generator=seeded()).view.x - larger.x
    torch.testing.assert_close(moved, torch.full_like(moved, 0.02 * larger.x.abs().mean()))


def test_the_relaxed_objective_rises_and_features_beat_random_signs():
    for seed in range(5):
        torch.manual_seed(seed)
        data, network = random_graph(seed=seed), Network()
        plain = pair_graph(data, present_pairs(data)).relaxed(torch.zeros(15, dtype=torch.double))
        clean = network(plain)
        for options in ({}, {"feature_budget": 0.0}, {"edge_budget": 0.0}, {"candidates": "best"}):
            attack = AdversarialView(network, **options).attack(data, generator=seeded())
            assert network(attack.relaxed) > clean, options
        found = network(AdversarialView(network, edge_budget=0.0).attack(data, generator=seeded()).relaxed)
        size = 0.04 * data.x.abs().mean()
        for _ in range(20):
            plain.x = data.x + size * torch.randn_like(data.x).sign()
            assert network(plain) < found


@given(data=st.one_of(graphs(), batches()), candidates=st.sampled_from(["sampled", "best", "all"]))
def test_budgets_hold(data, candidates):
    def objective(view):
        value = view.edge_weight.exp().sum()
        return value if view.x is None else value + view.x.square().sum()

    attack = AdversarialView(objective, edge_budget=0.6, candidates=candidates, steps=2)
    result, budget = attack.attack(data, generator=seeded()), 0.6 * present_pairs(data).numel()
    assert result.s.sum() <= budget * (1 + 1e-6)
    assert ((result.s >= 0) & (result.s <= 1)).all()
    if isinstance(data, Batch):
        own = data.batch[present_pairs(data) // data.num_nodes].bincount(minlength=data.num_graphs)
        mass = torch.zeros(data.num_graphs).index_add(0, data.batch[result.pairs[0]], result.s)
        assert (mass <= 0.6 * own * (1 + 1e-6)).all()
    if data.x is not None:
        limit = 0.02 * data.x.abs().mean()  # two steps of 0.01
        assert (result.view.x - data.x).abs().max() <= limit * (1 + 1e-4)


def test_one_budget_for_a_batch_goes_where_the_gradient_is():
    batch = Batch.from_data_list([random_graph(8, 10), random_graph(8, 10, seed=1)])

    def objective(view):
        return -(view.edge_weight * (1 + 99.0 * (view.batch[view.edge_index[0]] == 1))).sum()

    options = dict(edge_budget=0.2, feature_budget=0.0, edge_step=5.0)
    for per_graph, mass in ((True, [2.0, 2.0]), (False, [0.0, 4.0])):
        attack = AdversarialView(objective, per_graph=per_graph, **options).attack(batch, generator=seeded())
        shares = [attack.s[batch.batch[attack.pairs[0]] == b].sum().item() for b in (0, 1)]
        assert shares == pytest.approx(mass, abs=1e-6)


def test_the_draws_follow_the_relaxed_flips():
    data, network = random_graph(), Network()
    attack = AdversarialView(network, edge_budget=0.4, feature_budget=0.0, steps=1, candidates="all", edge_step=0.3)
    expected = attack.attack(data, generator=seeded())
    views = [adjacency(attack(data, generator=seeded(seed))) for seed in range(300)]
    for view in views[:20]:
        assert torch.equal(view, view.T)
        assert ((view == 0) | (view == 1)).all()
        assert not view.diagonal().any()
    mean, s = torch.stack(views).mean(0), adjacency(expected.relaxed)
    assert ((mean - s).abs() <= 5 * (s * (1 - s) / 300).sqrt() + 1e-9).all()


def test_best_candidates_have_the_highest_first_gradients(monkeypatch):
    monkeypatch.setattr("augmentors._pairs._BLOCK", 20)
    data, network = random_graph(), Network()
    a = adjacency(data)
    s = torch.zeros_like(a).requires_grad_()
    (gradient,) = torch.autograd.grad(network.dense(a + signs(a) * (s + s.T), data.x), s)
    gradient = gradient.masked_fill(a.bool() | torch.ones_like(a).tril().bool(), -torch.inf)
    expected = gradient.flatten().topk(15).indices.sort().values
    found = AdversarialView(network, candidates="best", absent=1).attack(data, generator=seeded())
    numbers = found.pairs[0] * 12 + found.pairs[1]
    assert torch.equal(numbers[~torch.isin(numbers, present_pairs(data))], expected)


def test_the_network_is_left_alone():
    data, network = random_graph(), Network()
    network.convs[0].eval()
    network.convs[1].bias.requires_grad_(False)
    before = {name: (p.clone(), p.requires_grad) for name, p in network.named_parameters()}
    with torch.no_grad():
        view = AdversarialView(network)(data, generator=seeded())
    assert [module.training for module in network.modules()] == [True, True, False, False, False, True, True, True]
    for name, p in network.named_parameters():
        assert p.grad is None
        assert (torch.equal(p, before[name][0]), p.requires_grad) == (True, before[name][1])
    assert not view.x.requires_grad


def test_features_that_require_grad_are_perturbed_as_others():
    data, network = random_graph(), Network()
    expected = AdversarialView(network).attack(data, generator=seeded())
    data.x.requires_grad_()
    result = AdversarialView(network).attack(data, generator=seeded())
    assert torch.equal(result.view.x, expected.view.x)
    assert torch.equal(result.s, expected.s)
    assert not result.view.x.requires_grad
    assert data.x.grad is None


def test_without_edges_or_budget_the_edges_stay():
    network = Network()
    for data, options in (
        (Data(x=random_graph().x, edge_index=torch.empty(2, 0).long()), {}),
        (Data(x=random_graph().x, edge_index=torch.tensor([[3, 3], [3, 3]])), {"candidates": "all"}),
        (random_graph(), {"edge_budget": 0.0}),
    ):
        view = AdversarialView(network, **options)(data, generator=seeded())
        assert torch.equal(view.edge_index, data.edge_index)
        assert (view.x != data.x).any()


def test_bad_input_is_refused():
    data = random_graph()
    for options, message in (
        ({"edge_budget": -0.1}, "edge_budget must be finite and at least 0, got -0.1"),
        ({"feature_budget": float("nan")}, "feature_budget must be finite and at least 0, got nan"),
        ({"edge_step": 0}, "edge_step must be finite and above 0, got 0"),
        ({"feature_step": -1}, "feature_step must be finite and above 0, got -1"),
        ({"steps": 0}, "steps must be at least 1, got 0"),
        ({"absent": 0}, "absent must be at least 1, got 0"),
        ({"candidates": "some"}, "candidates must be one of sampled, best, all, got 'some'"),
    ):
        with pytest.raises(ValueError, match=message):
            AdversarialView(Network(), **options)
    with pytest.raises(TypeError, match="objective must be a function"):
        AdversarialView(3)
    with pytest.raises(TypeError, match="edge_budget must be a number of at least 0, got 'big'"):
        AdversarialView(Network(), edge_budget="big")
    with pytest.raises(ValueError, match="objective must give a scalar that depends on"):
        AdversarialView(lambda view: torch.ones(()))(data)
    with pytest.raises(ValueError, match="objective must give a scalar that depends on"):
        AdversarialView(lambda view: view.x)(data)
    data.x[2, 1] = float("nan")
    with pytest.raises(FloatingPointError, match="not finite during the attack"):
        AdversarialView(Network())(data)


def test_integers_are_kept_and_the_edges_attacked_alone():
    data, network = random_graph(), Network()
    data.x = torch.randint(9, (12, 5))

    def objective(view):
        view.x = view.x.double()
        return network(view)

    result = AdversarialView(objective, feature_budget=0.5).attack(data, generator=seeded())
    assert torch.equal(result.view.x, data.x)
    assert result.s.sum() > 0
    data.x = data.x.double()
    expected = AdversarialView(network, feature_budget=0.0).attack(data, generator=seeded())
    assert torch.allclose(result.s.double(), expected.s, atol=1e-4)
