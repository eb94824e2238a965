"""Methods on heterophilous graphs beside their baselines: `python -m benchmarks.heterophilous`.

GCN, whose layers average a node with its neighbors, against GraphSAGE, which keeps them apart. Each cell trains one of
them once, without labels, and probes it at five points on one of the official splits, whose number is the seed. Tested
is the point that is best on the validation rows, for a probe of the training rows alone. Scores are ROC-AUC where one
of two classes is rare, else accuracy. Rows are added to a CSV file, so that a stopped run goes on.
"""

import argparse
import time
from pathlib import Path

import torch
from tqdm import tqdm

import gcl
from benchmarks.cells import run_cells
from benchmarks.settings import SETTINGS, build, encoders, optimizer_of, settings_of
from benchmarks.tables import ALL_BASELINES, BASELINES, print_table, spread

SCORES = {"Minesweeper": "roc_auc", "Tolokers": "roc_auc", "chameleon_filtered": "accuracy"}
ENCODERS = {"gcn": "GCN", "sage": "GraphSAGE"}
METHODS = list(SETTINGS["heterophilous"])
PROBES = 5


def run_cell(seed, dataset, encoder, method, root):
    """The row of one method, or those of the baselines, with one encoder."""
    torch.manual_seed(seed)
    data = gcl.load(dataset, root, split=seed)
    split, key = gcl.eval.split_from_masks(data), SCORES[dataset]
    settings = settings_of(METHODS[0] if method == ALL_BASELINES else method, dataset, "heterophilous")
    settings["encoders"] = [(encoder, options) for _, options in settings["encoders"]]
    if method == ALL_BASELINES:
        scores = gcl.eval.baselines(data, split, *encoders(settings, data.num_features))
        nothing = {"val_score": "", "epoch": "", "seconds_per_epoch": ""}
        return [{"method": BASELINES[name], "score": row[key]} | nothing for name, row in scores.items()]
    return [train(build(method, settings, data.num_features), data, settings, seed, split, key)]


def train(method, data, settings, seed, split, key):
    """The row of the training's best point."""
    optimizer, epochs = optimizer_of(method, settings), settings["epochs"]
    run = gcl.train.epochs(method, data, optimizer, epochs, generator=torch.Generator().manual_seed(seed))
    points, seconds, clock = [], 0.0, time.process_time()
    for epoch, _ in tqdm(run, total=epochs, leave=False, mininterval=1):
        seconds += time.process_time() - clock
        if epoch % (epochs // PROBES) == 0:
            points.append(probe(method.embed(data), data.y, split, key) | {"epoch": epoch})
        clock = time.process_time()
    best = max(points, key=lambda point: point["val_score"])
    return best | {"seconds_per_epoch": round(seconds / epochs, 4)}


def probe(h, y, split, key):
    """The score on the test rows, and that on the validation rows, which takes training rows for the probe's choice."""
    train, val, _ = split
    parts = {"score": split, "val_score": (train[::2], train[1::2], val)}
    return {name: gcl.eval.linear_probe(h, y, part)[key] for name, part in parts.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--datasets", nargs="+", default=list(SCORES), choices=SCORES)
    parser.add_argument("--methods", nargs="*", default=METHODS, choices=METHODS)
    parser.add_argument("--seeds", type=int, default=5, help="splits, at most 10 (default: 5)")
    parser.add_argument("--root", help="folder of the data sets (default: $GCL_DATA, else data)")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("results") / "heterophilous.csv")
    args = parser.parse_args()

    torch.set_num_threads(1)
    cells = [
        {"seed": seed, "dataset": dataset, "encoder": encoder, "method": method}
        for seed in range(args.seeds)
        for dataset in args.datasets
        for encoder in ENCODERS
        for method in (ALL_BASELINES, *args.methods)
    ]
    rows = run_cells(args.out, cells, lambda **cell: run_cell(**cell, root=args.root))
    table = {}
    for row in rows:
        scores = table.setdefault(row["method"], {}).setdefault((row["dataset"], row["encoder"]), [])
        scores.append(100 * float(row["score"]))
    columns = [(dataset, encoder) for dataset in SCORES for encoder in ENCODERS]
    body = ([name, *(spread(cells[c]) if c in cells else "" for c in columns)] for name, cells in table.items())
    print_table(["ROC-AUC or accuracy %", *(f"{name}, {ENCODERS[encoder]}" for name, encoder in columns)], body)


if __name__ == "__main__":
    main()
