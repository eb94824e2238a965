"""Is training worth it on a graph? A method beside its baselines, in one table and one sentence."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

import torch
from torch_geometric.data import Data
from tqdm import tqdm

from augmentors._checks import check_at_least, check_positive
from gcl._checks import check_graph
from gcl.eval import plot
from gcl.eval._baselines import baselines, untrained
from gcl.eval._filter_bank import bank_for, beside
from gcl.eval._labels import Labels, as_classes, labels_of
from gcl.eval._linear import linear_probe
from gcl.eval._splits import Split, as_split, check_data
from gcl.methods import Method
from gcl.train import epochs as train

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BASELINES = {
    "raw": "raw features",
    "propagated": "A^2 X",
    "filter_bank": "filter bank",
    "untrained": "untrained encoder",
    "untrained_with_bank": "untrained encoder + filter bank",
}
APART = "X, PX, P^2 X"  # the blocks of the bank that keep a node apart from its neighbors
Verdict = Literal["above", "level", "below"]
POINTS = 5
CLEARLY = 0.02


class Row(NamedTuple):
    """The scores of one set of features, in [0, 1], and their difference to the best baseline, paired by seed."""

    scores: tuple[float, ...]
    difference: float
    error: float
    verdict: Verdict

    @property
    def mean(self) -> float:
        """The mean score."""
        return statistics.mean(self.scores)

    @property
    def deviation(self) -> float:
        """The standard deviation of the scores."""
        return statistics.stdev(self.scores)


class Report(NamedTuple):
    """What :func:`report` found: printed as a Markdown table and a sentence.

    ``rows`` maps the name of each set of features to its :class:`Row`; ``best`` is the name of the best baseline.
    """

    metric: str
    rows: dict[str, Row]
    best: str
    sentence: str

    def __str__(self) -> str:
        lines = [["", f"{self.metric} %", "to the best baseline", "verdict"], ["---"] * 4]
        for name, row in self.rows.items():
            verdict = ["", "best baseline"] if name == self.best else [_points(row), row.verdict]
            lines.append([name, f"{100 * row.mean:.1f} ± {100 * row.deviation:.1f}", *verdict])
        return "\n".join([*(f"| {' | '.join(line)} |" for line in lines), "", self.sentence])

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the scores as bars, what was trained in blue: :func:`gcl.eval.plot.score_bars`."""
        percent = {name: [100 * score for score in row.scores] for name, row in self.rows.items()}
        trained = [name for name in self.rows if name not in BASELINES.values()]
        return plot.score_bars(percent, ax, highlighted=trained, xlabel=f"{self.metric} %")


