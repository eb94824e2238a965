"""StructComp: training on parts is training the same weights; SCE and COLES against dense formulas."""

import pytest
import torch
import torch.nn.functional as F
import torch_geometric.nn as pyg
from torch import nn
from torch_geometric.data import Data

from augmentors import Compress, DropMember, Identity, RandomWalkSubgraph
from gcl.data import csbm, partition
from gcl.losses import cca_ssg, info_nce
from gcl.methods import BGRL, CCASSG, COLES, DGI, GBT, GRACE, SCE, GraphCL, StructComp, check_compressible
from gcl.methods._sce import random_partners
from gcl.nn import gcn, gin, propagate
from gcl.train import fit
from tests.inputs import seeded

CLUSTER = torch.arange(24) % 6


def graph(n=24, d=4, dtype=torch.float32):
    g = seeded(1)
    edge_index = torch.randint(n - 2, (2, 40), generator=g)  # the last two have no edges
    return Data(
        x=torch.randn(n, d, generator=g, dtype=dtype), edge_index=torch.cat([edge_index, edge_index.flip(0)], 1)
    )


class Diffused(nn.Module):
    """An MLP followed by personalized PageRank."""

    def __init__(self):
        super().__init__()
        self.lin = nn.Linear(4, 6)
        self.propagation = pyg.APPNP(K=3, alpha=0.1)

    def forward(self, x, edge_index, edge_weight=None):
        return self.propagation(self.lin(x).tanh(), edge_index, edge_weight)


def mlp_of_gcn(model):
    """The MLP with the weights of a PyG GCN."""

    def forward(x):
        for depth, (conv, norm) in enumerate(zip(model.convs, model.norms, strict=True), 1):
            x = F.linear(x, conv.lin.weight, conv.bias)
            x = x if depth == len(model.convs) else model.act(norm(x))
        return x

    return forward


TWINS = {
    "GCN": (lambda: pyg.GCN(4, 8, 2, 6), mlp_of_gcn),
    "GCN, 3 layers, PReLU": (lambda: pyg.GCN(4, 8, 3, 6, act="prelu"), mlp_of_gcn),
    "GCN, LayerNorm": (lambda: pyg.GCN(4, 8, 2, 6, norm="layer_norm"), mlp_of_gcn),
    "GCN, BatchNorm": (lambda: pyg.GCN(4, 8, 2, 6, norm="batch_norm"), mlp_of_gcn),
    "GCN, improved": (lambda: pyg.GCN(4, 8, 2, 6, improved=True), mlp_of_gcn),
    "gcl.nn.gcn": (lambda: gcn(4, 8, 2, 6, act="prelu"), lambda m: lambda x: m.act(mlp_of_gcn(m)(x))),
    "SGC": (lambda: pyg.SGConv(4, 6, K=2), lambda m: m.lin),
    "S2GC": (lambda: pyg.SSGConv(4, 6, alpha=0.1, K=3), lambda m: m.lin),
    "APPNP": (Diffused, lambda m: lambda x: m.lin(x).tanh()),
}


@pytest.mark.parametrize(("build", "mlp"), TWINS.values(), ids=TWINS)
def test_on_compressed_data_an_encoder_is_the_mlp_with_its_weights(build, mlp):
    encoder = build().double()
    check_compressible(encoder, 4)
    view = Compress(CLUSTER)(graph(dtype=torch.double))
    torch.testing.assert_close(encoder(view.x, view.edge_index), mlp(encoder)(view.x), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("encoder", "message"),
    [
        (gin(4, 8, 3, 6), "constant signal on a ring"),
        (pyg.GraphSAGE(4, 8, 2), "constant signal on a ring"),
        (pyg.GraphConv(4, 8), "constant signal on a ring"),
        (pyg.GCNConv(4, 8, add_self_loops=False), "constant signal on a ring"),
        (pyg.GCNConv(4, 8, normalize=False), "constant signal on a ring"),
        (pyg.GAT(4, 8, 2), r"no gradient for \['convs.0.att_src', 'convs.0.att_dst'"),
        (pyg.GATv2Conv(4, 8), "no gradient for .*'att'"),
        (pyg.GCNConv(4, 8, cached=True), "cached=True"),
    ],
)
def test_other_encoders_are_refused(encoder, message):
    encoder.train()
    method = StructComp(CCASSG(encoder), CLUSTER)
    with pytest.raises(ValueError, match=message):
        method(graph())
    assert encoder.training


