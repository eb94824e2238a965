"""Held-out edges and link prediction."""

import random

import numpy as np
import pytest
import torch
from sklearn.metrics import average_precision_score, roc_auc_score
from torch_geometric.data import Data, HeteroData
from torch_geometric.utils import erdos_renyi_graph, is_undirected

from gcl.eval import hold_out_edges, link_prediction
from tests.inputs import seeded


def pairs_of(edge_index):
    return set(map(tuple, edge_index.T.tolist()))


@pytest.mark.parametrize("directed", [True, False])
def test_held_out_edges_leave_the_graph_and_non_edges_are_in_none(directed):
    edge_index = erdos_renyi_graph(40, 0.15, directed=directed)
    data = Data(edge_index=edge_index, edge_number=torch.arange(edge_index.size(1)), num_nodes=40)
    before = edge_index.clone()
    train, pairs, linked = hold_out_edges(data, 0.2, generator=seeded())
    held, non_edges = pairs_of(pairs[:, linked == 1]), pairs_of(pairs[:, linked == 0])
    both_ways = held if directed else held | {(v, u) for u, v in held}
    assert pairs_of(train.edge_index) == pairs_of(edge_index) - both_ways
    assert len(held) == len(non_edges) == int(0.2 * data.num_edges / (1 if directed else 2))
    assert held <= pairs_of(edge_index)
    assert not non_edges & pairs_of(edge_index)
    assert all(u != v for u, v in non_edges)
    assert directed or is_undirected(train.edge_index)
    assert train.edge_number.size(0) == train.num_edges
    assert "edge_label" not in train
    assert torch.equal(data.edge_index, before)


def test_the_same_seed_holds_out_the_same_edges_and_the_global_states_stay():
    data = Data(edge_index=erdos_renyi_graph(40, 0.15), num_nodes=40)
    torch_state, python_state = torch.get_rng_state(), random.getstate()
    one, again, other = (hold_out_edges(data, 0.2, generator=seeded(seed))[1] for seed in (0, 0, 1))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)
    assert torch.equal(torch.get_rng_state(), torch_state)
    assert random.getstate() == python_state


def test_self_loops_are_no_links():
    loops = torch.arange(4).repeat(2, 1)
    data = Data(edge_index=torch.cat([loops, torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]])], dim=1), num_nodes=4)
    train, pairs, _ = hold_out_edges(data, 0.5, generator=seeded())
    assert train.num_edges == 2
    assert (pairs[0] != pairs[1]).all()
    assert data.num_edges == 8


def test_scores_are_scikit_learns_of_the_cosine():
    z = torch.randn(20, 4, dtype=torch.double)
    pairs, linked = torch.combinations(torch.arange(20))[torch.randperm(190)[:60]].T, torch.arange(60) % 2
    u = torch.nn.functional.normalize(z)
    cosine = (u @ u.T)[pairs[0], pairs[1]]
    assert link_prediction(z, pairs, linked) == {
        "roc_auc": pytest.approx(roc_auc_score(linked, cosine)),
        "average_precision": pytest.approx(average_precision_score(linked, cosine)),
    }


def test_random_embeddings_give_chance_and_blocks_do_not():
    block = torch.arange(200) % 4
    edge_index = torch.stack(torch.triu(block[:, None] == block, 1).nonzero(as_tuple=True))
    data = Data(edge_index=torch.cat([edge_index, edge_index.flip(0)], dim=1), num_nodes=200)
    _, pairs, linked = hold_out_edges(data, 0.2, generator=seeded())
    n = pairs.size(1) / 2
    noise = link_prediction(torch.randn(200, 50), pairs, linked)["roc_auc"]
    assert abs(noise - 0.5) < 4 * ((2 * n + 1) / (12 * n * n)) ** 0.5
    assert link_prediction(torch.eye(4)[block], pairs, linked)["roc_auc"] == 1


def test_bad_input_is_named():
    data = Data(edge_index=torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]]), num_nodes=3)
    with pytest.raises(ValueError, match=r"fraction must be in \(0, 1\), got 1"):
        hold_out_edges(data, 1)
    with pytest.raises(ValueError, match="fraction=0.1 of 2 edges must hold out at least one"):
        hold_out_edges(data, 0.1)
    with pytest.raises(ValueError, match="must hold out at least one and leave one"):
        hold_out_edges(Data(edge_index=torch.empty(2, 0).long(), num_nodes=3), 0.5)
    with pytest.raises(ValueError, match="must hold each edge once"):
        hold_out_edges(Data(edge_index=torch.tensor([[0, 0], [1, 1]]), num_nodes=3), 0.5)
    triangle = torch.tensor([[0, 1, 1, 2, 0, 2], [1, 0, 2, 1, 2, 0]])
    with pytest.raises(ValueError, match="data must have at least 1 non-edges, got 0"):
        hold_out_edges(Data(edge_index=triangle, num_nodes=3), 0.4)
    z, pairs = torch.eye(3), torch.tensor([[0, 1], [1, 2]])
    with pytest.raises(ValueError, match=r"pairs must hold node numbers in \[0, 3\), got 3"):
        link_prediction(z, pairs + 1, torch.tensor([0, 1]))
    with pytest.raises(ValueError, match=r"linked must hold both 0 and 1 and nothing else, got \[1\]"):
        link_prediction(z, pairs, torch.tensor([1, 1]))
    with pytest.raises(ValueError, match=r"shapes \[2, M\] and \[M\], got \(2, 2\) and \(3,\)"):
        link_prediction(z, pairs, torch.tensor([0, 1, 1]))


