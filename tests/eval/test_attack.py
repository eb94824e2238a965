"""Poisoned graphs."""

import pytest
import torch
from torch_geometric.data import Batch, Data
from torch_geometric.utils import is_undirected

from augmentors._pairs import present_pairs
from gcl.data import neighbor_loader
from gcl.eval import _attack as attack
from gcl.eval import dice_attack, gradient_flips, random_flips
from gcl.nn import propagate
from tests.inputs import seeded

ATTACKS = pytest.mark.parametrize("poison", [random_flips, dice_attack, gradient_flips])


def blocks(n=60, seed=0):
    """Three classes, mostly joined within, with noisy features that tell them."""
    g = seeded(seed)
    y = torch.arange(n) % 3
    p = torch.where(y[:, None] == y, 0.25, 0.02).triu(1)
    pairs = (torch.rand(n, n, generator=g) < p).nonzero().T
    x = torch.eye(3)[y] + 0.8 * torch.randn(n, 3, generator=g)
    return Data(x=x, edge_index=torch.cat([pairs, pairs.flip(0)], 1), y=y)


def flips(before, after):
    """Pairs that were removed and added."""
    before, after = (set(present_pairs(data).tolist()) for data in (before, after))
    return before - after, after - before


@ATTACKS
def test_the_number_of_flips_is_the_rate_of_the_edges(poison):
    data = blocks()
    edges = data.edge_index.clone()
    for rate in (0.0, 0.05, 0.2):
        poisoned = poison(data, rate, generator=seeded())
        off, on = flips(data, poisoned)
        assert len(off) + len(on) == round(rate * data.num_edges / 2)
        assert is_undirected(poisoned.edge_index)
        assert not poisoned.has_self_loops()
    assert torch.equal(data.edge_index, edges)


@ATTACKS
def test_the_seed_decides_and_attributes_stay_aligned(poison):
    data = blocks()
    data.edge_attr = torch.arange(data.num_edges)
    one, other = (poison(data, 0.2, generator=seeded(3)) for _ in range(2))
    assert torch.equal(one.edge_index, other.edge_index)
    kept = (data.edge_index[:, one.edge_attr] == one.edge_index).all(0)
    assert int((~kept).sum()) == 2 * len(flips(data, one)[1])


