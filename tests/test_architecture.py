"""Imports go down the floors only, and no room imports a sibling on its own floor."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FLOOR = {
    "gcl._checks": 0,
    "augmentors": 1,
    "gcl.pairwise": 1,
    "gcl.nn": 2,
    "gcl.losses": 2,
    "gcl.distributed": 3,
    "gcl.methods": 3,
    "gcl.regularizers": 3,
    "gcl.data": 4,
    "gcl.eval": 4,
    "gcl.train": 4,
}
SOURCES = [
    *ROOT.glob("augmentors/**/*.py"),
    *(ROOT / "gcl").glob("*/**/*.py"),
    *(ROOT / "gcl").glob("[!_]*.py"),
]


def room(module):
    return next((name for name in FLOOR if module == name or module.startswith(name + ".")), None)


def imports(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_only_go_down(path):
    here = room(".".join(path.relative_to(ROOT).with_suffix("").parts))
    assert here is not None, f"{path} stands on no floor: name its floor in this test"
    for module in imports(path):
        there = room(module)
        if module.split(".")[0] in ("gcl", "augmentors") and there != here:
            assert there is not None, f"{path} imports {module}, which is no room"
            assert FLOOR[there] < FLOOR[here], f"{path} imports {module}"


def test_augmentors_know_nothing_of_gcl():
    for path in (ROOT / "augmentors").glob("**/*.py"):
        assert not any(module.split(".")[0] == "gcl" for module in imports(path)), path