def report(
    make_method: Callable[[], Method],
    data: Data,
    split: Split | Callable[[int], Split],
    seeds: int | Sequence[int] = 3,
    *,
    epochs: int = 100,
    lr: float = 1e-3,
    metric: Literal["accuracy", "roc_auc"] = "accuracy",
    progress: bool = True,
) -> Report:
    r"""Train a method over several seeds and compare it with what takes no training, by linear probe.

    Compared are the method's embeddings, alone and as unit rows beside the filter bank, with the rows of
    :func:`gcl.eval.baselines` and the untrained encoder beside the bank. Each seed trains by Adam; the epoch with the
    best validation score, of five evenly spaced, is tested. With :math:`d_s` the score of a row minus that of the best
    baseline for seed s, of S seeds,

    .. math:: \text{difference} = \bar d = \frac1S \sum_s d_s, \qquad
        \text{error} = \sqrt{\frac{\sum_s (d_s - \bar d)^2}{S (S - 1)}}

    and the verdict is above or below where :math:`|\bar d| > 2 \cdot \text{error}`, else level. The best baseline has
    the best mean on the test rows, which favors the baselines.

    The sentence says whether training is worth it (one of the method's rows is above) and which encoder to try, by the
    mean validation scores of features that took no training: an MLP where X is the best, GraphSAGE where blocks that
    keep a node apart from its neighbors (X, PX and P^2 X) are over two points above A^2 X, else GCN.

    Args:
        make_method: makes the untrained method, encoder and all, once for each seed: ``lambda: GRACE(gcn(F, 256))``.
        data: graph with ``x`` ``[N, F]`` and integer classes ``y`` ``[N]``.
        split: a :class:`gcl.eval.Split`, or ``seed -> Split``, which lets the differences vary with the split too.
        seeds: their number, at least 2, or the seeds themselves. A seed sets the weights and the views.
        epochs: of each training, at least 1.
        lr: learning rate.
        metric: ``"roc_auc"`` needs two classes.
        progress: show a bar.

    Returns:
        A report: ``print(...)`` shows table and sentence, ``.rows`` holds the figures by name, ``.plot()`` draws them.

    Raises:
        TypeError, ValueError: an argument is none of these, ``make_method`` makes no method or one that embeds graphs
            (:func:`gcl.eval.graph_baselines` has their baselines), or as :func:`gcl.eval.linear_probe`.
        FloatingPointError: as :func:`gcl.fit`.

    Example:
        >>> from gcl.eval import random_split
        >>> from gcl.methods import CCASSG
        >>> from gcl.nn import gcn
        >>> data = Data(x=torch.eye(3).repeat(20, 1), y=torch.arange(60) % 3, edge_index=torch.empty(2, 0).long())
        >>> split = random_split(60, 0.3, 0.3, generator=torch.Generator().manual_seed(0))
        >>> result = report(lambda: CCASSG(gcn(3, 8)), data, split, seeds=2, epochs=2, progress=False)
        >>> result.best, result.rows["CCASSG"].verdict
        ('raw features', 'level')
    """
    if isinstance(make_method, Method) or not callable(make_method):
        raise TypeError(f"make_method must be a function, as lambda: GRACE(gcn(F, 256)), got {make_method!r:.80}")
    check_data(data)
    check_graph(data)
    check_at_least("epochs", epochs, 1)
    check_positive("lr", lr)
    if metric not in ("accuracy", "roc_auc"):
        raise ValueError(f"metric must be 'accuracy' or 'roc_auc', got {metric!r}")
    numbers = _seeds(seeds)
    splits = [as_split(split(seed) if callable(split) else split, data.num_nodes) for seed in numbers]
    _check_labels(labels_of(data), splits, metric)
    runs = []
    with tqdm(total=len(numbers) * epochs, unit="epoch", disable=not progress) as bar:
        for seed, parts in zip(numbers, splits, strict=True):
            with torch.random.fork_rng():
                torch.manual_seed(seed)
                method = make_method()
                _check_method(method)
                runs.append(_run(method, data, parts, seed, epochs, lr, metric, bar))
    return _summary(runs, metric)


def _seeds(seeds: int | Sequence[int]) -> list[int]:
    """The seeds, of which there are two or more."""
    if isinstance(seeds, int):
        return list(range(check_at_least("seeds", seeds, 2)))
    if not isinstance(seeds, Sequence) or not all(type(seed) is int for seed in seeds):
        raise TypeError(f"seeds must be an int or a sequence of ints, got {seeds!r}")
    if len(set(seeds)) < max(2, len(seeds)):
        raise ValueError(f"seeds must be at least two, all different, for a standard error, got {seeds}")
    return list(seeds)


def _check_labels(y: Labels, splits: list[Split], metric: str) -> None:
    """``y`` holds classes on all rows of the splits, two for the ROC-AUC."""
    rows = torch.cat([torch.cat(split) for split in splits]).unique()
    found = as_classes(y, rows=rows)[rows].unique().tolist()
    if metric == "roc_auc" and len(found) != 2:
        raise ValueError(f"metric must be 'accuracy' unless there are two classes, got 'roc_auc' for {len(found)}")


