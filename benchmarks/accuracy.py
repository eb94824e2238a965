"""Methods x data sets x seeds beside their baselines: `python -m benchmarks.accuracy --datasets Cora`.

Each cell runs in a process of its own and adds its rows to accuracy.csv, so that a run that was killed goes on where
it stood; a cell that is there is not computed again. A Markdown table and a plot are made of the file at the end.
The file of the published tables is benchmarks/results/accuracy.csv: `--out` another one to measure them anew.
Seeds vary the training and, where it is random, the split. Baselines are rows like the methods. Seconds are those of
one thread's CPU, so that a busy machine does not count.
"""

import argparse
import statistics
from pathlib import Path

import torch
from torch_geometric.data import Data

import gcl
from benchmarks import graph, node
from benchmarks.cells import run_cells
from benchmarks.processes import peak_mb, run_alone
from benchmarks.settings import settings_of
from benchmarks.tables import ALL_BASELINES, BASELINES, print_table, spread

RESULTS = Path(__file__).with_name("results")
COLUMNS = ("method", "split", "accuracy", "macro_f1", "val_accuracy", "epoch", "seconds_per_epoch", "peak_mb")


def columns(rows):
    """Rows with the same columns, empty where there is nothing to say."""
    return [{key: row.get(key, "") for key in COLUMNS} | {"torch": torch.__version__} for row in rows]


def run_cell(dataset, method, seed, root):
    """The rows of one method (or of the baselines) on one data set for one seed."""
    torch.set_num_threads(1)
    data = gcl.load(dataset, root)
    return (node_rows if isinstance(data, Data) else graph_rows)(data, dataset, method, seed)


def node_rows(data, dataset, method, seed):
    """One row for each split, the public one too where there is one; a row for each baseline."""
    splits = node.splits_of(data, seed)
    if method == ALL_BASELINES:
        torch.manual_seed(seed)
        return [
            scores | {"split": split, "method": BASELINES[name]}
            for split, rows in splits.items()
            for name, scores in gcl.eval.baselines(data, rows).items()
        ]
    before = peak_mb()
    best, seconds = node.train(method, data, settings_of(method, dataset), seed, list(splits.values()))
    cost = {"method": method, "seconds_per_epoch": round(seconds, 4), "peak_mb": round(peak_mb() - before)}
    return [scores | cost | {"split": split} for split, scores in zip(splits, best, strict=True)]


def graph_rows(graphs, dataset, method, seed):
    """The row of ten-fold cross-validation; one for each baseline."""
    if method == ALL_BASELINES:
        scores = graph.baselines(graphs, settings_of("GraphCL", dataset), seed)
        return [row | {"split": "10 folds", "method": BASELINES[name]} for name, row in scores.items()]
    before = peak_mb()
    scores, seconds = graph.run(method, graphs, settings_of(method, dataset), seed)
    cost = {"seconds_per_epoch": round(seconds, 4), "peak_mb": round(peak_mb() - before)}
    return [scores | cost | {"split": "10 folds", "method": method}]


def summary(rows):
    """``{(dataset, split): {method: rows}}`` in the order of the file."""
    tables = {}
    for row in rows:
        tables.setdefault((row["dataset"], row["split"]), {}).setdefault(row["method"], []).append(row)
    return tables


def report(rows, path, group):
    """Write beside ``path``, and print, an overview for each group of splits and then the tables; draw the plot."""
    groups = {}
    for row in rows:
        groups.setdefault(group(row["split"]), []).append(row)
    with path.with_suffix(".md").open("w") as file:
        for part in groups.values():
            print(file=file)
            overview(part, file)
        for (dataset, split), methods in summary(rows).items():
            print(f"\n### {dataset}, {split}\n", file=file)
            head = ["", "accuracy %", "macro F1 %", "seeds", "CPU s / epoch", "peak MB"]
            print_table(head, ([name, *figures(cells)] for name, cells in methods.items()), file)
    print(path.with_suffix(".md").read_text())
    plot(rows, path.with_suffix(".png"))


def overview(rows, file):
    """Mean and deviation of the accuracy, methods x (data set, split)."""
    tables = summary(rows)

    def cell(method, table):
        return spread(percent(table[method], "accuracy")) if method in table else ""

    methods = dict.fromkeys(method for table in tables.values() for method in table)
    body = ([method, *(cell(method, table) for table in tables.values())] for method in methods)
    print_table(["accuracy %", *map(", ".join, tables)], body, file)


def figures(cells):
    """Accuracy, macro F1, number of seeds, seconds and memory of the runs of one method."""
    costs = ([cell[key] for cell in cells] for key in ("seconds_per_epoch", "peak_mb"))
    medians = [f"{statistics.median(map(float, cost)):.3g}" if all(cost) else "" for cost in costs]
    return [*(spread(percent(cells, key)) for key in ("accuracy", "macro_f1")), len(cells), *medians]


def percent(cells, key):
    """A column in %."""
    return [100 * float(cell[key]) for cell in cells]


def plot(rows, path):
    """Accuracy of methods and baselines, one panel for each data set and split."""
    import matplotlib.pyplot as plt

    tables = summary(rows)
    height = -(-len(tables) // 3)
    figure, axes = plt.subplots(height, 3, figsize=(12, 3.6 * height), squeeze=False, layout="constrained")
    for axis in axes.flat[len(tables) :]:
        axis.remove()
    for axis, ((dataset, split), methods) in zip(axes.flat, tables.items(), strict=False):
        values = {name: percent(cells, "accuracy") for name, cells in methods.items()}
        ordered = sorted(values, key=lambda name: statistics.mean(values[name]))
        axis.barh(
            ordered,
            [statistics.mean(values[name]) for name in ordered],
            xerr=[statistics.pstdev(values[name]) for name in ordered],
            color=["tab:blue" if methods[name][0]["seconds_per_epoch"] else "lightgray" for name in ordered],
        )
        axis.set_xlim(left=max(0, min(map(min, values.values())) - 5))
        axis.set(title=f"{dataset}, {split}", xlabel="accuracy %")
        axis.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=110)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--datasets", nargs="+", default=["Cora", "CiteSeer", "Photo", "MUTAG", "PROTEINS", "NCI1"])
    parser.add_argument("--methods", nargs="+", help="default: all of settings.json")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--root", help="folder of the data sets (default: $GCL_DATA, else data)")
    parser.add_argument("--report", action="store_true", help="measure nothing: table and plot of what is there")
    parser.add_argument("--out", type=Path, default=RESULTS / "accuracy.csv", help="also .md and .png beside it")
    args = parser.parse_args()

    datasets = [] if args.report else args.datasets
    of_nodes = {dataset: isinstance(gcl.load(dataset, args.root), Data) for dataset in datasets}
    cells = [
        {"dataset": dataset, "method": method, "seed": seed}
        for dataset in datasets
        for method in (ALL_BASELINES, *(node if of_nodes[dataset] else graph).METHODS)
        if args.methods is None or method in (ALL_BASELINES, *args.methods)
        for seed in range(args.seeds)
    ]
    rows = run_cells(args.out, cells, lambda **cell: columns(run_alone(run_cell, *cell.values(), args.root)))
    report(rows, args.out, lambda split: "folds" in split)


if __name__ == "__main__":
    main()
