"""What an encoder is given, and what is refused: each by the value of the embedding."""

import copy

import pytest
import torch
import torch_geometric.nn as pyg
import torch_geometric.transforms as T
from torch import nn
from torch_geometric.data import Batch, Data
from torch_geometric.explain import Explainer, GNNExplainer
from torch_geometric.explain.algorithm.utils import clear_masks, set_masks
from torch_geometric.nn import GAT, GIN, global_add_pool

from augmentors import EdgeAttrMask, EdgeDrop, Identity
from gcl.losses import info_nce
from gcl.methods import DGI, GRACE, ARIELGraph, GraphCL, InfoGraph, MVGRLGraph, SimGRACE, TwoView
from gcl.nn import encode, gcn, gin, sage
from gcl.nn._readouts import read_out
from tests.inputs import ring, seeded

NORMS = ("batch_norm", "layer_norm", "graph_norm", "instance_norm", "pair_norm")


def with_features(data, width=5, seed=0):
    data.edge_attr = torch.randn(data.num_edges, width, generator=seeded(seed))
    return data


def close(a, b, tolerance=1e-6):
    torch.testing.assert_close(a, b, rtol=tolerance, atol=tolerance)


# What arrives


@pytest.mark.parametrize(
    "encoder",
    [
        lambda: GAT(4, 8, 2, 6, edge_dim=5),
        lambda: GAT(4, 8, 2, 6, edge_dim=5, v2=True),
        lambda: pyg.TransformerConv(4, 6, edge_dim=5),
        lambda: pyg.GINEConv(nn.Linear(4, 6), edge_dim=5),
        lambda: pyg.GENConv(4, 6, edge_dim=5),
        lambda: pyg.NNConv(4, 6, nn.Linear(5, 24)),
        lambda: pyg.CGConv(4, dim=5),
        lambda: pyg.ResGatedGraphConv(4, 6, edge_dim=5),
        lambda: pyg.PDNConv(4, 6, edge_dim=5, hidden_channels=7),
    ],
)
def test_edge_features_change_the_embedding_and_train(encoder):
    encoder, data = encoder(), with_features(ring())
    h = encode(encoder, data)
    torch.testing.assert_close(h, encoder(data.x, data.edge_index, edge_attr=data.edge_attr))
    masked = EdgeAttrMask(0.5)(data, generator=seeded())
    assert not torch.allclose(encode(encoder, masked), h)
    h.sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in encoder.parameters())


@pytest.mark.parametrize(
    "encoder", [GAT(4, 8, 2, 6), pyg.TransformerConv(4, 6), pyg.GCN(4, 8, 2, 6), pyg.GINConv(nn.Linear(4, 6))]
)
def test_an_encoder_built_without_edge_features_gets_none(encoder):
    data = ring()
    plain = encode(encoder, data)
    assert torch.equal(encode(encoder, with_features(data)), plain)


def test_graphcl_trains_the_weights_of_edge_features():
    torch.manual_seed(0)
    batch = Batch.from_data_list([with_features(ring(n)) for n in (12, 9, 7)])
    method = GraphCL(GAT(4, 8, 2, 6, edge_dim=5))
    flipped = copy.copy(batch)
    flipped.edge_attr = batch.edge_attr.flip(0)
    assert not torch.allclose(method.embed(batch), method.embed(flipped))
    method(batch, generator=seeded()).backward()
    assert method.encoder.convs[0].lin_edge.weight.grad.abs().sum() > 0


class Asks(nn.Module):
    """Asks for attributes that no model of PyG has."""

    def forward(self, x, edge_index, pe, edge_type=None):
        return x[:, :3] + pe + (0 if edge_type is None else edge_type.sum())


def test_any_attribute_that_forward_names_arrives():
    data = ring()
    with pytest.raises(ValueError, match="encoder needs 'pe', which data lacks"):
        encode(Asks(), data)
    data.pe = torch.randn(12, 3)
    close(encode(Asks(), data), data.x[:, :3] + data.pe)
    data.edge_type = torch.ones(22)
    close(encode(Asks(), data), data.x[:, :3] + data.pe + 22)