@pytest.mark.parametrize("name", ["GRACE", "CCASSG", "GBT", "BGRL"])
def test_the_loss_is_the_methods_on_compressed_views(name):
    builders = {
        "GRACE": lambda e: GRACE(e, 6),
        "CCASSG": CCASSG,
        "GBT": lambda e: GBT(e, 6),
        "BGRL": lambda e: BGRL(e, 6),
    }
    method, data = builders[name](gcn(4, 8, 2, 6, act="prelu")), graph()
    before = repr(method.augmentor1), repr(method.augmentor2)
    compressed = StructComp(method, CLUSTER, p=0.4)
    got = compressed(data, generator=seeded())
    assert (repr(method.augmentor1), repr(method.augmentor2)) == before
    views = Compress(CLUSTER)(data), DropMember(CLUSTER, 0.4)(data, generator=seeded())
    method.augmentor1, method.augmentor2 = (lambda _, generator, view=view: view for view in views)
    assert got == method(data)
    torch.testing.assert_close(compressed.embed(data), method.encoder(data.x, data.edge_index))
    got.backward()
    assert all(p.grad is not None for p in method.parameters() if p.requires_grad)


def test_the_target_of_bgrl_moves_with_it():
    method = BGRL(gcn(4, 8, 2, 6), 6, momentum=0.5)
    before = [p.clone() for p in method.target.parameters()]
    compressed = StructComp(method, CLUSTER)
    optimizer = torch.optim.Adam(compressed.parameters(), lr=0.1)
    fit(compressed, graph(), optimizer, epochs=1, progress=False, generator=seeded())
    assert any(not torch.equal(p, old) for p, old in zip(method.target.parameters(), before, strict=True))


def test_weights_make_the_loss_that_of_lifted_rows():
    cluster = torch.tensor([0] * 12 + [1] * 6 + [2, 3, 3, 4, 4, 4])
    data, method = graph(dtype=torch.double), CCASSG(gcn(4, 8, 2, 6, final_activation=False).double())
    got = StructComp(method, cluster, weighted=True)(data, generator=seeded())
    views = Compress(cluster)(data), DropMember(cluster)(data, generator=seeded())
    lifted = (method.encoder(view.x, view.edge_index)[cluster] for view in views)
    torch.testing.assert_close(got, cca_ssg(*lifted))
    assert got != StructComp(method, cluster)(data, generator=seeded())


def test_with_a_batch_the_compressed_loss_is_a_regularizer():
    data, method = graph(), GRACE(gcn(4, 8, 2, 6), 6)
    batch = RandomWalkSubgraph(2, num_walks=8)
    got = StructComp(method, CLUSTER, batch=batch, compressed_weight=0.3)(data, generator=seeded())
    g = seeded()
    compressed = StructComp(method, CLUSTER)(data, generator=g)
    expected = method(batch(data, generator=g), generator=g) + 0.3 * compressed
    assert got == expected
    assert StructComp(method, CLUSTER, batch=Identity(), compressed_weight=0.0)(data).isfinite()


def test_views_drawn_beforehand_need_the_graph_no_more():
    data, method = graph(), StructComp(CCASSG(gcn(4, 8, 2, 6)), CLUSTER)
    method.predraw(data, 3, generator=seeded())
    g = seeded(1)
    elsewhere = Data(x=torch.zeros(1, 4), edge_index=torch.empty(2, 0).long())
    losses = [method(elsewhere, generator=g).item() for _ in range(30)]
    assert len(set(losses)) == 3


