"""GraphMAE and GraphMAE2: what is hidden, the loss in dense form and by hand, and the moving target."""

import pytest
import torch
import torch_geometric.nn as pyg
from hypothesis import given, settings
from torch import nn
from torch_geometric.data import Batch, Data
from torch_geometric.utils import to_dense_adj

import gcl
from gcl.data import neighbor_loader
from gcl.methods import GraphMAE, GraphMAE2
from gcl.nn import encode, gcn, gin
from tests import reference
from tests.graphs import graphs
from tests.inputs import ring, seeded

BOTH = {"GraphMAE": GraphMAE, "GraphMAE2": GraphMAE2}
both = pytest.mark.parametrize("name", BOTH)


def build(name, **options):
    """A method of float64, whose learned vectors are not 0 and whose target is not the encoder."""
    torch.manual_seed(0)
    method = BOTH[name](gcn(4, 8, 2, 6, act="prelu"), **options).double()
    with torch.no_grad():
        for key, parameter in method.named_parameters():
            if "token" in key or "target" in key:
                parameter.add_(0.3 * torch.randn_like(parameter))
    return method


def graph():
    torch.manual_seed(1)
    data = ring(30)
    data.x = data.x.double()
    return data


class Copy(nn.Module):
    """An encoder that gives the features back."""

    in_channels = out_channels = 2

    def __init__(self):
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(1))

    def forward(self, x, edge_index):
        return x


class Sum(Copy):
    """A decoder that sums over the neighbors."""

    def forward(self, x, edge_index):
        return torch.zeros_like(x).index_add(0, edge_index[1], x[edge_index[0]])


def draws(monkeypatch, *values):
    """Let these be the next uniform numbers."""
    remaining = [torch.tensor(value) for value in values]
    for module in ("_graphmae", "_graphmae2"):
        monkeypatch.setattr(f"gcl.methods.{module}.uniform", lambda *_: remaining.pop(0))


def decoded(method, data, code):
    """The decoder's dense form: one GCN layer."""
    adjacency = to_dense_adj(data.edge_index, max_num_nodes=data.num_nodes)[0].double() + torch.eye(data.num_nodes)
    root = adjacency.sum(0).rsqrt()
    (layer,) = method.decoder.convs
    return (root[:, None] * adjacency * root) @ code @ layer.lin.weight.T + layer.bias


def test_graphmaes_loss_in_dense_form():
    method, data = build("GraphMAE", gamma=2.0), graph()
    masked, hidden = method.hide(data, generator=seeded(3))
    code = encode(method.encoder, hidden) @ method.to_decoder.weight.T
    code = torch.diag((~masked).double()) @ code
    expected = reference.scaled_cosine_error(decoded(method, data, code)[masked], data.x[masked], 2.0)
    assert abs(method(data, generator=seeded(3)) - expected) < 1e-12


def test_graphmae2s_loss_in_dense_form():
    method, data, draw = build("GraphMAE2", num_remasks=2, latent_weight=0.7), graph(), seeded(3)
    masked, hidden = method.hide(data, generator=draw)
    h = encode(method.encoder, hidden)
    prediction = method.predictor(method.projector(h))
    target = method.target_projector(encode(method.target, data))
    expected = 0.7 * (1 - torch.cosine_similarity(prediction, target)).mean()
    for _ in range(2):
        code = h @ method.to_decoder.weight.T
        code[torch.rand(30, generator=draw) < 0.5] = method.remask_token
        expected += reference.scaled_cosine_error(decoded(method, data, code)[masked], data.x[masked])
    assert abs(method(data, generator=seeded(3)) - expected) < 1e-12


PATH = Data(
    x=torch.tensor([[1.0, 0.0], [2.0, 0.0], [0.0, 1.0], [0.0, 3.0]]),
    edge_index=torch.tensor([[0, 1, 1, 2, 2, 3], [1, 0, 2, 1, 3, 2]]),
)


@pytest.mark.parametrize(
    ("draw", "expected"),
    [
        ([0.9, 0.1, 0.9, 0.9], (1 - 0.5**0.5) ** 3),  # node 1 from (1, 0) and (0, 1)
        ([0.1, 0.1, 0.9, 0.9], 1.0),  # node 0 from the re-masked node 1, node 1 from (0, 1)
        ([0.9, 0.9, 0.9, 0.6], 0.0),  # none below 0.5: the one with the least, from (0, 1)
        ([0.1, 0.9, 0.1, 0.1], 2 / 3),  # node 0 from (2, 0); node 2 from (2, 0); node 3 from the re-masked node 2
    ],
)
def test_a_path_by_hand(monkeypatch, draw, expected):
    draws(monkeypatch, draw)
    method = GraphMAE(Copy(), decoder=Sum(), replace=0.0)
    nn.init.eye_(method.to_decoder.weight)
    assert abs(method(PATH).item() - expected) < 1e-6