def test_labels_and_masks_never_arrive():
    class Cheats(nn.Module):
        def forward(self, x, edge_index, y=None, train_mask=None, val_mask=None, test_mask=None):
            assert y is train_mask is val_mask is test_mask is None
            return x

    class NeedsLabels(nn.Module):
        def forward(self, x, edge_index, y):
            return x + y[:, None]

    data = ring()
    data.y = torch.arange(12)
    data.train_mask = data.val_mask = data.test_mask = torch.ones(12, dtype=torch.bool)
    assert encode(Cheats(), data) is data.x
    with pytest.raises(ValueError, match="encoder must not need 'y': labels and masks are never handed"):
        encode(NeedsLabels(), data)


def test_pygs_sequential_functions_wrappers_and_takes_are_read():
    data = ring()
    data.edge_weight = torch.rand(22)
    layers = [(pyg.GCNConv(4, 6), "x, edge_index, edge_weight -> x"), nn.ReLU()]
    sequential = pyg.Sequential("x, edge_index, edge_weight", layers)
    close(encode(sequential, data), sequential(data.x, data.edge_index, data.edge_weight))
    plain = ring()
    close(encode(sequential, plain), sequential(plain.x, plain.edge_index, None))
    conv = pyg.GCNConv(4, 6)
    close(encode(lambda x, edge_index, edge_weight: conv(x, edge_index, edge_weight), data), encode(conv, data))

    class Passes(nn.Module):
        takes = ("edge_weight",)

        def forward(self, x, edge_index, **kwargs):
            return conv(x, edge_index, **kwargs)

    close(encode(Passes(), data), encode(conv, data))
    close(encode(torch.compile(conv, backend="eager"), data), encode(conv, data))


def test_an_encoder_of_features_alone_gets_no_edges():
    data, mlp = ring(), pyg.MLP([4, 8, 6], norm=None)
    close(encode(mlp, data), mlp(data.x))
    linear = nn.Linear(4, 6)
    close(encode(linear, data), linear(data.x))


# Weights


@pytest.mark.parametrize(
    "encoder",
    [
        pyg.SAGEConv(4, 6),
        pyg.GINConv(nn.Linear(4, 6)),
        pyg.GATv2Conv(4, 6),
        pyg.ResGatedGraphConv(4, 6),
        pyg.TransformerConv(4, 6),
        pyg.GATConv(4, 6),
        GAT(4, 8, 2),
        GIN(4, 8, 2),
        pyg.GraphSAGE(4, 8, 2),
        sage(4, 8),
        nn.Linear(4, 6),
    ],
    ids=lambda encoder: type(encoder).__name__,
)
def test_weights_are_never_ignored(encoder):
    data = ring()
    encode(encoder, data)
    data.edge_weight = torch.rand(22)
    with pytest.raises(
        ValueError, match=f"encoder must take edge_weight, which data has, got {type(encoder).__name__}"
    ):
        encode(encoder, data)


@pytest.mark.parametrize(
    "encoder",
    [pyg.GCNConv(4, 6), pyg.GraphConv(4, 6), pyg.TAGConv(4, 6), pyg.SGConv(4, 6), pyg.ARMAConv(4, 6), pyg.LEConv(4, 6)],
    ids=lambda encoder: type(encoder).__name__,
)
def test_weights_arrive_by_name(encoder):
    data = ring()
    data.edge_weight = torch.rand(22)
    close(encode(encoder, data), encoder(data.x, data.edge_index, edge_weight=data.edge_weight))


def test_methods_that_make_weights_refuse_the_encoder_at_construction():
    with pytest.raises(ValueError, match="encoder must take edge weights, got GAT"):
        ARIELGraph(GAT(4, 8, 2, 6))
    with pytest.raises(ValueError, match="diffusion_encoder must take edge weights, got SAGEConv"):
        MVGRLGraph(gcn(4, 6), pyg.SAGEConv(4, 6))


# Graphs of a batch


@pytest.mark.parametrize("build", [gcn, gin, sage])
@pytest.mark.parametrize("norm", [None, *NORMS])
def test_a_graphs_embedding_is_the_same_alone_and_in_any_batch(build, norm):
    torch.manual_seed(0)
    graphs = [ring(n) for n in (12, 9, 5)]
    for graph in graphs[1:]:
        graph.x = graph.x * 30 + 7
    method = DGI(build(4, 8, 3, 6, norm=norm)).eval()
    alone = [method.embed(Batch.from_data_list([graph])) for graph in graphs]
    together = method.embed(Batch.from_data_list(graphs))
    close(together, torch.cat(alone), 1e-4)


