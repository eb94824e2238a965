"""What importing the package must not import, and which names it shows."""

import subprocess
import sys

import pytest

from gcl import eval as evaluation


def test_the_import_loads_no_heavy_library():
    code = "import sys, gcl.eval; print(*{'sklearn', 'scipy', 'matplotlib'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split() == []


@pytest.mark.parametrize("room", [evaluation, evaluation.plot], ids=["eval", "plot"])
def test_only_public_names_are_visible(room):
    visible = {name for name in dir(room) if not name.startswith("_")}
    assert visible == set(room.__all__)
