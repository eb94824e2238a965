"""Encoders and methods on one node type of a heterogeneous graph."""

import copy

import pytest
import torch
import torch_geometric.nn as pyg
from torch import nn
from torch_geometric.data import Batch, Data, HeteroData
from torch_geometric.nn import GraphSAGE, to_hetero

import gcl
from augmentors import EdgeDrop, FeatureMask, Identity
from gcl.losses import info_nce, node_graph_bce
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
    GraphCL,
    InfoGraph,
    ProGCL,
    Regularized,
    StructComp,
    TwoView,
)
from gcl.nn import NodeEmbeddings, NodeType, encode, gcn, gin, projection_head
from gcl.regularizers import POT
from tests.inputs import seeded

TYPES = [("author", "writes", "paper"), ("paper", "rev_writes", "author"), ("paper", "cites", "paper")]


def library(features=("paper", "author"), edge_dim=None):
    """6 papers, 5 authors, of which the last wrote nothing."""
    data = HeteroData()
    for kind, n in (("paper", 6), ("author", 5)):
        if kind in features:
            data[kind].x = torch.randn(n, 4, generator=seeded(n))
        else:
            data[kind].num_nodes = n
    writes = torch.tensor([[0, 0, 1, 2, 3, 3, 3], [0, 1, 1, 2, 3, 4, 5]])
    cites = torch.tensor([[0, 1, 5, 2], [1, 2, 0, 2]])
    for kind, edges in zip(TYPES, (writes, writes.flip(0), cites), strict=True):
        data[kind].edge_index = edges
        if edge_dim:
            data[kind].edge_attr = torch.randn(edges.size(1), edge_dim, generator=seeded(edges.size(1)))
    return data


def encoder_of(data, node_type="paper", **options):
    torch.manual_seed(0)
    return NodeType(to_hetero(GraphSAGE(4, 8, 2, 6), data.metadata()), node_type, 6, **options)


class One(nn.Module):
    """One layer, which takes weights of edges if it can."""

    def __init__(self, conv):
        super().__init__()
        self.conv = conv

    def forward(self, x, edge_index):
        return self.conv(x, edge_index)


class OneWeighted(One):
    def forward(self, x, edge_index, edge_weight=None):
        return self.conv(x, edge_index, edge_weight)


class Stack(nn.Module):
    """Two layers of a convolution over all types."""

    out_channels = 6

    def __init__(self, build, data):
        super().__init__()
        self.convs = nn.ModuleList([build(4, 8, data.metadata()), build(8, 6, data.metadata())])

    def forward(self, x_dict, edge_index_dict):
        x_dict = {key: x.relu() for key, x in self.convs[0](x_dict, edge_index_dict).items()}
        return self.convs[1](x_dict, edge_index_dict)


def hetero_conv(width, out, metadata):
    return pyg.HeteroConv({kind: pyg.SAGEConv((width, width), out) for kind in metadata[1]})


ENCODERS = {
    "to_hetero": lambda data: to_hetero(GraphSAGE(4, 8, 2, 6), data.metadata()),
    "HGT": lambda data: Stack(lambda i, o, meta: pyg.HGTConv(i, o, meta, heads=2), data),
    "HAN": lambda data: Stack(lambda i, o, meta: pyg.HANConv(i, o, meta, heads=2), data),
    "HeteroConv": lambda data: Stack(hetero_conv, data),
}


@pytest.mark.parametrize("node_type", ["paper", "author"])
@pytest.mark.parametrize("name", ENCODERS)
def test_a_node_types_embeddings_are_the_encoders(name, node_type):
    torch.manual_seed(0)
    data = library()
    encoder = ENCODERS[name](data)
    h = encode(NodeType(encoder, node_type), data)
    torch.testing.assert_close(h, encoder(data.x_dict, data.edge_index_dict)[node_type])
    assert h.shape == (data[node_type].num_nodes, 6)


