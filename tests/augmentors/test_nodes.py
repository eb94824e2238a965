"""What the node augmentors draw, and what becomes of a graph whose nodes are dropped."""

import pytest
import torch
from hypothesis import given
from torch_geometric.data import Batch, Data, HeteroData
from torch_geometric.utils import subgraph

from augmentors import Compose, NodeDrop, NodeShuffle
from augmentors._selection import keep_nodes
from tests.graphs import batches, graphs
from tests.inputs import seeded


def test_kept_nodes_by_hand():
    data = Data(
        x=torch.arange(4.0)[:, None],
        y=torch.tensor([5, 6, 7, 8]),
        names=["a", "b", "c", "d"],
        edge_index=torch.tensor([[0, 1, 2, 3, 3, 3], [1, 2, 3, 0, 3, 3]]),
        edge_attr=torch.arange(6)[:, None],
        label=torch.tensor([1]),
    )
    view = keep_nodes(data.clone(), torch.tensor([True, False, True, True]))
    assert view.x.flatten().tolist() == [0, 2, 3]
    assert view.y.tolist() == [5, 7, 8]
    assert view.names == ["a", "c", "d"]
    assert view.n_id.tolist() == [0, 2, 3]
    assert view.edge_index.tolist() == [[1, 2, 2, 2], [2, 0, 2, 2]]
    assert view.edge_attr.flatten().tolist() == [2, 3, 4, 5]
    assert view.label.tolist() == [1]
    again = keep_nodes(view, torch.tensor([False, True, True]))
    assert again.n_id.tolist() == [2, 3]
    assert again.edge_index.tolist() == [[0, 1, 1], [1, 1, 1]]


def test_kept_nodes_of_a_batch_by_hand():
    one = Data(edge_index=torch.tensor([[0, 1], [1, 0]]), num_nodes=2, y=torch.tensor([3]))
    two = Data(edge_index=torch.tensor([[0, 1, 2], [1, 2, 0]]), num_nodes=3, y=torch.tensor([4]))
    batch = Batch.from_data_list([one, two])
    view = keep_nodes(batch, torch.tensor([False, True, True, False, True]))
    assert view.batch.tolist() == [0, 1, 1]
    assert view.ptr.tolist() == [0, 1, 3]
    assert view.n_id.tolist() == [1, 2, 4]
    assert view.y.tolist() == [3, 4]
    first, second = view.to_data_list()
    assert (first.num_nodes, first.num_edges, second.num_nodes) == (1, 0, 2)
    assert second.edge_index.tolist() == [[1], [0]]


@given(data=graphs())
def test_the_edges_are_those_of_the_induced_subgraph(data):
    view = NodeDrop(0.5)(data, generator=seeded(1))
    expected, number = subgraph(
        view.n_id, data.edge_index, data.edge_number, relabel_nodes=True, num_nodes=data.num_nodes
    )
    assert torch.equal(view.edge_index, expected)
    assert torch.equal(view.edge_number, number)
    if "x" in data:
        assert torch.equal(view.x, data.x[view.n_id])


@given(batch=batches())
def test_the_last_node_of_a_graph_stays(batch):
    view = NodeDrop(1.0)(batch)
    assert view.ptr.tolist() == list(range(batch.num_graphs + 1))
    twice = Compose([NodeDrop(0.5), NodeDrop(0.5)])(batch)
    assert torch.equal(twice.node_number, batch.node_number[twice.n_id])


def test_the_share_of_nodes_that_stay_is_binomial(generator):
    n = 20_000
    view = NodeDrop(0.3)(Data(num_nodes=n), generator=generator)
    assert abs(view.num_nodes - 0.7 * n) < 4 * (0.21 * n) ** 0.5
    assert torch.equal(NodeDrop(0.0)(Data(num_nodes=5)).n_id, torch.arange(5))


def test_other_node_indices_are_refused_rather_than_left_stale(square):
    square.edge_label_index = torch.tensor([[0], [1]])
    with pytest.raises(ValueError, match=r"no node indices but edge_index .* got \['edge_label_index'\]"):
        NodeDrop(0.5)(square)


def test_hetero_nodes_by_hand():
    data = HeteroData()
    data["a"].x, data["b"].num_nodes = torch.arange(3.0)[:, None], 2
    data["a", "to", "b"].edge_index = torch.tensor([[0, 1, 2, 2], [0, 0, 1, 0]])
    keep = {"a": torch.tensor([False, True, True]), "b": torch.tensor([True, False])}
    view = keep_nodes(data, keep)
    assert view["a"].x.flatten().tolist() == [1, 2]
    assert view["b"].num_nodes == 1
    assert view["a", "to", "b"].edge_index.tolist() == [[0, 1], [0, 0]]


def test_shuffling_permutes_the_rows_within_each_graph(generator):
    members = [Data(x=torch.arange(a, b)[:, None], y=torch.arange(a, b)) for a, b in ((0, 500), (500, 501), (501, 900))]
    view = NodeShuffle()(Batch.from_data_list(members), generator=generator)
    for member, old in zip(view.to_data_list(), members, strict=True):
        assert torch.equal(member.x.flatten().sort().values, old.x.flatten())
        assert torch.equal(member.y, old.y)
    fixed = (view.x.flatten() == view.y).sum()
    assert 1 <= fixed <= 10  # the lone node, and about one in each of the others


def test_shuffling_is_uniform_over_the_permutations(generator):
    data = Batch.from_data_list([Data(x=torch.arange(3)[:, None])] * 6000)
    rows = NodeShuffle()(data, generator=generator).x.view(6000, 3)
    _, counts = rows.unique(dim=0, return_counts=True)
    assert counts.numel() == 6
    assert (counts - 1000).abs().max() < 4 * (6000 * 5 / 36) ** 0.5


def test_what_was_set_on_a_batch_itself_stays_aligned():
    ring = Data(edge_index=torch.tensor([[0, 1, 2, 0], [1, 2, 0, 2]]), num_nodes=3)
    batch = Batch.from_data_list([ring, ring])
    batch.h, batch.edge_weight, batch.score = torch.arange(6), torch.arange(8.0), torch.arange(8)
    view = keep_nodes(batch, torch.tensor([True, False, True, True, True, True]))
    assert view.h.tolist() == [0, 2, 3, 4, 5]
    assert view.edge_weight.tolist() == view.score.tolist() == [2, 3, 4, 5, 6, 7]
    assert [member.num_nodes for member in view.to_data_list()] == [2, 3]
