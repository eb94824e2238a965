"""MVGRL's two losses by hand, and the diffusion that is stored once."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch_geometric.data import Batch
from torch_geometric.loader import DataLoader
from torch_geometric.nn import GIN

from augmentors import HeatDiffusion, NodeShuffle, PPRDiffusion
from gcl.methods import MVGRL, MVGRLGraph
from gcl.nn import gcn
from tests.inputs import ring, seeded


def build(method, **options):
    torch.manual_seed(0)
    return method(gcn(4, 8, 2, 6), gcn(4, 8, 2, 6, normalize=False), 6, **options).double()


def doubled(n=12):
    data = ring(n)
    data.x = data.x.double()
    return data


def test_mvgrls_loss_by_hand():
    data, method = doubled(), build(MVGRL)
    diffused = PPRDiffusion()(data)
    h, h_shuffled = [], []
    for x, views in ((data.x, h), (NodeShuffle()(data, generator=seeded(3)).x, h_shuffled)):
        views.append(method.encoder(x, data.edge_index))
        views.append(method.diffusion_encoder(x, diffused.edge_index, diffused.edge_weight))
    scores, labels = [], []
    for one, other in ((0, 1), (1, 0)):
        summary = method.critic @ h[other].mean(0).sigmoid()
        scores += [h[one] @ summary, h_shuffled[one] @ summary]
        labels += [torch.ones(12), torch.zeros(12)]
    expected = F.binary_cross_entropy_with_logits(torch.cat(scores), torch.cat(labels).double())
    assert abs(method(data, generator=seeded(3)) - expected) < 1e-7  # the diffusion is of float32
    torch.testing.assert_close(method.embed(data), (h[0] + h[1]).detach())


def test_mvgrls_loss_on_graphs_by_hand():
    graphs, method = [doubled(n) for n in (12, 9, 5)], build(MVGRLGraph)
    nodes, pooled = ([], []), ([], [])
    for graph in graphs:
        diffused = PPRDiffusion()(graph)
        h = method.encoder(graph.x, graph.edge_index)
        h_diffused = method.diffusion_encoder(graph.x, diffused.edge_index, diffused.edge_weight)
        for view, rows in enumerate((h, h_diffused)):
            nodes[view].append(method.node_head(rows))
            pooled[view].append(method.graph_head(rows.sum(0)))
    batch = Batch.from_data_list(graphs)
    own, expected = batch.batch[:, None] == torch.arange(3), 0
    for one, other in ((0, 1), (1, 0)):
        scores = torch.cat(nodes[one]) @ torch.stack(pooled[other]).T
        expected = expected + F.softplus(-scores[own]).mean() + F.softplus(scores[~own]).mean() - 2 * math.log(2)
    assert abs(method(batch) - expected) < 1e-6
    torch.testing.assert_close(method.embed(batch), sum(torch.stack(view) for view in pooled).detach())


@pytest.mark.parametrize("method", [build(MVGRL), build(MVGRLGraph)], ids=["nodes", "graphs"])
def test_a_stored_diffusion_gives_the_same_loss_and_is_used(method):
    graphs = [doubled(), doubled(7)]
    prepared = [method.prepare(graph) for graph in graphs]
    assert "diffusion_index" not in graphs[0]
    batch = next(iter(DataLoader(prepared, batch_size=2)))
    expected = method(Batch.from_data_list(graphs), generator=seeded())
    torch.testing.assert_close(method(batch, generator=seeded()), expected)
    method.diffusion = None  # not called any more
    torch.testing.assert_close(method(batch, generator=seeded()), expected)
    torch.testing.assert_close(method.embed(prepared[0]), method.embed(batch)[: 1 if "Graph" in str(method) else 12])


def test_each_graph_has_its_own_diffusion():
    """What the peers' cache gets wrong: the second graph is not seen through the first one's diffusion."""
    method, first, second = build(MVGRL), doubled(), doubled()
    second.edge_index = second.edge_index[:, :4]
    alone = method.embed(second)
    method.embed(first)
    assert torch.equal(method.embed(second), alone)


def test_the_diffusion_can_be_chosen_and_edge_attributes_do_not_matter_to_it():
    data = doubled()
    plain = build(MVGRL).embed(data)
    data.edge_attr = torch.ones(data.num_edges, 3)
    assert torch.equal(build(MVGRL).embed(data), plain)
    assert not torch.allclose(build(MVGRL, diffusion=HeatDiffusion(3.0)).embed(data), plain)


def test_the_diffusions_encoder_must_take_its_weights():
    with pytest.raises(ValueError, match="diffusion_encoder must take edge weights"):
        MVGRL(gcn(4, 8, 2, 6), GIN(4, 8, 2, 6), 6)


def test_one_graph_alone_has_nothing_to_be_told_from():
    with pytest.raises(ValueError, match="g must have at least two rows, got 1"):
        build(MVGRLGraph)(doubled())
