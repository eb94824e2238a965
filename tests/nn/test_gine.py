"""GIN with features of edges: PyG's without weights, the formula with them."""

import copy

import pytest
import torch
import torch_geometric.nn as pyg
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch_geometric.data import Batch
from torch_geometric.explain.algorithm.utils import clear_masks, set_masks

from gcl.data import neighbor_loader
from gcl.methods import DGI
from gcl.nn import encode, gine
from tests.graphs import graphs
from tests.inputs import ring, seeded

NORMS = (None, "batch_norm", "layer_norm", "graph_norm", "instance_norm", "pair_norm")


def with_features(data, dtype=torch.float):
    data.edge_attr = torch.randn(data.num_edges, 5, generator=seeded(), dtype=dtype)
    return data


def close(a, b, tolerance=1e-6):
    torch.testing.assert_close(a, b, rtol=tolerance, atol=tolerance)


def dense(encoder, data):
    """The formula, edge by edge."""
    x = data.x
    for conv in encoder.convs:
        total = [(1 + conv.eps) * row for row in x]
        for e, (source, target) in enumerate(data.edge_index.T.tolist()):
            message = (x[source] + conv.lin.weight @ data.edge_attr[e] + conv.lin.bias).clamp(min=0)
            total[target] = total[target] + data.edge_weight[e] * message
        x = conv.nn(torch.stack(total)).relu()
    return x


@given(graph=graphs(), train_eps=st.booleans())
def test_without_weights_it_is_pygs(graph, train_eps):
    x = torch.randn(graph.num_nodes, 4, dtype=torch.double)
    edge_attr = with_features(graph, torch.double).edge_attr
    encoder = gine(4, 6, 2, 3, edge_dim=5, train_eps=train_eps, eps=0.3).double()
    twins = [pyg.GINEConv(copy.deepcopy(conv.nn), edge_dim=5, train_eps=train_eps) for conv in encoder.convs]
    expected = x
    for twin, conv in zip(twins, encoder.convs, strict=True):
        twin.double().load_state_dict(conv.state_dict())
        expected = twin(expected, graph.edge_index, edge_attr).relu()
    h = encoder(x, graph.edge_index, edge_attr=edge_attr)
    close(h, expected, 1e-12)
    for out in (h, expected):
        out.square().sum().backward()
    for twin, conv in zip(twins, encoder.convs, strict=True):
        for other, parameter in zip(twin.parameters(), conv.parameters(), strict=True):
            close(parameter.grad, other.grad, 1e-12)


@given(graph=graphs())
def test_with_weights_it_is_the_formula(graph):
    data = with_features(graph, torch.double)
    data.x = torch.randn(graph.num_nodes, 4, dtype=torch.double)
    data.edge_weight = torch.rand(graph.num_edges, dtype=torch.double)
    encoder = gine(4, 6, 2, 3, edge_dim=5, eps=0.3).double()
    close(encode(encoder, data), dense(encoder, data), 1e-12)


def test_a_weight_counts_edges():
    data, encoder = with_features(ring()), gine(4, 8, 2, 6, edge_dim=5)
    count = torch.arange(data.num_edges) % 3
    data.edge_weight = count.float()
    weighted = encode(encoder, data)
    del data.edge_weight
    edges = torch.arange(data.num_edges).repeat_interleave(count)
    data.edge_index, data.edge_attr = data.edge_index[:, edges], data.edge_attr[edges]
    close(weighted, encode(encoder, data), 1e-5)


@pytest.mark.parametrize("norm", NORMS)
def test_a_graphs_embedding_is_the_same_alone_and_in_any_batch(norm):
    several = [with_features(ring(n)) for n in (12, 9, 5)]
    for graph in several[1:]:
        graph.x = graph.x * 30 + 7
    method = DGI(gine(4, 8, 3, 6, edge_dim=5, norm=norm)).eval()
    alone = [method.embed(Batch.from_data_list([graph])) for graph in several]
    close(method.embed(Batch.from_data_list(several)), torch.cat(alone), 1e-4)


def test_jumping_knowledge_concatenates():
    data, encoder = with_features(ring()), gine(4, 8, 3, edge_dim=5, jk="cat")
    layers, x = [], data.x
    for conv in encoder.convs:
        x = conv(x, data.edge_index, None, data.edge_attr).relu()
        layers.append(x)
    assert encoder.out_channels == 24
    close(encode(encoder, data), torch.cat(layers, 1))


