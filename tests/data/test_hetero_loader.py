"""Mini-batches of heterogeneous graphs: real edges of every type, exact counts, and the whole graph's embeddings."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch_geometric.data import Data, HeteroData
from torch_geometric.nn import GraphSAGE, HGTConv, to_hetero

from augmentors import EdgeDrop, NodeDrop
from gcl.data import NeighborSampler, neighbor_loader
from tests.graphs import hetero_graphs
from tests.inputs import seeded

PER_HOP = st.sampled_from([[1], [2, 1], [-1, 2], [1, -1, 1]])
WRITES, CITES = ("author", "writes", "paper"), ("paper", "cites", "paper")


def acm(papers=60, authors=40, subjects=5):
    """Papers with authors and subjects, each edge in both directions."""
    data = HeteroData()
    data["paper"].x = torch.randn(papers, 4, generator=seeded(1), dtype=torch.double)
    data["author"].x = torch.randn(authors, 4, generator=seeded(2), dtype=torch.double)
    data["subject"].x = torch.randn(subjects, 4, generator=seeded(3), dtype=torch.double)
    for kind, count in (("author", authors), ("subject", subjects)):
        ends = torch.randint(papers, (90,), generator=seeded(4)), torch.randint(count, (90,), generator=seeded(5))
        data["paper", "to", kind].edge_index = torch.stack(ends)
        data[kind, "to", "paper"].edge_index = torch.stack(ends[::-1])
    return data


def nobody():
    data = acm()
    data["subject"].x = torch.empty(0, 4)
    for key in (("paper", "to", "subject"), ("subject", "to", "paper")):
        data[key].edge_index = torch.empty(2, 0, dtype=torch.long)
    return data


def fresh(data):
    """In both directions, so that every type is a source and a target."""
    writes = data[WRITES].edge_index
    data["paper", "rev_writes", "author"].edge_index = writes.flip(0)
    for store in data.node_stores:
        store.x = store.x.double()
    return data


class HGT(nn.Module):
    def __init__(self, metadata, num_layers=2):
        super().__init__()
        sizes = [(-1, 8), (8, 8)][:num_layers]
        self.convs = nn.ModuleList(HGTConv(low, high, metadata, heads=2) for low, high in sizes)

    def forward(self, x_dict, edge_index_dict):
        for conv in self.convs:
            x_dict = {key: x.relu() for key, x in conv(x_dict, edge_index_dict).items() if x is not None}
        return x_dict


def models(data):
    torch.manual_seed(0)
    yield to_hetero(GraphSAGE((-1, -1), 8, 2, 6), data.metadata()).double()
    yield HGT(data.metadata()).double()


def check_batch(batch, data):
    """Edges and attributes are those of the graph, by the numbers of nodes and edges."""
    for store in batch.node_stores:
        original = data[store._key]
        assert torch.equal(store.x, original.x[store.n_id])
        assert len(set(store.n_id.tolist())) == store.num_nodes == store.node_hop.numel()
        assert (store.node_hop.diff() >= 0).all()
        assert "num_sampled_nodes" not in store
    for store in batch.edge_stores:
        source, _, end = store._key
        real = data[store._key].edge_index[:, store.e_id]
        found = torch.stack([batch[source].n_id[store.edge_index[0]], batch[end].n_id[store.edge_index[1]]])
        assert torch.equal(found, real)
        assert len(set(store.e_id.tolist())) == store.num_edges
        start_hop, end_hop = batch[source].node_hop[store.edge_index[0]], batch[end].node_hop[store.edge_index[1]]
        assert (start_hop <= end_hop + 1).all()
        assert (end_hop.diff() >= 0).all()
        if "edge_attr" in data[store._key]:
            assert torch.equal(store.edge_attr, data[store._key].edge_attr[store.e_id])


@given(data=hetero_graphs(), per_hop=PER_HOP, kind=st.sampled_from(["paper", "author"]), seed=st.integers(0, 99))
def test_every_node_has_its_number_of_real_edges_of_each_type(data, per_hop, kind, seed):
    numbers = {WRITES: per_hop, CITES: per_hop[::-1]}
    seeds = []
    for batch in neighbor_loader(data, numbers, 2, node_type=kind, generator=seeded(seed)):
        check_batch(batch, data)
        assert (batch[kind].node_hop == 0).sum() == batch[kind].batch_size
        assert torch.equal(batch[kind].n_id[: batch[kind].batch_size], batch[kind].input_id)
        for store in batch.edge_stores:
            end = batch[store._key[2]]
            degree = data[store._key].edge_index[1].bincount(minlength=data[store._key[2]].num_nodes)[end.n_id]
            entering = store.edge_index[1].bincount(minlength=end.num_nodes)
            for available, count, hop in zip(degree.tolist(), entering.tolist(), end.node_hop.tolist(), strict=True):
                allowed = 0 if hop == len(per_hop) else numbers[store._key][hop]
                assert count == (available if allowed == -1 else min(available, allowed))
        seeds += batch[kind].input_id.tolist()
    assert sorted(seeds) == list(range(data[kind].num_nodes))


def test_by_hand():
    data = HeteroData()
    data["paper"].x, data["author"].x = torch.eye(3), torch.eye(2)
    data[WRITES].edge_index = torch.tensor([[0, 1, 1], [0, 0, 2]])
    data[CITES].edge_index = torch.tensor([[2, 1], [0, 2]])
    (batch,) = neighbor_loader(data, [-1, -1], 1, node_type="paper", input_nodes=torch.tensor([0]))
    assert batch["paper"].n_id.tolist() == [0, 2, 1]
    assert batch["paper"].node_hop.tolist() == [0, 1, 2]
    assert batch["author"].n_id.tolist() == [0, 1]
    assert batch["author"].node_hop.tolist() == [1, 1]
    assert batch[WRITES].edge_index.tolist() == [[0, 1, 1], [0, 0, 1]]
    assert batch[CITES].edge_index.tolist() == [[1, 2], [0, 1]]


def test_one_type_is_drawn_as_a_graph_without_types():
    edge_index = torch.randint(50, (2, 400), generator=seeded(1))
    data = HeteroData()
    data["node"].x = torch.arange(50.0)[:, None]
    data["node", "to", "node"].edge_index = edge_index
    plain = Data(x=data["node"].x, edge_index=edge_index)
    loaders = (
        neighbor_loader(data, [3, 2], 8, node_type="node", generator=seeded(2)),
        neighbor_loader(plain, [3, 2], 8, generator=seeded(2)),
    )
    for typed, batch in zip(*loaders, strict=True):
        assert torch.equal(typed["node"].n_id, batch.n_id)
        assert torch.equal(typed["node", "to", "node"].edge_index, batch.edge_index)
        assert torch.equal(typed["node"].node_hop, batch.node_hop)


@given(data=hetero_graphs().map(fresh), kind=st.sampled_from(["paper", "author"]))
def test_all_neighbors_embed_seeds_as_in_the_whole_graph(data, kind):
    for model in models(data):
        whole = model(data.x_dict, data.edge_index_dict)[kind]
        for batch in neighbor_loader(data, [-1, -1], 2, node_type=kind, generator=seeded()):
            h = model(batch.x_dict, batch.edge_index_dict)[kind][: batch[kind].batch_size]
            torch.testing.assert_close(h, whole[batch[kind].input_id], rtol=0, atol=1e-6)


@pytest.mark.parametrize("kind", ["paper", "author", "subject"])
def test_all_neighbors_embed_papers_authors_and_subjects_as_in_the_whole_graph(kind):
    data = acm()
    for model in models(data):
        whole, seen = model(data.x_dict, data.edge_index_dict)[kind], 0
        for batch in neighbor_loader(data, [-1, -1], 3, node_type=kind, generator=seeded()):
            check_batch(batch, data)
            h = model(batch.x_dict, batch.edge_index_dict)[kind][: batch[kind].batch_size]
            torch.testing.assert_close(h, whole[batch[kind].input_id], rtol=0, atol=1e-12)
            seen += len(h)
        assert seen == data[kind].num_nodes
        one_hop = next(iter(neighbor_loader(data, [-1], 3, node_type=kind, generator=seeded())))
        h = model(one_hop.x_dict, one_hop.edge_index_dict)[kind][: one_hop[kind].batch_size]
        assert not torch.allclose(h, whole[one_hop[kind].input_id], atol=1e-3)


@pytest.mark.parametrize("weight_attr", [None, "edge_weight"])
def test_the_generator_decides_whatever_the_number_of_workers(weight_attr):
    data = acm()
    for store in data.edge_stores:
        store.edge_weight = torch.rand(90, generator=seeded(6))

    def run(seed, num_workers):
        options = {"node_type": "paper", "weight_attr": weight_attr, "num_workers": num_workers}
        loader = neighbor_loader(data, [2, 2], 16, generator=seeded(seed), **options)
        return [(*(s.n_id.tolist() for s in b.node_stores), *(s.e_id.tolist() for s in b.edge_stores)) for b in loader]

    assert run(5, 0) == run(5, 2)
    assert run(5, 0) != run(6, 0)


@torch.no_grad()
def test_sums_over_edges_of_each_type_that_are_drawn_by_weight_are_unbiased():
    data = HeteroData()
    data["paper"].x, data["author"].x = torch.zeros(1, 1), torch.arange(6.0)[:, None]
    data[WRITES].edge_index = torch.stack([torch.arange(6), torch.zeros(6, dtype=torch.long)])
    data[WRITES].edge_weight = torch.tensor([0.1, 3.0, 0.5, 1.0, 0.0, 2.0])
    sums = []
    for seed in range(2000):
        options = {"node_type": "paper", "weight_attr": "edge_weight", "generator": seeded(seed)}
        (batch,) = neighbor_loader(data, [3], 1, **options)
        assert batch[WRITES].num_edges == 3
        sums.append(batch[WRITES].edge_weight @ batch["author"].x[batch[WRITES].edge_index[0], 0])
    sums, whole = torch.stack(sums), data[WRITES].edge_weight @ data["author"].x[:, 0]
    assert (sums.mean() - whole).abs() < 3 * sums.std() / len(sums) ** 0.5


def test_input_nodes_are_of_the_type():
    data, chosen = acm(), torch.tensor([30, 2, 39])
    for input_nodes in (chosen, torch.zeros(40, dtype=torch.bool).index_fill(0, chosen, True)):
        batches = list(neighbor_loader(data, [2], 2, node_type="author", input_nodes=input_nodes, generator=seeded()))
        seeds = torch.cat([batch["author"].n_id[: batch["author"].batch_size] for batch in batches])
        assert sorted(seeds.tolist()) == [2, 30, 39]
    with pytest.raises(ValueError, match=r"input_nodes must be in \[0, 40\), got 45"):
        neighbor_loader(data, [2], 2, node_type="author", input_nodes=torch.tensor([45]))


@pytest.mark.parametrize("augmentor", [EdgeDrop(0.4), NodeDrop(0.3)])
def test_views_of_batches_keep_seeds_numbers_and_hops(augmentor):
    data = acm()
    for batch in neighbor_loader(data, [3, 3], 8, node_type="paper", generator=seeded()):
        view = augmentor(batch, generator=seeded(1))
        check_batch(view, data)
        seeds = view["paper"].n_id[: view["paper"].batch_size]
        assert torch.equal(seeds, view["paper"].input_id)
        assert (view["paper"].node_hop[: len(seeds)] == 0).all()
        assert torch.isin(seeds, batch["paper"].n_id[: batch["paper"].batch_size]).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"node_type": None}, r"node_type must be one of the node types, \['paper', 'author', 'subject'\], got None"),
        ({"node_type": "venue"}, "node_type must be one of the node types, .* got 'venue'"),
        ({"num_neighbors": {("paper", "to", "author"): [1]}}, "num_neighbors must have the edge types as keys, .* got"),
        ({"num_neighbors": [0]}, r"num_neighbors must hold one number for each hop, .* got \[0\]"),
        (
            {"num_neighbors": {key: [1] * number for number, key in enumerate(acm().edge_types, 1)}},
            "num_neighbors must have the same number of hops for all edge types, got",
        ),
        ({"weight_attr": "score"}, "weight_attr must name an attribute of the edges, got 'score', which data lacks"),
        ({"data": nobody(), "node_type": "subject"}, "data must have at least one node of the type, got none"),
    ],
)
def test_arguments_are_checked(change, message):
    arguments = {"data": acm(), "num_neighbors": [2], "batch_size": 4, "node_type": "paper"} | change
    with pytest.raises(ValueError, match=message):
        neighbor_loader(**arguments)


def test_the_sampler_alone():
    data = acm()
    sample = NeighborSampler(data, [2, 1], node_type="paper").sample(torch.tensor([3, 3, 5]), generator=seeded())
    assert sample.node["paper"][:3].tolist() == [3, 3, 5]
    assert sample.num_sampled_nodes["paper"][0] == 3
    assert sample.num_sampled_nodes["author"][0] == 0
    for key, edge in sample.edge.items():
        ends = sample.node[key[0]][sample.row[key]], sample.node[key[2]][sample.col[key]]
        assert torch.equal(torch.stack(ends), data[key].edge_index[:, edge])
        assert sum(sample.num_sampled_edges[key]) == len(edge)