def test_sage_by_hand():
    """One layer: W_root x + mean over neighbors of W x, summed over edge types."""
    data = library()
    layer = to_hetero(One(pyg.SAGEConv(4, 6)), data.metadata()).double()
    data = data.apply(lambda x: x.double() if x.is_floating_point() else x)
    expected = 0
    for kind in (TYPES[0], TYPES[2]):
        conv = next(m for name, m in layer.named_modules() if name.endswith("__".join(kind)))
        a = torch.zeros(6, data[kind[0]].num_nodes, dtype=torch.double)
        a[data[kind].edge_index[1], data[kind].edge_index[0]] = 1
        mean = a / a.sum(1, keepdim=True).clamp_min(1) @ data[kind[0]].x
        expected = expected + mean @ conv.lin_l.weight.T + conv.lin_l.bias + data["paper"].x @ conv.lin_r.weight.T
    torch.testing.assert_close(encode(NodeType(layer, "paper"), data), expected, rtol=1e-12, atol=1e-12)


def test_features_of_edges_arrive_where_layers_take_them():
    data = library(edge_dim=3)
    gat = to_hetero(pyg.GAT((4, 4), 8, 2, 6, edge_dim=3, add_self_loops=False), data.metadata())
    h = encode(NodeType(gat, "paper"), data)
    torch.testing.assert_close(h, gat(data.x_dict, data.edge_index_dict, edge_attr=data.edge_attr_dict)["paper"])
    other = data.clone()
    other[TYPES[0]].edge_attr = -data[TYPES[0]].edge_attr
    assert not torch.allclose(encode(NodeType(gat, "paper"), other), h)
    bare = to_hetero(pyg.GAT((4, 4), 8, 2, 6, add_self_loops=False), data.metadata())
    for model in (bare, ENCODERS["to_hetero"](data)):
        torch.testing.assert_close(
            encode(NodeType(model, "paper"), data), model(data.x_dict, data.edge_index_dict)["paper"]
        )


def test_weights_of_edges_arrive_or_are_refused():
    data = library()
    data[TYPES[0]].edge_weight = torch.rand(7)
    with pytest.raises(ValueError, match="encoder must take edge_weight_dict, which data has, got GraphModule, which"):
        encode(encoder_of(data), data)
    conv = to_hetero(OneWeighted(pyg.GraphConv(4, 6)), data.metadata())
    weights = {TYPES[0]: data[TYPES[0]].edge_weight}
    expected = conv(data.x_dict, data.edge_index_dict, edge_weight=weights)["paper"]
    torch.testing.assert_close(encode(NodeType(conv, "paper"), data), expected)
    assert not torch.allclose(conv(data.x_dict, data.edge_index_dict)["paper"], expected)


def test_names_that_end_in_dict_are_read_and_labels_are_not():
    class Asks(nn.Module):
        def forward(self, x_dict, edge_index_dict, pe_dict, y_dict=None, batch_dict=None, year=None):
            assert y_dict is None
            assert batch_dict is None
            return {"paper": x_dict["paper"] + pe_dict["paper"] + year["paper"]}

    data = library()
    with pytest.raises(ValueError, match="encoder needs 'pe_dict', which data lacks"):
        encode(NodeType(Asks(), "paper"), data)
    data["paper"].pe, data["paper"].y, data["paper"].year = torch.rand(6, 4), torch.arange(6), torch.rand(6, 1)
    torch.testing.assert_close(
        encode(NodeType(Asks(), "paper"), data), data["paper"].x + data["paper"].pe + data["paper"].year
    )


# Types without features


def test_types_without_features_get_rows_by_number():
    data = library(features=("paper",))
    encoder = encoder_of(data, embeddings=NodeEmbeddings(data, 4))
    full = library()
    full["author"].x = encoder.embeddings.rows["author"].weight.detach()
    h = encode(encoder, data)
    torch.testing.assert_close(h, encode(NodeType(encoder.encoder, "paper"), full))
    h.sum().backward()
    assert encoder.embeddings.rows["author"].weight.grad.abs().sum() > 0
    part = data.clone()
    part["author"].n_id, part["author"].num_nodes = torch.tensor([3, 1]), 2
    part[TYPES[0]].edge_index, part[TYPES[1]].edge_index = torch.tensor([[1], [0]]), torch.tensor([[0], [1]])
    full["author"].x = full["author"].x[[3, 1]]
    for kind in TYPES[:2]:
        full[kind].edge_index = part[kind].edge_index
    torch.testing.assert_close(encode(encoder, part), encode(NodeType(encoder.encoder, "paper"), full))


