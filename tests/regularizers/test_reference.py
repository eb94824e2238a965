"""POT's published score against its dense form, and that it is no bound."""

import pytest
import torch
from torch_geometric.data import Data
from torch_geometric.nn import GCNConv
from torch_geometric.utils import dropout_edge

from augmentors import EdgeDrop
from gcl.regularizers import compactness_bound, contrast_directions, layer, pot_loss
from tests.inputs import seeded
from tests.regularizers.dense import (
    adjacency,
    directions,
    embeddings,
    random_encoder,
    random_graph,
    reference_loss,
    reference_score,
)

N = 30
TIGHT = dict(rtol=0, atol=1e-12)


def two_views(encoder, x, edge_index, undirected=False):
    torch.manual_seed(5)
    edges = [dropout_edge(edge_index, p, force_undirected=undirected)[0] for p in (0.4, 0.3)]
    return [(x, edge, encoder(x, edge)) for edge in edges]


def gradients(loss, encoder):
    encoder.zero_grad()
    loss.backward()
    return [parameter.grad.clone() for parameter in encoder.parameters()]


@pytest.mark.parametrize("p", [0.0, 0.2, 0.5, 1.0])
@pytest.mark.parametrize("final", [True, False])
@pytest.mark.parametrize("activation", ["relu", "prelu"])
def test_the_score_is_the_dense_one(activation, final, p):
    for seed in range(3):
        encoder = random_encoder(activation, final, seed=seed)
        x, edge_index = torch.randn(N, 6, dtype=torch.double), random_graph(N, 60, undirected=seed > 0, seed=seed)
        (_, seen, _), (_, _, h) = two_views(encoder, x, edge_index)
        expected = reference_score(encoder, x, edge_index, seen, directions(h), p)
        arguments = (encoder, x, edge_index, contrast_directions(h), p)
        got = compactness_bound(*arguments, mode="reference", view=seen)
        torch.testing.assert_close(got, expected, **TIGHT)
        rows = torch.tensor([3, 29, 0, 3])
        some = compactness_bound(*arguments, mode="reference", view=seen, targets=rows)
        torch.testing.assert_close(some, expected[rows], **TIGHT)


@pytest.mark.parametrize("targets", [None, torch.arange(3, 23)])
@pytest.mark.parametrize("final", [True, False])
@pytest.mark.parametrize("activation", ["relu", "prelu"])
def test_the_loss_and_its_gradients_are_the_dense_ones(activation, final, targets):
    for seed in range(3):
        encoder = random_encoder(activation, final, seed=seed)
        x, edge_index = torch.randn(N, 6, dtype=torch.double), random_graph(N, 60, seed=seed)
        rows = slice(None) if targets is None else targets
        dense = reference_loss(encoder, edge_index, two_views(encoder, x, edge_index), (0.4, 0.3), rows)
        ours = pot_loss(encoder, edge_index, *two_views(encoder, x, edge_index), (0.4, 0.3), targets=targets)
        torch.testing.assert_close(ours, dense, **TIGHT)
        for got, expected in zip(gradients(ours, encoder), gradients(dense, encoder), strict=True):
            torch.testing.assert_close(got, expected, **TIGHT)


def test_layers_of_ones_own_are_the_same_encoder():
    encoder, x, edge_index = random_encoder(), torch.randn(N, 6, dtype=torch.double), random_graph(N, 60)
    views = two_views(encoder, x, edge_index)
    layers = [layer(conv, encoder.act) for conv in encoder.convs]
    assert all(isinstance(conv, GCNConv) for conv in encoder.convs)
    one, other = (pot_loss(e, edge_index, *views, (0.4, 0.3)) for e in (encoder, layers))
    assert torch.equal(one, other)


def test_edges_may_each_have_their_rate():
    encoder, x, edge_index = random_encoder(), torch.randn(N, 6, dtype=torch.double), random_graph(N, 60)
    c = directions(encoder(x, edge_index))
    rate = torch.full((edge_index.size(1),), 0.5)
    for mode in ("reference", "linear", "worst", "worst_tight"):
        one, other = (compactness_bound(encoder, x, edge_index, c, p, mode=mode) for p in (0.5, rate))
        torch.testing.assert_close(one, other)
    twice = torch.cat([edge_index, torch.arange(N).repeat(2, 1)], dim=1)  # loops take no part
    rate = torch.cat([rate, torch.ones(N)])
    torch.testing.assert_close(compactness_bound(encoder, x, twice, c, rate, mode="worst_tight"), one)


def test_the_dense_embeddings_are_the_encoders():
    for final, num_layers in ((True, 2), (False, 3)):
        encoder = random_encoder("prelu", final, num_layers=num_layers)
        x, edge_index = torch.randn(N, 6, dtype=torch.double), random_graph(N, 90, undirected=False)
        torch.testing.assert_close(embeddings(encoder, x, adjacency(edge_index, N)), encoder(x, edge_index))


def test_the_published_score_is_no_lower_bound():
    """It is above the true score of its own view at most nodes: never call it a certificate."""
    above = []
    for seed in range(5):
        encoder, x = random_encoder(hidden=32, out_dim=16, seed=seed), torch.rand(N, 6, dtype=torch.double)
        data = Data(x=x, edge_index=random_graph(N, 60, seed=seed))
        view = EdgeDrop(0.4, max_drop=0.4)(data, generator=seeded(seed)).edge_index
        c = directions(encoder(x, data.edge_index))
        surrogate = compactness_bound(encoder, x, data.edge_index, c, 0.4, mode="reference", view=view)
        linear = compactness_bound(encoder, x, data.edge_index, c, 0.4, mode="linear", view=view)
        true = (c * encoder(x, view)).sum(1)
        above.append((surrogate > true + 1e-3).double().mean())
        assert (linear <= true + 1e-12).all()
    assert torch.stack(above).mean() > 0.5
