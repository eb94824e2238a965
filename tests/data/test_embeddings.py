"""Files of embeddings."""

import builtins

import numpy as np
import pandas as pd
import pytest
import torch

from gcl import save_embeddings


@pytest.mark.parametrize(
    ("ids", "kind"),
    [
        (None, "i"),
        (["b", "a", "zoë"], "U"),
        (torch.tensor([7, -1, 2**40]), "i"),
        (np.array(["b", "a", "zoë"], dtype=object), "U"),
        (pd.Index(["b", "a", "zoë"]), "U"),
    ],
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16])
def test_an_npz_file_gives_the_same_numbers_without_pickle(tmp_path, ids, kind, dtype):
    h = torch.randn(3, 4, dtype=dtype, requires_grad=True)
    save_embeddings(tmp_path / "new" / "h.npz", h, ids)
    with np.load(tmp_path / "new" / "h.npz", allow_pickle=False) as saved:
        assert saved["id"].dtype.kind == kind
        assert saved["id"].tolist() == ([0, 1, 2] if ids is None else list(ids))
        assert torch.equal(torch.from_numpy(saved["embedding"]), h.detach())
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["h.npz"]


def test_bfloat16_becomes_float32(tmp_path):
    h = torch.randn(3, 4).bfloat16()
    save_embeddings(str(tmp_path / "h.npz"), h)
    with np.load(tmp_path / "h.npz") as saved:
        assert np.array_equal(saved["embedding"], h.float().numpy())


def test_a_parquet_file_gives_the_same_numbers(tmp_path):
    pytest.importorskip("pyarrow")
    h = torch.randn(3, 4)
    save_embeddings(tmp_path / "h.parquet", h, ["b", "a", "c"])
    saved = pd.read_parquet(tmp_path / "h.parquet")
    assert saved["id"].tolist() == ["b", "a", "c"]
    assert np.array_equal(np.stack(saved["embedding"]), h.numpy())


def test_a_file_is_replaced_as_a_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "h.npz"
    save_embeddings(path, torch.ones(2, 2))
    save_embeddings(path, torch.zeros(2, 2))
    before = path.read_bytes()

    def half(draft, **arrays):
        draft.write_bytes(before[:50])
        raise OSError("disk full")

    monkeypatch.setattr("numpy.savez", half)
    with pytest.raises(OSError, match="disk full"):
        save_embeddings(path, torch.ones(2, 2))
    assert path.read_bytes() == before
    assert [*tmp_path.iterdir()] == [path]


@pytest.mark.parametrize(
    ("path", "h", "ids", "message"),
    [
        ("h.csv", torch.ones(2, 2), None, "path must end in .npz or .parquet, got '.*h.csv'"),
        ("h.npz", torch.ones(2), None, r"h must have shape \[N, D\], got \(2,\)"),
        ("h.npz", torch.ones(2, 2).long(), None, "h must be a floating-point tensor"),
        ("h.npz", torch.tensor([[1.0], [float("nan")]]), None, r"h must be finite, got nan at \(1, 0\)"),
        ("h.npz", torch.ones(2, 2), [1, 2, 3], r"ids must have shape \[2\], one for each row of h, got \(3,\)"),
        ("h.npz", torch.ones(2, 2), [[1], [2]], r"ids must have shape \[2\]"),
        ("h.npz", torch.ones(2, 2), ["a", "a"], "ids must hold each id once, got 'a' 2 times"),
        ("h.npz", torch.ones(2, 2), ["a", 1], "ids must hold only integers or only strings, got strings and 1"),
        ("h.npz", torch.ones(2, 2), [None, 1], "ids must hold only integers or only strings, got a missing one"),
        ("h.npz", torch.ones(2, 2), [0.5, 1], "ids must hold only integers or only strings, got float64"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_written(tmp_path, path, h, ids, message):
    with pytest.raises((ValueError, TypeError), match=message):
        save_embeddings(tmp_path / path, h, ids)
    assert [*tmp_path.iterdir()] == []


def test_parquet_without_pyarrow_names_the_extra(tmp_path, monkeypatch):
    real = builtins.__import__

    def no_pyarrow(name, *args, **kwargs):
        if name.startswith("pyarrow"):
            raise ImportError("no pyarrow")
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", no_pyarrow)
    with pytest.raises(ImportError, match=r".parquet files need pyarrow: pip install 'torch-gcl\[tables\]'"):
        save_embeddings(tmp_path / "h.parquet", torch.ones(2, 2))
    assert [*tmp_path.iterdir()] == []