def test_nodes_that_came_later_have_no_rows():
    data = library(features=("paper",))
    encoder = encoder_of(data, embeddings=NodeEmbeddings(data, 4))
    data["author"].num_nodes = 6
    with pytest.raises(ValueError, match=r"numbers of 'author' must hold known node numbers in \[0, 5\), got 5"):
        encode(encoder, data)


def test_types_without_features_are_named():
    data = library(features=("paper",))
    with pytest.raises(ValueError, match=r"data has no x for \['author'\]: give NodeType embeddings=gcl.nn.NodeEmbe"):
        encode(encoder_of(data), data)
    with pytest.raises(ValueError, match=r"data must have node types without x, got \['paper', 'author'\]"):
        NodeEmbeddings(library(), 4)
    with pytest.raises(TypeError, match="data must be a torch_geometric HeteroData, got Data"):
        NodeEmbeddings(Data(), 4)
    data["author"].pop("num_nodes")
    data["author"].x = torch.ones(5, 4)
    encoder = encoder_of(data)
    data["island"].num_nodes = 3  # without edges, needs no features
    assert encode(encoder, data).shape == (6, 6)


# What is refused


def test_what_does_not_fit_is_named():
    data = library()
    model = ENCODERS["to_hetero"](data)
    with pytest.raises(TypeError, match=r"encoder must be gcl.nn.NodeType\(encoder, node_type\) for HeteroData"):
        encode(model, data)
    with pytest.raises(TypeError, match="and only for it, got NodeType for Data"):
        encode(NodeType(model, "paper"), Data(x=torch.ones(3, 4), edge_index=torch.empty(2, 0).long()))
    with pytest.raises(ValueError, match=r"node_type must be one of data's, \['paper', 'author'\], got 'venue'"):
        encode(NodeType(model, "venue"), data)
    with pytest.raises(ValueError, match="chunk must be None for HeteroData, got 3"):
        encode(NodeType(model, "paper"), data, chunk=3)
    with pytest.raises(TypeError, match="encoder must be a module, got function"):
        NodeType(lambda x: x, "paper")
    with pytest.raises(TypeError, match="embeddings must be gcl.nn.NodeEmbeddings, got Embedding"):
        NodeType(model, "paper", embeddings=nn.Embedding(2, 2))
    with pytest.raises(TypeError, match="encoder must return a dictionary of embeddings by node type, got Tensor"):
        encode(NodeType(_First(), "paper"), data)
    with pytest.raises(ValueError, match=r"embeddings of 'author', got those of \['paper'\]: do edges"):
        encode(NodeType(_Papers(), "author"), data)
    for change, error, message in (
        (
            lambda d: d[TYPES[0]].edge_index.fill_(5),
            ValueError,
            r"author numbers in \[0, 5\), got 5",
        ),
        (
            lambda d: d[TYPES[0]].pop("edge_index"),
            ValueError,
            r"'paper'\)\].edge_index is missing",
        ),
    ):
        broken = data.clone()
        change(broken)
        with pytest.raises(error, match=message):
            encode(encoder_of(data), broken)


class _First(nn.Module):
    def forward(self, x_dict, edge_index_dict):
        return x_dict["paper"]


class _Papers(nn.Module):
    def forward(self, x_dict, edge_index_dict):
        return {"paper": x_dict["paper"]}


REFUSED = {
    "COLES": COLES,
    "GCA": GCA,
    "ProGCL": ProGCL,
    "MVGRL": lambda encoder: MVGRL(encoder, gcn(4, 8, 2, 6)),
    "StructComp": lambda encoder: StructComp(GRACE(encoder), torch.tensor([0, 0, 0, 1, 1, 1])),
    "GraphCL": GraphCL,
    "InfoGraph": InfoGraph,
}


