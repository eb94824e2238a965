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
from time import process_time

import torch
from torch_geometric.data import Data

import gcl
from benchmarks.cells import run_cells
from benchmarks.processes import peak_mb, run_alone
from examples import graph, node

CONTROLS = "raw"  # the first of the three, which are measured together
RESULTS = Path(__file__).with_name("results")
COLUMNS = ("method", "split", "accuracy", "macro_f1", "val_accuracy", "epoch", "seconds_per_epoch", "peak_mb")


def columns(rows):
    """Rows with the same columns, empty where there is nothing to say."""
    return [{key: row.get(key, "") for key in COLUMNS} | {"torch": torch.__version__} for row in rows]


def run_cell(dataset, method, seed, root):
    """The rows of one method (or of the baselines) on one data set for one seed."""
    torch.set_num_threads(1)
    data = gcl.data.load(dataset, root)
    return (node_rows if isinstance(data, Data) else graph_rows)(data, dataset, method, seed)


def node_rows(data, dataset, method, seed):
    """One row for each split, the public one too where there is one; a row for each baseline."""
    splits = {"10/10/80": node.split_of(data, seed)}
    if "train_mask" in data and data.train_mask.dim() == 1:
        splits["public"] = node.split_of(data, seed, public=True)
    if method == CONTROLS:
        torch.manual_seed(seed)
        return [
            scores | {"split": split, "method": name}
            for split, rows in splits.items()
            for name, scores in gcl.eval.baselines(data, rows).items()
        ]
    before = peak_mb()
    best, seconds = node.train(
        method, data, node.hyperparameters(method, dataset), seed, list(splits.values()), clock=process_time
    )
    cost = {"method": method, "seconds_per_epoch": round(seconds, 4), "peak_mb": round(peak_mb() - before)}
    return [scores | cost | {"split": split} for split, scores in zip(splits, best, strict=True)]


def graph_rows(graphs, dataset, method, seed):
    """The row of ten-fold cross-validation; one for each baseline."""
    if method == CONTROLS:
        scores = graph.baselines(graphs, graph.hyperparameters("GraphCL", dataset), seed)
        return [row | {"split": "10 folds", "method": name} for name, row in scores.items()]
    before = peak_mb()
    scores, seconds = graph.train(method, graphs, graph.hyperparameters(method, dataset), seed, clock=process_time)
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
    text = "\n".join([*map(overview, groups.values()), markdown(rows)])
    path.with_suffix(".md").write_text(text + "\n")
    plot(rows, path.with_suffix(".png"))
    print(text)


def markdown(rows):
    """One table for each data set and split."""
    lines = []
    for (dataset, split), methods in summary(rows).items():
        lines += [f"\n### {dataset}, {split}\n", "| | accuracy % | macro F1 % | seeds | CPU s / epoch | peak MB |"]
        lines += ["|---|---|---|---|---|---|"]
        for method, cells in methods.items():
            scores = [
                spread(values)
                for values in ([100 * float(cell[key]) for cell in cells] for key in ("accuracy", "macro_f1"))
            ]
            cost = [
                f"{statistics.median(map(float, values)):.3g}" if all(values) else ""
                for values in ([cell[key] for cell in cells] for key in ("seconds_per_epoch", "peak_mb"))
            ]
            lines.append(f"| {method} | {' | '.join([*scores, str(len(cells)), *cost])} |")
    return "\n".join(lines)


def spread(values):
    """Mean and, of several, deviation."""
    mean = f"{statistics.mean(values):.1f}"
    return mean if len(values) == 1 else f"{mean} ± {statistics.pstdev(values):.1f}"


def overview(rows):
    """Mean and deviation of the accuracy, methods x (data set, split)."""
    tables = summary(rows)
    lines = [f"\n| accuracy % | {' | '.join(', '.join(key) for key in tables)} |", "|---" * (len(tables) + 1) + "|"]
    for method in dict.fromkeys(method for table in tables.values() for method in table):
        cells = []
        for table in tables.values():
            values = [100 * float(row["accuracy"]) for row in table.get(method, [])]
            cells.append(spread(values) if values else "")
        lines.append(f"| {method} | {' | '.join(cells)} |")
    return "\n".join(lines)


def plot(rows, path):
    """Accuracy of methods and baselines, one panel for each data set and split."""
    import matplotlib.pyplot as plt

    tables = summary(rows)
    height = -(-len(tables) // 3)
    figure, axes = plt.subplots(height, 3, figsize=(12, 3.6 * height), squeeze=False, layout="constrained")
    for axis in axes.flat[len(tables) :]:
        axis.remove()
    for axis, ((dataset, split), methods) in zip(axes.flat, tables.items(), strict=False):
        values = {name: [100 * float(cell["accuracy"]) for cell in cells] for name, cells in methods.items()}
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
    parser.add_argument("--methods", nargs="+", help="default: all of hyperparameters.json")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--root", help="folder of the data sets (default: $GCL_DATA, else data)")
    parser.add_argument("--report", action="store_true", help="measure nothing: table and plot of what is there")
    parser.add_argument("--out", type=Path, default=RESULTS / "accuracy.csv", help="also .md and .png beside it")
    args = parser.parse_args()

    datasets = [] if args.report else args.datasets
    of_nodes = {dataset: isinstance(gcl.data.load(dataset, args.root), Data) for dataset in datasets}
    cells = [
        {"dataset": dataset, "method": method, "seed": seed}
        for dataset in datasets
        for method in (CONTROLS, *(node if of_nodes[dataset] else graph).HYPERPARAMETERS)
        if args.methods is None or method in (CONTROLS, *args.methods)
        for seed in range(args.seeds)
    ]
    rows = run_cells(args.out, cells, lambda **cell: columns(run_alone(run_cell, *cell.values(), args.root)))
    report(rows, args.out, lambda split: "folds" in split)


if __name__ == "__main__":
    main()
