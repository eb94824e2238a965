"""Layer-wise embeddings equal those of the encoder at once."""

import pytest
import torch
import torch_geometric.nn as pyg
from torch import nn
from torch_geometric.data import Data

from gcl.methods import CCASSG, StructComp
from gcl.nn import gcn, gcn_matrix, gin

ENCODERS = {
    "gcn": lambda: gcn(4, 9, 2, 3, act="prelu"),
    "gcn, 3 layers": lambda: gcn(4, 9, 3, 3, norm="layer_norm", final_activation=False),
    "gcn, activation first": lambda: gcn(4, 9, 2, 3, norm="batch_norm", act_first=True),
    "gcn, last norm": lambda: gcn(4, 9, 2, 3, norm="layer_norm", act="prelu", final_norm=True),
    "gcn, last norm, activation first": lambda: gcn(4, 9, 2, 3, norm="batch_norm", act_first=True, final_norm=True),
    "GCN, improved": lambda: pyg.GCN(4, 9, 2, 3, improved=True),
    "GCN, no self-loops": lambda: pyg.GCN(4, 9, 2, 3, add_self_loops=False),
    "GCN, not normalized": lambda: pyg.GCN(4, 9, 2, 3, normalize=False),
    "GCN, no bias": lambda: pyg.GCN(4, 9, 2, 3, bias=False),
    "SGC, wider": lambda: pyg.SGConv(4, 9, K=2),
    "SGC, narrower": lambda: pyg.SGConv(4, 2, K=2),
    "gin": lambda: gin(4, 9, 3, 3),
    "SAGE": lambda: pyg.GraphSAGE(4, 9, 2, 3),
    "GAT": lambda: pyg.GAT(4, 9, 2, 3),
}


def graph(n=30, weighted=False):
    g = torch.Generator().manual_seed(1)
    data = Data(
        x=torch.randn(n, 4, generator=g, dtype=torch.double), edge_index=torch.randint(n - 3, (2, 70), generator=g)
    )
    if weighted:
        data.edge_weight = torch.rand(70, generator=g, dtype=torch.double)
    return data


@pytest.mark.parametrize("chunk", [1, 7, 100])
@pytest.mark.parametrize("name", ENCODERS)
def test_it_is_embed_in_pieces(name, chunk):
    method, data = CCASSG(ENCODERS[name]()).double().train(), graph()
    torch.testing.assert_close(method.embed(data, chunk=chunk), method.embed(data), rtol=1e-10, atol=1e-10)
    assert method.training
    data.edge_index = data.edge_index[:, :0]
    torch.testing.assert_close(method.embed(data, chunk=chunk), method.embed(data), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("name", [name for name in ENCODERS if name.lower().startswith(("gcn", "sgc", "gin"))])
def test_weights_of_edges_count(name):
    method, data = CCASSG(ENCODERS[name]()).double(), graph(weighted=True)
    torch.testing.assert_close(method.embed(data, chunk=7), method.embed(data), rtol=1e-10, atol=1e-10)


def test_batch_norm_after_compressed_training_takes_the_statistics_of_the_graph():
    data = graph()
    method = StructComp(CCASSG(gcn(4, 9, 2, 3, norm="batch_norm")), torch.arange(30) % 5).double()
    method(data)
    stale = method.method.embed(data)
    # 40 copies, for which the variances over N and N - 1 are nearly the same
    data.x, data.edge_index = (
        data.x.repeat(40, 1),
        (data.edge_index[:, None] + 30 * torch.arange(40)[:, None]).flatten(1),
    )
    torch.testing.assert_close(method.embed(data, chunk=7), method.embed(data), rtol=1e-3, atol=1e-3)
    assert not torch.allclose(method.embed(data)[:30], stale, rtol=0.1, atol=0.1)


def test_the_matrix_of_a_gcn_by_hand():
    data = Data(edge_index=torch.tensor([[0, 1, 1, 1], [1, 0, 1, 2]]), num_nodes=4)
    a = torch.tensor([[1, 1, 0, 0], [1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 0, 1]]).double()  # row i: what reaches i
    degree = a.sum(1)
    expected = a / (degree[:, None] * degree).sqrt()
    torch.testing.assert_close(gcn_matrix(data, torch.double).to_dense(), expected)
    data.node_degree = torch.ones(data.num_nodes)
    with pytest.raises(ValueError, match="gcn_matrix counts degrees in the edges that it gets, got a sample with node"):
        gcn_matrix(data)


def test_arguments_are_checked():
    data = graph()
    with pytest.raises(ValueError, match="chunk must be at least 1, got 0"):
        CCASSG(gcn(4, 9, 2, 3)).double().embed(data, chunk=0)
    with pytest.raises(ValueError, match="PyG model without jumping knowledge or a layer for chunk, got Linear"):
        CCASSG(nn.Linear(4, 3)).double().embed(data, chunk=7)
    with pytest.raises(ValueError, match="without jumping knowledge"):
        CCASSG(pyg.GCN(4, 9, 2, jk="cat")).double().embed(data, chunk=7)
