"""The MLP on the filter bank, against the bank itself."""

import pytest
import torch
from hypothesis import given
from torch_geometric.data import Data
from torch_geometric.utils import to_undirected

from augmentors import FeatureMask
from gcl.eval import filter_bank
from gcl.losses import cca_ssg
from gcl.methods import HopContrast
from gcl.methods._hop_contrast import FilterDrop
from gcl.nn import encode, hops
from gcl.nn._hops import filter_lengths
from tests.graphs import graphs
from tests.inputs import seeded


def encoder_of(width, hidden=6, out=3):
    torch.manual_seed(0)
    return hops(width, hidden, out).double().eval()


@given(data=graphs())
def test_the_encoder_is_an_mlp_on_the_bank(data):
    """Features times weights first, then the filters, equals the bank's unit rows times the weights."""
    if data.num_nodes == 0:
        return
    x = torch.randn(data.num_nodes, 4, dtype=torch.double, generator=seeded())
    x[0] = 0
    graph = Data(x=x, edge_index=data.edge_index, edge_weight=torch.rand(data.num_edges, generator=seeded(1)) + 0.1)
    encoder = encoder_of(4)
    sums = sum(block @ weight for block, weight in zip(filter_bank(graph).split(4, 1), encoder.weight, strict=True))
    hidden = (sums - encoder.norm.running_mean) / (encoder.norm.running_var + encoder.norm.eps).sqrt()
    hidden = torch.where(hidden > 0, hidden, 0.25 * hidden)
    expected = hidden @ encoder.lin.weight.T + encoder.lin.bias
    torch.testing.assert_close(encode(encoder, graph), expected, rtol=1e-6, atol=1e-6)


def test_bags_of_words_give_the_same():
    """Sparse features take another way through the first product."""
    x = (torch.rand(200, 100, generator=seeded()) < 0.03).double()
    edge_index = to_undirected(torch.randint(200, (2, 600), generator=seeded(1)))
    data, encoder = Data(x=x, edge_index=edge_index), encoder_of(100)
    rows = Data(x=filter_bank(data), edge_index=torch.empty(2, 0).long())
    torch.testing.assert_close(encode(encoder, data), encode(encoder, rows))


def test_rows_of_the_bank_train_as_the_graph_does():
    """The same gradients from the graph and from the rows of its bank, with filters dropped."""
    x = torch.randn(30, 4, dtype=torch.double, generator=seeded())
    data = Data(x=x, edge_index=to_undirected(torch.randint(30, (2, 60), generator=seeded(1))))
    rows = Data(x=filter_bank(data), edge_index=torch.empty(2, 0).long())
    encoder, gradients = encoder_of(4).train(), []
    for graph in (data, rows):
        views = [FilterDrop(0.5)(graph, generator=seeded(seed)) for seed in range(2)]
        loss = cca_ssg(*(encode(encoder, view) for view in views))
        gradients.append(torch.autograd.grad(loss, list(encoder.parameters())))
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other)


def test_dropped_filters_do_not_count_and_the_others_make_up_for_them():
    data = Data(x=torch.randn(5, 4, generator=seeded()).double(), edge_index=torch.tensor([[0, 1, 2], [1, 2, 0]]))
    encoder = encoder_of(4)
    view = data.clone()
    view.filter_gate = torch.tensor([0, 2.5, 0, 2.5, 0])
    with torch.no_grad():
        encoder.weight[[0, 2, 4]] = torch.nan
        got = encode(encoder, Data(x=view.x, edge_index=view.edge_index, filter_gate=view.filter_gate))
    assert got.isnan().all()  # 0 times NaN: the gates multiply, nothing is left out silently
    encoder = encoder_of(4)
    expected = encoder_of(4)
    with torch.no_grad():
        expected.weight[[0, 2, 4]] = 0
        expected.weight *= 2.5
    torch.testing.assert_close(encode(encoder, view), encode(expected, data))


def test_a_masked_view_keeps_the_lengths_of_the_features_without_a_mask():
    data = Data(x=torch.randn(6, 4, generator=seeded()), edge_index=torch.tensor([[0, 1, 2, 5], [1, 2, 0, 5]]))
    method = HopContrast(hops(4, 8))
    prepared = method.prepare(data)
    assert "filter_length" not in data
    lengths = filter_lengths(data.x, data.edge_index)
    assert torch.equal(prepared.filter_length, lengths)
    view = FeatureMask(0.5)(prepared, generator=seeded())
    assert torch.equal(view.filter_length, lengths)
    assert not torch.allclose(filter_lengths(view.x, view.edge_index), lengths)


def test_the_loss_is_cca_ssg_of_two_views():
    data = Data(x=torch.randn(20, 4, generator=seeded()), edge_index=torch.randint(20, (2, 40), generator=seeded(1)))
    torch.manual_seed(0)
    method = HopContrast(hops(4, 8), decorrelation_weight=0.01)
    data = method.prepare(data)
    generator, again = seeded(5), seeded(5)
    views = []
    for _ in range(2):
        views.append(FeatureMask(0.3)(FilterDrop(0.3)(data, generator=again), generator=again))
    expected = cca_ssg(*(encode(method.encoder, view) for view in views), decorrelation_weight=0.01)
    torch.testing.assert_close(method.loss(data, generator=generator), expected)


@pytest.mark.parametrize("p", [0.0, 0.4, 1.0])
def test_one_filter_is_always_kept(p):
    data, generator = Data(x=torch.ones(1, 1), edge_index=torch.empty(2, 0).long()), seeded()
    gates = torch.stack([FilterDrop(p)(data, generator=generator).filter_gate for _ in range(2000)])
    kept = (gates > 0).sum(1)
    assert kept.min() >= 1
    torch.testing.assert_close(gates.sum(1), torch.full((2000,), 5.0))
    assert float(kept.float().mean()) == pytest.approx(5 * (1 - p) + p**5, abs=0.1)


def test_wrong_widths_are_named():
    data = Data(x=torch.ones(1, 4), edge_index=torch.empty(2, 0).long())
    with pytest.raises(ValueError, match="x must have at least two rows in training, where BatchNorm .* got 1"):
        HopContrast(hops(4, 8)).loss(data)
    with pytest.raises(ValueError, match="x must have 5 columns, or 25 of its bank, got 4"):
        hops(5, 8)(data.x, data.edge_index)
    with pytest.raises(ValueError, match="hidden_channels must be at least 1, got 0"):
        hops(4, 0)
    with pytest.raises(ValueError, match=r"filter_drop must be in \[0, 1\], got 2"):
        HopContrast(hops(4, 8), filter_drop=2)
