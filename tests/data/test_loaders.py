"""Mini-batches: real edges in their direction, exact counts, uniform draws, hops, and the same batches from a seed."""

import functools
import itertools

import pytest
import torch
import torch_geometric.nn as pyg
from hypothesis import given
from hypothesis import strategies as st
from torch_geometric.data import Batch, Data, HeteroData
from torch_geometric.transforms import AddSelfLoops
from torch_geometric.utils import k_hop_subgraph
from torch_geometric.utils._trim_to_layer import trim_to_layer

from augmentors import EdgeAdd, EdgeDrop, EdgeRewire, NodeDrop, UniformSubgraph
from gcl.data import NeighborSampler, cluster_loader, neighbor_loader
from gcl.nn import encode, gcn, gin, gine, sage
from gcl.train import load_checkpoint, save_checkpoint
from tests.graphs import graphs
from tests.inputs import seeded

PER_HOP = [[1], [2, 1], [-1, 2], [1, -1, 1], [-1, -1]]


def hub(degree, **kwargs):
    """``degree`` nodes that lead to node 0."""
    edge_index = torch.stack([torch.arange(1, degree + 1), torch.zeros(degree, dtype=torch.long)])
    return Data(edge_index=edge_index, num_nodes=degree + 1, **kwargs)


def random_graph(n=60, e=300):
    edge_index = torch.randint(n, (2, e), generator=seeded(9))
    return Data(x=torch.arange(n * 2.0).reshape(n, 2), edge_index=edge_index, y=torch.arange(n))


def weighted_graph():
    data = random_graph()
    data.edge_weight = torch.rand(300, generator=seeded(3))
    return data


def hops(batch):
    """How many edges of the batch lead from each node to the next seed."""
    hop = torch.full((batch.num_nodes,), 1000)
    hop[: batch.batch_size] = 0
    for _ in range(batch.num_nodes):
        for source, target in batch.edge_index.T.tolist():
            hop[source] = min(hop[source], hop[target] + 1)
    return hop.tolist()


def check_hops(batch):
    """Hops are sorted, and each edge leads from its hop or a nearer one to the hop before."""
    start, end = batch.node_hop[batch.edge_index]
    assert (start <= end + 1).all()
    assert (end.diff() >= 0).all()
    assert torch.equal(batch.node_hop == 0, torch.arange(batch.num_nodes) < batch.batch_size)
    assert batch.node_hop.dtype == torch.long
    assert batch.node_hop.shape == (batch.num_nodes,)
    assert (batch.node_hop.diff() >= 0).all()


def check_attributes(batch, data):
    """The batch's edges are edges of the graph, in their direction, and what belongs to nodes and edges came along."""
    assert torch.equal(batch.n_id[batch.edge_index], data.edge_index[:, batch.e_id])
    assert len(set(batch.e_id.tolist())) == batch.num_edges
    assert torch.equal(batch.node_number, batch.n_id)
    assert torch.equal(batch.edge_number, batch.e_id)
    assert batch.num_nodes == batch.n_id.numel()
    for key in ("x", "y", "train_mask"):
        assert (key in batch) == (key in data)
        assert key not in data or torch.equal(batch[key], data[key][batch.n_id])
    for key in ("edge_attr", "edge_weight"):
        assert key not in data or torch.equal(batch[key], data[key][batch.e_id])


def same(batches, others):
    return len(batches) == len(others) and all(
        torch.equal(a.n_id, b.n_id)
        and torch.equal(a.e_id, b.e_id)
        and torch.equal(a.edge_index, b.edge_index)
        and torch.equal(a.input_id, b.input_id)
        for a, b in zip(batches, others, strict=True)
    )