@pytest.mark.parametrize("weighted", [False, True])
def test_in_chunks_it_is_the_same(weighted):
    data, encoder = with_features(ring(30)), gine(4, 8, 3, 6, edge_dim=5, norm="layer_norm")
    if weighted:
        data.edge_weight = torch.rand(data.num_edges)
    close(encode(encoder, data, chunk=7), encode(encoder, data), 1e-5)


@pytest.mark.parametrize("weighted", [False, True])
def test_a_loaders_batch_of_all_neighbors_is_the_whole_graph(weighted):
    data, encoder = with_features(ring(30)), gine(4, 8, 2, 6, edge_dim=5)
    if weighted:
        data.edge_weight = torch.rand(data.num_edges)
    h = encode(encoder, data)
    for part in neighbor_loader(data, [-1, -1], batch_size=7):
        close(encode(encoder, part), h[part.n_id[: part.batch_size]], 1e-5)


def test_masks_of_explainers_act():
    pyg.GINEConv(nn.Linear(4, 4))  # whose constructor must not leave its template in ours
    data, encoder = with_features(ring()), gine(4, 8, 2, 6, edge_dim=5)
    h = encode(encoder, data)
    set_masks(encoder, nn.Parameter(torch.full((data.num_edges,), -20.0)), data.edge_index)
    hidden = encode(encoder, data)
    clear_masks(encoder)
    close(encode(encoder, data), h)
    close(hidden, encoder(data.x, data.edge_index[:, :0], edge_attr=data.edge_attr[:0]), 1e-5)
    assert not torch.allclose(hidden, h, atol=1e-3)


@pytest.mark.parametrize(
    "options", [{}, {"norm": "batch_norm"}, {"jk": "cat"}, {"act": "prelu", "final_activation": False}]
)
@pytest.mark.parametrize("weighted", [False, True])
def test_scripts_are_the_encoder(options, weighted):
    encoder = gine(4, 8, 2, edge_dim=5, **options).eval()
    script = torch.jit.script(encoder)
    for n in (12, 7):
        data = with_features(ring(n))
        weight = torch.rand(data.num_edges) if weighted else None
        arguments = data.x, data.edge_index, weight, data.edge_attr
        close(script(*arguments), encoder(*arguments), 1e-5)


def test_exports_with_dynamic_sizes_are_the_encoder():
    encoder, data = gine(4, 8, 2, 6, edge_dim=5).eval(), with_features(ring())
    edges = torch.export.Dim("edges")
    sizes = {"x": {0: torch.export.Dim("nodes")}, "edge_index": {1: edges}, "edge_attr": {0: edges}}
    values = {"edge_attr": data.edge_attr}
    program = torch.export.export(encoder, (data.x, data.edge_index), values, dynamic_shapes=sizes).module()
    for n in (12, 7, 30):
        other = with_features(ring(n))
        arguments = (other.x, other.edge_index), {"edge_attr": other.edge_attr}
        close(program(*arguments[0], **arguments[1]), encoder(*arguments[0], **arguments[1]), 1e-5)


def test_features_of_edges_are_asked_for_by_name():
    encoder, data = gine(4, 8, 2, 6, edge_dim=5), ring()
    with pytest.raises(ValueError, match=r"data.edge_attr is missing: set it .*, or use gcl.nn.gin"):
        encode(encoder, data)
    for value, error, got in (
        (torch.randn(22, 4), ValueError, r"shape \[22, 5\], got \(22, 4\)"),
        (torch.randn(1, 5), ValueError, r"shape \[22, 5\], got \(1, 5\)"),
        (torch.randn(22), ValueError, r"shape \[22, 5\], got \(22,\)"),
        (torch.ones(22, 5).long(), TypeError, r"a floating-point tensor \[22, 5\], got torch.int64"),
        (torch.randn(22, 5).double(), ValueError, "of torch.float32 as the encoder is, got torch.float64"),
    ):
        data.edge_attr = value
        with pytest.raises(error, match=f"data.edge_attr must (be|have) {got}"):
            encode(encoder, data)


def test_arguments_are_checked():
    with pytest.raises(ValueError, match="edge_dim must be at least 1, got 0"):
        gine(4, 8, edge_dim=0)
    with pytest.raises(TypeError, match="edge_dim must be an int, got None"):
        gine(4, 8, edge_dim=None)
    with pytest.raises(ValueError, match="hidden_channels must be at least 1, got 0"):
        gine(4, 0, edge_dim=5)
