"""Which parts of a graph the subgraph augmentors keep."""

import pytest
import torch
from hypothesis import given
from torch_geometric.data import Batch, Data
from torch_geometric.utils import k_hop_subgraph, to_undirected

import augmentors._subgraphs
from augmentors import EgoSubgraph, RandomWalkSubgraph, UniformSubgraph
from tests.graphs import batches, graphs
from tests.inputs import seeded


def path(n):
    edges = torch.stack([torch.arange(n - 1), torch.arange(1, n)])
    return Data(edge_index=torch.cat([edges, edges.flip(0)], dim=1), num_nodes=n)


@given(batch=batches())
def test_uniform_keeps_the_given_number_in_each_graph(batch):
    view = UniformSubgraph(3)(batch)
    assert torch.equal(view.ptr.diff(), batch.ptr.diff().clamp(max=3))


def test_uniform_draws_each_set_equally_often(generator):
    view = UniformSubgraph(2)(Batch.from_data_list([path(4)] * 6000), generator=generator)
    _, counts = (view.n_id % 4).view(6000, 2).unique(dim=0, return_counts=True)
    assert counts.numel() == 6
    assert (counts - 1000).abs().max() < 4 * (6000 * 5 / 36) ** 0.5


@given(data=graphs())
def test_an_ego_net_is_the_neighborhood_of_one_of_its_nodes(data):
    both = to_undirected(data.edge_index)
    nets = [k_hop_subgraph(v, 2, both, num_nodes=data.num_nodes)[0].tolist() for v in range(data.num_nodes)]
    assert EgoSubgraph(2)(data).n_id.tolist() in nets


def test_each_node_is_the_middle_equally_often(generator):
    view = EgoSubgraph(0)(Batch.from_data_list([path(5)] * 5000), generator=generator)
    counts = (view.n_id % 5).bincount(minlength=5)
    assert (counts - 1000).abs().max() < 4 * (5000 * 4 / 25) ** 0.5


def test_a_walk_on_a_directed_path_goes_on_to_its_end():
    line = Data(edge_index=torch.stack([torch.arange(9), torch.arange(1, 10)]), num_nodes=10)
    batch = Batch.from_data_list([line] * 200)
    view = RandomWalkSubgraph(3)(batch)
    starts = set()
    for member in view.to_data_list():
        nodes = (member.n_id % 10).tolist()
        starts.add(nodes[0])
        assert nodes == list(range(nodes[0], min(nodes[0] + 3, 9) + 1))
    assert starts == set(range(10))


def test_a_step_takes_each_edge_equally_often(generator):
    """From the middle of a star a step leads to each leaf equally often, however the edges are ordered."""
    star = Data(edge_index=torch.tensor([[3, 0, 0, 2, 0, 1], [0, 3, 1, 0, 2, 0]]), num_nodes=4)
    view = RandomWalkSubgraph(1)(Batch.from_data_list([star] * 8000), generator=generator)
    assert (view.ptr.diff() == 2).all()
    leaves = (view.n_id % 4).view(8000, 2).sum(dim=1)
    counts = leaves.bincount(minlength=4)
    assert counts[0] == 0
    assert (counts[1:] - 8000 / 3).abs().max() < 4 * (8000 * 2 / 9) ** 0.5


def test_many_walks_cover_a_graph_and_none_stays_at_its_start(generator):
    assert RandomWalkSubgraph(50, num_walks=50)(path(6), generator=generator).num_nodes == 6
    assert RandomWalkSubgraph(0)(path(6), generator=generator).num_nodes == 1


@pytest.mark.parametrize("augmentor", [RandomWalkSubgraph(10**9, 3), EgoSubgraph(10**9)])
def test_what_cannot_grow_ends(augmentor):
    """A ring is covered; on the path 0 -> 1 -> 2 a walk ends in 2, whatever lies behind its start."""
    ring = torch.stack([torch.arange(50), (torch.arange(50) + 1) % 50])
    assert augmentor(Data(edge_index=ring, num_nodes=50), generator=seeded()).num_nodes == 50
    path = Data(edge_index=torch.tensor([[0, 1], [1, 2]]), num_nodes=3)
    assert 2 in augmentor(path, generator=seeded()).n_id


def test_a_walk_does_not_depend_on_the_pieces_it_is_drawn_in(monkeypatch):
    data = Data(edge_index=torch.randint(40, (2, 70), generator=seeded()), num_nodes=40)
    whole = RandomWalkSubgraph(30)(data, generator=seeded(1)).n_id
    monkeypatch.setattr(augmentors._subgraphs, "_BLOCK", 4)
    assert torch.equal(RandomWalkSubgraph(30)(data, generator=seeded(1)).n_id, whole)