@given(data=graphs(), num_neighbors=st.sampled_from(PER_HOP), batch_size=st.integers(1, 9), seed=st.integers(0, 99))
def test_every_node_has_its_number_of_real_edges(data, num_neighbors, batch_size, seed):
    loader = neighbor_loader(data, num_neighbors, batch_size, generator=seeded(seed))
    degree = data.edge_index[1].bincount(minlength=data.num_nodes)
    seeds = []
    for batch in loader:
        check_attributes(batch, data)
        assert torch.equal(batch.n_id[: batch.batch_size], batch.input_id)
        assert len(set(batch.n_id.tolist())) == batch.num_nodes
        check_hops(batch)
        assert batch.node_hop.tolist() == hops(batch)
        entering = batch.edge_index[1].bincount(minlength=batch.num_nodes).tolist()
        for node, hop, count in zip(batch.n_id.tolist(), hops(batch), entering, strict=True):
            available = int(degree[node])
            allowed = 0 if hop == len(num_neighbors) else num_neighbors[hop]
            assert count == (available if allowed == -1 else min(available, allowed))
        seeds += batch.n_id[: batch.batch_size].tolist()
    assert sorted(seeds) == list(range(data.num_nodes))


@given(data=graphs(), num_hops=st.integers(1, 4), seed=st.integers(0, 7))
def test_all_neighbors_are_pygs_k_hop_subgraph(data, num_hops, seed):
    seed %= data.num_nodes
    batch = next(iter(neighbor_loader(data, [-1] * num_hops, 1, input_nodes=torch.tensor([seed]))))
    node, _, _, _ = k_hop_subgraph(seed, num_hops, data.edge_index, num_nodes=data.num_nodes)
    assert sorted(batch.n_id.tolist()) == node.tolist()
    inner = k_hop_subgraph(seed, num_hops - 1, data.edge_index, num_nodes=data.num_nodes)[0]
    edges = torch.isin(data.edge_index[1], inner).nonzero().squeeze(1)  # all that end less than num_hops away
    assert batch.e_id.sort().values.tolist() == edges.tolist()


def test_by_hand():
    data = Data(x=torch.eye(4), edge_index=torch.tensor([[2, 0, 3, 1, 2], [0, 1, 2, 3, 2]]))
    (batch,) = neighbor_loader(data, [-1, -1], 1, input_nodes=torch.tensor([0]))
    assert batch.n_id.tolist() == [0, 2, 3]  # 3 -> 2 -> 0, with the loop at 2; 1 -> 3 is three hops away
    assert batch.edge_index.tolist() == [[1, 2, 1], [0, 1, 1]]
    assert batch.e_id.tolist() == [0, 2, 4]
    assert batch.batch_size == 1
    assert batch.node_hop.tolist() == [0, 1, 2]


@pytest.mark.parametrize("num_workers", [0, 2])
def test_hops_come_with_workers_and_before_the_transform(num_workers):
    def transform(batch):
        check_hops(batch)
        batch.seen = batch.node_hop.clone()
        return batch

    loader = neighbor_loader(random_graph(), [3, 2], 16, transform=transform, num_workers=num_workers)
    for batch in loader:
        check_hops(batch)
        assert torch.equal(batch.seen, batch.node_hop)
        assert batch.node_hop.max() == 2
    (cluster_batch,) = cluster_loader(random_graph(), torch.zeros(60).long(), 1)
    assert "node_hop" not in cluster_batch


class Custom(torch.nn.Module):
    """Trims its own layers."""

    def __init__(self, in_channels, out_channels):
        super().__init__()
        self.conv1, self.conv2 = pyg.GraphConv(in_channels, 8), pyg.GraphConv(8, out_channels)

    def forward(self, x, edge_index, num_sampled_nodes_per_hop=None, num_sampled_edges_per_hop=None):
        h = self.conv1(x, edge_index).relu()
        if num_sampled_nodes_per_hop is not None:
            counts = num_sampled_nodes_per_hop, num_sampled_edges_per_hop
            h, edge_index, _ = trim_to_layer(1, *counts, h, edge_index)
        return self.conv2(h, edge_index)


def recording(encoder):
    """The encoder, which notes the counts of nodes per hop that it is given."""

    def record(module, args, kwargs):
        module.seen = kwargs.get("num_sampled_nodes_per_hop")

    encoder.register_forward_pre_hook(record, with_kwargs=True)
    return encoder.double()


