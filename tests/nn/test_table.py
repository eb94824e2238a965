"""Some eighty encoders and what becomes of a graph's attributes, by the value of the embedding.

``python -m tests.nn.test_table`` prints the table for docs/encoders.md.
"""

import copy
from functools import partial
from pathlib import Path

import pytest
import torch
import torch_geometric.nn as pyg
from torch import nn
from torch_geometric.data import Batch
from torch_geometric.nn import to_hetero

from gcl.nn import NodeType, encode, gcn, gin, gine, hops, molecule_encoder, sage
from tests.inputs import ring, seeded
from tests.nn.test_hetero import OneWeighted, Stack, hetero_conv, library

METADATA = library().metadata()
DEGREES = torch.tensor([1, 2, 10])
pytestmark = pytest.mark.filterwarnings("ignore:Sparse invariant checks")
PAGE = Path(__file__).parents[2] / "docs" / "encoders.md"


class Own(nn.Module):
    """A module that takes everything, and passes on what its layers take."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm, self.pe = pyg.GCNConv(4, 6), pyg.GraphNorm(6), nn.Linear(5, 6)

    def forward(self, x, edge_index, edge_weight=None, edge_attr=None, batch=None):
        h = self.norm(self.conv(x, edge_index, edge_weight), batch)
        return h if edge_attr is None else h.index_add(0, edge_index[1], self.pe(edge_attr))


class Forgets(Own):
    """A norm over each graph, and no ``batch``."""

    def forward(self, x, edge_index):
        return self.norm(self.conv(x, edge_index))


class ForgetsByType(Forgets):
    def forward(self, x_dict, edge_index_dict):
        return {"paper": self.norm(self.conv.lin(x_dict["paper"]))}


def own_function():
    conv = pyg.GraphConv(4, 6)
    return lambda x, edge_index, edge_weight: conv(x, edge_index, edge_weight)


def gps_with_features():
    conv = pyg.GPSConv(4, pyg.GINEConv(nn.Linear(4, 4), edge_dim=5), heads=2)
    conv.takes = ("edge_attr",)  # of **kwargs
    return conv


def by_type(encoder):
    return NodeType(to_hetero(encoder, METADATA), "paper")


def exported():
    data, edges = with_features(ring()), torch.export.Dim("edges")
    sizes = {"x": {0: torch.export.Dim("nodes")}, "edge_index": {1: edges}, "edge_attr": {0: edges}}
    inputs = (data.x, data.edge_index), {"edge_attr": data.edge_attr}
    return torch.export.export(gine(4, 8, 2, 6, edge_dim=5).eval(), *inputs, dynamic_shapes=sizes).module()


COLUMNS = "edge_weight", "edge_attr", "graphs of a batch", "HeteroData"
TABLE = {
    # gcl.nn
    "gcl.nn.gcn": (lambda: gcn(4, 8, 2, 6), "used, left out, same, refused"),
    "gcl.nn.gcn, graph_norm": (lambda: gcn(4, 8, 2, 6, norm="graph_norm"), "used, left out, same, refused"),
    "gcl.nn.gin": (lambda: gin(4, 8, 2, 6), "used, left out, same, refused"),
    "gcl.nn.gin, layer_norm": (lambda: gin(4, 8, 2, 6, norm="layer_norm"), "used, left out, same, refused"),
    "gcl.nn.sage": (lambda: sage(4, 8, 2, 6), "refused, left out, same, refused"),
    "gcl.nn.hops": (lambda: hops(4, 8, 6), "used, left out, same, refused"),
    "gcl.nn.gine": (lambda: gine(4, 8, 2, 6, edge_dim=5), "used, used, same, refused"),
    "gcl.nn.gine, pair_norm": (
        lambda: gine(4, 8, 2, 6, edge_dim=5, norm="pair_norm"),
        "used, used, same, refused",
    ),
    "gcl.nn.molecule_encoder": (lambda: molecule_encoder(8, 2), "used, used, same, refused"),
    # models of PyG
    "GCN": (lambda: pyg.GCN(4, 8, 2, 6), "used, left out, same, refused"),
    "GCN, batch_norm": (lambda: pyg.GCN(4, 8, 2, 6, norm="batch_norm"), "used, left out, same, refused"),
    "GCN, layer_norm": (lambda: pyg.GCN(4, 8, 2, 6, norm="layer_norm"), "used, left out, same, refused"),
    "GraphSAGE": (lambda: pyg.GraphSAGE(4, 8, 2, 6), "refused, left out, same, refused"),
    "GAT": (lambda: pyg.GAT(4, 8, 2, 6), "refused, left out, same, refused"),
    "GAT, edge_dim": (lambda: pyg.GAT(4, 8, 2, 6, edge_dim=5), "refused, used, same, refused"),
    "GAT, v2, edge_dim": (lambda: pyg.GAT(4, 8, 2, 6, edge_dim=5, v2=True), "refused, used, same, refused"),
    "GIN": (lambda: pyg.GIN(4, 8, 2, 6), "refused, left out, same, refused"),
    "GIN, layer_norm": (lambda: pyg.GIN(4, 8, 2, 6, norm="layer_norm"), "refused, left out, refused, refused"),
    "EdgeCNN": (lambda: pyg.EdgeCNN(4, 8, 2, 6), "refused, left out, same, refused"),
    "EdgeCNN, graph_norm": (
        lambda: pyg.EdgeCNN(4, 8, 2, 6, norm="graph_norm"),
        "refused, left out, refused, refused",
    ),
    "PNA": (
        lambda: pyg.PNA(4, 8, 2, 6, aggregators=["mean", "max"], scalers=["identity"], deg=DEGREES),
        "refused, left out, same, refused",
    ),
    "PNA, edge_dim": (
        lambda: pyg.PNA(4, 8, 2, 6, aggregators=["mean"], scalers=["identity"], deg=DEGREES, edge_dim=5),
        "refused, used, same, refused",
    ),
    "GraphUNet": (lambda: pyg.GraphUNet(4, 8, 6, 2), "used, left out, same, refused"),
    "Polynormer": (lambda: pyg.Polynormer(4, 8, 6), "refused, left out, same, refused"),
    "PMLP": (lambda: pyg.PMLP(4, 8, 6, 2), "refused, left out, mixed, refused"),
    "RECT_L": (lambda: pyg.RECT_L(4, 8), "used, left out, same, refused"),
    "MLP": (lambda: pyg.MLP([4, 8, 6]), "refused, left out, same, refused"),
    "MLP, graph_norm": (lambda: pyg.MLP([4, 8, 6], norm="graph_norm"), "refused, left out, same, refused"),
    # layers of PyG
    "AGNNConv": (pyg.AGNNConv, "refused, left out, same, refused"),
    "AntiSymmetricConv": (lambda: pyg.AntiSymmetricConv(4), "refused, left out, same, refused"),
    "APPNP": (lambda: pyg.APPNP(3, 0.1), "used, left out, same, refused"),
    "ARMAConv": (lambda: pyg.ARMAConv(4, 6), "used, left out, same, refused"),
    "CGConv": (lambda: pyg.CGConv(4), "refused, left out, same, refused"),
    "CGConv, dim": (lambda: pyg.CGConv(4, dim=5), "refused, used, same, refused"),
    "ChebConv": (lambda: pyg.ChebConv(4, 6, 3), "used, left out, same, refused"),
    "ClusterGCNConv": (lambda: pyg.ClusterGCNConv(4, 6), "refused, left out, same, refused"),
    "DirGNNConv": (lambda: pyg.DirGNNConv(pyg.GCNConv(4, 6)), "refused, left out, same, refused"),
    "EdgeConv": (lambda: pyg.EdgeConv(nn.Linear(8, 6)), "refused, left out, same, refused"),
    "EGConv": (lambda: pyg.EGConv(4, 8), "refused, left out, same, refused"),
    "FeaStConv": (lambda: pyg.FeaStConv(4, 6), "refused, left out, same, refused"),
    "FiLMConv": (lambda: pyg.FiLMConv(4, 6, 3), "refused, left out, same, refused"),
    "GATConv": (lambda: pyg.GATConv(4, 6), "refused, left out, same, refused"),
    "GATConv, edge_dim": (lambda: pyg.GATConv(4, 6, edge_dim=5), "refused, used, same, refused"),
    "GATv2Conv, edge_dim": (lambda: pyg.GATv2Conv(4, 6, edge_dim=5), "refused, used, same, refused"),
    "GatedGraphConv": (lambda: pyg.GatedGraphConv(6, 2), "used, left out, same, refused"),
    "GCNConv": (lambda: pyg.GCNConv(4, 6), "used, left out, same, refused"),
    "GENConv, edge_dim": (lambda: pyg.GENConv(4, 6, edge_dim=5), "refused, used, same, refused"),
    "GeneralConv": (lambda: pyg.GeneralConv(4, 6), "refused, left out, same, refused"),
    "GeneralConv, in_edge_channels": (
        lambda: pyg.GeneralConv(4, 6, in_edge_channels=5),
        "refused, used, same, refused",
    ),
    "GINConv": (lambda: pyg.GINConv(nn.Linear(4, 6)), "refused, left out, same, refused"),
    "GINConv of an MLP, graph_norm": (
        lambda: pyg.GINConv(pyg.MLP([4, 8, 6], norm="graph_norm")),
        "refused, left out, refused, refused",
    ),
    "GINEConv": (lambda: pyg.GINEConv(nn.Linear(4, 6), edge_dim=5), "refused, used, same, refused"),
    "GMMConv": (lambda: pyg.GMMConv(4, 6, 5, 2), "refused, used, same, refused"),
    "GPSConv": (lambda: pyg.GPSConv(4, pyg.GCNConv(4, 4), heads=2), "refused, left out, same, refused"),
    "GPSConv, layer_norm": (
        lambda: pyg.GPSConv(4, pyg.GCNConv(4, 4), heads=2, norm="layer_norm"),
        "refused, left out, same, refused",
    ),
    "GPSConv of GINEConv, takes": (gps_with_features, "refused, used, same, refused"),
    "GPSConv, performer": (
        lambda: pyg.GPSConv(4, pyg.GCNConv(4, 4), heads=2, attn_type="performer"),
        "refused, left out, mixed, refused",
    ),
    "GraphConv": (lambda: pyg.GraphConv(4, 6), "used, left out, same, refused"),
    "HEATConv": (lambda: pyg.HEATConv(4, 6, 2, 3, 2, 5, 4), "refused, used, same, refused"),
    "LEConv": (lambda: pyg.LEConv(4, 6), "used, left out, same, refused"),
    "LGConv": (pyg.LGConv, "used, left out, same, refused"),
    "MFConv": (lambda: pyg.MFConv(4, 6), "refused, left out, same, refused"),
    "MixHopConv": (lambda: pyg.MixHopConv(4, 6), "used, left out, same, refused"),
    "NNConv": (lambda: pyg.NNConv(4, 6, nn.Linear(5, 24)), "refused, used, same, refused"),
    "PDNConv": (lambda: pyg.PDNConv(4, 6, 5, 7), "refused, used, same, refused"),
    "PointNetConv": (lambda: pyg.PointNetConv(nn.Linear(7, 6)), "refused, left out, same, refused"),
    "RGATConv, edge_dim": (lambda: pyg.RGATConv(4, 6, 3, edge_dim=5), "refused, used, same, refused"),
    "RGCNConv": (lambda: pyg.RGCNConv(4, 6, 3), "refused, left out, same, refused"),
    "ResGatedGraphConv, edge_dim": (
        lambda: pyg.ResGatedGraphConv(4, 6, edge_dim=5),
        "refused, used, same, refused",
    ),
    "SAGEConv": (lambda: pyg.SAGEConv(4, 6), "refused, left out, same, refused"),
    "SGConv": (lambda: pyg.SGConv(4, 6, 2), "used, left out, same, refused"),
    "SSGConv": (lambda: pyg.SSGConv(4, 6, 0.1), "used, left out, same, refused"),
    "SuperGATConv": (lambda: pyg.SuperGATConv(4, 6), "refused, left out, same, refused"),
    "TAGConv": (lambda: pyg.TAGConv(4, 6), "used, left out, same, refused"),
    "TransformerConv": (lambda: pyg.TransformerConv(4, 6), "refused, left out, same, refused"),
    "TransformerConv, edge_dim": (lambda: pyg.TransformerConv(4, 6, edge_dim=5), "refused, used, same, refused"),
    # of one's own
    "Sequential of PyG": (
        lambda: pyg.Sequential("x, edge_index, edge_weight", [(pyg.GCNConv(4, 6), "x, edge_index, edge_weight -> x")]),
        "used, left out, same, refused",
    ),
    "Sequential of PyG, graph_norm": (
        lambda: pyg.Sequential(
            "x, edge_index, batch", [(pyg.GCNConv(4, 6), "x, edge_index -> x"), (pyg.GraphNorm(6), "x, batch -> x")]
        ),
        "refused, left out, same, refused",
    ),
    "a module that takes all": (Own, "used, used, same, refused"),
    "a module with GraphNorm, without batch": (Forgets, "refused, left out, refused, refused"),
    "a function": (own_function, "used, left out, same, refused"),
    "nn.Sequential": (lambda: nn.Sequential(nn.Linear(4, 6), nn.ReLU()), "refused, left out, same, refused"),
    "torch.compile of gcl.nn.gcn": (
        lambda: torch.compile(gcn(4, 8, 2, 6).eval(), backend="eager"),
        "used, left out, same, refused",
    ),
    "torch.jit.script of gcl.nn.gin": (lambda: torch.jit.script(gin(4, 8, 2, 6)), "used, left out, same, refused"),
    "torch.export of gcl.nn.gine": (exported, "refused, used, same, refused"),
    # gcl.nn.NodeType of
    "NodeType of to_hetero(GraphSAGE)": (lambda: by_type(pyg.GraphSAGE(4, 8, 2, 6)), "refused, left out, same, used"),
    "NodeType of to_hetero(GraphSAGE), graph_norm": (
        lambda: by_type(pyg.GraphSAGE(4, 8, 2, 6, norm="graph_norm")),
        "refused, left out, same, used",
    ),
    "NodeType of to_hetero(GIN), layer_norm": (
        lambda: by_type(pyg.GIN(4, 8, 2, 6, norm="layer_norm")),
        "refused, left out, refused, used",
    ),
    "NodeType of to_hetero(GAT), edge_dim": (
        lambda: by_type(pyg.GAT((4, 4), 8, 2, 6, edge_dim=5, add_self_loops=False)),
        "refused, used, same, used",
    ),
    "NodeType of to_hetero(a GraphConv)": (
        lambda: by_type(OneWeighted(pyg.GraphConv(4, 6))),
        "used, left out, same, used",
    ),
    "NodeType of HeteroConv layers": (
        lambda: NodeType(Stack(hetero_conv, library()), "paper"),
        "refused, left out, same, used",
    ),
    "NodeType of HGTConv layers": (
        lambda: NodeType(Stack(partial(pyg.HGTConv, heads=2), library()), "paper"),
        "refused, left out, same, used",
    ),
    "NodeType of HANConv layers": (
        lambda: NodeType(Stack(partial(pyg.HANConv, heads=2), library()), "paper"),
        "refused, left out, mixed, used",
    ),
    "NodeType of a module with GraphNorm, without batch_dict": (
        lambda: NodeType(ForgetsByType(), "paper"),
        "refused, left out, refused, used",
    ),
}
CELLS = {name: dict(zip(COLUMNS, cells.split(", "), strict=True)) for name, (_, cells) in TABLE.items()}


def markdown():
    """The table of docs/encoders.md."""
    rows = [("", *COLUMNS), ("---",) * 5, *((name, *cells.values()) for name, cells in CELLS.items())]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"


def build(name):
    torch.manual_seed(0)
    encoder = TABLE[name][0]()
    return encoder.eval() if isinstance(encoder, nn.Module) and not name.startswith("torch.export") else encoder


def with_edges(data, name, width, seed=0):
    """The graph, with random numbers on its edges."""
    data, draws = copy.copy(data), seeded(seed)
    for store in data.edge_stores:
        store[name] = torch.rand(store.edge_index.size(1), *width, generator=draws)
    return data


def with_features(data, seed=0):
    if data.node_stores[0].x.is_floating_point():
        return with_edges(data, "edge_attr", (5,), seed)
    data = with_edges(data, "edge_attr", (3,), seed)
    data.edge_attr = (2 * data.edge_attr).long()  # bonds
    return data


def graph(name, n=12, scale=1.0):
    """A graph as the encoder takes it, with ``edge_attr`` where that is used."""
    if CELLS[name]["HeteroData"] == "used":
        data = library()
        for store in data.node_stores:
            store.x = scale * (store.x + 1)
    else:
        data = ring(n)
        data.x = scale * (data.x + 1) if name != "gcl.nn.molecule_encoder" else torch.randint(2, (n, 9))
        data.edge_type, data.node_type, data.pos = torch.arange(data.num_edges) % 3, torch.arange(n) % 2, data.x[:, :3]
    return with_features(data) if CELLS[name]["edge_attr"] == "used" else data


embed = torch.no_grad()(encode)


def differ(a, b):
    return a.shape == b.shape and not torch.allclose(a, b, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", TABLE)
def test_weights_of_edges_are_used_or_refused(name):
    encoder, data = build(name), graph(name)
    first, second = (with_edges(data, "edge_weight", (), seed) for seed in (1, 2))
    if CELLS[name]["edge_weight"] == "used":
        assert differ(embed(encoder, first), embed(encoder, second))
    else:
        with pytest.raises(ValueError, match="encoder must take edge_weight"):
            embed(encoder, first)


@pytest.mark.parametrize("name", TABLE)
def test_features_of_edges_are_used_or_left_out(name):
    encoder, data = build(name), graph(name)
    first, second = (embed(encoder, with_features(data, seed)) for seed in (1, 2))
    if CELLS[name]["edge_attr"] == "used":
        assert differ(first, second)
    else:
        assert torch.equal(first, second)
        assert torch.equal(first, embed(encoder, data))


@pytest.mark.parametrize("name", TABLE)
def test_the_graphs_of_a_batch_do_not_mix(name):
    encoder, cell = build(name), CELLS[name]["graphs of a batch"]
    several = [graph(name, n, scale) for n, scale in ((12, 1.0), (9, 6.0), (5, 11.0))]
    batch = Batch.from_data_list(several)
    if cell == "refused":
        with pytest.raises(ValueError, match="encoder must pass batch on to its (Graph|Layer)Norm, got .* 3 graphs"):
            embed(encoder, batch)
        return
    together = embed(encoder, batch)
    alone = torch.cat([embed(encoder, Batch.from_data_list([one])) for one in several])
    assert differ(together, alone) == (cell == "mixed")


@pytest.mark.parametrize("name", TABLE)
def test_heterogeneous_graphs_need_a_node_type(name):
    encoder, data = build(name), with_features(library())
    if CELLS[name]["HeteroData"] == "used":
        h = embed(encoder, data)
        assert h.shape == (6, 6)
        with pytest.raises(TypeError, match="and only for it, got NodeType for Data"):
            embed(encoder, ring())
    else:
        with pytest.raises(TypeError, match=r"encoder must be gcl.nn.NodeType\(encoder, node_type\) for HeteroData"):
            embed(encoder, data)


@pytest.mark.parametrize(
    ("build", "name"),
    [
        (lambda: pyg.RGCNConv(4, 6, 3), "edge_type"),
        (lambda: pyg.GCN2Conv(4, 0.1), "x_0"),
        (lambda: pyg.FAConv(4), "x_0"),
        (lambda: pyg.PointNetConv(nn.Linear(7, 6)), "pos"),
        (lambda: pyg.HypergraphConv(4, 6), "hyperedge_index"),
        (lambda: pyg.SignedConv(4, 6, first_aggr=True), "pos_edge_index"),
    ],
)
def test_what_a_layer_needs_beside_the_edges_is_named(build, name):
    with pytest.raises(ValueError, match=f"encoder needs '{name}', which data lacks"):
        embed(build(), ring())


def test_edges_behind_another_argument_are_checked_and_handed_over():
    layer, data = pyg.PointNetConv(nn.Linear(7, 6)), ring()
    data.pos = torch.rand(12, 3)
    assert torch.equal(embed(layer, data), layer(data.x, data.pos, data.edge_index))
    data.edge_index = data.edge_index + 2
    with pytest.raises(ValueError, match=r"data.edge_index must hold node numbers in \[0, 12\), got 12"):
        embed(layer, data)


def test_a_trace_has_no_signature():
    data, layer = ring(), gin(4, 8, 2, 6)
    trace = torch.jit.trace(layer, (data.x, data.edge_index), check_trace=False)
    with pytest.raises(TypeError, match="encoder must have a signature, got TopLevelTracedModule: wrap it in a func"):
        embed(trace, data)
    assert torch.equal(embed(lambda x, edge_index: trace(x, edge_index), data), trace(data.x, data.edge_index))


def test_norms_over_nodes_inside_layers_take_no_chunks():
    encoder, data = pyg.GIN(4, 8, 2, 6, norm="layer_norm"), ring()
    assert embed(encoder, data).shape == (12, 6)
    with pytest.raises(ValueError, match="encoder must have no LayerNorm inside its layers for chunk, got GIN"):
        embed(encoder, data, chunk=5)


def test_the_page_has_the_table():
    assert markdown() in PAGE.read_text()


if __name__ == "__main__":
    print(markdown(), end="")
