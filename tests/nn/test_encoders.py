"""Encoders and heads."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch_geometric.explain.algorithm.utils import clear_masks, set_masks
from torch_geometric.nn import GCN, GIN, global_add_pool
from torch_geometric.utils import add_remaining_self_loops

from gcl.nn import gcn, gin, projection_head
from gcl.nn._features import features_product
from tests.graphs import graphs
from tests.inputs import ring


def dense_gcn(x, edge_index, layers, activation):
    """The textbook GCN on a dense adjacency, activation after every layer."""
    a = torch.eye(len(x), dtype=x.dtype)
    a[edge_index[1], edge_index[0]] += 1
    scale = a.sum(1).rsqrt()
    a = scale[:, None] * a * scale
    for layer in layers:
        x = activation(a @ x @ layer.lin.weight.T + layer.bias)
    return x


def gradients(encoder, graph, x, weight):
    """Of a scalar of about 1, for features, edge weights and parameters."""
    inputs = [x.clone().requires_grad_(), *([] if weight is None else [weight.clone().requires_grad_()])]
    loss = encoder(inputs[0], graph.edge_index, *inputs[1:]).square().mean()
    return torch.autograd.grad(loss, [*inputs, *encoder.parameters()], allow_unused=True, materialize_grads=True)


@given(graph=graphs(), weighted=st.booleans(), dtype=st.sampled_from([torch.float, torch.double]))
def test_the_sparse_gcn_is_pygs(graph, weighted, dtype):
    x = torch.randn(graph.num_nodes, 4, dtype=dtype)
    weight = torch.rand(graph.num_edges, dtype=dtype) + 0.5 if weighted else None  # 1 / w would magnify rounding
    ours = gcn(4, 6, 2, 5, final_activation=False).to(dtype)
    pygs = GCN(4, 6, 2, 5).to(dtype)
    pygs.load_state_dict(ours.state_dict())
    tolerance = {"rtol": 1e-12, "atol": 1e-12} if dtype == torch.double else {"rtol": 1e-5, "atol": 1e-5}
    torch.testing.assert_close(gradients(ours, graph, x, weight), gradients(pygs, graph, x, weight), **tolerance)


def words(num_nodes, num_words, dtype=torch.double):
    """Bags of words, the last nodes' empty."""
    x = torch.rand(num_nodes, num_words, dtype=dtype)
    x[-9:] = 1
    return x.where(x < 0.03, 0)


@pytest.mark.parametrize("weighted", [False, True])
def test_bags_of_words_without_their_zeros_are_the_same_features(weighted):
    x, edge_index = words(600, 50), torch.randint(600, (2, 2000))
    weight = torch.rand(2000, dtype=torch.double, requires_grad=True) if weighted else None
    ours = gcn(50, 6, 2, 5, final_activation=False).double()
    pygs = GCN(50, 6, 2, 5).double()
    pygs.load_state_dict(ours.state_dict())
    h, expected = (encoder(x, edge_index, weight) for encoder in (ours, pygs))
    assert "EdgeSum" in features_product(x, ours.convs[0].lin.weight.T).grad_fn.name()
    close = {"rtol": 1e-12, "atol": 1e-12}
    torch.testing.assert_close(h, expected, **close)
    inputs = [weight] if weighted else []
    grads = [torch.autograd.grad(h.square().sum(), [*inputs, *ours.parameters()])]
    grads += [torch.autograd.grad(expected.square().sum(), [*inputs, *pygs.parameters()])]
    torch.testing.assert_close(*grads, **close)


@pytest.mark.parametrize("dtype", [torch.half, torch.bfloat16, torch.double])
def test_bags_of_words_keep_their_dtype(dtype):
    x = words(40, 30, torch.float).to(dtype)
    assert features_product(x, torch.randn(30, 6, dtype=dtype)).dtype == dtype


def test_a_gradient_to_bags_of_words_reaches_their_zeros():
    x = words(40, 30).requires_grad_()
    gcn(30, 6, 2, 5).double()(x, torch.randint(40, (2, 90))).sum().backward()
    assert x.grad[x == 0].count_nonzero() > 0