encoders = pytest.mark.parametrize(
    "build",
    [
        lambda: pyg.GraphSAGE(2, 8, 3, 6),
        lambda: pyg.GIN(2, 8, 2, 6),
        lambda: pyg.GAT(2, 8, 3, 6),
        lambda: pyg.EdgeCNN(2, 8, 2, 6),
        lambda: pyg.PNA(2, 8, 2, 6, aggregators=["mean", "max"], scalers=["amplification"], deg=torch.ones(9)),
        lambda: pyg.GraphSAGE(2, 8, 3, 6, norm="layer_norm", norm_kwargs={"mode": "node"}),
        lambda: pyg.GIN(2, 8, 2, 6, norm="batch_norm").eval(),
        lambda: pyg.GCN(2, 8, 2, 6, normalize=False),
        lambda: sage(2, 8, 2, 6),
        lambda: gin(2, 8, 3, 6),
        lambda: gin(2, 8, 2, 6, norm="batch_norm").eval(),
        lambda: gcn(2, 8, 2, 6),
        lambda: gcn(2, 8, 3, 6, act="prelu", norm="layer_norm", norm_kwargs={"mode": "node"}),
        lambda: gcn(2, 8, 2, 6, normalize=False),
        lambda: Custom(2, 8),
    ],
)


def sparse_graph():
    """Sixty nodes, ninety edges: three hops from a few nodes do not reach all."""
    data = random_graph(e=90)
    data.x = torch.randn(60, 2, generator=seeded(1), dtype=torch.double)
    return data


def untrimmed(encoder, batch):
    batch = batch.clone()
    batch.pop("node_hop", None)
    return encode(encoder, batch)


def counts(batch):
    return {
        "num_sampled_nodes_per_hop": batch.node_hop.bincount().tolist(),
        "num_sampled_edges_per_hop": batch.node_hop[batch.edge_index[1]].bincount().tolist(),
    }


def cluster_batch(data):
    """A batch of all nodes of a batch, which all count."""
    (batch,) = cluster_loader(data, torch.zeros(data.num_nodes, dtype=torch.long), 1)
    return batch


@encoders
def test_trimmed_layers_embed_seeds_as_in_the_whole_graph(build):
    data, encoder = sparse_graph(), recording(build())
    whole = encode(encoder, data)
    assert encoder.seen is None
    for batch in neighbor_loader(data, [-1] * 3, 7, generator=seeded()):
        h = encode(encoder, batch)
        assert encoder.seen == batch.node_hop.bincount().tolist()
        assert encoder(batch.x, batch.edge_index, **counts(batch)).size(0) < batch.num_nodes
        torch.testing.assert_close(h, whole[batch.input_id], rtol=0, atol=1e-12)


@encoders
@pytest.mark.parametrize("augmentor", [EdgeDrop(0.4), NodeDrop(0.3)])
def test_trimmed_layers_embed_views_as_untrimmed_ones(build, augmentor):
    encoder, trimmed = recording(build()), 0
    for batch in neighbor_loader(sparse_graph(), [-1] * 3, 7, generator=seeded()):
        view = augmentor(batch, generator=seeded(2))
        check_hops(view)
        h = encode(encoder, view)
        trimmed += encoder.seen is not None
        torch.testing.assert_close(h, untrimmed(encoder, view), rtol=0, atol=1e-12)
    assert trimmed >= 5


@encoders
@pytest.mark.parametrize("change", [EdgeAdd(0.5), EdgeRewire(0.5), AddSelfLoops(), cluster_batch])
def test_layers_are_not_trimmed_where_edges_do_not_fit_their_hops(build, change):
    encoder = recording(build())
    for batch in neighbor_loader(sparse_graph(), [-1] * 3, 7, generator=seeded()):
        view = change(batch)
        h = encode(encoder, view)
        assert encoder.seen is None
        torch.testing.assert_close(h, untrimmed(encoder, view), rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    "build",
    [
        lambda: pyg.GCN(2, 8, 2, 6),
        lambda: pyg.GraphSAGE(2, 8, 2, 6, jk="cat"),
        lambda: pyg.GraphSAGE(2, 8, 2, 6, norm="layer_norm"),
        lambda: pyg.GraphSAGE(2, 8, 2, 6, norm="graph_norm"),
        lambda: pyg.GIN(2, 8, 2, 6, norm="batch_norm"),
        lambda: pyg.GIN(2, 8, 2, 6, norm="batch_norm", norm_kwargs={"track_running_stats": False}).eval(),
        lambda: gcn(2, 8, 2, 6, norm="instance_norm"),
        lambda: gcn(2, 8, 2, 6, jk="max"),
        lambda: gcn(2, 8, 2, 6, aggr="mean"),
        lambda: gcn(2, 8, 4, 6),  # more layers than hops
    ],
)
def test_layers_are_not_trimmed_where_others_rows_count(build):
    encoder = recording(build())
    for batch in neighbor_loader(sparse_graph(), [-1] * 3, 7, generator=seeded()):
        h = encode(encoder, batch)
        assert encoder.seen is None
        torch.testing.assert_close(h, untrimmed(encoder, batch), rtol=0, atol=1e-12)


