"""AD-GCL's loss by hand, and which way its two players move."""

import pytest
import torch
from torch_geometric.data import Batch
from torch_geometric.nn import GIN

from augmentors._random import uniform
from gcl.methods import ADGCL
from gcl.nn import gcn, gin
from tests import reference
from tests.inputs import ring, seeded


def build(**options):
    torch.manual_seed(0)
    return ADGCL(gin(4, 8, 2, 6), gcn(4, 8, 2, 6), 6, hidden=5, **options).double()


def batch():
    torch.manual_seed(1)
    graphs = [ring(n) for n in (12, 9, 7, 5)]
    graphs[-1].edge_index = graphs[-1].edge_index[:, :0]
    data = Batch.from_data_list(graphs)
    data.x = data.x.double()
    return data


def by_hand(method, data, seed):
    """InfoNCE, and the mean share of dropped edges."""
    row, col = data.edge_index
    h = method.view_encoder(data.x, data.edge_index)
    u = uniform(row.numel(), row.device, seeded(seed)).double() * (1 - 2e-4) + 1e-4
    keep = torch.sigmoid(u.log() - (1 - u).log() + method.view_head(torch.cat([h[row], h[col]], 1))[:, 0])
    z, z_view = (
        method.projector(torch.stack([h[data.batch == b].sum(0) for b in range(4)]))
        for h in (method.encoder(data.x, data.edge_index), method.encoder(data.x, data.edge_index, keep))
    )
    contrast = (reference.nt_xent_one_way(z, z_view, 0.2) + reference.nt_xent_one_way(z_view, z, 0.2)) / 2
    return contrast, torch.stack([(1 - keep[data.batch[row] == b]).mean() for b in range(3)]).mean()


def test_the_loss_and_the_gradients_of_both_players_by_hand():
    method, data = build(regularizer_weight=3.0), batch()
    contrast, drop = by_hand(method, data, 3)
    loss = method(data, generator=seeded(3))
    assert abs(loss - (contrast + 3 * drop)) < 1e-12
    loss.backward()
    for name, parameter in method.named_parameters():
        objective = 3 * drop - contrast if name.startswith("view_") else contrast
        (expected,) = torch.autograd.grad(objective, parameter, retain_graph=True)
        torch.testing.assert_close(parameter.grad, expected, rtol=1e-8, atol=1e-12)


def test_edge_weights_of_the_graph_are_kept():
    method, data = build(), batch()
    data.edge_weight = torch.zeros(data.num_edges, dtype=torch.double)
    no_edges = batch()
    no_edges.edge_index = no_edges.edge_index[:, :0]
    for weight in (1.0, 3.0):  # weights of 0 leave no message to either network: the regularizer is all that differs
        method.regularizer_weight = weight
        drop = (method(data, generator=seeded(3)) - method(no_edges, generator=seeded(3))) / weight
        assert 0 < drop < 1


def test_arguments_are_checked():
    with pytest.raises(ValueError, match="encoder must take edge weights, got GIN, which does not"):
        ADGCL(GIN(4, 8, 2, 6), gin(4, 8, 3, 6), 6)
    with pytest.raises(ValueError, match="regularizer_weight must be finite and above 0, got 0"):
        build(regularizer_weight=0)
    with pytest.raises(ValueError, match="temperature must be finite and above 0, got -1"):
        build(temperature=-1)
