"""Batches of rows, from memory and from disk."""

import numpy as np
import pytest
import torch

from gcl.data import row_loader
from tests.inputs import seeded


@pytest.mark.parametrize("on_disk", [False, True])
def test_an_epoch_has_each_row_once_and_the_next_one_another_order(on_disk, tmp_path):
    x = torch.randn(25, 3, generator=seeded()).half()
    if on_disk:
        np.save(tmp_path / "x.npy", x.numpy())
    rows = np.load(tmp_path / "x.npy", mmap_mode="r") if on_disk else x
    loader = row_loader(rows, 8, generator=seeded(1))
    assert len(loader) == 4
    epochs = [[batch.x for batch in loader] for _ in range(2)]
    for batches in epochs:
        assert [len(batch) for batch in batches] == [8, 8, 8, 1]
        assert all(batch.dtype == torch.float32 for batch in batches)
        assert sorted(torch.cat(batches).tolist()) == sorted(x.float().tolist())
    assert not torch.equal(epochs[0][0], epochs[1][0])
    again = row_loader(rows, 8, generator=seeded(1))
    assert all(torch.equal(one.x, other) for one, other in zip(again, epochs[0], strict=True))


def test_batches_are_graphs_without_edges_of_at_least_float32():
    (batch,) = row_loader(torch.ones(3, 2, dtype=torch.double))
    assert batch.edge_index.shape == (2, 0)
    assert batch.x.dtype == torch.double
    batch.validate()


def test_wrong_matrices_are_named():
    with pytest.raises(ValueError, match=r"x must be a matrix \[N, D\] with at least one row, got \(0, 3\)"):
        row_loader(torch.ones(0, 3))
    with pytest.raises(ValueError, match=r"x must be a matrix .* got list"):
        row_loader([[1.0]])
    with pytest.raises(TypeError, match=r"x must be floating-point, got torch.int64"):
        row_loader(torch.ones(2, 3).long())
    with pytest.raises(TypeError, match="x must be dense, got torch.sparse_coo"):
        row_loader(torch.ones(2, 3).to_sparse())
    with pytest.raises(ValueError, match="batch_size must be at least 1, got 0"):
        row_loader(torch.ones(2, 3), 0)
