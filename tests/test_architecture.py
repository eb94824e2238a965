"""Imports go down the floors only; implementation files are private; public modules show public names."""

import ast
import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import augmentors
import gcl

ROOT = Path(__file__).parents[1]
FLOOR = {
    "augmentors": 0,
    "gcl._checks": 1,
    "gcl._pair": 1,
    "gcl.pairwise": 2,
    "gcl.nn": 3,
    "gcl.losses": 3,
    "gcl.distributed": 4,
    "gcl.methods": 4,
    "gcl.regularizers": 4,
    "gcl.data": 5,
    "gcl.train": 5,
    "gcl.eval": 6,
}
SOURCES = [*ROOT.glob("augmentors/**/*.py"), *(ROOT / "gcl").glob("*/**/*.py"), *(ROOT / "gcl").glob("_[!_]*.py")]
HEAVY = ("sklearn", "scipy", "networkx", "torch_geometric.datasets", "matplotlib", "ogb", "pymetis", "triton")


def room(module):
    return next((name for name in FLOOR if module == name or module.startswith(name + ".")), None)


def imports(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def public_modules():
    for package in (augmentors, gcl):
        yield package.__name__
        for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            if not any(part.startswith("_") for part in module.name.split(".")):
                yield module.name


PUBLIC = list(public_modules())


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_only_go_down(path):
    here = room(".".join(path.relative_to(ROOT).with_suffix("").parts))
    assert here is not None, f"{path} stands on no floor: name its floor in this test"
    for module in imports(path):
        there = room(module)
        if module.split(".")[0] in ("gcl", "augmentors") and there != here:
            assert there is not None, f"{path} imports {module}, which is no room"
            assert FLOOR[there] < FLOOR[here], f"{path} imports {module}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_hold_one_idea(path):
    assert len(path.read_text().splitlines()) <= 300


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_public_modules_only_export(path):
    if path.name == "__init__.py" or not path.name.startswith("_"):
        nodes = ast.parse(path.read_text()).body
        assert all(isinstance(node, (ast.Expr, ast.ImportFrom, ast.Assign)) for node in nodes)


@pytest.mark.parametrize("name", PUBLIC)
def test_public_modules_show_what_they_export(name):
    module = importlib.import_module(name)
    assert sorted(entry for entry in dir(module) if not entry.startswith("_")) == sorted(module.__all__)


@pytest.mark.parametrize("name", PUBLIC)
def test_no_function_shadows_a_module(name):
    module = importlib.import_module(name)
    for entry in module.__all__:
        is_module = f"{name}.{entry}" in PUBLIC
        assert is_module == isinstance(getattr(module, entry), type(gcl)), entry


def test_the_import_brings_nothing_heavy():
    loaded = f"(name for name in {HEAVY} if name in sys.modules and name not in before)"
    script = f"import torch, torch_geometric, sys; before = set(sys.modules); import gcl; print(*{loaded})"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