@pytest.mark.parametrize("x", [words(40, 31), words(40, 30, torch.float)])
def test_bags_of_words_that_do_not_fit_are_refused(x):
    with pytest.raises(RuntimeError):
        gcn(30, 6, 2, 5).double()(x, torch.randint(40, (2, 90)))


@given(graph=graphs())
def test_the_sparse_gin_is_the_dense_one(graph):
    n = graph.num_nodes
    x, weight = torch.randn(n, 4, dtype=torch.double), torch.rand(graph.num_edges, dtype=torch.double)
    encoder = gin(4, 6, 1, 5, final_activation=False).double()

    def dense(x, edge_index, weight):
        a = torch.eye(n, dtype=x.dtype).index_put((edge_index[1], edge_index[0]), weight, accumulate=True)
        return encoder.convs[0].nn(a @ x)

    dense.parameters = encoder.parameters
    close = {"rtol": 1e-12, "atol": 1e-12}
    torch.testing.assert_close(gradients(encoder, graph, x, weight), gradients(dense, graph, x, weight), **close)


def test_single_weights_keep_double_features(square):
    encoder = gcn(4, 6, 2, 5, normalize=False).double()
    x, weight = torch.randn(4, 4, dtype=torch.double), torch.rand(8)
    h = encoder(x, square.edge_index, weight)
    torch.testing.assert_close(h, encoder(x, square.edge_index, weight.double()), rtol=1e-12, atol=1e-12)


def test_under_autocast_the_sparse_product_is_in_single_precision(square):
    encoder = gcn(4, 6, 2, 5)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        h = encoder(square.x, square.edge_index)
    h.sum().backward()
    torch.testing.assert_close(h, encoder(square.x, square.edge_index), rtol=0.05, atol=0.02)


@pytest.mark.parametrize("activation", ["relu", "prelu"])
def test_gcn_is_the_textbook_network(square, activation):
    encoder = gcn(4, 6, 3, 5, act=activation).double()
    x = torch.randn(4, 4, dtype=torch.double)
    expected = dense_gcn(x, square.edge_index, encoder.convs, encoder.act)
    torch.testing.assert_close(encoder(x, square.edge_index), expected, rtol=1e-12, atol=1e-12)


# Degrees of a larger graph


