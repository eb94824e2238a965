"""What the edge augmentors draw."""

import copy

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch_geometric.data import Batch, Data, HeteroData
from torch_geometric.nn import GCNConv
from torch_geometric.utils import is_undirected

from augmentors import EdgeAdd, EdgeAttrMask, EdgeDrop, EdgeRewire
from augmentors._random import bits_per_pair, uniform_per_pair
from augmentors._selection import edge_keys, keep_edges, keep_nodes
from tests.graphs import graphs
from tests.inputs import seeded


def test_drop_none_and_all(square, generator):
    assert torch.equal(EdgeDrop(0.0)(square, generator=generator).edge_index, square.edge_index)
    assert EdgeDrop(1.0)(square, generator=generator).num_edges == 0


@given(data=graphs())
def test_both_directions_and_duplicates_share_their_fate(data):
    view = EdgeDrop(0.5)(data, generator=seeded(1))
    kept = {tuple(sorted(edge)) for edge in view.edge_index.T.tolist()}
    expected = [edge for edge in data.edge_index.T.tolist() if tuple(sorted(edge)) in kept]
    assert view.edge_index.T.tolist() == expected


@pytest.mark.parametrize("undirected", [True, False])
@pytest.mark.parametrize("p", [0.3, 1.0])
@given(data=graphs(), max_drop=st.sampled_from([0.0, 0.3, 0.5, 1.0]), seed=st.integers(0, 100))
def test_no_node_loses_more_than_its_share_nor_its_last_edge(undirected, p, data, max_drop, seed):
    def degree(graph):
        edges = [(u, v) for u, v in graph.edge_index.T.tolist() if u != v]
        return [sum(v == node for _, v in edges) for node in range(data.num_nodes)]

    view = EdgeDrop(p, undirected=undirected, max_drop=max_drop)(data, generator=seeded(seed))
    for before, after in zip(degree(data), degree(view), strict=True):
        assert before - after <= min(max(before - 1, 0), round(max_drop * before))
    if undirected:
        kept = {tuple(sorted(edge)) for edge in view.edge_index.T.tolist()}
        assert all(
            (tuple(sorted(edge)) in kept) == (edge in view.edge_index.T.tolist()) for edge in data.edge_index.T.tolist()
        )
    plain = EdgeDrop(p, undirected=undirected)(data, generator=seeded(seed))
    assert set(plain.edge_number.tolist()) <= set(view.edge_number.tolist())


def test_what_the_budget_allows_is_dropped(generator):
    star = Data(edge_index=torch.tensor([[1, 2, 3, 4, 5, 6], [0, 0, 0, 0, 0, 0]]), num_nodes=7)
    limited = EdgeDrop(1.0, undirected=False, max_drop=0.5)
    views = [limited(star, generator=generator) for _ in range(600)]
    assert {view.num_edges for view in views} == {3}
    counts = torch.cat([view.edge_index[0] for view in views]).bincount(minlength=7)[1:]
    assert (counts - 300).abs().max() < 4 * 150**0.5  # each of the six stays in half of the views
    loops = Data(edge_index=torch.tensor([[0, 0], [0, 1]]), num_nodes=2)
    assert limited(loops).edge_index.tolist() == [[0], [1]]
    assert EdgeDrop(1.0, max_drop=1.0)(complete(9)).num_edges >= 9
    roomy, plain = (EdgeDrop(0.3, max_drop=limit)(complete(40), generator=seeded(1)) for limit in (1.0, None))
    assert torch.equal(roomy.edge_index, plain.edge_index)


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
    """The mixed bits are those of the published finalizer in unsigned 64-bit arithmetic."""
    mask = 2**64 - 1
    edge_index = torch.tensor([[3, 999, 0], [999, 3, 0]])
    key = int(torch.randint(2**63 - 1, (), generator=seeded(5)))
    got = uniform_per_pair(edge_index, 1000, seeded(5))
    bits = bits_per_pair(edge_index, 1000, seeded(5))
    for column, pair in enumerate((3999, 3999, 0)):
        z = (pair * 0x9E3779B97F4A7C15 + key) & mask
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        assert got[column].item() == ((z ^ (z >> 31)) >> 40) / 2**24
        assert bits[column].item() == (z ^ (z >> 31)) >> 32