@pytest.mark.parametrize("name", REFUSED)
def test_methods_of_one_kind_of_nodes_refuse(name):
    data = library()
    method = REFUSED[name](encoder_of(data))
    for run in (method, method.embed, lambda one: gcl.fit(method, one, torch.optim.SGD(method.parameters()), 1)):
        with pytest.raises(TypeError, match=f"data must be a Data or Batch for {name}, got HeteroData"):
            run(data)
    if name != "GraphCL":
        with pytest.raises(TypeError, match="data must be a Data or Batch for"):
            method.loss(data)


def test_methods_that_need_weights_or_gcn_refuse_the_encoder():
    data = library()
    for build in (ARIEL, lambda encoder: ADGCL(encoder, gin(4, 8))):
        with pytest.raises(ValueError, match="encoder must take edge weights, got NodeType"):
            build(encoder_of(data))
    with pytest.raises(TypeError, match="encoder must be"):
        Regularized(GRACE(encoder_of(data)), POT(0.3), 0.5)


def test_layers_of_unknown_width_run_first():
    data = library()
    encoder = NodeType(to_hetero(GraphSAGE((-1, -1), 8, 2, 6), data.metadata()), "paper", 6)
    with pytest.raises(ValueError, match="encoder must know its widths, got layers of width -1: run it once"):
        BGRL(encoder)
    with torch.no_grad():
        encode(encoder, data)
    BGRL(encoder).loss(data)


# Methods

METHODS = {
    "GRACE": GRACE,
    "BGRL": BGRL,
    "DGI": DGI,
    "CCASSG": CCASSG,
    "SSGE": SSGE,
    "GBT": GBT,
    "GGD": GGD,
    "COSTA": COSTA,
    "SCE": SCE,
    "own": lambda encoder: TwoView(encoder, projection_head(6, 6, 6), EdgeDrop(0.3), Identity(), info_nce),
}


@pytest.mark.parametrize("name", METHODS)
def test_methods_train_all_types_and_repeat(name):
    """Every parameter on a path to the type moves, and the same seed gives the same run."""
    data, runs = library(), []
    for _ in range(2):
        method = METHODS[name](encoder_of(data))
        before = {key: p.clone() for key, p in method.encoder.named_parameters()}
        losses = gcl.fit(
            method, data, torch.optim.Adam(method.parameters(), lr=0.05), 4, progress=False, generator=seeded()
        )
        runs.append((losses, method.embed(data)))
        still = [key for key, p in method.encoder.named_parameters() if torch.equal(p, before[key])]
        unused = "convs.1.paper__rev_writes__author"  # the last layer's embeddings of authors, which are not asked for
        if name not in ("CCASSG", "SSGE", "GBT", "SCE"):  # blind to a shift of all nodes, thus to the last bias
            assert all(unused in key for key in still), still
    assert runs[0][0] == runs[1][0]
    assert torch.equal(runs[0][1], runs[1][1])
    assert runs[0][1].shape == (6, 6)


def test_graces_loss_is_info_nce_of_the_types_rows():
    data = library()
    method = GRACE(encoder_of(data), edge_drop=0.5, feature_mask=0.5)
    draws = seeded()
    views = [augmentor(data, generator=draws) for augmentor in (method.augmentor1, method.augmentor2)]
    z1, z2 = (method.projector(method.encoder.encoder(v.x_dict, v.edge_index_dict)["paper"]) for v in views)
    torch.testing.assert_close(method.loss(data, generator=seeded()), info_nce(z1, z2, temperature=0.5))


def test_dgis_summary_is_of_the_type_and_of_each_graph():
    data = Batch.from_data_list([library(), library()])
    method = DGI(encoder_of(library()))
    loss = method.loss(data, generator=seeded())
    corrupt = method.corrupt(data, generator=seeded())
    h, h_negative = (method.encoder.encoder(d.x_dict, d.edge_index_dict)["paper"] for d in (data, corrupt))
    summary = torch.stack([half.mean(0).sigmoid() for half in h.chunk(2)]) @ method.critic.T
    torch.testing.assert_close(loss, node_graph_bce(h, h_negative, summary, data["paper"].batch))


