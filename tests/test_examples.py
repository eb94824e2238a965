"""The examples run, on small data, and stay short."""

import importlib.util
import os
import runpy
import sys
from pathlib import Path

import pytest

from benchmarks import make_ogb_like

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.py"))
SMALL = ["--dataset", "karate", "--epochs", "1"]
ARGUMENTS = {
    "finetune": [*SMALL, "--labels", "0.2", "--pretrain-epochs", "1"],
    "heterogeneous": ["--epochs", "1"],
    "large_graph": ["--nodes", "1500", "--epochs", "1"],
    "own_graph": [],
    "quickstart": [*SMALL, "--seeds", "2"],
    "worth_it": [*SMALL, "--seeds", "2"],
}
ON_DISK = dict.fromkeys(("ogb_molecules", "ogb_finetune"), "ogbg_molbace") | {"heterogeneous": "ACM"}
NODES = {"ogb_arxiv": ("ogbn-arxiv", 1_100), "ogb_products": ("ogbn-products", 400)}


def arguments(name, folder):
    """The words of the command line; a set of OGB's nodes is written, one of molecules must be there."""
    if name in ON_DISK and not Path(os.environ.get("GCL_DATA", "data"), ON_DISK[name]).exists():
        pytest.skip(f"{ON_DISK[name]} is not on disk")
    if not name.startswith("ogb"):
        return ARGUMENTS.get(name, SMALL)
    if importlib.util.find_spec("ogb") is None:
        pytest.skip("ogb is not installed")
    if name in NODES:
        make_ogb_like.make(NODES[name][0], folder, num_nodes=NODES[name][1])
        return ["--epochs", "1", "--root", str(folder)]
    return ["--epochs", "1"]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_short(path):
    assert len(path.read_text().splitlines()) <= 60


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs(path, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", [str(path), *arguments(path.stem, tmp_path)])
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(path), run_name="__main__")
    assert len(capsys.readouterr().out.splitlines()) > 1