def test_a_path_by_hand_with_random_remasks(monkeypatch):
    """Node 1 is masked: from (1, 0) + (0, 1), then from (0, 0) + (0, 1), then from nothing."""
    draws(monkeypatch, [0.9, 0.1, 0.9, 0.9], [0.9] * 4, [0.1, 0.9, 0.9, 0.9], [0.1, 0.9, 0.1, 0.9])
    method = GraphMAE2(Copy(), decoder=Sum(), latent_weight=0.0)
    nn.init.eye_(method.to_decoder.weight)
    assert abs(method(PATH).item() - ((1 - 0.5**0.5) ** 3 + 1 + 1)) < 1e-6


@pytest.mark.parametrize("replace", [0.0, 0.2, 1.0])
def test_masked_rows_are_the_token_or_those_of_other_nodes(replace):
    data = Data(x=torch.arange(4000.0)[:, None].expand(-1, 4), edge_index=torch.empty(2, 0).long())
    method = GraphMAE(gcn(4, 6), mask=0.3, replace=replace)
    nn.init.constant_(method.token, -1.0)
    masked, hidden = method.hide(data, generator=seeded())
    changed = (hidden.x != data.x).all(1)
    tokens = (hidden.x == -1).all(1)
    assert not (changed & ~masked).any()
    assert torch.isin(hidden.x[masked & ~tokens], data.x).all()
    assert abs(masked.double().mean() - 0.3) < 0.03  # four standard deviations
    assert abs((masked & ~tokens).sum() / masked.sum() - replace) < 0.05
    assert torch.equal(data.x[:, 0], torch.arange(4000.0))


@both
@pytest.mark.parametrize("mask", [0.0, 1.0])
def test_a_single_node_is_masked(name, mask):
    data = Data(x=torch.randn(1, 4), edge_index=torch.empty(2, 0).long())
    method = BOTH[name](gcn(4, 8), mask=mask)
    assert method.hide(data)[0].tolist() == [True]
    loss = method(data, generator=seeded())
    loss.backward()
    assert loss > 0
    assert all(p.grad.isfinite().all() for p in method.parameters() if p.requires_grad)


@settings(deadline=None, max_examples=30)
@given(data=graphs(min_nodes=1))
@both
def test_any_graph_trains(name, data):
    data.x = torch.randn(data.num_nodes, 4)
    method = BOTH[name](gcn(4, 8, 2, 6))
    loss = method(data, generator=seeded())
    loss.backward()
    assert loss.isfinite()
    assert all(p.grad.isfinite().all() for p in method.parameters() if p.requires_grad)


@both
def test_of_a_loaders_batch_the_masked_seeds_count(name, monkeypatch):
    """Each node has its own draws: the batch then has the loss of its seeds in the whole graph."""
    method, data = build(name, **({"replace": 0.0} if name == "GraphMAE" else {"num_remasks": 1})), graph()
    batch = next(iter(neighbor_loader(data, [-1] * 16, 5, generator=seeded(1))))
    assert batch.num_nodes > 10
    own, remask = torch.rand(2, 30, generator=seeded(5))
    draws(monkeypatch, own[batch.n_id].tolist(), remask[batch.n_id].tolist())
    loss = method(batch)

    seeds = batch.n_id[:5]
    masked = own <= own[seeds].min().clamp_min(0.5)
    x = torch.where(masked[:, None], method.token, data.x)
    h = method.encoder(x, data.edge_index)
    code, expected = method.to_decoder(h), 0.0
    if name == "GraphMAE":
        code = code * ~masked[:, None]
    else:
        code = torch.where((remask < 0.5)[:, None], method.remask_token, code)
        target = method.target_projector(method.target(data.x, data.edge_index))
        expected = (1 - torch.cosine_similarity(method.predictor(method.projector(h)), target))[seeds].mean()
    rows = seeds[masked[seeds]]
    expected = expected + reference.scaled_cosine_error(decoded(method, data, code)[rows], data.x[rows])
    assert 0 < len(rows) < 5
    assert abs(loss - expected) < 1e-10


def test_the_target_follows_the_encoder_and_its_projector():
    method = GraphMAE2(gcn(4, 8), momentum=0.75)
    pairs = [(method.target, method.encoder), (method.target_projector, method.projector)]
    before = [p.clone() for target, _ in pairs for p in target.parameters()]
    with torch.no_grad():
        for _, network in pairs:
            for p in network.parameters():
                p.add_(1.0)
    method.after_step()
    after = [p for target, _ in pairs for p in target.parameters()]
    for old, new in zip(before, after, strict=True):
        torch.testing.assert_close(new, old + 0.25)