def test_attention_over_a_graph_stays_in_it():
    torch.manual_seed(0)
    graphs = [ring(n) for n in (12, 9)]
    encoder = pyg.GPSConv(4, pyg.GCNConv(4, 4), heads=2, norm=None).eval()
    together = encode(encoder, Batch.from_data_list(graphs))
    close(together, torch.cat([encode(encoder, Batch.from_data_list([graph])) for graph in graphs]), 1e-5)


def test_batch_size_of_a_model_is_the_number_of_graphs():
    class Counts(nn.Module):
        def forward(self, x, edge_index, batch=None, batch_size=None):
            return x * (batch_size or -1)

    graphs = [ring(5), ring(7)]
    batch = Batch.from_data_list(graphs)
    assert torch.equal(encode(Counts(), batch), 2 * batch.x)
    loader_batch = ring(6)
    loader_batch.batch_size = 4
    assert torch.equal(encode(Counts(), loader_batch), -loader_batch.x[:4])


@pytest.mark.parametrize("method", [GraphCL, InfoGraph, SimGRACE, ARIELGraph])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_graphs_without_nodes_keep_their_rows(method, place):
    torch.manual_seed(0)
    graphs = [ring(6), ring(8)]
    graphs.insert(place, Data(x=torch.empty(0, 4), edge_index=torch.empty(2, 0).long()))
    g = method(gcn(4, 8, 2, 6)).embed(Batch.from_data_list(graphs))
    assert g.shape == (3, 6)
    assert torch.equal(g[place], torch.zeros(6))


def test_readouts_of_every_kind_know_the_number_of_graphs():
    graphs = [ring(6), Data(x=torch.empty(0, 4), edge_index=torch.empty(2, 0).long())]
    batch = Batch.from_data_list(graphs)
    expected = torch.stack([graphs[0].x.sum(0), torch.zeros(4)])
    close(read_out(global_add_pool, batch.x, batch), expected)
    close(read_out(pyg.SumAggregation(), batch.x, batch), expected)
    with pytest.raises(ValueError, match="readout must return a row for each of the 2 graphs, got 1"):
        read_out(lambda h, batch: h.sum(0, keepdim=True), batch.x, batch)


# What comes back


class Returns(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x, edge_index):
        return self.function(x)


def test_only_one_row_of_floats_for_each_node_is_taken():
    data = ring()
    for function, error, message in (
        (lambda x: (x, None), TypeError, "encoder must return one floating-point tensor .*, got a tuple"),
        (lambda x: {"paper": x}, TypeError, "got a dict"),
        (lambda x: x.long(), TypeError, "got a torch.int64 tensor"),
        (lambda x: x[:3], ValueError, r"a row for each of the 12 nodes, got shape \(3, 4\): to pool nodes"),
        (lambda x: x.mean(0, keepdim=True), ValueError, r"got shape \(1, 4\)"),
        (lambda x: x[:, 0], ValueError, r"got shape \(12,\)"),
    ):
        method = GRACE(Returns(function), dim=4)
        with pytest.raises(error, match=message):
            method.loss(data)
        with pytest.raises(error, match=message):
            method.embed(data)


@pytest.mark.filterwarnings("ignore:Sparse invariant checks")
def test_a_sparse_adjacency_is_refused_by_name_and_served_by_our_encoders():
    plain = ring()
    dense = torch.zeros(12, 12).index_put((plain.edge_index[1], plain.edge_index[0]), torch.ones(22))
    adj = dense.to_sparse_csr()
    data = Data(x=plain.x, adj_t=adj)
    with pytest.raises(ValueError, match="edges as edge_index, got adj_t: leave out T.ToSparseTensor"):
        encode(pyg.GCN(4, 8, 2), data)
    for encoder in (gcn(4, 8, 2, 6), gin(4, 8, 2, 6), sage(4, 8, 2, 6)):
        close(encoder(plain.x, adj), encoder(plain.x, plain.edge_index), 1e-5)


# Explanations, scripts, traces


