"""The baselines."""

import pytest
import torch

from gcl.data import csbm
from gcl.eval import baselines, filter_bank, graph_baselines, linear_probe, random_split
from gcl.nn import gcn, propagate


def test_propagation_is_the_dense_product(square):
    square.edge_index = torch.cat(
        [square.edge_index, torch.tensor([[0, 3], [2, 3]])], dim=1
    )  # directed edge, self-loop
    x = torch.randn(4, 3, dtype=torch.double)
    square.x = x
    a = torch.zeros(4, 4, dtype=torch.double)
    a[square.edge_index[1], square.edge_index[0]] = 1
    a.fill_diagonal_(1)
    scale = a.sum(1).rsqrt()
    a = scale[:, None] * a * scale
    torch.testing.assert_close(propagate(square, 2), a @ a @ x, rtol=1e-12, atol=1e-12)


def test_the_rows_are_the_probe_on_what_they_say():
    data = csbm((60, 50, 40), 300, num_words=200, generator=torch.Generator().manual_seed(0))
    split = random_split(150, 0.3, 0.2, generator=torch.Generator().manual_seed(0))
    encoder = gcn(200, 16, 2, 8, dropout=0.5)
    weights = [p.clone() for p in encoder.parameters()]
    table = baselines(data, split, encoder)
    assert table["raw"] == linear_probe(data.x, data.y, split)
    assert table["propagated"] == linear_probe(propagate(data, 2), data.y, split)
    bank = linear_probe(filter_bank(data), data.y, split)
    assert table["filter_bank"] == pytest.approx(bank, abs=1e-6)
    assert table["untrained"] == linear_probe(encoder.eval()(data.x, data.edge_index), data.y, split)
    assert all(torch.equal(p, q) for p, q in zip(weights, encoder.parameters(), strict=True))


def test_labels_and_graph_are_checked(square):
    split = random_split(4, 0.5, 0.25)
    square.y = 2 * square.y.float()
    with pytest.raises(TypeError, match="y must hold integer classes, got torch.float32"):
        baselines(square, split)
    square.y = None
    with pytest.raises(ValueError, match=r"data\.y is missing"):
        baselines(square, split)
    square.x[0, 0] = float("nan")
    with pytest.raises(ValueError, match=r"data.x must be finite, got nan at \(0, 0\)"):
        baselines(square, split)


def test_an_encoder_that_is_no_module_is_refused(square):
    graphs = [square.clone() for _ in range(10)]
    for graph in graphs:
        graph.y = 1
    for wrong in ("gcn", gcn, lambda x, edge_index: x):
        with pytest.raises(TypeError, match="encoder must be a module, got"):
            baselines(square, random_split(4, 0.5, 0.25), wrong)
        with pytest.raises(TypeError, match="encoder must be a module, got"):
            graph_baselines(graphs, torch.arange(10) % 2, wrong)
