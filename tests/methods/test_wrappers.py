"""Methods around methods, and what every method shares: one owner of the state, one way to embed."""

import pytest
import torch
from torch_geometric.data import Batch
from torch_geometric.nn import GAT

import gcl
from augmentors import Identity, RandomWalkSubgraph
from gcl.losses import info_nce, progcl
from gcl.methods import (
    ARIEL,
    BGRL,
    CCASSG,
    COSTA,
    DGI,
    GBT,
    GCA,
    GRACE,
    MVGRL,
    SSGE,
    ARIELGraph,
    GraphCL,
    InfoGraph,
    ProGCL,
    Regularized,
    StructComp,
    TwoView,
)
from gcl.nn import gcn
from gcl.regularizers import POT, Information
from tests.inputs import ring, seeded

CLUSTER = torch.arange(12) // 3
TWO_VIEWS = {
    "GRACE": GRACE,
    "GCA": GCA,
    "ProGCL": lambda encoder: ProGCL(encoder, fit_after=0),
    "COSTA": COSTA,
    "GBT": GBT,
    "CCASSG": CCASSG,
    "SSGE": SSGE,
    "BGRL": BGRL,
    "ARIEL": lambda encoder: ARIEL(encoder, subgraph_size=None),
}
every = pytest.mark.parametrize("name", TWO_VIEWS)


def build(name):
    torch.manual_seed(0)
    return TWO_VIEWS[name](gcn(4, 8, 2, 6))


def length(encoder, pair):
    return pair.h1.square().mean() + pair.z2.square().mean()


@every
def test_the_loss_is_that_of_the_pair(name):
    method, g = build(name), seeded(1)
    pair = method.pair(ring(), generator=g)
    torch.manual_seed(1)
    loss = method.loss_of(pair, generator=g)
    torch.manual_seed(1)
    data = pair.data
    assert isinstance(method, TwoView)
    assert method.loss(data, generator=seeded(1)) == loss


@every
def test_any_two_view_method_is_regularized(name):
    method, data = build(name), ring()
    g = seeded(1)
    pair = method.pair(data, generator=g)
    expected = 0.7 * method.loss_of(pair, generator=g) + 0.3 * length(method.encoder, pair)
    regularized = Regularized(method, length, 0.3)
    assert torch.isclose(regularized(data, generator=seeded(1)), expected)
    assert torch.equal(regularized.embed(data), method.embed(data))
    twice = Regularized(regularized, length, 0.5)
    expected = 0.5 * expected + 0.5 * length(method.encoder, pair)
    assert torch.isclose(twice(data, generator=seeded(1)), expected)


@every
def test_pot_and_structcomp_take_any_two_view_method_or_say_why_not(name):
    data = ring()
    method = Regularized(build(name), POT(0.2), 0.3)
    assert method(data, generator=seeded()).isfinite()
    if name == "ARIEL":
        with pytest.raises(ValueError, match="method must not look at edges, which compressed graphs lack, got ARIEL"):
            StructComp(build(name), CLUSTER)
        return
    compressed = StructComp(build(name), CLUSTER)
    assert compressed(data, generator=seeded()).isfinite()
    with pytest.raises(
        ValueError, match="method must not look at edges, which compressed graphs lack, got Regularized"
    ):
        StructComp(method, CLUSTER)
    regularized = Regularized(compressed, length, 0.3)
    other_order = StructComp(Regularized(compressed.method, length, 0.3), CLUSTER)
    assert torch.isclose(regularized(data, generator=seeded()), other_order(data, generator=seeded()))


def test_the_information_regularizer_compares_compressed_views_with_the_compressed_graph():
    method = GRACE(gcn(4, 8, 2, 6), edge_drop=0, feature_mask=0)
    compressed = StructComp(method, CLUSTER, p=0.0)  # both views are the graph itself
    pair = compressed.pair(ring(), generator=seeded())
    assert Information(method.projector)(method.encoder, pair).item() == 0.0