def test_dice_disconnects_internally_and_connects_externally():
    data = blocks()
    off, on = flips(data, dice_attack(data, 0.4, generator=seeded()))
    assert abs(len(off) - len(on)) <= 1
    assert all(data.y[pair // 60] == data.y[pair % 60] for pair in off)
    assert all(data.y[pair // 60] != data.y[pair % 60] for pair in on)


def test_the_gradient_for_pairs_is_autograds():
    data = blocks(20)
    z, bias = torch.randn(20, 3, dtype=torch.double), torch.randn(3, dtype=torch.double)
    a = torch.zeros(20, 20, dtype=torch.double)
    a[data.edge_index[0], data.edge_index[1]] = 1
    a.requires_grad_()
    looped = a + torch.eye(20)
    scale = looped.sum(1).rsqrt()
    a_hat = scale[:, None] * looped * scale
    (expected,) = torch.autograd.grad(attack.expected_error(a_hat @ a_hat @ z + bias, data.y), a)
    left, right, c = attack.pair_gradient(z, bias, data.y, present_pairs(data))
    found = left @ right.T + right @ left.T + c[:, None] + c
    off_diagonal = ~torch.eye(20, dtype=torch.bool)
    torch.testing.assert_close(found[off_diagonal], (expected + expected.T)[off_diagonal], rtol=0, atol=1e-14)


def test_the_steepest_flips_are_those_of_the_whole_matrix(monkeypatch):
    monkeypatch.setattr(attack, "_BLOCK", 7)
    data = blocks(30)
    z, bias = torch.randn(30, 3, dtype=torch.double), torch.zeros(3, dtype=torch.double)
    present = present_pairs(data)
    left, right, c = attack.pair_gradient(z, bias, data.y, present)
    score = left @ right.T + right @ left.T + c[:, None] + c
    score.view(-1)[present] *= -1
    score = score.masked_fill(torch.ones_like(score).tril().bool(), -torch.inf).detach()
    fixed = score.flatten().topk(2).indices
    expected = score.flatten().topk(12).indices[2:]
    assert torch.equal(attack._steepest(z, bias, data.y, present, fixed, 10), expected)


def test_the_gradient_attack_finds_more_error_than_dice_and_dice_more_than_chance():
    data = blocks(150)
    z, bias = attack._surrogate(data, present_pairs(data))

    def error(graph):
        h = propagate(Data(x=z, edge_index=graph.edge_index), 2)
        return attack.expected_error(h + bias, data.y)

    clean, random, labels, gradient = (
        error(graph)
        for graph in (
            data,
            *(poison(data, 0.2, generator=seeded()) for poison in (random_flips, dice_attack, gradient_flips)),
        )
    )
    assert gradient > labels > random > clean
    assert gradient - clean > 1.5 * (labels - clean)


def test_two_classes_and_directed_graphs_are_taken():
    data = blocks()
    data.y = data.y % 2
    data.edge_index = data.edge_index[:, : data.num_edges // 2]
    assert sum(map(len, flips(data, gradient_flips(data, 0.1)))) == round(0.1 * data.num_edges)


@ATTACKS
def test_bad_input_is_refused(poison):
    data = blocks()
    with pytest.raises(ValueError, match="rate must be finite and at least 0, got -0.1"):
        poison(data, -0.1)
    with pytest.raises(ValueError, match="data must be one graph, got a batch of 2"):
        poison(Batch.from_data_list([data, data]), 0.1)
    data.x[0, 0] = float("nan")
    with pytest.raises(ValueError, match="data.x must be finite"):
        poison(data, 0.1)


@pytest.mark.parametrize("poison", [dice_attack, gradient_flips])
def test_bad_labels_are_named(poison):
    data = blocks()
    for y, error, message in (
        (None, ValueError, r"data\.y is missing"),
        (data.y[1:], ValueError, r"y must have shape \[60\], one class a row, got \(59,\)"),
        (data.y.float(), TypeError, "y must hold integer classes, got torch.float32"),
        (torch.full_like(data.y, 2), ValueError, "y must cover at least two classes, got only class 2"),
        (data.y - 1, ValueError, r"y must be at least 0 \(-1: unlabeled, leave such rows out\), got -1 in row 0"),
    ):
        data.y = y
        with pytest.raises(error, match=message):
            poison(data, 0.1)
        data = blocks()


def test_the_numbers_of_the_classes_do_not_matter():
    data, other = blocks(), blocks()
    other.y = 5 * data.y + 2
    for poison in (dice_attack, gradient_flips):
        one, two = (poison(graph, 0.1, generator=seeded()).edge_index for graph in (data, other))
        assert torch.equal(one, two)


def test_a_complete_graph_has_nothing_to_add():
    pairs = torch.triu_indices(4, 4, 1)
    data = Data(x=torch.eye(4), edge_index=torch.cat([pairs, pairs.flip(0)], 1))
    with pytest.raises(ValueError, match="rate asks for 3 edges more, but the graph has only 0"):
        random_flips(data, 1.0, generator=seeded())


@ATTACKS
def test_what_is_no_graph_is_named(poison):
    for data in (None, "karate", (1, 2)):
        with pytest.raises(TypeError, match="data must be a torch_geometric Data or Batch, got"):
            poison(data, 0.1)
    data = blocks()
    with pytest.raises(ValueError, match="an attack counts degrees .* got a sample with node_degree"):
        poison(next(iter(neighbor_loader(data, [2], batch_size=4))), 0.1)
    data.edge_index = data.edge_index.flatten()
    with pytest.raises(ValueError, match=r"data.edge_index must have shape \[2, E\]"):
        poison(data, 0.1)


@pytest.mark.parametrize("poison", [dice_attack, gradient_flips])
def test_labels_may_be_any_array(poison):
    data, other = blocks(), blocks()
    other.y = data.y.tolist()
    one, two = (poison(graph, 0.1, generator=seeded()).edge_index for graph in (data, other))
    assert torch.equal(one, two)
    data.y = torch.zeros(60).long()
    with pytest.raises(ValueError, match=r"^data\.y must cover at least two classes, got only class 0"):
        poison(data, 0.1)
