"""Tables of methods beside baselines: differences to the best baseline with their standard errors, and a plot."""

import csv
import statistics
from pathlib import Path

import gcl
from benchmarks.tables import BASELINES, print_table, spread, standard_error
from gcl.eval._report import verdict_of

PUBLISHED = Path(__file__).with_name("published.csv")
OF_MOLECULES = ("mean label", "counts of atoms and bonds")
METRICS = {"accuracy": "accuracy %", "roc_auc": "ROC-AUC %", "rmse": "RMSE"}
WITH_BANK = " + bank"


def is_baseline(method):
    """Whether a row took no training."""
    return method.split(", ")[0] in (*(name.split(", ")[0] for name in BASELINES.values()), *OF_MOLECULES)


def by_seed(rows, key="score"):
    """``{seed: value}`` of a column, in % where the metric is a fraction."""
    return {row["seed"]: float(row[key]) * (1 if row["metric"] == "rmse" else 100) for row in rows if row[key] != ""}


def difference(ours, theirs, lower=False):
    """Mean and standard error of the gain, paired by seed; ``None`` where fewer than two seeds are in both."""
    sign = -1 if lower else 1
    gains = [sign * (ours[seed] - theirs[seed]) for seed in ours if seed in theirs]
    return (statistics.mean(gains), standard_error(gains)) if len(gains) > 1 else None


def verdict(gain):
    """The verdict on a mean and its standard error; nothing on ``None``."""
    return "" if gain is None else verdict_of(*gain)


class Table:
    """The rows of one data set and split."""

    def __init__(self, rows):
        self.metric = rows[0]["metric"]
        self.lower = self.metric == "rmse"
        self.methods = {}
        for row in rows:
            self.methods.setdefault(row["method"], []).append(row)
        alone = [name for name in self.methods if is_baseline(name)]
        beside = [name + WITH_BANK for name in alone if self.scores(name + WITH_BANK)]
        self.best, self.best_of_all = self._best(alone), self._best(alone + beside)

    def _best(self, names):
        means = {name: statistics.mean(self.scores(name).values()) for name in names}
        return (min if self.lower else max)(means, key=means.get) if means else None

    def rival(self, name):
        """The best baseline, for embeddings beside the bank the best of all, untrained encoders beside it included."""
        return self.best_of_all if name.endswith(WITH_BANK) else self.best

    def scores(self, name):
        """``{seed: score}`` of a method, of its embeddings beside the bank where the name ends so."""
        key = "with_bank" if name.endswith(WITH_BANK) else "score"
        return by_seed(self.methods[name.removesuffix(WITH_BANK)], key)

    def gain(self, name):
        """Mean and standard error of the difference to its rival."""
        rival = self.rival(name)
        return difference(self.scores(name), self.scores(rival), self.lower) if rival else None

    def line(self, name, published):
        """The cells of a row."""
        cells = self.methods[name]
        form = ".2f" if self.lower else ".1f"
        own = spread(list(self.scores(name).values()), form)
        bank, texts = self.scores(name + WITH_BANK), []
        for row in (name, name + WITH_BANK):
            gain = self.gain(row) if self.scores(row) and not is_baseline(name) else None
            text = "" if gain is None else f"{gain[0]:+{form}} ± {gain[1]:{form}}, {verdict(gain)}"
            texts.append("**best baseline**" if is_baseline(name) and row == self.rival(row) else text)
        costs = ([float(cell[key]) for cell in cells if cell[key] != ""] for key in ("seconds", "peak_mb"))
        costs = [f"{statistics.median(cost):.0f}" if cost else "" for cost in costs]
        beside = spread(list(bank.values()), form) if bank else ""
        return [name, own, beside, *texts, published.get(name, ""), len(cells), *costs]


def tables_of(rows):
    """``{(dataset, split): Table}`` in the order of the file."""
    groups = {}
    for row in rows:
        groups.setdefault((row["dataset"], row["split"]), []).append(row)
    return {key: Table(group) for key, group in groups.items()}


