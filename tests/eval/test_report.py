"""The report: its figures against the probe and the formula, its verdicts on numbers made for them."""

import re
import statistics

import pytest
import torch
from torch_geometric.data import Data, HeteroData
from torch_geometric.nn import global_add_pool

import gcl
from gcl.eval import baselines, linear_probe, random_split, report
from gcl.eval._filter_bank import bank_for, beside, filters
from gcl.eval._report import APART, _summary
from gcl.losses._similarity import unit
from gcl.methods import CCASSG, SimGRACE
from gcl.nn import gcn
from tests.inputs import ring, seeded

BASELINES = ["raw features", "A^2 X", "filter bank", "untrained encoder", "untrained encoder + filter bank"]
NAMES = [*BASELINES, "CCASSG", "CCASSG + filter bank"]


def made():
    return CCASSG(gcn(200, 16, 2, 8))


def split_of(seed):
    return random_split(150, 0.3, 0.3, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def data():
    return gcl.data.csbm((60, 50, 40), 300, num_words=200, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def result(data):
    return report(made, data, split_of, seeds=[3, 5, 8], epochs=12, lr=0.01, progress=False)


def by_hand(data, seed):
    """The scores of one seed: training by ``gcl.fit`` up to each of the five points."""
    split, rows = split_of(seed), []
    for epochs in (3, 5, 8, 10, 12):
        torch.manual_seed(seed)
        method = made()
        untrained = baselines(data, split, method.encoder)
        untrained["joined"] = linear_probe(beside(method.embed(data), bank_for(data, split.train)), data.y, split)
        optimizer = torch.optim.Adam(method.parameters(), lr=0.01)
        gcl.fit(method, data, optimizer, epochs, progress=False, generator=torch.Generator().manual_seed(seed))
        h = method.embed(data)
        rows.append((linear_probe(h, data.y, split), h))
    best, h = max(rows, key=lambda row: row[0]["val_accuracy"])
    joined = linear_probe(beside(h, bank_for(data, split.train)), data.y, split)
    return [row["accuracy"] for row in (*untrained.values(), best, joined)]


def test_the_rows_are_the_probe_at_the_best_epoch(data, result):
    expected = [by_hand(data, seed) for seed in (3, 5, 8)]
    assert list(result.rows) == NAMES
    for row, scores in zip(result.rows.values(), zip(*expected, strict=True), strict=True):
        assert row.scores == scores
        assert row.mean == statistics.mean(scores)
        assert row.deviation == statistics.stdev(scores)


def test_differences_are_paired_by_seed(result):
    """Three seeds: the deviation of the differences over the square root of three."""
    baseline = torch.tensor(result.rows[result.best].scores, dtype=torch.double)
    assert result.best == max(BASELINES, key=lambda name: result.rows[name].mean)
    for row in result.rows.values():
        gain = torch.tensor(row.scores, dtype=torch.double) - baseline
        assert row.difference == pytest.approx(gain.mean().item(), abs=1e-12)
        error = ((gain - gain.mean()).square().sum() / (3 * 2)).sqrt()
        assert row.error == pytest.approx(error.item(), abs=1e-12)


def test_seeds_repeat_and_torch_keeps_its_state(data, result):
    torch.manual_seed(7)
    before = torch.random.get_rng_state()
    again = report(made, data, split_of, seeds=[3, 5, 8], epochs=12, lr=0.01, progress=False)
    assert again == result
    assert torch.equal(torch.random.get_rng_state(), before)
    other = report(made, data, split_of(0), seeds=2, epochs=12, lr=0.01, progress=False)
    fixed = other.rows["A^2 X"].scores
    assert fixed == (baselines(data, split_of(0))["propagated"]["accuracy"],) * 2
    assert other.rows["CCASSG"].scores != result.rows["CCASSG"].scores[:2]


def run(alone, joined, *, bank=0.7, raw=0.5, smooth=0.6, apart=0.6):
    """The scores of one seed; those of the blocks are the validation scores too."""
    scores = [raw, smooth, bank, 0.4, 0.45, alone, joined, apart]
    return {name: {"accuracy": s, "val_accuracy": s} for name, s in zip([*NAMES, APART], scores, strict=True)}


def test_verdicts_and_sentence():
    result = _summary([run(0.75, 0.71), run(0.74, 0.70), run(0.76, 0.70)], "accuracy")
    assert result.best == "filter bank"
    alone, joined = result.rows["CCASSG"], result.rows["CCASSG + filter bank"]
    assert alone.difference == pytest.approx(0.05)
    assert alone.error == pytest.approx(0.01 / 3**0.5)
    assert (alone.verdict, joined.verdict) == ("above", "level")
    assert joined.difference == pytest.approx(joined.error)  # 0.01, 0, 0: below two errors
    assert result.rows["raw features"].verdict == "below"
    assert result.sentence == (
        "Training is worth it here: the difference to the best baseline (filter bank) is +5.0 ± 0.6 points for CCASSG "
        "and +0.3 ± 0.3 with the filter bank beside it; on validation it pays to mix a node with its neighbors: "
        "try a GCN (gcl.nn.gcn) as encoder."
    )
    level = _summary([run(0.75, 0.70), run(0.66, 0.70)], "accuracy")
    assert level.rows["CCASSG"].verdict == "level"
    assert level.sentence.startswith("Training is not worth it here: the difference")
    assert _summary([run(0.6, 0.8)] * 2, "accuracy").sentence.startswith("Training is worth it here")


@pytest.mark.parametrize(
    ("blocks", "encoder"),
    [
        ({"raw": 0.8, "smooth": 0.8, "apart": 0.8}, "an MLP"),
        ({"raw": 0.7, "smooth": 0.8, "apart": 0.81}, "a GCN"),
        ({"raw": 0.7, "smooth": 0.8, "apart": 0.83}, "GraphSAGE"),
        ({"raw": 0.8, "smooth": 0.7, "apart": 0.83}, "GraphSAGE"),
    ],
)
def test_the_encoder_follows_the_validation_scores(blocks, encoder):
    runs = [run(0.5, 0.5, **blocks)] * 2
    assert f"try {encoder} " in _summary(runs, "accuracy").sentence
    for one in runs:
        one["raw features"]["accuracy"] = one["A^2 X"]["accuracy"] = one[APART]["accuracy"] = 0.1  # test has no say
    assert f"try {encoder} " in _summary(runs, "accuracy").sentence


def test_graphs_where_each_encoder_is_right():
    """Classes in the features alone, in the neighbors' mean alone, and in a node's difference to its neighbors."""
    n, y = 240, torch.arange(240) // 2 % 2
    noise = torch.randn(n, 8, generator=seeded())
    ends = torch.randint(n, (2, 4 * n), generator=seeded(1))
    same = y[ends[0]] == y[ends[1]]

    def encoder_for(x, edge_index):
        data = Data(x=x, edge_index=torch.cat([edge_index, edge_index.flip(0)], 1), y=y)
        split = lambda seed: random_split(n, 0.4, 0.3, generator=seeded(seed))  # noqa: E731
        result = report(lambda: CCASSG(gcn(8, 4)), data, split, 2, epochs=1, progress=False)
        return re.search(r"try (an MLP|a GCN|GraphSAGE) ", result.sentence)[1]

    signs = (2 * y - 1)[:, None].float()
    assert encoder_for(0.3 * noise + signs, ends) == "an MLP"
    assert encoder_for(2 * noise + signs, ends[:, same]) == "a GCN"
    assert encoder_for(noise + 0.9 * signs, ends[:, ~same]) == "GraphSAGE"


def test_blocks_that_keep_a_node_apart():
    data = ring(20, 3)
    x, _, _, p, p2 = map(unit, filters(data))
    expected = torch.cat([x, p, p2], dim=1)
    assert torch.equal(bank_for(data, torch.arange(9), (0, 3, 4)), expected)
    few = bank_for(data, torch.arange(8), (0, 3, 4))
    torch.testing.assert_close(few @ few[:8].T, expected @ expected[:8].T, rtol=1e-5, atol=1e-5)


def test_roc_auc_of_two_classes(data):
    two = data.clone()
    two.y = (data.y == 0).long()
    result = report(made, two, split_of, seeds=2, epochs=2, metric="roc_auc", progress=False)
    expected = [baselines(two, split_of(seed))["raw"]["roc_auc"] for seed in (0, 1)]
    assert result.rows["raw features"].scores == tuple(expected)
    assert str(result).startswith("|  | roc_auc % | to the best baseline | verdict |\n|")


def test_the_table():
    lines = str(_summary([run(0.75, 0.71), run(0.74, 0.70), run(0.76, 0.70)], "accuracy")).splitlines()
    assert lines[:2] == ["|  | accuracy % | to the best baseline | verdict |", "| --- | --- | --- | --- |"]
    assert lines[4] == "| filter bank | 70.0 ± 0.0 |  | best baseline |"
    assert lines[7] == "| CCASSG | 75.0 ± 1.0 | +5.0 ± 0.6 | above |"
    assert lines[9] == ""
    assert lines[10].startswith("Training is worth it")


def test_the_plot_has_a_bar_for_each_row():
    pytest.importorskip("matplotlib")
    result = _summary([run(0.75, 0.72), run(0.77, 0.70)], "accuracy")
    ax = result.plot()
    names = [label.get_text() for label in ax.get_yticklabels()]
    joined = ["untrained encoder + filter bank", "CCASSG + filter bank"]
    assert names == ["untrained encoder", joined[0], "raw features", "A^2 X", "filter bank", joined[1], "CCASSG"]
    assert [bar.get_width() for bar in ax.patches] == pytest.approx([40, 45, 50, 60, 70, 71, 76])
    blue = [bar.get_facecolor()[2] > bar.get_facecolor()[0] + 0.3 for bar in ax.patches]
    assert blue == [False] * 5 + [True] * 2
    assert ax.get_xlabel() == "accuracy %"


def test_bad_input_is_named_before_any_work(data):
    def never():
        raise AssertionError("made")

    def refused(error, match, make=never, graph=data, split=split_of, seeds=2, **options):
        with pytest.raises(error, match=match):
            report(make, graph, split, seeds, progress=False, **options)

    refused(TypeError, "make_method must be a function, as lambda: GRACE.* got CCASSG", make=made())
    refused(TypeError, "make_method must be a function, .* got 'GRACE'", make="GRACE")
    refused(TypeError, "data must be a torch_geometric Data or Batch, got list", graph=[data])
    refused(TypeError, "data must be a torch_geometric Data or Batch, got HeteroData", graph=HeteroData())
    refused(ValueError, "seeds must be at least 2, got 1", seeds=1)
    refused(ValueError, r"seeds must be at least two, all different, for a standard error, got \[4, 4\]", seeds=[4, 4])
    refused(ValueError, r"seeds must be at least two, all different, for a standard error, got \[4\]", seeds=[4])
    refused(TypeError, "seeds must be an int or a sequence of ints, got 2.5", seeds=2.5)
    refused(ValueError, "epochs must be at least 1, got 0", epochs=0)
    refused(ValueError, "lr must be finite and above 0, got 0", lr=0)
    refused(ValueError, "metric must be 'accuracy' or 'roc_auc', got 'f1'", metric="f1")
    refused(ValueError, "metric must be 'accuracy' unless there are two classes, got 'roc_auc' for 3", metric="roc_auc")
    refused(ValueError, "split must have three parts", split=(1, 2))
    refused(
        ValueError,
        "split.test must hold at least one row",
        split=lambda seed: (*split_of(seed)[:2], split_of(0)[2][:0]),
    )
    refused(ValueError, r"data\.y is missing", graph=Data(x=data.x, edge_index=data.edge_index))
    tasks = data.clone()
    tasks.y = torch.ones(150, 2)
    refused(TypeError, "y must hold integer classes, got torch.float32", graph=tasks)
    refused(TypeError, "make_method must make a gcl.methods.Method, got Linear", make=lambda: torch.nn.Linear(2, 2))
    pooled = lambda: SimGRACE(gcn(200, 8), readout=global_add_pool)  # noqa: E731
    refused(ValueError, "make_method must make a method that embeds nodes, got SimGRACE with a readout", make=pooled)