@pytest.mark.parametrize("both", [False, True])
def test_weights_and_features_of_edges_are_trimmed_together(both):
    data, encoder = sparse_graph(), recording(gine(2, 8, 2, 6, edge_dim=3))
    data.edge_attr = torch.randn(data.num_edges, 3, dtype=torch.double, generator=seeded(4))
    if both:
        data.edge_weight = torch.rand(data.num_edges, dtype=torch.double, generator=seeded(5))
    whole = encode(encoder, data)
    for batch in neighbor_loader(data, [-1] * 3, 7, generator=seeded()):
        h = encode(encoder, batch)
        assert encoder.seen is not None
        torch.testing.assert_close(h, whole[batch.input_id], rtol=0, atol=1e-12)


def whole_degrees(data):
    """Node by node, as GCN counts: one self-loop, the last one given, of weight 1 where there is none."""
    weight = data.edge_weight.tolist() if "edge_weight" in data else [1.0] * data.num_edges
    degree, loop = [0.0] * data.num_nodes, [1.0] * data.num_nodes
    for (source, end), value in zip(data.edge_index.T.tolist(), weight, strict=True):
        if source == end:
            loop[end] = value
        else:
            degree[end] += value
    return torch.tensor([sum(parts) for parts in zip(degree, loop, strict=True)])


@given(data=graphs(), num_neighbors=st.sampled_from(PER_HOP), seed=st.integers(0, 99))
def test_batches_know_the_degrees_of_the_whole_graph(data, num_neighbors, seed):
    degree = whole_degrees(data)
    for batch in neighbor_loader(data, num_neighbors, 3, generator=seeded(seed)):
        assert torch.equal(batch.node_degree, degree[batch.n_id])
        view = NodeDrop(0.3)(EdgeDrop(0.5)(batch, generator=seeded(seed)), generator=seeded(seed))
        assert torch.equal(view.node_degree, degree[view.n_id])
    assert "node_degree" not in data


@given(data=graphs(features=False), num_layers=st.integers(1, 3), improved=st.booleans(), seed=st.integers(0, 99))
def test_gcn_with_all_neighbors_and_a_hop_a_layer_is_that_of_the_whole_graph(data, num_layers, improved, seed):
    data.x = torch.randn(data.num_nodes, 2, dtype=torch.double, generator=seeded(seed))
    has_loops = (data.edge_index[0] == data.edge_index[1]).any()
    improved &= not ("edge_weight" in data and has_loops)  # loops of the last hop are taken for missing ones
    encoder = gcn(2, 5, num_layers, 3, improved=improved).double()
    whole = encode(encoder, data)
    for batch in neighbor_loader(data, [-1] * num_layers, 2, generator=seeded(seed)):
        for h in (encode(encoder, batch), untrimmed(encoder, batch)):
            torch.testing.assert_close(h, whole[batch.input_id], rtol=1e-6, atol=1e-6)


def drawn(data, rounds, view=None, **options):
    """Batches of all nodes, with different draws."""
    for seed in range(rounds):
        (batch,) = neighbor_loader(data, [5], 60, shuffle=False, generator=seeded(seed), **options)
        yield batch if view is None else view(batch, generator=seeded(seed))


def dense_graph(weighted=False):
    """Sixty nodes, about fifteen edges each, without self-loops."""
    data = random_graph(e=900)
    data.x = torch.rand(60, 2, generator=seeded(1), dtype=torch.double)
    data.edge_index = data.edge_index[:, data.edge_index[0] != data.edge_index[1]]
    if weighted:
        data.edge_weight = torch.rand(data.num_edges, generator=seeded(4), dtype=torch.double) + 0.1
    return data