def test_edge_attributes_are_distinguished_from_node_and_graph_attributes():
    ring = Data(
        x=torch.zeros(3, 1),
        edge_index=torch.tensor([[0, 1, 2], [1, 2, 0]]),
        y=torch.arange(3),
        edge_attr=torch.zeros(3, 1),
        edge_names=["a", "b", "c"],
        name="ring",
    )
    assert set(edge_keys(ring, ring._store)) == {"edge_index", "edge_attr", "edge_names"}
    view = EdgeDrop(1.0)(ring)
    assert view.edge_names == []
    assert view.y.tolist() == [0, 1, 2]
    one_edge = Data(edge_index=torch.tensor([[0], [1]]), num_nodes=2, y=torch.tensor([1]), edge_attr=torch.zeros(1))
    assert edge_keys(one_edge, one_edge._store) == ["edge_index", "edge_attr"]


def test_draws_do_not_depend_on_the_pieces_they_are_made_in():
    edge_index = torch.randint(1000, (2, 100_000))
    u, tail = (uniform_per_pair(e, 1000, seeded(5)) for e in (edge_index, edge_index[:, 70_001:]))
    assert torch.equal(u[70_001:], tail)


def complete(n):
    pairs = torch.triu_indices(n, n, offset=1)
    return Data(edge_index=torch.cat([pairs, pairs.flip(0)], dim=1), num_nodes=n)


@given(data=graphs())
def test_weight_0_is_a_dropped_edge(data):
    data = keep_edges(data, data._store, data.edge_index[0] != data.edge_index[1])
    data.x, data.edge_number = torch.rand(data.num_nodes, 3), torch.arange(data.num_edges)
    one, other = (EdgeDrop(0.5, as_weight=how)(data, generator=seeded(1)) for how in (0, 1))
    assert other.num_edges == data.num_edges
    kept = torch.zeros(data.num_edges, dtype=torch.bool).index_fill(0, one.edge_number, True)
    before = data.edge_weight if "edge_weight" in data else torch.ones(data.num_edges)
    assert torch.equal(other.edge_weight, before * kept)
    conv = GCNConv(3, 2)
    torch.testing.assert_close(
        conv(one.x, one.edge_index, one.get("edge_weight")), conv(other.x, other.edge_index, other.edge_weight)
    )


@pytest.mark.parametrize("kind", [EdgeAdd, EdgeRewire])
def test_none_of_the_edges_changes_with_p_0(kind, square):
    assert torch.equal(kind(0.0)(square).edge_index, square.edge_index)


def test_all_edges_add_one_or_move_with_p_1(square):
    added = EdgeAdd(1.0)(square)
    assert torch.equal(added.edge_index[:, ::2], square.edge_index)
    assert added.num_edges == 16
    moved = EdgeRewire(1.0)(complete(60))
    assert is_undirected(moved.edge_index)
    assert moved.num_edges == 60 * 59


@given(data=graphs())
def test_an_edge_and_its_reverse_add_an_edge_and_its_reverse(data):
    view = EdgeAdd(1.0)(data, generator=seeded(1))
    added = {}
    for edge, new in zip(data.edge_index.T.tolist(), view.edge_index[:, 1::2].T.tolist(), strict=True):
        pair, new = (tuple(edge), tuple(new)) if edge[0] <= edge[1] else (tuple(edge[::-1]), tuple(new[::-1]))
        assert added.setdefault(pair, new) == new


@pytest.mark.parametrize("undirected", [True, False])
@pytest.mark.parametrize("kind", [EdgeAdd, EdgeRewire])
def test_new_ends_are_uniform_over_the_nodes_and_their_number_is_binomial(kind, undirected, generator):
    n = 200
    data = complete(n)
    data.number = torch.arange(data.num_edges)
    view = kind(0.3, undirected=undirected)(data, generator=generator)
    new = (view.edge_index != data.edge_index[:, view.number]).any(dim=0)
    e = data.num_edges
    share = 2 if undirected else 1
    count = view.num_edges - e if kind is EdgeAdd else new.sum()  # one of n^2 new pairs is the old one
    assert abs(count - 0.3 * e) < 4 * (share * e * 0.21) ** 0.5
    for end in view.edge_index[:, new]:
        counts = end.bincount(minlength=n).float()
        mean = counts.mean()
        chi2 = (counts - mean).square().sum() / mean
        assert abs(chi2 - (n - 1)) < 5 * share * (2 * (n - 1)) ** 0.5
    a, b = view.edge_index[:, new].double()
    assert abs(torch.corrcoef(torch.stack([a, b]))[0, 1]) < 4 * share / new.sum() ** 0.5


