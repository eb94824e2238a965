"""The filter bank, against dense products."""

import pytest
import torch
from hypothesis import given
from torch_geometric.data import Data

from gcl.eval import _filter_bank, filter_bank, linear_probe, random_split
from gcl.eval._filter_bank import bank_for, beside, filters, in_span_of
from gcl.nn import _hops
from gcl.nn._hops import filter_lengths
from tests.graphs import graphs
from tests.inputs import ring, seeded


def dense(data):
    """GCN's matrix and that of the means, in double precision; rows are the ends of edges."""
    n, (row, col) = data.num_nodes, data.edge_index
    weight = data.get("edge_weight", torch.ones(len(row))).double()
    loops = row == col
    a = torch.zeros(n, n, dtype=torch.double).index_put((col[~loops], row[~loops]), weight[~loops], accumulate=True)
    own = torch.ones(n, dtype=torch.double)
    for node, value in zip(row[loops], weight[loops], strict=True):
        own[node] = value  # the last of several, as in PyG
    scale = (a.sum(1) + own).rsqrt().nan_to_num(posinf=0)
    return scale[:, None] * (a + own.diag()) * scale, a / a.sum(1, keepdim=True).masked_fill(a.sum(1)[:, None] == 0, 1)


@given(data=graphs())
def test_the_filters_are_products_of_dense_matrices(data):
    x = torch.randn(data.num_nodes, 3, dtype=torch.double, generator=seeded())
    data = Data(x=x, edge_index=data.edge_index)
    data.edge_weight = torch.rand(data.num_edges, generator=seeded(1)) + 0.1
    a, p = dense(data)
    for got, expected in zip(filters(data), (x, a @ x, a @ a @ x, p @ x, p @ p @ x), strict=True):
        torch.testing.assert_close(got, expected, rtol=1e-6, atol=1e-6)
    if data.num_nodes:
        blocks = filter_bank(data).split(3, dim=1)
        for got, block in zip(blocks, filters(data), strict=True):
            torch.testing.assert_close(got, torch.nn.functional.normalize(block, eps=1e-30), rtol=1e-9, atol=1e-9)


def test_by_hand():
    """A directed edge 0 -> 1, a self-loop at 1 that the means leave out, and a node apart."""
    data = Data(x=torch.tensor([[2.0], [4.0], [8.0]]), edge_index=torch.tensor([[0, 1], [1, 1]]))
    blocks = [block.squeeze(1).tolist() for block in filters(data)]
    assert blocks[0] == [2, 4, 8]
    assert blocks[1] == pytest.approx([2, 2 / 2**0.5 + 4 / 2, 8])
    assert blocks[3:] == [[0, 2, 0], [0, 0, 0]]


def test_a_column_mask_commutes_with_the_filters():
    data, mask = ring(), torch.tensor([1.0, 0, 1, 0])
    masked = Data(x=data.x * mask, edge_index=data.edge_index)
    for one, other in zip(filters(masked), filters(data), strict=True):
        torch.testing.assert_close(one, other * mask)


def test_fewer_columns_give_the_same_products_and_predictions():
    data = ring(60, 40)
    data.y = torch.arange(60) % 3
    split = random_split(60, 0.4, 0.2, generator=seeded())
    bank, few = filter_bank(data), in_span_of(data, split.train)
    assert few.shape[1] <= len(split.train) + 1 < bank.shape[1]
    torch.testing.assert_close(few @ few[split.train].T, bank @ bank[split.train].T, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(few.square().sum(1), bank.square().sum(1), rtol=1e-4, atol=1e-4)
    assert linear_probe(few, data.y, split) == pytest.approx(linear_probe(bank, data.y, split), abs=1e-6)


def test_many_columns_go_in_parts(monkeypatch):
    """Three columns at a time give the same span and lengths as all 40."""
    data, rows = ring(30, 40), torch.arange(8)
    whole, lengths = in_span_of(data, rows), filter_lengths(data.x, data.edge_index)
    monkeypatch.setattr(_filter_bank, "COLUMNS", 3)
    monkeypatch.setattr(_hops, "COLUMNS", 3)
    torch.testing.assert_close(filter_lengths(data.x, data.edge_index), lengths)
    torch.testing.assert_close(in_span_of(data, rows) @ whole[:8].T, whole @ whole[:8].T)


def test_the_bank_beside_an_embedding():
    """Unit rows beside the bank, or, where the bank is wider than the training set, beside its span."""
    data, h = ring(60, 3), 5 * torch.randn(60, 7, generator=seeded(1))
    h[4] = 0
    wide, narrow = (beside(h, bank_for(data, torch.arange(n))) for n in (15, 14))
    torch.testing.assert_close(wide[:, :7], h / h.norm(dim=1, keepdim=True).clamp_min(1e-30))
    assert torch.equal(wide[:, 7:], filter_bank(data))
    assert torch.equal(narrow[:, :7], wide[:, :7])
    assert torch.equal(narrow[:, 7:], in_span_of(data, torch.arange(14)))
    torch.testing.assert_close(narrow @ narrow[:14].T, wide @ wide[:14].T)


def test_what_is_no_graph_with_features_is_named():
    with pytest.raises(ValueError, match="data.edge_index is missing"):
        filter_bank(Data(x=torch.ones(2, 2)))
    with pytest.raises(TypeError, match="data.x must be a floating-point tensor"):
        filter_bank(Data(x=torch.ones(2, 2).long(), edge_index=torch.empty(2, 0).long()))
    with pytest.raises(ValueError, match="data.edge_weight must be at least 0, got -1.0"):
        filter_bank(Data(x=torch.ones(1, 2), edge_index=torch.zeros(2, 1).long(), edge_weight=torch.tensor([-1.0])))