@pytest.mark.parametrize("method", [DGI, lambda e: MVGRL(e, gcn(4, 8, 2, 6)), InfoGraph])
def test_methods_of_one_view_are_refused(method):
    method = method(gcn(4, 8, 2, 6))
    with pytest.raises(TypeError, match=r"method must compare two views \(be a TwoView\) for Regularized, got"):
        Regularized(method, POT(0.2), 0.1)
    with pytest.raises(TypeError, match=r"method must compare two views \(be a TwoView\) for StructComp, got"):
        StructComp(method, CLUSTER)


def test_the_warm_up_of_progcl_ends_inside_structcomp():
    """The state that ``after_step`` advances has one owner: a copied method had two counters."""
    inner = ProGCL(gcn(4, 8, 2, 6), fit_after=2)
    method, data = StructComp(inner, CLUSTER), ring()
    optimizer = torch.optim.SGD(method.parameters(), lr=0.0)
    pair = method.pair(data, generator=seeded(1))
    assert method.loss(data, generator=seeded(1)) == info_nce(pair.z1, pair.z2, 0.5)
    gcl.fit(method, data, optimizer, 2, progress=False)
    assert inner.steps == 2
    assert method.loss(data, generator=seeded(1)) == progcl(pair.z1, pair.z2, 0.5)


def test_structcomps_subgraph_and_compressed_loss_move_one_target():
    inner = BGRL(gcn(4, 8, 2, 6), momentum=0.5)
    method = StructComp(inner, CLUSTER, batch=Identity())
    before = [p.clone() for p in inner.target.parameters()]
    with torch.no_grad():
        for p in inner.encoder.parameters():
            p.add_(1.0)
    method.after_step()
    for old, new in zip(before, inner.target.parameters(), strict=True):
        torch.testing.assert_close(new, old + 0.5)
    sub = StructComp(inner, CLUSTER, batch=RandomWalkSubgraph(2))
    assert sub(ring(), generator=seeded()).isfinite()


def test_regularizers_that_name_a_generator_get_the_steps():
    seen = []

    def regularizer(encoder, pair, *, generator=None):
        seen.append(generator)
        return pair.h1.sum() * 0

    g = seeded()
    Regularized(GRACE(gcn(4, 8, 2, 6)), regularizer, 0.5).loss(ring(), generator=g)
    assert seen == [g]


@pytest.mark.parametrize("method", [GRACE, GCA, BGRL, COSTA, GBT, CCASSG, SSGE, ProGCL])
def test_rates_are_a_number_or_a_pair(method):
    same, pair = method(gcn(4, 8), edge_drop=0.2, feature_mask=0), method(gcn(4, 8), edge_drop=(0.2, 0.4))
    rates = [augmentor.transforms[0].p for one in (same, pair) for augmentor in (one.augmentor1, one.augmentor2)]
    assert rates == [0.2, 0.2, 0.2, 0.4]
    with pytest.raises(ValueError, match=r"edge_drop must be in \[0, 1\], got 1.5"):
        method(gcn(4, 8), edge_drop=(0.1, 1.5))
    with pytest.raises(ValueError, match=r"edge_drop must be a number or a pair, one for each view, got \(0.1,\)"):
        method(gcn(4, 8), edge_drop=(0.1,))
    with pytest.raises(TypeError, match=r"feature_mask must be a number in \[0, 1\], got 'a'"):
        method(gcn(4, 8), feature_mask="a")


def test_momentum_is_a_number():
    with pytest.raises(TypeError, match=r"momentum must be a number in \[0, 1\], got 'a'"):
        BGRL(gcn(4, 8), momentum="a")


def test_what_embeds_follows_represent():
    """MVGRL has two encoders, GraphCL a readout: in one piece or in chunks, the result is ``represent``'s."""
    data = ring()
    mvgrl = MVGRL(gcn(4, 8, 2, 6), gcn(4, 8, 2, 6, normalize=False))
    torch.testing.assert_close(mvgrl.embed(data, chunk=5), mvgrl.embed(data))
    batch = Batch.from_data_list([ring(5), ring(7)])
    for method in (GraphCL(gcn(4, 8, 2, 6)), ARIELGraph(gcn(4, 8, 2, 6)), GraphCL(GAT(4, 8, 2, 6))):
        assert method.embed(batch).shape == (2, 6)
        torch.testing.assert_close(method.embed(batch, chunk=5), method.embed(batch))