def test_added_edges_take_their_attributes_from_an_edge_of_the_same_graph():
    one, two = complete(5), complete(9)
    one.edge_attr, two.edge_attr = torch.full((20, 1), 1), torch.full((72, 1), 2)
    view = EdgeAdd(1.0)(Batch.from_data_list([one, two]))
    for member, n, value in zip(view.to_data_list(), (5, 9), (1, 2), strict=True):
        assert member.num_edges == 2 * n * (n - 1)
        assert member.edge_index.max() < n
        assert (member.edge_attr == value).all()


def test_a_sparse_adjacency_is_refused_rather_than_left_as_it_is(square):
    square.adj_t = "a matrix"
    with pytest.raises(ValueError, match="data must hold its edges as edge_index"):
        EdgeDrop(0.5)(square)


@pytest.mark.parametrize("shape", [(50, 400), (50,)])
def test_masked_edge_columns_are_zero_for_all_edges(shape, generator):
    attr = torch.rand(shape, generator=generator, dtype=torch.double) + 1
    data = Data(edge_index=torch.zeros(2, 50).long(), edge_attr=attr, num_nodes=1)
    view = EdgeAttrMask(0.3)(data, generator=generator).edge_attr
    masked = (view == 0).all(dim=0)
    assert torch.equal(view, torch.where(masked, 0, attr))
    if len(shape) == 2:
        assert abs(masked.float().mean() - 0.3) < 4 * (0.21 / 400) ** 0.5


def test_lists_of_a_batch_stay_with_their_edges_and_nodes():
    """PyG collates an attribute that is a list into one list for each graph."""

    def path(n, name):
        data = Data(edge_index=torch.stack([torch.arange(n - 1), torch.arange(1, n)]), num_nodes=n)
        data.edge_names = [f"{name}{i}" for i in range(n - 1)]
        data.letters = [f"{name}{i}" for i in range(n)]
        return data

    batch = Batch.from_data_list([path(4, "a"), path(6, "b"), path(1, "c")])
    view = copy.copy(batch)
    keep_edges(view, view._store, torch.tensor([True, False, True, False, True, False, False, True]))
    assert view.edge_names == [["a0", "a2"], ["b1", "b4"], []]
    assert view.letters == batch.letters
    assert view[1].edge_names == ["b1", "b4"]
    assert view[1].edge_index.tolist() == [[1, 4], [2, 5]]
    added = copy.copy(batch)
    keep_edges(added, added._store, torch.tensor([2, 0, 0, 1, 0, 0, 0, 1]))
    assert added.edge_names == [["a0", "a0"], ["b0", "b4"], []]
    nodes = torch.tensor([True, True, False, True, False, True, True, True, False, False, True])
    view = keep_nodes(copy.copy(batch), nodes)
    assert view.letters == [["a0", "a1", "a3"], ["b1", "b2", "b3"], ["c0"]]
    assert view.edge_names == [["a0"], ["b1", "b2"], []]
    assert view[1].letters == ["b1", "b2", "b3"]


@pytest.mark.parametrize(
    "augmentor", [EdgeDrop(0.5), EdgeDrop(0.5, as_weight=True), EdgeAdd(0.5), EdgeRewire(0.5)], ids=repr
)
def test_a_type_and_its_reverse_change_together(augmentor):
    data = HeteroData()
    data["a"].num_nodes, data["b"].num_nodes = 9, 7
    data["a", "to", "b"].edge_index = torch.stack([torch.arange(40) % 9, torch.arange(40) % 7])
    data["b", "rev_to", "a"].edge_index = data["a", "to", "b"].edge_index.flip(0)
    data["b", "other", "a"].edge_index = data["b", "rev_to", "a"].edge_index.flip(1)
    view = augmentor(data, generator=seeded())
    there, back, other = (view[kind] for kind in view.edge_types)
    assert torch.equal(there.edge_index.flip(0), back.edge_index)
    assert not torch.equal(there.edge_index, data["a", "to", "b"].edge_index) or augmentor.as_weight
    if "edge_weight" in there:
        assert torch.equal(there.edge_weight, back.edge_weight)
        assert 0 < there.edge_weight.sum() < 40
        assert not torch.equal(other.edge_weight.flip(0), there.edge_weight)
    else:
        assert not torch.equal(other.edge_index.flip(1), back.edge_index)  # not the same columns: drawn by itself
    apart = type(augmentor)(0.5, undirected=False)(data, generator=seeded())
    assert not torch.equal(apart["a", "to", "b"].edge_index.flip(0), apart["b", "rev_to", "a"].edge_index)
    only = type(augmentor)({("a", "to", "b"): 0.5})(data, generator=seeded())
    assert torch.equal(only["b", "rev_to", "a"].edge_index, data["b", "rev_to", "a"].edge_index)
