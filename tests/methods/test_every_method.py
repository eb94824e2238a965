"""What holds for every method, and each one's loss against a dense or hand-written form."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch_geometric.data import Batch

from augmentors import FeatureMask, Identity, NodeShuffle
from gcl import methods
from gcl.methods import (
    ADGCL,
    ARIEL,
    BGRL,
    CCASSG,
    COLES,
    COSTA,
    DGI,
    GBT,
    GCA,
    GGD,
    GRACE,
    MVGRL,
    SCE,
    SSGE,
    ARIELGraph,
    GraphCL,
    GraphMAE,
    GraphMAE2,
    HopContrast,
    InfoGraph,
    MVGRLGraph,
    ProGCL,
    SimGRACE,
)
from gcl.methods._dgi import bilinear_critic
from gcl.nn import gcn, gin, hops, move_target
from gcl.nn._heads import ShortcutHead
from gcl.train import fit
from tests import reference
from tests.inputs import ring, seeded

NODE = {
    "GRACE": lambda encoder: GRACE(encoder, 6),
    "GCA": lambda encoder: GCA(encoder, 6),
    "BGRL": lambda encoder: BGRL(encoder, 6, hidden=9),
    "GBT": lambda encoder: GBT(encoder, 6),
    "CCASSG": lambda encoder: CCASSG(encoder),
    "SSGE": lambda encoder: SSGE(encoder),
    "DGI": lambda encoder: DGI(encoder, 6),
    "GGD": lambda encoder: GGD(encoder, 6),
    "COSTA": lambda encoder: COSTA(encoder, 6),
    "ProGCL": lambda encoder: ProGCL(encoder, 6, fit_after=0),
    "MVGRL": lambda encoder: MVGRL(encoder, gcn(4, 8, 2, 6, act="prelu", normalize=False), 6),
    "ARIEL": lambda encoder: ARIEL(encoder, 6, information_weight=0.1),
    "SCE": lambda encoder: SCE(encoder),
    "COLES": lambda encoder: COLES(encoder),
    "HopContrast": lambda encoder: HopContrast(hops(encoder.in_channels, 8, 6)),
}
MASKED = {  # whose decoder needs the embeddings of the seeds' neighbors
    "GraphMAE": lambda encoder: GraphMAE(encoder, 6),
    "GraphMAE2": lambda encoder: GraphMAE2(encoder, 6, hidden=9),
}
GRAPH = {
    "GraphCL": lambda encoder: GraphCL(encoder, 6),
    "InfoGraph": lambda encoder: InfoGraph(encoder, 6),
    "SimGRACE": lambda encoder: SimGRACE(encoder, 6),
    "MVGRLGraph": lambda encoder: MVGRLGraph(encoder, gin(4, 8, 2, 6), 6),
    "ADGCL": lambda encoder: ADGCL(encoder, gin(4, 8, 2, 6), 6, hidden=5),
    "ARIELGraph": lambda encoder: ARIELGraph(encoder, 6),
}
ALL = NODE | MASKED | GRAPH
every = pytest.mark.parametrize("name", ALL)


def build(name, in_dim=4):
    torch.manual_seed(0)
    encoder = gin(in_dim, 8, 2, 6) if name in GRAPH else gcn(in_dim, 8, 2, 6, act="prelu")
    return ALL[name](encoder)


def graph_for(name, num_edges=None):
    """A graph or batch, of the first edges of each ring only where there is a number of them."""
    torch.manual_seed(1)
    graphs = [ring(n) for n in ((12, 9, 7, 5) if name in GRAPH else (12,))]
    for graph in graphs:
        graph.edge_index = graph.edge_index[:, :num_edges]
    return Batch.from_data_list(graphs) if name in GRAPH else graphs[0]


def test_every_exported_method_is_examined():
    others = {"Method", "TwoView", "Pair", "Regularized", "StructComp", "check_compressible"}
    assert set(methods.__all__) == set(ALL) | others


@every
def test_every_trainable_parameter_gets_a_gradient_and_no_target_does(name):
    method, data = build(name), graph_for(name)
    method(data, generator=seeded(2)).backward()
    for key, parameter in method.named_parameters():
        if parameter.requires_grad:
            assert parameter.grad is not None, key
            assert parameter.grad.isfinite().all(), key
        else:
            assert parameter.grad is None, key
    touched = [p.grad.abs().sum() > 0 for p in method.parameters() if p.requires_grad]
    assert sum(touched) >= len(touched) - 1  # GGD's and GraphCL's last bias may cancel out


@every
def test_the_seed_decides(name):
    method, data = build(name), graph_for(name)
    losses = [method(data, generator=seeded(seed)).item() for seed in (5, 5, 6)]
    assert losses[0] == losses[1]
    assert losses[0] != losses[2] or name in ("InfoGraph", "MVGRLGraph")  # which have no randomness


@every
def test_embed_is_deterministic_and_of_the_right_size(name):
    method, data = build(name), graph_for(name)
    h = method.embed(data)
    assert h.shape == (4 if name in GRAPH else data.num_nodes, 6)
    assert torch.equal(h, method.embed(data))
    assert not h.requires_grad


@every
def test_training_lowers_the_loss(name):
    method, data = build(name), graph_for(name)
    optimizer = torch.optim.Adam(method.parameters(), lr=0.01)

    def mean_loss():
        with torch.no_grad():
            return sum(method(data, generator=seeded(seed)).item() for seed in range(20)) / 20

    before = mean_loss()
    fit(method, [data], optimizer, epochs=60, generator=seeded(), progress=False)
    assert mean_loss() < before


@every
def test_directed_graphs_and_weights_are_taken(name):
    method, data = build(name), graph_for(name, num_edges=4)
    assert method(data, generator=seeded(2)).isfinite()
    data.edge_weight = torch.rand(data.num_edges)
    weighted = method(data, generator=seeded(2))
    data.edge_weight = torch.ones(data.num_edges)
    assert weighted != method(data, generator=seeded(2))


@every
def test_a_graph_without_edges_trains(name):
    method, data = build(name), graph_for(name, num_edges=0)
    loss = method(data, generator=seeded())
    loss.backward()
    assert loss.isfinite()
    assert all(p.grad.isfinite().all() for p in method.parameters() if p.grad is not None)
    assert method.embed(data).isfinite().all()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@every
def test_a_gpu_gives_the_same_loss(name):
    method, data = build(name), graph_for(name)
    expected = method(data, generator=seeded())
    on_gpu = method.cuda()(data.cuda(), generator=seeded())
    torch.testing.assert_close(on_gpu.cpu(), expected, rtol=1e-4, atol=1e-4)


def test_dgis_loss_by_hand():
    data, method = ring(), build("DGI").double()
    data.x = data.x.double()
    shuffled = NodeShuffle()(data, generator=seeded(3))
    h, h_negative = (method.encoder(graph.x, graph.edge_index) for graph in (data, shuffled))
    scores = torch.cat([h, h_negative]) @ method.critic @ h.mean(0).sigmoid()
    labels = (torch.arange(24) < 12).double()
    expected = F.binary_cross_entropy_with_logits(scores, labels)
    assert abs(method(data, generator=seeded(3)) - expected) < 1e-12


def test_dgi_has_a_summary_for_each_graph_of_a_batch():
    method, graphs = build("DGI"), [ring(), ring(9)]
    losses = []
    for graph in graphs:
        method.corrupt = Identity()  # the corrupted nodes are then the true ones, in each graph and in the batch
        losses.append(method(graph) * graph.num_nodes)
    batched = method(Batch.from_data_list(graphs))
    torch.testing.assert_close(batched, sum(losses) / 21)


def test_ggds_loss_by_hand():
    data, method = ring(), build("GGD")
    method.augmentor = Identity()
    shuffled = NodeShuffle()(data, generator=seeded(3))
    true, false = (method.projector(method.encoder(g.x, g.edge_index)).sum(1) for g in (data, shuffled))
    expected = F.binary_cross_entropy_with_logits(torch.cat([true, false]), (torch.arange(24) < 12).float())
    torch.testing.assert_close(method(data, generator=seeded(3)), expected)


def test_ggds_embeddings_with_hops_add_their_propagation():
    data, method = ring(), GGD(gcn(4, 8, 2, 6), hops=3).double()
    data.edge_weight = torch.rand(data.num_edges, generator=seeded(), dtype=torch.double)
    a = torch.eye(12, dtype=torch.double)
    a[data.edge_index[1], data.edge_index[0]] = data.edge_weight
    scale = a.sum(1).rsqrt()
    h = super(GGD, method).embed(data)
    far = torch.linalg.matrix_power(scale[:, None] * a * scale, 3) @ h
    torch.testing.assert_close(method.embed(data), h + far, rtol=1e-12, atol=1e-12)
    assert data.x.shape == (12, 4)
    data.batch_size = 3
    with pytest.raises(ValueError, match="hops takes no batches of a loader"):
        method.embed(data)


def test_critics_start_as_the_authors_bilinear_layer():
    layer = torch.nn.Bilinear(8, 8, 1)
    torch.manual_seed(3)
    expected = torch.nn.init.xavier_uniform_(layer.weight)
    torch.manual_seed(3)
    assert torch.equal(bilinear_critic(8), expected[0])
    assert expected.abs().max() <= (6 / 72) ** 0.5


def test_bgrls_loss_by_hand_and_its_target():
    data, method = ring(), build("BGRL")
    method.augmentor1, method.augmentor2 = Identity(), Identity()
    h = method.encoder(data.x, data.edge_index)
    torch.testing.assert_close(method(data), (2 - 2 * F.cosine_similarity(method.projector(h), h)).mean())
    before = [p.clone() for p in method.target.parameters()]
    with torch.no_grad():
        for p in method.encoder.parameters():
            p.add_(1.0)
    method.after_step()
    for old, new in zip(before, method.target.parameters(), strict=True):
        torch.testing.assert_close(new, old + 0.01)


def test_targets_copy_buffers():
    target, network = torch.nn.BatchNorm1d(2), torch.nn.BatchNorm1d(2)
    network(torch.randn(5, 2))
    move_target(target, network, momentum=0.9)
    assert torch.equal(target.running_mean, network.running_mean)


@pytest.mark.parametrize(
    ("name", "loss"),
    [
        ("GBT", lambda z1, z2: reference.barlow_twins(z1, z2, off_diagonal_weight=1 / 6)),
        ("CCASSG", reference.cca_ssg),
        ("SSGE", reference.ssge),
    ],
)
def test_losses_on_the_embeddings_themselves(name, loss):
    method, data = build(name).double(), ring()
    data.x = data.x.double()
    pair = method.pair(data, generator=seeded(3))
    assert pair.z1 is pair.h1
    assert abs(method(data, generator=seeded(3)) - loss(pair.h1, pair.h2)) < 1e-10


def test_infographs_loss_by_hand():
    data, method = graph_for("InfoGraph"), build("InfoGraph")
    h = method.encoder(data.x, data.edge_index)
    g = torch.stack([h[data.batch == b].sum(0) for b in range(4)])
    scores = method.node_projector(h) @ method.graph_projector(g).T
    own = data.batch[:, None] == torch.arange(4)
    expected = F.softplus(-scores[own]).mean() + F.softplus(scores[~own]).mean() - 2 * math.log(2)
    torch.testing.assert_close(method(data), expected)


def test_graphcls_loss_is_on_the_pooled_views():
    data, method = graph_for("GraphCL"), build("GraphCL")
    method.augmentor1 = method.augmentor2 = FeatureMask(0.5)
    pair = method.pair(data, generator=seeded(3))
    pooled = torch.stack([method.encoder(pair.view1.x, data.edge_index)[data.batch == b].sum(0) for b in range(4)])
    torch.testing.assert_close(pair.h1, pooled)
    torch.testing.assert_close(method(data, generator=seeded(3)), reference.nt_xent_one_way(pair.z1, pair.z2, 0.2))


def test_graphcl_compares_a_perturbed_view_with_the_graph_itself():
    data, method = graph_for("GraphCL"), build("GraphCL")
    pairs = [method.pair(data, generator=seeded(seed)) for seed in range(8)]
    assert all(torch.equal(pair.h2, method.represent(data)) for pair in pairs)
    assert not any(torch.allclose(pair.h1, pair.h2) for pair in pairs)


def test_the_head_of_infograph_and_mvgrl_by_hand():
    torch.manual_seed(0)
    head, h = ShortcutHead(3, torch.nn.ReLU), torch.randn(5, 3)
    first, _, second, _, third, _ = head.layers
    expected = third(second(first(h).relu()).relu()).relu() + h @ head.shortcut.weight.T + head.shortcut.bias
    torch.testing.assert_close(head(h), expected)


def test_simgrace_perturbs_a_copy_in_proportion_to_each_parameter():
    data, method = graph_for("SimGRACE"), build("SimGRACE")
    before = [p.clone() for p in method.parameters()]
    method(data, generator=seeded())
    assert all(torch.equal(p, q) for p, q in zip(before, method.parameters(), strict=True))
    p = torch.randn(200, 200) * 3
    method.encoder.register_parameter("large", torch.nn.Parameter(p))
    change = method.perturbed_encoder(generator=seeded()).large - p
    assert abs(change.std() / p.std() - 1) < 0.02
    del method.encoder.large
    method.noise = 1e-6  # without noise both views are the same
    z = method.projector(method.embed(data))
    torch.testing.assert_close(
        method(data, generator=seeded()), reference.nt_xent_one_way(z, z, 0.2), rtol=1e-3, atol=1e-3
    )


def test_arguments_are_checked():
    encoder = gcn(4, 8, 2, 6)
    with pytest.raises(ValueError, match=r"momentum must be in \[0, 1\], got 2"):
        BGRL(encoder, 6, momentum=2)
    with pytest.raises(ValueError, match="temperature must be finite and above 0, got 0"):
        GraphCL(encoder, 6, temperature=0)
    with pytest.raises(ValueError, match="noise must be finite and above 0, got -1"):
        SimGRACE(encoder, 6, noise=-1)
    with pytest.raises(ValueError, match=r"p must be in \[0, 1\], got 1.5"):
        GBT(encoder, 6, edge_drop=1.5)
