"""What the edge augmentors draw."""

import torch
from hypothesis import given
from torch_geometric.data import Data
from torch_geometric.utils import is_undirected

from augmentors import EdgeDrop
from augmentors.base import edge_keys, uniform_per_pair
from tests.graphs import graphs


def test_drop_none_and_all(square, generator):
    assert torch.equal(EdgeDrop(0.0)(square, generator=generator).edge_index, square.edge_index)
    assert EdgeDrop(1.0)(square, generator=generator).num_edges == 0


@given(data=graphs())
def test_both_directions_and_duplicates_share_their_fate(data):
    view = EdgeDrop(0.5)(data, generator=torch.Generator().manual_seed(1))
    kept = {tuple(sorted(edge)) for edge in view.edge_index.T.tolist()}
    expected = [edge for edge in data.edge_index.T.tolist() if tuple(sorted(edge)) in kept]
    assert view.edge_index.T.tolist() == expected


def test_the_share_that_stays_is_binomial(generator):
    n = 400
    pairs = torch.triu_indices(n, n, offset=1)
    data = Data(edge_index=torch.cat([pairs, pairs.flip(0)], dim=1), num_nodes=n)
    view = EdgeDrop(0.3)(data, generator=generator)
    e = pairs.size(1)
    assert is_undirected(view.edge_index)
    assert abs(view.num_edges / 2 - 0.7 * e) < 4 * (e * 0.3 * 0.7) ** 0.5


def test_draws_per_pair_are_uniform_and_independent_of_each_other(generator):
    pairs = torch.triu_indices(500, 500, offset=1)
    u = uniform_per_pair(pairs, 500, generator)
    v = uniform_per_pair(pairs, 500, generator)
    e = u.numel()
    share = torch.histc(u, 20, 0, 1) / e
    assert (share - 0.05).abs().max() < 4 * (0.05 * 0.95 / e) ** 0.5
    for other in (v, u.roll(1), u.roll(499)):
        assert abs(torch.corrcoef(torch.stack([u, other]))[0, 1]) < 4 / e**0.5


def test_splitmix64_by_hand():
    """The mixed bits are those of the published finaliser in unsigned 64-bit arithmetic."""
    mask = 2**64 - 1
    edge_index = torch.tensor([[3, 999, 0], [999, 3, 0]])
    key = int(torch.randint(2**63 - 1, (), generator=torch.Generator().manual_seed(5)))
    got = uniform_per_pair(edge_index, 1000, torch.Generator().manual_seed(5))
    for column, pair in enumerate((3999, 3999, 0)):
        z = (pair * 0x9E3779B97F4A7C15 + key) & mask
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        assert got[column].item() == ((z ^ (z >> 31)) >> 40) / 2**24


def test_edge_attributes_are_told_from_node_and_graph_attributes():
    ring = Data(
        x=torch.zeros(3, 1),
        edge_index=torch.tensor([[0, 1, 2], [1, 2, 0]]),
        y=torch.arange(3),
        edge_attr=torch.zeros(3, 1),
        edge_names=["a", "b", "c"],
        name="ring",
    )
    assert set(edge_keys(ring)) == {"edge_index", "edge_attr", "edge_names"}
    view = EdgeDrop(1.0)(ring)
    assert view.edge_names == []
    assert view.y.tolist() == [0, 1, 2]