@both
def test_a_readout_embeds_graphs_and_leaves_the_loss(name):
    data = Batch.from_data_list([ring(5), ring(7), Data(x=torch.empty(0, 4), edge_index=torch.empty(2, 0).long())])
    torch.manual_seed(0)
    method = BOTH[name](gin(4, 8, 2, 6), readout=pyg.global_add_pool)
    loss = method(data, generator=seeded())
    h = method.encoder(data.x, data.edge_index)
    expected = torch.stack([h[:5].sum(0), h[5:].sum(0), torch.zeros(6)])
    torch.testing.assert_close(method.embed(data), expected)
    method.readout = None
    assert method(data, generator=seeded()) == loss


@pytest.mark.parametrize(
    "decoder", [pyg.GATConv(6, 4, edge_dim=3), pyg.SAGEConv(6, 4), pyg.GIN(6, 8, 2, 4), gcn(6, 8, 2, 4)], ids=str
)
def test_any_layer_with_edges_decodes(decoder):
    data, masked, code = ring(), torch.arange(12) % 3 == 0, torch.randn(12, 6)
    data.edge_attr = torch.randn(data.num_edges, 3)
    edges = {"edge_attr": data.edge_attr} if isinstance(decoder, pyg.GATConv) else {}
    method = GraphMAE(gcn(4, 8, 2, 6), decoder=decoder)
    expected = reference.scaled_cosine_error(decoder(code, data.edge_index, **edges)[masked], data.x[masked])
    torch.testing.assert_close(method.error(data, code, masked), expected)


@both
def test_checkpoints_go_on_where_they_stopped(name, tmp_path):
    data = ring()

    def start():
        torch.manual_seed(0)
        method = BOTH[name](gcn(4, 8, 2, 6))
        return method, torch.optim.Adam(method.parameters(), lr=0.05), seeded()

    method, optimizer, draw = start()
    gcl.fit(method, data, optimizer, 6, progress=False, generator=draw)
    whole = method.state_dict()
    method, optimizer, draw = start()
    gcl.fit(method, data, optimizer, 3, progress=False, generator=draw)
    gcl.train.save_checkpoint(tmp_path / "a.ckpt", epoch=3, method=method, optimizer=optimizer, generator=draw)
    method, optimizer, draw = start()
    epoch = gcl.train.load_checkpoint(tmp_path / "a.ckpt", method=method, optimizer=optimizer, generator=draw)
    for _ in gcl.train.epochs(method, data, optimizer, 6, start=epoch, generator=draw):
        pass
    assert all(torch.equal(value, whole[key]) for key, value in method.state_dict().items())


@both
def test_wrong_features_are_named(name):
    data, method = ring(), BOTH[name](gcn(4, 8))
    for x, error, message in (
        (data.x.long(), TypeError, r"data.x must be a floating-point tensor \[N, F\] .*, got torch.int64"),
        (data.x.to_sparse(), TypeError, "data.x must be dense"),
        (data.x[:, :3], ValueError, r"data.x must have shape \[N, 4\], got \(12, 3\)"),
        (data.x[:0], ValueError, "data.x must have at least one row, got none"),
        (None, TypeError, "data.x must be a floating-point tensor"),
    ):
        data.x = x
        with pytest.raises(error, match=message):
            method(data)


@both
def test_wrong_arguments_are_named(name):
    encoder, kind = gcn(4, 8), BOTH[name]
    for options, error, message in (
        ({"mask": 1.5}, ValueError, r"mask must be in \[0, 1\], got 1.5"),
        ({"gamma": 0.5}, ValueError, "gamma must be finite and at least 1, got 0.5"),
        ({"decoder": nn.Linear(8, 4)}, ValueError, "decoder must take edges, by which it sees neighbors, got Linear"),
        ({"decoder": pyg.GCNConv(-1, 4)}, ValueError, "must know its widths"),
        ({"num_features": 0}, ValueError, "num_features must be at least 1, got 0"),
    ):
        with pytest.raises(error, match=message):
            kind(encoder, **options)
    with pytest.raises(ValueError, match="num_features must be the width of data.x, since Linear has no in_channels"):
        kind(nn.Linear(4, 8), 8)


def test_wrong_arguments_of_one_are_named():
    encoder = gcn(4, 8)
    with pytest.raises(ValueError, match=r"replace must be in \[0, 1\], got -1"):
        GraphMAE(encoder, replace=-1)
    for options, message in (
        ({"remask": 2}, r"remask must be in \[0, 1\], got 2"),
        ({"num_remasks": 0}, "num_remasks must be at least 1, got 0"),
        ({"latent_weight": -1}, "latent_weight must be finite and at least 0, got -1"),
        ({"momentum": 2}, r"momentum must be in \[0, 1\], got 2"),
    ):
        with pytest.raises(ValueError, match=message):
            GraphMAE2(encoder, **options)