def _check_method(method: Method) -> None:
    """``method`` is one that embeds nodes."""
    if not isinstance(method, Method):
        raise TypeError(f"make_method must make a gcl.methods.Method, got {type(method).__name__}")
    if method.readout is not None:
        raise ValueError(
            f"make_method must make a method that embeds nodes, got {type(method).__name__} with a readout"
        )


def _run(
    method: Method, data: Data, split: Split, seed: int, epochs: int, lr: float, metric: str, bar: tqdm
) -> dict[str, dict[str, float]]:
    """The probe's result of each set of features, those of the method at its best epoch."""
    scores = baselines(data, split, method.encoder)
    bank = bank_for(data, split.train)
    scores["untrained_with_bank"] = linear_probe(beside(untrained(data, method.encoder), bank), data.y, split)
    rows = {BASELINES[key]: row for key, row in scores.items()}
    rows[APART] = linear_probe(bank_for(data, split.train, (0, 3, 4)), data.y, split)
    name, best, best_h = type(method).__name__, {f"val_{metric}": -1.0}, torch.empty(0)
    points = {-(-epochs * point // POINTS) for point in range(1, POINTS + 1)}
    optimizer, generator = torch.optim.Adam(method.parameters(), lr), torch.Generator().manual_seed(seed)
    for epoch, _ in train(method, data, optimizer, epochs, generator=generator):
        bar.update()
        if epoch in points:
            h = method.embed(data)
            row = linear_probe(h, data.y, split)
            if row[f"val_{metric}"] > best[f"val_{metric}"]:
                best, best_h = row, h
    joined = linear_probe(beside(best_h, bank), data.y, split)
    return rows | {name: best, f"{name} + filter bank": joined}


def _summary(runs: list[dict[str, dict[str, float]]], metric: str) -> Report:
    """The report of the probe's results, ``{name: scores}`` for each seed."""
    scores = {name: tuple(run[name][metric] for run in runs) for name in runs[0] if name != APART}
    best = max(BASELINES.values(), key=lambda name: statistics.mean(scores[name]))
    rows = {name: _row(own, scores[best]) for name, own in scores.items()}
    return Report(metric, rows, best, _sentence(rows, best, _family(runs, metric)))


def _row(own: tuple[float, ...], baseline: tuple[float, ...]) -> Row:
    gains = [one - other for one, other in zip(own, baseline, strict=True)]
    gain, error = statistics.mean(gains), statistics.stdev(gains) / len(gains) ** 0.5
    return Row(own, gain, error, verdict_of(gain, error))


def verdict_of(gain: float, error: float) -> Verdict:
    """Above or below where the gain is more than two standard errors from 0, else level."""
    return "above" if gain > 2 * error else "below" if gain < -2 * error else "level"


def _sentence(rows: dict[str, Row], best: str, family: str) -> str:
    (name, alone), (_, joined) = ((name, row) for name, row in rows.items() if name not in BASELINES.values())
    worth = "is" if "above" in (alone.verdict, joined.verdict) else "is not"
    return (
        f"Training {worth} worth it here: the difference to the best baseline ({best}) is {_points(alone)} points for "
        f"{name} and {_points(joined)} with the filter bank beside it; {family}."
    )


def _family(runs: list[dict[str, dict[str, float]]], metric: str) -> str:
    """The encoder to try, by the validation scores of features that took no training."""
    raw, smooth, apart = (
        statistics.mean(run[name][f"val_{metric}"] for run in runs)
        for name in (BASELINES["raw"], BASELINES["propagated"], APART)
    )
    if raw >= max(smooth, apart):
        return "on validation no filter beats raw features: try an MLP (torch_geometric.nn.MLP) as encoder"
    if apart > smooth + CLEARLY:
        return "on validation it pays to keep a node apart from its neighbors: try GraphSAGE (gcl.nn.sage) as encoder"
    return "on validation it pays to mix a node with its neighbors: try a GCN (gcl.nn.gcn) as encoder"


def _points(row: Row) -> str:
    return f"{100 * row.difference:+.1f} ± {100 * row.error:.1f}"
