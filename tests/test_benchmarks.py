"""The benchmarks: each can be imported, and the tables say what the rows hold."""

import importlib
from pathlib import Path

import pytest
import torch

from benchmarks import node, verdicts
from benchmarks.cells import append, read, run_cells
from gcl.data import csbm

NAMES = sorted(path.stem for path in Path(verdicts.__file__).parent.glob("*.py") if path.stem != "__init__")


@pytest.mark.parametrize("name", NAMES)
def test_every_benchmark_can_be_imported(name):
    assert importlib.import_module(f"benchmarks.{name}").__doc__


def rows(method, scores, beside=None, metric="accuracy"):
    return [
        {"dataset": "Cora", "split": "public", "method": method, "seed": str(seed), "metric": metric,
         "score": str(score), "with_bank": "" if beside is None else str(beside[seed]), "seconds": "2", "peak_mb": "3"}
        for seed, score in enumerate(scores)
    ]  # fmt: skip


def test_the_difference_is_paired_by_seed():
    """Gains of 1, 2 and 3 points: mean 2, standard error 1 / sqrt(3); a fourth seed has no partner."""
    gain = verdicts.difference({"0": 81, "1": 83, "2": 85, "3": 0}, {"0": 80, "1": 81, "2": 82})
    assert gain == (2, pytest.approx(3**-0.5))
    assert verdicts.verdict(gain) == "above"
    assert verdicts.verdict((1.1, 0.6)) == "level"
    assert verdicts.verdict((-1.3, 0.6)) == "below"
    assert verdicts.difference({"0": 1}, {"0": 2}) is None


def test_lower_errors_are_better():
    table = verdicts.Table(
        rows("mean label", [2, 2, 2], metric="rmse")
        + rows("counts of atoms and bonds", [1.0, 1.2, 1.1], metric="rmse")
        + rows("GraphCL", [0.9, 1.0, 1.0], metric="rmse")
    )
    assert table.best == "counts of atoms and bonds"
    mean, error = table.gain("GraphCL")
    assert mean == pytest.approx(0.4 / 3)
    assert verdicts.verdict((mean, error)) == "above"


def test_a_method_is_compared_with_the_best_baseline_alone_and_beside_the_bank():
    table = verdicts.Table(
        rows("raw features", [0.6, 0.6]) + rows("filter bank, no training", [0.8, 0.82])
        + rows("untrained encoder, GraphSAGE", [0.7, 0.7]) + rows("GRACE", [0.79, 0.79], [0.83, 0.84])
    )  # fmt: skip
    assert table.best == "filter bank, no training"
    assert table.gain("GRACE") == (pytest.approx(-2), pytest.approx(1))
    assert table.gain("GRACE + bank") == (pytest.approx(2.5), pytest.approx(0.5))
    line = table.line("GRACE", {"GRACE": "81.9"})
    assert line[3:6] == ["-2.0 ± 1.0, level", "+2.5 ± 0.5, above", "81.9"]
    assert table.line("filter bank, no training", {})[3] == "**best baseline**"
    (winner,) = verdicts.winners({("Cora", "public"): table})
    assert winner[-4:] == ["GRACE + bank: 83.5 ± 0.5", "+2.5 ± 0.5", "above", "0, 1 of 1"]


def test_an_untrained_encoder_beside_the_bank_is_a_baseline():
    table = verdicts.Table(
        rows("filter bank, no training", [0.8, 0.8]) + rows("untrained encoder", [0.7] * 2, [0.9] * 2)
    )
    assert table.best == "filter bank, no training"
    assert table.rival("GRACE + bank") == "untrained encoder + bank"


def test_the_best_point_is_that_of_validation():
    """Embeddings that are worse on validation do not replace better ones, whatever the test rows say."""
    data = csbm((100, 100, 100), 600, generator=torch.Generator().manual_seed(0))
    best = node.Best(list(node.splits_of(data, 0).values()))
    good = torch.eye(3)[data.y] + 0.01
    best.probe(good, data.y, 1)
    best.probe(torch.rand(300, 3, generator=torch.Generator().manual_seed(0)), data.y, 2)
    assert [scores["epoch"] for scores in best.scores] == [1, 1]
    assert all(torch.equal(h, good) for h in best.h)


def test_few_labels_holds_twenty_and_thirty_of_each_class():
    y = torch.arange(400) % 4
    train, val, test = node.few_labels(y, torch.Generator().manual_seed(0))
    assert y[train].bincount().tolist() == [20] * 4
    assert y[val].bincount().tolist() == [30] * 4
    assert torch.equal(torch.cat([train, val, test]).sort().values, torch.arange(400))


def test_cells_that_are_there_are_not_measured_again(tmp_path):
    path, seen = tmp_path / "a.csv", []

    def measure(seed):
        seen.append(seed)
        return [{"score": seed}]

    run_cells(path, [{"seed": 0}], measure)
    rows = run_cells(path, [{"seed": 0}, {"seed": 1}], measure)
    assert seen == [0, 1]
    assert [row["score"] for row in rows] == ["0", "1"]
    append(path, [{"seed": 2, "score": 5}])
    assert read(path)[-1] == {"seed": "2", "score": "5"}