def sampled(graph, seed=0):
    """Features, weights and degrees above those that the graph itself gives."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(graph.num_nodes, 4, dtype=torch.double, generator=generator)
    weight = torch.rand(graph.num_edges, dtype=torch.double, generator=generator) + 0.1
    loops, degree = graph.edge_index[0] == graph.edge_index[1], torch.zeros(graph.num_nodes, dtype=torch.double)
    weight[loops] = 1.0
    degree.index_add_(0, graph.edge_index[1, ~loops], weight[~loops]).add_(1)
    return x, weight, degree + 3 * torch.rand(graph.num_nodes, dtype=torch.double, generator=generator)


def dense_sample(x, edge_index, weight, degree, encoder):
    """The formula: sums over other nodes are scaled to those of the whole graph, whose degrees normalize."""
    n, loops = len(x), edge_index[0] == edge_index[1]
    others = torch.zeros(n, n, dtype=x.dtype)
    others = others.index_put((edge_index[1, ~loops], edge_index[0, ~loops]), weight[~loops], accumulate=True)
    seen = others.sum(1)
    others = others * torch.where(seen > 0, (degree - 1) / torch.where(seen > 0, seen, 1), 0)[:, None]
    a = (others + torch.eye(n, dtype=x.dtype)) * degree.rsqrt()[:, None] * degree.rsqrt()
    for conv in encoder.convs:
        x = (a @ x @ conv.lin.weight.T + conv.bias).relu()
    return x


@given(graph=graphs(), seed=st.integers(0, 99))
def test_gcn_by_the_degrees_of_a_larger_graph_is_the_dense_formula(graph, seed):
    x, weight, degree = sampled(graph, seed)
    encoder = gcn(4, 6, 2, 5).double()
    weight.requires_grad_()
    h = encoder(x, graph.edge_index, weight, node_degree=degree)
    expected = dense_sample(x, graph.edge_index, weight, degree, encoder)
    torch.testing.assert_close(h, expected, rtol=1e-10, atol=1e-10)
    grads = [torch.autograd.grad(out.square().sum(), [weight, *encoder.parameters()]) for out in (h, expected)]
    loops = graph.edge_index[0] == graph.edge_index[1]
    for ours, dense in zip(*grads, strict=True):
        both = [grad.masked_fill(loops, 0) if grad.shape == weight.shape else grad for grad in (ours, dense)]
        torch.testing.assert_close(*both, rtol=1e-8, atol=1e-8)


@given(graph=graphs(), weighted=st.booleans())
def test_the_graphs_own_degrees_change_nothing(graph, weighted):
    x = torch.randn(graph.num_nodes, 4, dtype=torch.double)
    weight = torch.rand(graph.num_edges, dtype=torch.double) if weighted else None
    degree = gcn_degree(graph.edge_index, weight, graph.num_nodes)
    encoder = gcn(4, 6, 2, 5).double()
    h = encoder(x, graph.edge_index, weight, node_degree=degree)
    torch.testing.assert_close(h, encoder(x, graph.edge_index, weight), rtol=1e-10, atol=1e-10)


def gcn_degree(edge_index, weight, num_nodes):
    weight = torch.ones(edge_index.size(1)).double() if weight is None else weight
    edge_index, weight = add_remaining_self_loops(edge_index, weight, 1.0, num_nodes)
    return torch.zeros(num_nodes, dtype=weight.dtype).index_add_(0, edge_index[1], weight)


@pytest.mark.parametrize("options", [{"normalize": False}, {"cached": True}, {"aggr": "mean"}, {"aggr": "max"}])
def test_degrees_are_left_out_where_pygs_options_mean_something_else(square, options):
    encoder, twin = gcn(4, 6, 2, 5, **options), gcn(4, 6, 2, 5, **options)
    twin.load_state_dict(encoder.state_dict())
    h = encoder(square.x, square.edge_index, node_degree=torch.full((4,), 9.0))
    assert torch.equal(h, twin(square.x, square.edge_index))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("way", ["script", "trace", "export"])
def test_other_forms_of_the_encoder_know_the_degrees_too(way, weighted):
    torch.manual_seed(0)
    encoder, graph = gcn(4, 8, 2, 6).eval().requires_grad_(False), ring()
    degree = torch.arange(12.0) + 3
    weight = torch.rand(22) if weighted else None
    arguments = (graph.x, graph.edge_index, weight, None, None, None, None, None, degree)
    h = encoder(*arguments)
    if way == "script":
        other = torch.jit.script(encoder)
    elif way == "trace":
        wrapped = lambda x, edge_index, node_degree: encoder(x, edge_index, weight, node_degree=node_degree)  # noqa: E731
        trace = torch.jit.trace(wrapped, (graph.x, graph.edge_index, degree), check_trace=False)
        other = lambda *arguments: trace(*arguments[:2], arguments[-1])  # noqa: E731
    else:
        other = torch.export.export(encoder, arguments).module()
    torch.testing.assert_close(other(*arguments), h, rtol=1e-5, atol=1e-5)


def test_masks_of_explainers_act_on_normalized_edges():
    torch.manual_seed(0)
    encoder, graph = gcn(4, 8, 2, 6), ring()
    degree = torch.full((12,), 5.0)
    h = encoder(graph.x, graph.edge_index, node_degree=degree)
    set_masks(encoder, torch.nn.Parameter(torch.full((22,), -20.0)), graph.edge_index)
    hidden = encoder(graph.x, graph.edge_index, node_degree=degree)
    clear_masks(encoder)
    torch.testing.assert_close(encoder(graph.x, graph.edge_index, node_degree=degree), h)
    alone = encoder(graph.x, graph.edge_index[:, :0], node_degree=degree)
    torch.testing.assert_close(hidden, alone, rtol=1e-5, atol=1e-5)
    assert not torch.allclose(h, alone, atol=1e-3)


@pytest.mark.parametrize("dtype", [torch.half, torch.bfloat16])
def test_degrees_of_hubs_are_exact_in_half_precision(dtype):
    edge_index = torch.stack([torch.arange(1, 3001), torch.zeros(3000, dtype=torch.long)])
    x, degree = torch.ones(3001, 1), torch.ones(3001).index_fill(0, torch.tensor([0]), 3001.0)
    encoder = gcn(1, 1, 1, final_activation=False)
    h = encoder.to(dtype)(x.to(dtype), edge_index, node_degree=degree)
    assert h.dtype in (dtype, torch.float)
    expected = (3000 * 3001**-0.5 + 1 / 3001) * encoder.convs[0].lin.weight.float()
    torch.testing.assert_close(h[:1].float(), expected, rtol=0.02, atol=0.02)


@pytest.mark.parametrize("act_first", [False, True])
@pytest.mark.parametrize("activation", [True, False])
def test_the_last_layer_is_normalized_as_the_others_are(square, act_first, activation):
    options = {"norm": "batch_norm", "norm_kwargs": {"momentum": 0.01}, "act_first": act_first}
    encoder = gcn(4, 6, 2, 5, final_norm=True, final_activation=activation, **options).double()
    x, a = square.x.double(), torch.eye(4, dtype=torch.double) / 3
    a[square.edge_index[1], square.edge_index[0]] = 1 / 3
    steps = [torch.relu, lambda h: (h - h.mean(0)) / (h.var(0, correction=0) + 1e-5).sqrt()]
    for conv, last in zip(encoder.convs, [False, True], strict=True):
        x = a @ x @ conv.lin.weight.T + conv.bias
        for step in steps if act_first else steps[::-1]:
            x = x if last and step is torch.relu and not activation else step(x)
    torch.testing.assert_close(encoder(square.x.double(), square.edge_index), x, rtol=1e-12, atol=1e-12)


def test_the_final_activation_is_an_option(square):
    torch.manual_seed(0)
    plain = gcn(4, 6, 2, 5, final_activation=False)
    torch.manual_seed(0)
    papers = gcn(4, 6, 2, 5)
    h = plain(square.x, square.edge_index)
    assert (h < 0).any()
    assert torch.equal(papers(square.x, square.edge_index), h.relu())


def test_one_slope_serves_all_layers():
    slopes = [p for name, p in gcn(4, 6, 3, 5, act="prelu").named_parameters() if p.numel() == 1]
    assert len(slopes) == 1


def test_gin_sums_the_neighbors(square):
    encoder = gin(4, 6, 1, 5)
    lin = encoder.convs[0].nn
    total = square.x + square.x.roll(1, 0) + square.x.roll(-1, 0)
    torch.testing.assert_close(encoder(square.x, square.edge_index), lin(total).relu())


def test_gin_is_pygs_and_takes_edge_weights(square):
    torch.manual_seed(0)
    encoder = gin(4, 6, 3, 5, final_activation=False)
    torch.manual_seed(0)
    pygs = GIN(4, 6, 3, 5)
    h = pygs(square.x, square.edge_index)
    torch.testing.assert_close(encoder(square.x, square.edge_index), h)
    torch.testing.assert_close(encoder(square.x, square.edge_index, torch.ones(8)), h)
    twice = torch.cat([square.edge_index, square.edge_index[:, :2]], dim=1)
    weight = torch.tensor([2.0, 2, 1, 1, 1, 1, 1, 1])
    torch.testing.assert_close(encoder(square.x, square.edge_index, weight), encoder(square.x, twice))
    assert encoder.supports_edge_weight
    assert not pygs.supports_edge_weight


def test_pygs_pools_are_readouts(square):
    h = gcn(4, 6, 2, 5)(square.x, square.edge_index)
    assert global_add_pool(h, torch.tensor([0, 0, 1, 1])).shape == (2, 5)


def test_projection_head_by_hand():
    head = projection_head(2, 3, 1)
    x = torch.randn(5, 2)
    first, _, second = head
    expected = torch.nn.functional.elu(x @ first.weight.T + first.bias) @ second.weight.T + second.bias
    torch.testing.assert_close(head(x), expected)


@pytest.mark.parametrize("build", [gcn, gin])
def test_sizes_are_checked(build):
    with pytest.raises(ValueError, match="hidden_channels must be at least 1, got 0"):
        build(4, 0)
    with pytest.raises(ValueError, match="num_layers must be at least 1, got 0"):
        build(4, 4, 0)
