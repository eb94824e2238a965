"""What POT costs and what it does: `python -m benchmarks.pot cost`, `python -m benchmarks.pot study`.

cost: CPU seconds of an epoch of GRACE with POT against GRACE without, on Cora and on 100k nodes / 1M edges, and the
peak memory of POT's score at two sizes beside that of its dense form; each measurement in a process of its own.

study: methods x {no POT, reference, worst_tight} x weights x seeds, on the public split where there is one. A row is
appended to the CSV when it is done, and rows that are there are not computed again; `--report` prints the table,
with each weight chosen by the mean validation accuracy, and the standard errors.
"""

import argparse
import statistics
import time
from pathlib import Path

import torch

import gcl
from benchmarks.augmentation import random_graph
from benchmarks.cells import read, run_cells
from benchmarks.node import splits_of
from benchmarks.processes import peak_mb, run_alone
from benchmarks.settings import SETTINGS, build, settings_of, train
from benchmarks.tables import ALL_BASELINES, BASELINES, print_table, spread, standard_error
from gcl.methods import Regularized
from gcl.regularizers import POT, compactness_bound, contrast_directions
from gcl.regularizers.pot._bounds import MODES

NONE = "no POT"
METHODS = list(SETTINGS["pot"])  # as POT's authors have them, whose views mask no features
RATES = (0.1, 0.2, 0.3, 0.4)
COSTS = ["seconds", *(f"certified {rate}" for rate in RATES)]


def rates_of(method):
    """Drop rates for POT: the probabilities of each edge where the views have them."""
    drops = [augmentor.transforms[0] for augmentor in (method.augmentor1, method.augmentor2)]
    return tuple(getattr(drop, "probabilities", drop.p) for drop in drops)


def measure(data, method, mode, weight, seed, epochs):
    """Train once: the scores of the frozen embeddings and the certified shares; or the rows of the baselines."""
    dataset, data = data, gcl.load(data)
    splits = splits_of(data, seed)
    split = splits.get("public", splits["10/10/80"])
    torch.manual_seed(seed)
    if method == ALL_BASELINES:
        scores = gcl.eval.baselines(data, split)
        return [{"method": BASELINES[name], **figures(row), **dict.fromkeys(COSTS, "")} for name, row in scores.items()]
    settings = settings_of(method, dataset, "pot", epochs=epochs)
    plain = build(method, settings, data.num_features)
    trained = plain if mode == NONE else Regularized(plain, POT(rates_of(plain), mode=mode), weight)
    seconds = sum(train(trained, data, settings, torch.Generator().manual_seed(seed)))
    row = figures(gcl.eval.linear_probe(trained.embed(data), data.y, split))
    return [row | dict(zip(COSTS, (seconds, *gcl.eval.certified_fraction(plain.encoder, data, RATES)), strict=True))]


def figures(scores):
    """The probe's scores under the names of the columns."""
    return {"val": scores["val_accuracy"], "test": scores["accuracy"], "macro_f1": scores["macro_f1"]}


def study(args):
    """The cells that the file lacks."""
    modes = [(NONE, 0.0), *((mode, weight) for mode in args.modes for weight in args.weights)]
    runs = [(ALL_BASELINES, NONE, 0.0), *((name, *mode) for name in args.methods for mode in modes)]
    cells = [
        {"data": data, "method": name, "mode": mode, "weight": weight, "seed": seed, "epochs": epochs}
        for data in args.datasets
        for seed in range(args.seeds)
        for name, mode, weight in runs
        for epochs in [0 if name == ALL_BASELINES else args.epochs or settings_of(name, data, "pot")["epochs"]]
    ]
    run_cells(args.csv, cells, measure)


def report(args):
    """A table for each data set: each mode at the weight of the best mean validation accuracy."""
    groups = {}
    for row in read(args.csv):
        runs = groups.setdefault(row["data"], {}).setdefault((row["method"], int(row["epochs"])), {})
        runs.setdefault(row["mode"], {}).setdefault(float(row["weight"]), {})[row["seed"]] = row
    heads = ["epochs", "POT", "weight", "seeds", "accuracy %", "change", "macro F1 %"]
    certified = [f"certified % at p = {RATES[0]}", *RATES[1:]]
    for dataset, methods in groups.items():
        print_table([dataset, *heads, *certified], rows_of(methods))
        print()
        for (name, epochs), modes in methods.items():
            for mode, weights in modes.items():
                if len(weights) > 1:
                    sweep = ", ".join(f"{w}: {validation(weights, w):.1f}" for w in sorted(weights))
                    print(f"{dataset}, {name}, {epochs} epochs, {mode}, validation accuracy % by weight: {sweep}\n")
    print("± is the standard error over the seeds, and the change from no POT is paired by seed.")


def rows_of(methods):
    """The rows of a table: baselines first, methods as in their list, short runs before long ones."""

    def order(item):
        (name, epochs), _ = item
        return (METHODS.index(name) if name in METHODS else -1), epochs

    for (name, epochs), modes in sorted(methods.items(), key=order):
        for mode, weights in modes.items():
            weight = max(weights, key=lambda w, weights=weights: validation(weights, w))
            yield [name, epochs or "", mode if epochs else "", weight or "", *scores(weights[weight], modes)]


def validation(weights, weight):
    """Mean validation accuracy in % of a weight over the seeds that all weights have."""
    common = set.intersection(*(set(runs) for runs in weights.values()))
    return statistics.mean(100 * float(weights[weight][seed]["val"]) for seed in common)