def biased(samples, truth):
    """The share of entries that are more than three standard errors from the truth: 0.3 % of an unbiased estimate."""
    samples = torch.stack(samples)
    error = (samples.mean(0) - truth) / (samples.std(0) / len(samples) ** 0.5)
    return float((error.abs() > 3).double().mean())


@pytest.mark.parametrize("view", [None, EdgeDrop(0.3)])
@pytest.mark.parametrize("weighted", [False, True])
@torch.no_grad()
def test_a_sampled_gcn_estimates_that_of_the_whole_graph(view, weighted):
    data, encoder = dense_graph(weighted), gcn(2, 8, 1, 6, final_activation=False).double()
    whole = encode(encoder, data)
    batches = list(drawn(data, 400, view))
    samples = [encode(encoder, batch) for batch in batches]
    alone = [encoder(b.x, b.edge_index, b.get("edge_weight"))[:60] for b in batches]  # by the degrees of the batch
    errors = [float((torch.stack(rows).mean(0) - whole).norm() / whole.norm()) for rows in (samples, alone)]
    assert errors[0] < 0.02
    assert errors[1] > 0.1
    if not weighted:  # else a ratio of two sums
        assert biased(samples, whole) < 0.02


def star(weight):
    """Nodes with edges of these weights to node 0."""
    data = hub(len(weight), edge_weight=torch.tensor(weight, dtype=torch.double))
    data.x = torch.randn(data.num_nodes, 2, generator=seeded(8), dtype=torch.double)
    return data


@pytest.mark.parametrize("k", [1, 2])
def test_edges_are_drawn_by_their_weights(k):
    weight, draws = [1.0, 2.0, 0.0, 4.0, 3.0], 6000
    sampler = NeighborSampler(star(weight), [k], weight_attr="edge_weight")
    edge = sampler.sample(torch.zeros(draws, dtype=torch.long), generator=seeded(1)).edge.reshape(draws, k)
    first = torch.tensor(weight) / 10
    if k == 1:
        count, expected = edge[:, 0].bincount(minlength=5), first
    else:  # without replacement, in either order
        pairs = torch.tensor([[p * q / (1 - p) + p * q / (1 - q) for p in first.tolist()] for q in first.tolist()])
        low, high = edge.sort(dim=1).values.T
        count = torch.zeros(5, 5).index_put_((low, high), torch.ones(draws), accumulate=True)
        chosen = torch.triu_indices(5, 5, 1)
        count, expected = count[chosen[0], chosen[1]], pairs[chosen[0], chosen[1]]
        assert count.sum() == draws
    possible = expected > 0
    assert count[~possible].sum() == 0
    assert chi_square(count[possible], draws * expected[possible]) < (16.3 if k == 1 else 20.5)  # p = 0.001


def test_edges_of_weight_zero_are_never_drawn():
    data = star([0.0, 1.0, 0.0, 2.0])
    for k in (-1, 3, 5):
        (batch,) = neighbor_loader(data, [k], 1, input_nodes=torch.tensor([0]), weight_attr="edge_weight")
        assert sorted(batch.e_id.tolist()) == [1, 3]
        assert sorted(batch.edge_weight.tolist()) == [1.0, 2.0]


@torch.no_grad()
def test_sums_over_edges_that_are_drawn_by_weight_are_unbiased():
    data, encoder = dense_graph(weighted=True), gin(2, 8, 1, 6).double()
    encoder.convs[0].nn, encoder.final_activation = torch.nn.Identity(), False
    batches = list(drawn(data, 1000, weight_attr="edge_weight"))
    whole = encode(encoder, data)
    assert biased([encode(encoder, batch) for batch in batches], whole) < 0.02
    for batch in batches:  # with the weights as they were
        batch.edge_weight = data.edge_weight[batch.e_id]
    assert biased([encode(encoder, batch) for batch in batches], whole) > 0.9


