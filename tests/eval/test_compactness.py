"""Node compactness as a diagnostic."""

import copy

import pytest
import torch
from torch_geometric.data import Data

from augmentors import EdgeDrop
from gcl.data import neighbor_loader
from gcl.eval import certified_fraction, node_compactness
from gcl.nn import gcn
from tests.inputs import seeded
from tests.regularizers.dense import directions, random_graph


@pytest.fixture
def case():
    data = Data(x=torch.randn(30, 6), edge_index=random_graph(30, 60))
    return gcn(6, 16, 2, 8, dropout=0.5), data


def test_no_allowed_view_is_below(case):
    encoder, data = case
    state = copy.deepcopy(encoder.state_dict())
    bound = node_compactness(encoder, data, 0.4)
    assert encoder.training
    assert all(torch.equal(state[key], value) for key, value in encoder.state_dict().items())
    exact = copy.deepcopy(encoder).double().eval()
    data.x = data.x.double()
    c = directions(exact(data.x, data.edge_index))
    for seed in range(30):
        view = EdgeDrop(0.8, max_drop=0.4)(data, generator=seeded(seed))
        assert (bound <= (c * exact(data.x, view.edge_index)).sum(1) + 1e-10).all()
    own = (c * exact(data.x, data.edge_index)).sum(1)
    torch.testing.assert_close(node_compactness(encoder, data, 0.0), own)


def test_fewer_nodes_are_certified_as_more_edges_may_go(case):
    encoder, data = case
    shares = certified_fraction(encoder, data, [0.0, 0.2, 0.5, 0.9])
    assert shares == sorted(shares, reverse=True)
    assert shares[0] > shares[-1]
    assert shares[1] == (node_compactness(encoder, data, 0.2) > 0).double().mean()
    assert certified_fraction(encoder, data, [0.2], mode="worst")[0] <= shares[1]


def test_what_does_not_certify_is_refused(case):
    encoder, data = case
    with pytest.raises(ValueError, match="mode must be a certificate, worst or worst_tight, got 'linear'"):
        certified_fraction(encoder, data, [0.1], mode="linear")
    with pytest.raises(ValueError, match="node_compactness counts degrees .* got a sample with node_degree"):
        node_compactness(encoder, next(iter(neighbor_loader(data, [2, 2], batch_size=30))), 0.1)
    data.edge_weight = torch.ones(data.num_edges)
    with pytest.raises(ValueError, match="data must have no edge_weight"):
        node_compactness(encoder, data, 0.1)
    data = Data(x=torch.full((3, 6), torch.nan), edge_index=torch.empty(2, 0).long())
    with pytest.raises(ValueError, match=r"data\.x must be finite"):
        node_compactness(encoder, data, 0.1)


def test_what_has_no_compactness_is_named(case):
    encoder, data = case
    with pytest.raises(ValueError, match="data must have at least two nodes, got 1"):
        node_compactness(encoder, Data(x=torch.ones(1, 6), edge_index=torch.empty(2, 0).long()), 0.1)
    for wrong in (None, "gcn", lambda x, edge_index: x):
        with pytest.raises(TypeError, match="encoder must be a module, got"):
            node_compactness(wrong, data, 0.1)
        with pytest.raises(TypeError, match="encoder must be a module, got"):
            certified_fraction(wrong, data, [0.1])