def test_batch_norm_takes_the_statistics_of_the_whole_graph():
    encoder, data = gcn(4, 8, 2, 6, norm="batch_norm"), graph()
    method = StructComp(CCASSG(encoder), CLUSTER).train()
    for _ in range(3):
        method(data)
    h = method.embed(data)
    assert method.training
    assert encoder.norms[0].module.momentum == 0.1
    first = encoder.convs[0](data.x, data.edge_index)
    torch.testing.assert_close(encoder.norms[0].module.running_mean, first.mean(0))
    torch.testing.assert_close(encoder.norms[0].module.running_var, first.var(0))
    encoder.eval()
    torch.testing.assert_close(h, encoder(data.x, data.edge_index))


def test_methods_without_two_views_or_weights_are_refused():
    with pytest.raises(TypeError, match=r"method must compare two views \(be a TwoView\) for StructComp, got DGI"):
        StructComp(DGI(gcn(4, 8, 2, 6), 6), CLUSTER)
    with pytest.raises(ValueError, match="method must compare nodes, got GraphCL with a readout"):
        StructComp(GraphCL(gin(4, 8, 3, 6), 6), CLUSTER)
    with pytest.raises(ValueError, match="objective that takes row_weight, got <function byol"):
        StructComp(BGRL(gcn(4, 8, 2, 6), 6), CLUSTER, weighted=True)


def test_the_remainder_bounds_the_loss():
    """Section 6.1: a loss that is L-Lipschitz in the embeddings changes by at most L |(A^2 - Pi) X| |W|."""
    data = csbm(generator=seeded())
    data.x = data.x[:, :200].double()
    cluster = partition(data, 300, "matching")
    smooth, mean = propagate(data, 2), Compress(cluster)(data).x[cluster]
    remainder = smooth - mean
    for seed in range(5):
        g = seeded(seed)
        weight = torch.randn(200, 16, generator=g, dtype=torch.double)
        target = torch.randn(data.num_nodes, 16, generator=g, dtype=torch.double)
        z, lifted = smooth @ weight, mean @ weight
        change = abs((z - target).norm(dim=1).mean() - (lifted - target).norm(dim=1).mean())
        bound = remainder.norm() * torch.linalg.matrix_norm(weight, 2) / data.num_nodes**0.5
        assert (z - lifted).norm() <= remainder.norm() * torch.linalg.matrix_norm(weight, 2)
        assert 0 < change <= bound


def test_training_compressed_beats_the_untrained_encoder_and_random_parts():
    from gcl.eval import linear_probe, random_split

    data = csbm(generator=seeded())
    split = random_split(data.num_nodes, 0.1, 0.1, generator=seeded())
    cluster = partition(data, 300, "matching")
    accuracy = {}
    for name, parts in {"parts": cluster, "random": cluster[torch.randperm(data.num_nodes)]}.items():
        torch.manual_seed(0)
        method = StructComp(CCASSG(gcn(data.num_features, 64, 2, 64, final_activation=False)), parts)
        accuracy.setdefault("untrained", linear_probe(method.embed(data), data.y, split)["accuracy"])
        optimizer = torch.optim.Adam(method.parameters(), lr=1e-3)
        fit(method, data, optimizer, epochs=20, progress=False, generator=seeded())
        accuracy[name] = linear_probe(method.embed(data), data.y, split)["accuracy"]
    assert accuracy["parts"] > max(accuracy["untrained"], accuracy["random"]) + 0.02


def dense(edge_index, weight, n):
    matrix = torch.zeros(n, n, dtype=torch.double).index_put(tuple(edge_index), weight.double(), accumulate=True)
    row, col = matrix.sum(1).clamp_min(1e-30), matrix.sum(0).clamp_min(1e-30)
    return matrix / (row[:, None] * col).sqrt()


def test_sce_by_the_dense_formula():
    data, encoder = graph(dtype=torch.double), pyg.SGConv(4, 6, K=2).double()
    h = encoder(data.x, data.edge_index)
    pairs = random_partners(h, 5, seeded())
    negative = torch.zeros(24, 24, dtype=torch.double).index_put(
        tuple(pairs), torch.ones(120).double(), accumulate=True
    )
    negative = negative + negative.T
    laplacian = negative.sum(1).diag() - negative
    got = SCE(encoder, alpha=20000 / 120, orthogonality=0.0)(data, generator=seeded())
    torch.testing.assert_close(got, 20000 / (h.T @ laplacian @ h).trace())
    covariance = h.T.cov()
    got = SCE(encoder, alpha=1e-12, orthogonality=2.0)(data, generator=seeded())
    torch.testing.assert_close(got, 2 * covariance.square().sum() / covariance.trace() ** 2)