def test_a_readout_pools_the_type():
    data = Batch.from_data_list([library(), library()])
    views = FeatureMask(0.3), EdgeDrop(0.3)
    method = TwoView(encoder_of(library()), nn.Identity(), *views, info_nce, readout=pyg.global_mean_pool)
    expected = torch.stack([half.mean(0) for half in encode(method.encoder, data).chunk(2)])
    torch.testing.assert_close(method.embed(data), expected)
    with pytest.raises(ValueError, match="data must hold batches of at least two graphs for TwoView"):
        gcl.fit(method, library(), torch.optim.SGD(method.parameters()), 1, progress=False)


def test_checkpoints_go_on_where_they_stopped(tmp_path):
    data = library()

    def start():
        method = BGRL(encoder_of(data))
        return method, torch.optim.Adam(method.parameters(), lr=0.05), seeded()

    method, optimizer, draws = start()
    gcl.fit(method, data, optimizer, 6, progress=False, generator=draws)
    whole = method.embed(data)
    method, optimizer, draws = start()
    gcl.fit(method, data, optimizer, 3, progress=False, generator=draws)
    gcl.train.save_checkpoint(tmp_path / "a.ckpt", epoch=3, method=method, optimizer=optimizer, generator=draws)
    method, optimizer, draws = start()
    epoch = gcl.train.load_checkpoint(tmp_path / "a.ckpt", method=method, optimizer=optimizer, generator=draws)
    for _ in gcl.train.epochs(method, data, optimizer, 6, start=epoch, generator=draws):
        pass
    assert torch.equal(method.embed(data), whole)


def test_invalid_graphs_are_named_before_training():
    data = library()
    method = GRACE(encoder_of(data))
    for change, message in (
        (lambda d: d["author"].x.fill_(torch.nan), r"data\['author'\].x must be finite, got nan"),
        (lambda d: d[TYPES[2]].edge_index.fill_(6), r"edge_index must hold paper numbers in \[0, 6\), got 6"),
    ):
        broken = copy.deepcopy(data)
        change(broken)
        for run in (method.embed, lambda d: gcl.fit(method, d, torch.optim.SGD(method.parameters()), 1)):
            with pytest.raises(ValueError, match=message):
                run(broken)
    doubled = data.clone()
    doubled["paper"].x = data["paper"].x.double()
    torch.testing.assert_close(method.embed(doubled), method.embed(data))


@pytest.mark.parametrize("features", [("paper", "author"), ("paper",)])
def test_a_loaders_batches_with_all_neighbors_are_the_whole_graph(features):
    data = library(features)
    embeddings = None if "author" in features else NodeEmbeddings(data, 4)
    method = GRACE(encoder_of(data, embeddings=embeddings))
    loader = gcl.data.neighbor_loader(data, [-1, -1], 4, node_type="paper", shuffle=False)
    h = torch.cat([method.embed(batch) for batch in loader])
    torch.testing.assert_close(h, method.embed(data))
    before = {key: p.clone() for key, p in method.named_parameters()}
    shuffled = gcl.data.neighbor_loader(data, [2, 2], 3, node_type="paper", generator=seeded())
    gcl.fit(method, shuffled, torch.optim.Adam(method.parameters(), lr=0.05), 2, progress=False, generator=seeded())
    assert any(not torch.equal(p, before[key]) for key, p in method.named_parameters())


def test_dgi_on_a_loaders_batch_sums_up_its_seeds():
    data = library()
    method = DGI(encoder_of(data))
    batch = next(iter(gcl.data.neighbor_loader(data, [-1, -1], 4, node_type="paper", shuffle=False)))
    loss = method.loss(batch, generator=seeded())
    corrupt = method.corrupt(batch, generator=seeded())
    h, h_negative = (encode(method.encoder, view) for view in (batch, corrupt))
    assert h.shape == (4, 6)
    summary = h.mean(0, keepdim=True).sigmoid() @ method.critic.T
    torch.testing.assert_close(loss, node_graph_bce(h, h_negative, summary, torch.zeros(4).long()))
