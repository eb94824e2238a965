"""The code of README, CONTRIBUTING and docs runs as written."""

import re
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch

import augmentors
from gcl.losses import info_nce
from gcl.methods import Method, Regularized, TwoView
from gcl.nn import gcn, projection_head

ROOT = Path(__file__).parents[1]


def blocks(name):
    return re.findall(r"```python\n(.*?)```", (ROOT / name).read_text(), re.DOTALL)


def test_the_readme_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names = {}
    for code in blocks("README.md"):
        exec(compile(code, "README.md", "exec"), names)
    lines = capsys.readouterr().out.splitlines()
    assert [line.rsplit(" ", 1)[0] for line in lines[:5]] == ["GRACE", "raw", "propagated", "filter_bank", "untrained"]
    assert [line.split(":")[0] for line in lines[5:]] == ["60", "70", "80", "90", "100"]
    assert float(lines[9].split()[1]) < float(lines[5].split()[1])
    assert (tmp_path / "runs" / "karate.ckpt").exists()


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")  # of the export to ONNX
@pytest.mark.parametrize("page", sorted(path.name for path in (ROOT / "docs").glob("*.md")))
def test_the_pages_run(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {}
    for code in blocks(f"docs/{page}"):
        if "onnx" not in code or find_spec("onnxruntime"):
            exec(compile(code, page, "exec"), names)


def test_the_additions_of_contributing_work(square, generator):
    names = {"torch": torch, "partial": partial, "info_nce": info_nce, "projection_head": projection_head}
    names |= {"Method": Method, "TwoView": TwoView, "Regularized": Regularized} | {
        name: getattr(augmentors, name) for name in augmentors.__all__
    }
    for code in blocks("CONTRIBUTING.md"):
        exec(compile(code, "CONTRIBUTING.md", "exec"), names)

    flipped = names["SignFlip"](0.5)(square, generator=generator)
    assert torch.equal(flipped.x.abs(), square.x)
    assert (flipped.x < 0).any()

    z1, z2 = torch.randn(2, 6, 4, dtype=torch.double)
    cosine = torch.nn.functional.normalize(z1) @ torch.nn.functional.normalize(z2).T / 0.5
    expected = (cosine.masked_fill(torch.eye(6).bool(), float("-inf")).logsumexp(1) - cosine.diagonal()).mean()
    torch.testing.assert_close(names["decoupled"](z1, z2), expected)

    method = names["SimpleCL"](gcn(4, 8, 2, 6))
    shrink = names["regularized"](method)
    pair = method.pair(square, generator=torch.Generator().manual_seed(1))
    expected = 0.75 * method.loss_of(pair) + 0.25 * names["small_embeddings"](None, pair)
    torch.testing.assert_close(shrink.loss(square, generator=torch.Generator().manual_seed(1)), expected)