@torch.no_grad()
def test_a_gcn_on_edges_that_are_drawn_by_weight_estimates_that_of_the_whole_graph():
    data, encoder = dense_graph(weighted=True), gcn(2, 8, 1, 6, final_activation=False).double()
    samples = [encode(encoder, batch) for batch in drawn(data, 400, weight_attr="edge_weight")]
    whole = encode(encoder, data)
    assert (torch.stack(samples).mean(0) - whole).norm() < 0.02 * whole.norm()


def test_all_neighbors_keep_their_weights():
    data = star([1.0, 2.0, 4.0, 3.0])
    for k, exact in ((-1, True), (4, True), (3, False)):
        (batch,) = neighbor_loader(data, [k], 1, input_nodes=torch.tensor([0]), weight_attr="edge_weight")
        assert torch.equal(batch.edge_weight, data.edge_weight[batch.e_id]) == exact
    data.score = data.edge_weight
    (batch,) = neighbor_loader(data, [2], 1, input_nodes=torch.tensor([0]), weight_attr="score")
    assert torch.equal(batch.edge_weight, data.edge_weight[batch.e_id])


def chi_square(count, expected):
    return float(((count - expected) ** 2 / expected).sum())


def test_every_set_of_edges_is_equally_likely():
    data = hub(5)
    data.edge_index[0, :2] = 3  # three of the five edges are of the same two nodes
    draws = 6000
    sample = NeighborSampler(data, [2]).sample(torch.zeros(draws, dtype=torch.long), generator=seeded(1))
    assert torch.equal(sample.col, torch.arange(draws).repeat_interleave(2))  # each seed has a draw of its own
    edge = sample.edge.reshape(draws, 2).sort(dim=1).values
    count = torch.zeros(5, 5).index_put_((edge[:, 0], edge[:, 1]), torch.ones(draws), accumulate=True)
    count = torch.stack([count[pair] for pair in itertools.combinations(range(5), 2)])
    assert count.sum() == draws  # never the same edge twice
    assert chi_square(count, draws / 10) < 27.9  # 9 degrees of freedom: p = 0.001