@pytest.mark.parametrize("weighted", [False, True])
def test_coles_by_the_dense_formula(weighted):
    data, encoder = graph(dtype=torch.double), pyg.SGConv(4, 6, K=2).double()
    small = Compress(CLUSTER, coarse=True)(data)
    h = encoder(small.x, small.edge_index)
    pairs = random_partners(h, 5, seeded())
    pairs = torch.cat([pairs, pairs.flip(0)], dim=1)
    negative = dense(pairs, pairs[0] != pairs[1], 6)
    count = small.coarse_edge_weight if weighted else torch.ones(small.coarse_edge_index.size(1))
    positive = dense(small.coarse_edge_index, count, 6)
    expected = (0.8 * (h.T @ negative @ h).trace() - (h.T @ positive @ h).trace()) / 6
    got = COLES(encoder, orthogonality=0.0, weighted=weighted)(small, generator=seeded())
    torch.testing.assert_close(got, expected)
    expected = expected + 0.35 * (h.T @ h / 6).square().sum()
    torch.testing.assert_close(
        COLES(encoder, orthogonality=0.7, weighted=weighted)(small, generator=seeded()), expected
    )
    lowest = -(positive - 0.8 * negative).square().sum() / 1.4
    for scale in (0.1, 1.0, 10.0):
        scaled = COLES(lambda x, _, scale=scale: scale * encoder(x, _), orthogonality=0.7, weighted=weighted)
        assert scaled(small, generator=seeded()) >= lowest


def test_coles_of_a_whole_graph_has_its_edges_as_positives():
    data, encoder = graph().coalesce(), pyg.SGConv(4, 6, K=2)
    alone = Compress(torch.arange(24), coarse=True)(data)
    alone.edge_index = data.edge_index
    torch.testing.assert_close(COLES(encoder)(alone, generator=seeded()), COLES(encoder)(data, generator=seeded()))


@pytest.mark.parametrize("method", [SCE, COLES])
def test_single_view_methods_check_their_arguments(method):
    encoder = pyg.SGConv(4, 6)
    with pytest.raises(ValueError, match="num_negatives must be at least 1, got 0"):
        method(encoder, num_negatives=0)
    with pytest.raises(TypeError, match="num_negatives must be an int, got 2.5"):
        method(encoder, num_negatives=2.5)
    with pytest.raises(ValueError, match="orthogonality must be finite and at least 0, got -1"):
        method(encoder, orthogonality=-1)


def test_without_the_penalty_coles_grows_along_one_direction_and_with_it_does_not():
    def trained(orthogonality):
        torch.manual_seed(0)
        data, method = graph(), COLES(pyg.SGConv(4, 8, K=2), orthogonality=orthogonality)
        optimizer = torch.optim.Adam(method.parameters(), lr=0.01)
        fit(method, data, optimizer, epochs=400, progress=False, generator=seeded())
        h = method.embed(data)
        gram = h.T @ h
        return float(gram.trace() ** 2 / gram.square().sum()), float(h.norm())

    (few, long), (several, short) = trained(0.0), trained(1.0)
    assert few < 1.5 < 3 < several
    assert long > 20 * short


def test_sce_of_one_node_is_refused():
    with pytest.raises(ValueError, match="data.x must have at least two rows, got 1"):
        SCE(pyg.SGConv(4, 6))(Data(x=torch.ones(1, 4), edge_index=torch.empty(2, 0).long()))


def test_info_nce_of_compressed_rows_needs_no_lifting():
    method, data = GRACE(gcn(4, 8, 2, 6), 6), graph()
    pair = StructComp(method, CLUSTER).pair(data, generator=seeded())
    torch.testing.assert_close(StructComp(method, CLUSTER)(data, generator=seeded()), info_nce(pair.z1, pair.z2, 0.5))