def test_what_is_no_graph_with_edges_is_named():
    whole = Data(edge_index=torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]]), num_nodes=3)
    for data in (None, "karate", [whole]):
        with pytest.raises(TypeError, match="data must be a torch_geometric Data or Batch, got"):
            hold_out_edges(data, 0.5)
    for key, value, error, message in (
        ("edge_index", None, TypeError, "data.edge_index must be a tensor"),
        ("edge_index", whole.edge_index.float(), TypeError, "data.edge_index must be a long tensor"),
        ("edge_index", whole.edge_index + 1, ValueError, r"data.edge_index must hold node numbers in \[0, 3\), got 3"),
        (
            "edge_weight",
            torch.ones(3),
            ValueError,
            r"data.edge_weight must have one row for each of 4 edges, got \(3,\)",
        ),
        ("edge_attr", torch.tensor(1.0), ValueError, r"data.edge_attr must have one row for each of 4 edges, got \(\)"),
    ):
        data = whole.clone()
        data[key] = value
        with pytest.raises(error, match=message):
            hold_out_edges(data, 0.5)
    for fraction in (None, "half", torch.tensor(0.5)):
        with pytest.raises(TypeError, match=r"fraction must be a number in \(0, 1\), got"):
            hold_out_edges(whole, fraction)


def test_pairs_may_be_arrays_of_any_kind():
    z, pairs, linked = torch.eye(3) + 0.1, [[0, 1, 0], [1, 2, 2]], [1, 0, 1]
    scores = link_prediction(z, torch.tensor(pairs), torch.tensor(linked))
    assert link_prediction(z, pairs, np.array(linked)) == scores
    with pytest.raises(TypeError, match="pairs must be a tensor or an array of numbers, got NoneType"):
        link_prediction(z, None, linked)
    with pytest.raises(TypeError, match="linked must be a tensor or an array of numbers, got str"):
        link_prediction(z, pairs, "abc")


def library():
    data = HeteroData()
    data["a"].x, data["b"].num_nodes = torch.rand(8, 2), 5
    pairs = torch.cartesian_prod(torch.arange(8), torch.arange(5)).T
    data["a", "to", "b"].edge_index = pairs[:, torch.randperm(40, generator=seeded())[:20]]
    data["a", "to", "b"].edge_attr = torch.arange(20)
    data["b", "rev_to", "a"].edge_index = data["a", "to", "b"].edge_index.flip(0)
    data["a", "likes", "b"].edge_index = pairs[:, ::3]
    return data


def test_edges_between_two_types_leave_with_their_reverses():
    data = library()
    edges = pairs_of(data["a", "to", "b"].edge_index)
    train, pairs, linked = hold_out_edges(data, 0.25, edge_type=("a", "to", "b"), generator=seeded())
    held, non_edges = pairs_of(pairs[:, linked == 1]), pairs_of(pairs[:, linked == 0])
    assert len(held) == len(non_edges) == 5
    assert held <= edges
    assert not non_edges & edges
    assert pairs_of(train["a", "to", "b"].edge_index) == edges - held
    assert torch.equal(train["b", "rev_to", "a"].edge_index.flip(0), train["a", "to", "b"].edge_index)
    place = train["a", "to", "b"].edge_attr
    assert torch.equal(data["a", "to", "b"].edge_index[:, place], train["a", "to", "b"].edge_index)
    assert torch.equal(train["a", "likes", "b"].edge_index, data["a", "likes", "b"].edge_index)
    assert "edge_label" not in train["a", "to", "b"]
    assert data["a", "to", "b"].num_edges == 20


def test_what_is_no_type_to_hold_out_of_is_named():
    data = library()
    for edge_type in (None, ("b", "to", "a"), "to"):
        with pytest.raises(ValueError, match="edge_type must be one of data's between two node types, .*, got"):
            hold_out_edges(data, 0.5, edge_type=edge_type)
    with pytest.raises(ValueError, match="edge_type must be None for a Data, got 'to'"):
        hold_out_edges(Data(edge_index=torch.tensor([[0, 1], [1, 0]])), 0.5, edge_type="to")
    data["a", "to", "b"].edge_index = torch.zeros(2, 4).long()
    with pytest.raises(ValueError, match="data.edge_index must hold each edge once"):
        hold_out_edges(data, 0.5, edge_type=("a", "to", "b"))


def test_scores_between_two_types_are_those_of_their_rows():
    z = torch.randn(8, 3, dtype=torch.double), torch.randn(5, 3, dtype=torch.double)
    pairs, linked = torch.cartesian_prod(torch.arange(8), torch.arange(5)).T, torch.arange(40) % 2
    cosine = torch.nn.functional.normalize(z[0]) @ torch.nn.functional.normalize(z[1]).T
    assert link_prediction(z, pairs, linked)["roc_auc"] == pytest.approx(roc_auc_score(linked, cosine.flatten()))
    with pytest.raises(ValueError, match=r"pairs must hold node numbers in \[0, 5\), got 7"):
        link_prediction(z, pairs.flip(0), linked)
    with pytest.raises(ValueError, match="z must be a pair of equal width, got 3 and 2"):
        link_prediction((z[0], z[1][:, :2]), pairs, linked)