def test_a_node_of_high_degree_is_drawn_from_uniformly():
    draws, k = 400, 25
    sample = NeighborSampler(hub(5000), [k]).sample(torch.zeros(draws, dtype=torch.long), generator=seeded(2))
    edge = sample.edge.reshape(draws, k)
    assert (edge.sort(dim=1).values.diff(dim=1) > 0).all()
    assert chi_square((edge // 100).flatten().bincount(minlength=50), draws * k / 50) < 85.4  # 49 degrees: p = 0.001


def test_nodes_of_one_batch_are_drawn_for_independently():
    both = hub(2)
    both.edge_index = torch.tensor([[1, 2, 1, 2], [0, 0, 3, 3]])
    both.num_nodes = 4
    sampler, count = NeighborSampler(both, [1]), torch.zeros(2, 2)
    generator = seeded(3)
    for _ in range(400):
        first, second = sampler.sample(torch.tensor([0, 3]), generator=generator).edge.tolist()
        count[first, second - 2] += 1
    assert chi_square(count, 100) < 16.3  # 3 degrees: p = 0.001


@pytest.mark.parametrize(
    "load",
    [
        lambda g, w: neighbor_loader(random_graph(), [3, 2], 16, generator=g, num_workers=w),
        lambda g, w: neighbor_loader(
            weighted_graph(), [3, 2], 16, weight_attr="edge_weight", generator=g, num_workers=w
        ),
        lambda g, w: cluster_loader(random_graph(), torch.arange(60) // 6, 3, generator=g, num_workers=w),
    ],
)
def test_the_generator_decides_whatever_the_number_of_workers(load, tmp_path):
    def run(generator, num_workers, epochs):
        loader, result = load(generator, num_workers), []
        for _ in range(epochs):
            for batch in loader:
                torch.rand(3, generator=generator)  # as the views would
                result.append(batch)
        return result

    generator = seeded(5)
    first = run(generator, 0, 1)
    save_checkpoint(tmp_path / "run", 1, generator=generator)
    second = run(generator, 0, 1)
    assert not same(first, second)
    assert not same(first, run(seeded(6), 0, 1))
    assert same(first + second, run(seeded(5), 0, 2))
    assert same(first + second, run(seeded(5), 2, 2))
    resumed = seeded(0)
    load_checkpoint(tmp_path / "run", generator=resumed)
    assert same(second, run(resumed, 2, 1))


def test_without_a_generator_torchs_seed_decides():
    loader, runs = neighbor_loader(random_graph(), [3, 2], 16), []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        runs.append(list(loader))
    assert same(runs[0], runs[1])
    assert not same(runs[0], runs[2])


def test_the_draws_of_an_epoch_differ_where_the_order_does_not():
    loader = neighbor_loader(hub(1000), [2], 1, input_nodes=torch.tensor([0]), shuffle=False, generator=seeded())
    assert len({tuple(batch.e_id.tolist()) for _ in range(5) for batch in loader}) == 5


@pytest.mark.parametrize(("batch_size", "sizes"), [(2, [2, 1]), (3, [3]), (100, [3])])
@pytest.mark.parametrize("as_mask", [False, True])
def test_input_nodes_and_their_numbers(batch_size, sizes, as_mask):
    data, nodes = random_graph(), torch.tensor([4, 8, 50])
    input_nodes = torch.zeros(60, dtype=torch.bool).index_fill(0, nodes, True) if as_mask else nodes
    batches = list(neighbor_loader(data, [2], batch_size, input_nodes=input_nodes, generator=seeded()))
    assert [batch.batch_size for batch in batches] == sizes
    seeds = torch.cat([batch.n_id[: batch.batch_size] for batch in batches])
    assert sorted(seeds.tolist()) == [4, 8, 50]
    number = torch.cat([batch.input_id for batch in batches])
    assert torch.equal(seeds, number if as_mask else nodes[number])


def test_repeated_seeds_have_rows_of_their_own():
    data = random_graph()
    (batch,) = neighbor_loader(data, [-1], 3, input_nodes=torch.tensor([7, 7, 8]), shuffle=False)
    assert batch.n_id[:3].tolist() == [7, 7, 8]
    entering = batch.edge_index[1].bincount(minlength=3)
    degree = data.edge_index[1].bincount()
    assert entering.tolist()[:3] == degree[[7, 7, 8]].tolist()
    assert torch.equal(batch.n_id[batch.edge_index], data.edge_index[:, batch.e_id])


def test_options_go_to_torchs_loader():
    loader = neighbor_loader(random_graph(), [2], 16, drop_last=True, transform=lambda batch: batch.x.size(1))
    assert list(loader) == [2, 2, 2]
    order = neighbor_loader(random_graph(), [2], 2, shuffle=False, sampler=[5, 3, 9])
    assert [batch.input_id.tolist() for batch in order] == [[5, 3], [9]]


@given(data=graphs(), num_clusters=st.integers(1, 5), batch_size=st.integers(1, 5), seed=st.integers(0, 99))
def test_clusters_make_induced_subgraphs(data, num_clusters, batch_size, seed):
    cluster = torch.randint(num_clusters, (data.num_nodes,), generator=seeded(seed))
    count = cluster.unique().numel()
    loader = cluster_loader(data, cluster, min(batch_size, count), generator=seeded(seed))
    seen = []
    for batch in loader:
        check_attributes(batch, data)
        inside = torch.zeros(data.num_nodes, dtype=torch.bool).index_fill(0, batch.n_id, True)
        assert batch.e_id.sort().values.tolist() == inside[data.edge_index].all(0).nonzero().squeeze(1).tolist()
        assert cluster[inside].unique().numel() <= batch_size
        assert batch.batch_size == batch.num_nodes
        seen += batch.n_id.tolist()
    assert sorted(seen) == list(range(data.num_nodes))
    assert len(loader) == -(-count // min(batch_size, count))


def test_all_pairs_of_clusters_come_together():
    loader = cluster_loader(random_graph(), torch.arange(60) // 15, 2, generator=seeded())
    pairs = {tuple(sorted(set((batch.n_id // 15).tolist()))) for _ in range(30) for batch in loader}
    assert pairs == set(itertools.combinations(range(4), 2))


def test_uniform_subgraphs_by_torchs_loader():
    """As the module's documentation has it."""
    data, draw = random_graph(), functools.partial(UniformSubgraph(20), generator=seeded())
    loader = torch.utils.data.DataLoader([data] * 4, batch_size=None, collate_fn=draw)
    batches = [tuple(batch.n_id.tolist()) for _ in range(2) for batch in loader]
    assert len(set(batches)) == 8


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (
            {"num_neighbors": []},
            ValueError,
            r"num_neighbors must hold one number for each hop, at least 1 or -1 for all, got \[\]",
        ),
        ({"num_neighbors": 10}, ValueError, "num_neighbors must .* got 10"),
        ({"num_neighbors": [3, 0]}, ValueError, r"num_neighbors must .* got \[3, 0\]"),
        ({"num_neighbors": [2.5]}, ValueError, r"num_neighbors must .* got \[2.5\]"),
        ({"batch_size": 0}, ValueError, "batch_size must be at least 1, got 0"),
        ({"batch_size": 1.5}, TypeError, "batch_size must be an int, got 1.5"),
        ({"input_nodes": [0, 1]}, TypeError, "input_nodes must be a long tensor .* got list"),
        ({"input_nodes": torch.tensor([0.0])}, TypeError, "input_nodes must be .* got torch.float32"),
        ({"input_nodes": torch.tensor([-1])}, ValueError, r"input_nodes must be in \[0, 60\), got -1"),
        ({"input_nodes": torch.tensor([60])}, ValueError, r"input_nodes must be in \[0, 60\), got 60"),
        ({"input_nodes": torch.ones(3, dtype=torch.bool)}, ValueError, r"must have shape \[60\] as a mask, got \(3,\)"),
        ({"input_nodes": torch.zeros(60, dtype=torch.bool)}, ValueError, "must hold at least one node"),
        ({"weight_attr": "score"}, ValueError, "weight_attr must name an attribute of the edges, got 'score', which"),
        ({"weight_attr": "y"}, TypeError, "data.y must be a floating-point tensor .* got torch.int64"),
        ({"weight_attr": "x"}, ValueError, r"data.x must have shape \[300\], got \(60, 2\)"),
        (
            {"data": hub(2, score=torch.tensor([1.0, -1.0])), "weight_attr": "score"},
            ValueError,
            "data.score must be at least 0, got -1.0",
        ),
        (
            {"data": hub(2, score=torch.tensor([1.0, float("nan")])), "weight_attr": "score"},
            ValueError,
            "data.score must be finite, got nan",
        ),
        ({"num_neighbors": {("a", "to", "b"): [1]}}, ValueError, "num_neighbors must have the edge types as keys"),
        ({"persistent_workers": True, "num_workers": 2}, ValueError, "persistent_workers must be False"),
        ({"data": Batch.from_data_list([random_graph()])}, TypeError, "data must be one graph, .* got DataBatch"),
        ({"node_type": "paper"}, ValueError, "node_type must be None for a Data, got 'paper'"),
        ({"data": Data(x=torch.eye(2))}, ValueError, "data.edge_index is missing"),
        ({"data": Data(torch.ones(0, 2), torch.zeros(2, 0).long())}, ValueError, "data must have at least one node"),
        ({"data": hub(2, edge_label_index=torch.zeros(2, 1).long())}, ValueError, "no node indices but edge_index"),
        ({"data": hub(2, name=["a", "b", "c"])}, ValueError, r"as tensors, got lists: \['name'\]"),
    ],
)
def test_arguments_are_checked(change, error, message):
    arguments = {"data": random_graph(), "num_neighbors": [2], "batch_size": 4} | change
    with pytest.raises(error, match=message):
        neighbor_loader(**arguments)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"batch_size": 0}, ValueError, "batch_size must be at least 1, got 0"),
        ({"batch_size": 5}, ValueError, "batch_size must be at most 4, the number of clusters, got 5"),
        ({"cluster": torch.zeros(3).long()}, ValueError, r"cluster must have shape \[60\], got \(3,\)"),
        ({"cluster": torch.zeros(60)}, TypeError, "cluster must be a long tensor, got torch.float32"),
        ({"data": HeteroData()}, TypeError, "data must be one graph"),
    ],
)
def test_arguments_of_the_cluster_loader_are_checked(change, error, message):
    arguments = {"data": random_graph(), "cluster": torch.arange(60) // 15, "batch_size": 2} | change
    with pytest.raises(error, match=message):
        cluster_loader(**arguments)