@pytest.mark.parametrize("build", [gcn, gin, sage])
def test_masks_of_explainers_act(build):
    pyg.GCN(4, 8, 2), pyg.GIN(4, 8, 2), pyg.GraphSAGE(4, 8, 2)  # whose constructors touched ours before
    torch.manual_seed(0)
    data, encoder = ring(), build(4, 8, 2, 6)
    h = encoder(data.x, data.edge_index)
    mask = nn.Parameter(torch.full((22,), -20.0))
    set_masks(encoder, mask, data.edge_index)
    hidden = encoder(data.x, data.edge_index)
    clear_masks(encoder)
    assert not torch.allclose(hidden, h, atol=1e-3)
    close(encoder(data.x, data.edge_index), h)
    if build is not gcn:  # whose self-loops keep the weight that the degree gives them
        close(hidden, encoder(data.x, data.edge_index[:, :0]), 1e-5)


def test_gnn_explainer_finds_the_edges_of_a_node():
    torch.manual_seed(0)
    data, encoder = ring(), gcn(4, 8, 2, 3, final_activation=False)
    options = {"mode": "multiclass_classification", "task_level": "node", "return_type": "raw"}
    explainer = Explainer(
        encoder, GNNExplainer(epochs=40), explanation_type="model", edge_mask_type="object", model_config=options
    )
    mask = explainer(data.x, data.edge_index, index=0).edge_mask
    near = torch.isin(data.edge_index[1], torch.tensor([0, 1, 10]))  # edges that end within one hop of node 0
    assert mask[near].min() > 0
    assert mask[~near].max() == 0


@pytest.mark.parametrize("build", [gcn, gin, sage])
@pytest.mark.parametrize(
    "options", [{}, {"norm": "batch_norm"}, {"jk": "cat"}, {"act": "prelu", "final_activation": False}]
)
def test_scripts_are_the_encoder(build, options):
    torch.manual_seed(0)
    out_channels = None if "jk" in options else 6
    encoder = build(4, 8, 2, out_channels, **options).eval()
    script = torch.jit.script(encoder)
    for n in (12, 7):
        data = ring(n)
        close(script(data.x, data.edge_index), encoder(data.x, data.edge_index), 1e-5)


@pytest.mark.parametrize("build", [gcn, gin, sage])
def test_a_trace_on_bags_of_words_serves_other_graphs(build):
    torch.manual_seed(0)
    encoder, data = build(400, 8, 2, 6).eval(), ring(30, 400)
    data.x = (data.x > 2.5).float()
    trace = torch.jit.trace(encoder, (data.x, data.edge_index), check_trace=False)
    other = ring(30, 400)
    close(trace(other.x, other.edge_index), encoder(other.x, other.edge_index), 1e-5)


# Methods


def test_plain_transforms_of_pyg_are_augmentors():
    data = ring()
    method = TwoView(gcn(4, 8, 2, 6), nn.Identity(), T.AddSelfLoops(), T.Compose([EdgeDrop(0.0)]), info_nce)
    pair = method.pair(data, generator=seeded())
    assert pair.view1.num_edges == data.num_edges + 12
    assert pair.view2.num_edges == data.num_edges
    method = TwoView(gcn(4, 8, 2, 6), nn.Identity(), lambda graph: graph, Identity(), info_nce)
    assert method.pair(data).view1 is data


def test_jumping_knowledge_concatenates():
    torch.manual_seed(0)
    data = ring()
    for build in (gcn, gin, sage):
        encoder = build(4, 8, 3, jk="cat")
        assert encoder.out_channels == 24
        layers, x = [], data.x
        for conv in encoder.convs:
            x = conv(x, data.edge_index).relu()
            layers.append(x)
        close(encode(encoder, data), torch.cat(layers, 1))
    with pytest.raises(ValueError, match=r"out_channels must be None or 24, all layers side by side, got 48"):
        gin(4, 8, 3, 48, jk="cat")


def test_simgraces_noisy_pass_leaves_the_statistics():
    torch.manual_seed(0)
    batch = Batch.from_data_list([ring(n) for n in (12, 9, 7)])
    method = SimGRACE(gin(4, 8, 2, 6, norm="batch_norm"))
    twin = copy.deepcopy(method.encoder)
    method(batch, generator=seeded())
    encode(twin, batch)
    for (name, buffer), expected in zip(method.encoder.named_buffers(), twin.buffers(), strict=True):
        assert torch.equal(buffer, expected), name


def test_widths_come_from_the_encoder_or_are_asked_for():
    assert GRACE(GAT(4, 8, 2, 6)).projector[0].in_features == 6
    with pytest.raises(ValueError, match="dim must be the width of the embeddings, since Returns has no out_channels"):
        GRACE(Returns(lambda x: x))