def scores(runs, modes):
    """Seeds, accuracy, its change, macro F1 and certified shares of the runs by seed."""
    plain = modes.get(NONE, {}).get(0.0, {})
    column = {key: [100 * float(row[key]) for row in runs.values() if row[key]] for key in ["macro_f1", *COSTS[1:]]}
    test = {seed: 100 * float(row["test"]) for seed, row in runs.items()}
    change = [test[seed] - 100 * float(plain[seed]["test"]) for seed in test if seed in plain]
    changed = "" if runs is plain or not change else mean(change, "+.1f")
    certified = [f"{statistics.mean(column[key]):.1f}" if column[key] else "" for key in COSTS[1:]]
    return [len(runs), mean(list(test.values())), changed, mean(column["macro_f1"]), *certified]


def mean(values, form=".1f"):
    """The mean and, where the values differ, its standard error."""
    return spread(values if len(set(values)) > 1 else values[:1], form, standard_error)


def step_seconds(which, mode, repeats):
    """Median CPU seconds of a step of GRACE without and with POT, in turn; a warm-up goes before the repeats."""
    torch.set_num_threads(1)
    if which == "Cora":
        data = gcl.load("Cora")
        plain = build("GRACE", settings_of("GRACE", "Cora", "pot"), data.num_features)
    else:
        data = random_graph(100_000, 1_000_000, 128)
        plain = gcl.methods.GRACE(gcl.nn.gcn(128, 128, 2, 64), edge_drop=(0.4, 0.3), feature_mask=0)
    methods = {"GRACE": plain, "GRACE + POT": Regularized(plain, POT((0.4, 0.3), mode=mode), 0.4)}
    seconds = {name: [] for name in methods}
    for _ in range(repeats + 1):
        for name, method in methods.items():
            start = time.process_time()
            method.zero_grad(set_to_none=True)
            method.loss(data).backward()
            seconds[name].append(time.process_time() - start)
    return [statistics.median(values[min(1, repeats - 1) :]) for values in seconds.values()]


def score_cost(form, num_nodes):
    """Growth of the peak memory by the score and its gradient: ours in a mode, or the dense form."""
    torch.set_num_threads(1)
    data, encoder = random_graph(num_nodes, 10 * num_nodes, 128), gcl.nn.gcn(128, 128, 2, 64)
    score(form, encoder, random_graph(100, 1000, 128)).backward()  # what is loaded once does not count
    before, start = peak_mb(), time.process_time()
    score(form, encoder, data).backward()
    return {"mb": peak_mb() - before, "seconds": time.process_time() - start}


def score(form, encoder, data):
    if form == "dense":
        from tests.regularizers.dense import reference_score

        c = torch.randn(data.num_nodes, 64)
        return reference_score(encoder, data.x, data.edge_index, data.edge_index, c, 0.4).sum()
    c = contrast_directions(torch.randn(data.num_nodes, 64))
    return compactness_bound(encoder, data.x, data.edge_index, c, 0.4, mode=form).sum()


def cost(args):
    """Print the tables of costs."""
    print(f"torch {torch.__version__}, CPU, 1 thread, GRACE with drop rates 0.4 and 0.3\n")
    repeats = {"Cora": 9, "100k nodes, 1M edges": 0}
    steps = (
        [which, mode, *run_alone(step_seconds, which, mode, count)]
        for which, count in repeats.items()
        for mode in args.modes
        if which.split()[0] in args.graphs
    )
    print_table(
        ["", "POT", "GRACE, CPU s a step", "GRACE + POT", "ratio"],
        ([*names, f"{plain:.3f}", f"{pot:.3f}", f"{pot / plain:.2f}"] for *names, plain, pot in steps),
    )
    print("\nscore and gradient alone, F = 128, widths 128 and 64, 10 edges a node\n")
    sizes = {"dense": args.dense_sizes, **dict.fromkeys(MODES, args.sizes)}
    costs = ((form, n, run_alone(score_cost, form, n)) for form in sizes for n in sizes[form])
    rows = ([form, f"{n:,}", f"{one['seconds']:.2f}", f"{one['mb']:,.0f}"] for form, n, one in costs)
    print_table(["form", "nodes", "CPU s", "MB"], rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("cost")
    one.add_argument("--modes", nargs="*", default=["reference", "worst_tight"], choices=MODES)
    one.add_argument("--graphs", nargs="*", default=["Cora", "100k"])
    one.add_argument("--sizes", type=int, nargs="*", default=[2_500, 5_000, 50_000, 100_000])
    one.add_argument("--dense-sizes", type=int, nargs="*", default=[2_500, 5_000])
    one = commands.add_parser("study")
    one.add_argument("--csv", type=Path, default=Path("pot.csv"))
    one.add_argument("--report", action="store_true", help="print the table of what is in the CSV")
    one.add_argument("--datasets", nargs="*", default=["Cora", "CiteSeer", "BlogCatalog"])
    one.add_argument("--methods", nargs="*", default=METHODS, choices=METHODS)
    one.add_argument("--modes", nargs="*", default=["reference", "worst_tight"], choices=MODES)
    one.add_argument("--weights", type=float, nargs="*", default=[0.1, 0.2, 0.4])
    one.add_argument("--seeds", type=int, default=5)
    one.add_argument("--epochs", type=int, help="default: as published")
    args = parser.parse_args()
    torch.set_num_threads(1)
    if args.command == "cost":
        cost(args)
    elif args.report:
        report(args)
    else:
        study(args)


if __name__ == "__main__":
    main()
