"""What holds for every method, and what GRACE and TwoView compute."""

from functools import partial

import pytest
import torch
from hypothesis import given, settings
from torch_geometric.data import Batch
from torch_geometric.nn import GCN, GIN, GATConv, global_mean_pool

import gcl
from augmentors import Compose, EdgeDrop, FeatureMask, Identity
from gcl.losses import info_nce
from gcl.methods import GRACE, TwoView
from gcl.nn import gcn, gin, gine, projection_head
from tests import reference
from tests.graphs import graphs


def grace(in_dim=4, **options):
    return GRACE(gcn(in_dim, 8, 2, 6), dim=6, **options)


def test_the_loss_is_graces_formula_on_the_two_views(square):
    method = grace(temperature=0.4).double()
    square.x = square.x.double()
    views = torch.Generator().manual_seed(3)
    first = Compose([EdgeDrop(0.2), FeatureMask(0.3)])(square, generator=views)
    second = Compose([EdgeDrop(0.4), FeatureMask(0.4)])(square, generator=views)
    z1, z2 = (method.projector(method.encoder(view.x, view.edge_index)) for view in (first, second))
    loss = method.loss(square, generator=torch.Generator().manual_seed(3))
    assert abs(loss - reference.info_nce(z1, z2, 0.4)) < 1e-12


def test_the_pair_holds_what_the_loss_saw(square, generator):
    method = grace()
    pair = method.pair(square, generator=generator)
    assert pair.data is square
    torch.testing.assert_close(pair.h1, method.encoder(pair.view1.x, pair.view1.edge_index))
    torch.testing.assert_close(pair.z2, method.projector(pair.h2))
    assert method.loss_of(pair) == method.objective(pair.z1, pair.z2)


@pytest.mark.parametrize("encoder", [gine(4, 8, 2, 6, edge_dim=3), GATConv(4, 6, edge_dim=3), GCN(4, 8, 2, 6)])
def test_features_and_edges_take_the_encoders_dtype(square, encoder):
    square.edge_weight, square.edge_attr = torch.rand(8), torch.rand(8, 3)
    if isinstance(encoder, GATConv):
        del square.edge_weight
    method = GRACE(encoder, dim=6)
    doubled = square.clone().apply(lambda value: value.double() if value.is_floating_point() else value)
    assert torch.equal(method.embed(doubled), method.embed(square))
    gcl.fit(method, doubled, torch.optim.SGD(method.parameters()), epochs=1)
    assert method.embed(doubled).dtype == torch.float
    assert doubled.edge_attr.dtype == torch.double


def test_every_parameter_gets_a_gradient(square, generator):
    method = grace(edge_drop=(0.0, 0.5), feature_mask=(0.0, 0.3))
    method(square, generator=generator).backward()
    for name, parameter in method.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


def test_the_same_seed_gives_the_same_loss(square):
    method = grace()
    losses = {method.loss(square, generator=torch.Generator().manual_seed(seed)).item() for seed in (1, 1, 1)}
    assert len(losses) == 1


def test_embed_is_the_encoder_in_evaluation_mode_and_restores_the_mode(square):
    method = GRACE(gcn(4, 8, 2, 6, dropout=0.5), dim=6)
    for training in (True, False):
        method.train(training)
        h = method.embed(square)
        assert method.training is training
        assert method.encoder.training is training
        assert not h.requires_grad
        assert torch.equal(h, method.embed(square))


def test_embed_refuses_bad_graphs(square):
    square.x[1, 1] = float("inf")
    with pytest.raises(ValueError, match=r"data.x must be finite, got inf at \(1, 1\)"):
        grace().embed(square)


@settings(deadline=None, max_examples=30)
@given(data=graphs(min_nodes=1))
def test_any_graph_trains(data):
    data.x = torch.randn(data.num_nodes, 4)
    method = grace()
    loss = method(data, generator=torch.Generator().manual_seed(0))
    loss.backward()
    assert loss.isfinite()
    assert all(parameter.grad.isfinite().all() for parameter in method.parameters())


def test_edge_weights_reach_the_encoder(square, generator):
    method = grace(edge_drop=(0.0, 0.0), feature_mask=(0.0, 0.0))
    plain = method.embed(square)
    square.edge_weight = torch.ones(8)
    torch.testing.assert_close(method.embed(square), plain)
    square.edge_weight = torch.rand(8) + 0.1
    assert not torch.allclose(method.embed(square), plain)
    expected = method.encoder(square.x, square.edge_index, square.edge_weight)
    assert torch.equal(method.embed(square), expected)


def test_an_encoder_without_edge_weights_says_so(square):
    method = GRACE(GIN(4, 8, 2, 6), dim=6)
    method.embed(square)
    square.edge_weight = torch.ones(8)
    with pytest.raises(ValueError, match="encoder must take edge_weight, which data has, got GIN"):
        method.embed(square)


def test_graphs_are_compared_through_a_readout(square, generator):
    batch = Batch.from_data_list([square, square, square])
    objective = partial(info_nce, temperature=0.2)
    method = TwoView(
        gin(4, 8, 3, 6), projection_head(6, 6, 6), EdgeDrop(0.2), FeatureMask(0.2), objective, global_mean_pool
    )
    pair = method.pair(batch, generator=generator)
    assert pair.z1.shape == (3, 6)
    assert method.embed(batch).shape == (3, 6)
    torch.testing.assert_close(method.embed(batch)[:1], method.embed(square))


def test_views_with_different_rows_are_refused(square):
    class FirstNodes:
        def __call__(self, data, *, generator=None):
            return data.subgraph(torch.tensor([0, 1]))

    method = TwoView(gcn(4, 8, 2, 6), torch.nn.Identity(), FirstNodes(), Identity(), info_nce)
    with pytest.raises(ValueError, match="views whose rows match, got 2 and 4 rows"):
        method.loss(square)


def test_graces_arguments_are_checked():
    with pytest.raises(ValueError, match=r"p must be in \[0, 1\], got 1.5"):
        grace(edge_drop=(0.1, 1.5))
    with pytest.raises(ValueError, match="temperature must be finite and above 0, got 0"):
        grace(temperature=0)