def published_figures():
    """``{(dataset, split): {method: text}}`` of what the papers, and their code where it was run here, have."""
    figures = {}
    with PUBLISHED.open(newline="") as file:
        for row in csv.DictReader(file):
            text = row["paper"] + (f" ({row['code']} by the authors' code here)" if row["code"] else "")
            figures.setdefault((row["dataset"], row["split"]), {})[row["method"]] = text
    return figures


def winners(tables):
    """A line for each table: the row that gains most on its best baseline, less two standard errors."""
    for (dataset, split), table in tables.items():
        rows = [name + end for name in table.methods if not is_baseline(name) for end in ("", WITH_BANK)]
        gains = {name: gain for name in rows if table.scores(name) and (gain := table.gain(name))}
        if not gains:
            continue
        form = ".2f" if table.lower else ".1f"
        row = max(gains, key=lambda name: gains[name][0] - 2 * gains[name][1])
        rival = table.rival(row)
        own, best = (spread(list(table.scores(name).values()), form) for name in (row, rival))
        above = sum(verdict(gain) == "above" for name, gain in gains.items() if not name.endswith(WITH_BANK))
        beside = sum(verdict(gain) == "above" for name, gain in gains.items() if name.endswith(WITH_BANK))
        count = sum(not name.endswith(WITH_BANK) for name in gains)
        mean, error = gains[row]
        gain = f"{mean:+{form}} ± {error:{form}}"
        yield [f"{dataset}, {split}", METRICS[table.metric], f"{rival}: {best}", f"{row}: {own}", gain,
               verdict(gains[row]), f"{above}, {beside} of {count}"]  # fmt: skip


def report(rows, path):
    """Write beside ``path``, and print, the winners and then a table for each data set and split; draw the plot."""
    tables, published = tables_of(rows), published_figures()
    with path.with_suffix(".md").open("w") as file:
        head = ["", "metric", "best baseline", "best trained", "difference", "verdict", "above: alone, with the bank"]
        print_table(head, winners(tables), file)
        for (dataset, split), table in tables.items():
            print(f"\n### {dataset}, {split}\n", file=file)
            gain = "± s.e., verdict"
            head = ["", METRICS[table.metric], "with the bank", f"to the best baseline {gain}", f"with the bank {gain}",
                    "paper", "seeds", "CPU s", "peak MB"]  # fmt: skip
            figures = published.get((dataset, split), {})
            print_table(head, (table.line(name, figures) for name in table.methods), file)
    print(path.with_suffix(".md").read_text())
    plot(tables, path.with_suffix(".png"))


def plot(tables, path):
    """Methods and baselines, one panel for each data set and split; the dot is with the bank."""
    import matplotlib.pyplot as plt

    height = -(-len(tables) // 3)
    figure, axes = plt.subplots(height, 3, figsize=(12, 3.8 * height), squeeze=False, layout="constrained")
    for axis in axes.flat[len(tables) :]:
        axis.remove()
    for axis, ((dataset, split), table) in zip(axes.flat, tables.items(), strict=False):
        values = {name: list(table.scores(name).values()) for name in table.methods}
        trained = [name for name in values if not is_baseline(name)]
        gcl.eval.plot.score_bars(values, axis, highlighted=trained, xlabel=METRICS[table.metric])
        joined = {name: list(scores.values()) for name in values if (scores := table.scores(name + WITH_BANK))}
        axis.scatter(
            [statistics.mean(scores) for scores in joined.values()], list(joined), s=14, color="#ff7f0e", zorder=3
        )
        if table.best:
            axis.axvline(statistics.mean(values[table.best]), color="black", linewidth=0.8, linestyle=":")
        axis.set_title(f"{dataset}, {split}", fontsize=9)
        axis.tick_params(labelsize=7)
    figure.savefig(path, dpi=90)
    plt.close(figure)
