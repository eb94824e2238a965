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
from torch_geometric.data import Data

import gcl
from benchmarks.cells import read, run_cells
from benchmarks.processes import peak_mb, run_alone
from gcl.methods import Regularized
from gcl.regularizers import POT, compactness_bound, contrast_directions
from gcl.regularizers.pot._bounds import MODES

NONE = "no POT"
# (temperature, learning rate, drop rates, epochs, width of the embedding, activation) as POT's authors have them
GRACE = {
    "Cora": (0.7, 5e-4, (0.4, 0.3), 200, 128, "relu"),
    "CiteSeer": (0.9, 1e-3, (0.3, 0.1), 200, 256, "prelu"),
    "BlogCatalog": (0.7, 1e-3, (0.4, 0.3), 1000, 256, "relu"),
}
GCA = {
    "Cora": (0.9, 5e-4, (0.3, 0.1), 700, 128, "relu"),
    "CiteSeer": (0.9, 1e-3, (0.2, 0.2), 1000, 256, "prelu"),
    "BlogCatalog": (0.5, 1e-3, (0.3, 0.1), 2000, 256, "prelu"),
}
PROGCL = {
    "Cora": (0.6, 5e-4, (0.3, 0.1), 700, 128, "relu"),
    "CiteSeer": (0.4, 1e-2, (0.4, 0.3), 1000, 256, "prelu"),
    "BlogCatalog": (0.4, 1e-3, (0.4, 0.2), 1000, 256, "prelu"),
}
COSTA = {
    "Cora": (0.4, 1e-3, (0.2, 0.4), 700, 256, "relu"),
    "CiteSeer": (0.4, 1e-3, (0.3, 0.1), 1500, 256, "relu"),
    "BlogCatalog": (0.4, 1e-3, (0.4, 0.2), 2500, 256, "relu"),
}
SETTINGS = {"GRACE": GRACE, "GCA": GCA, "ProGCL": PROGCL, "COSTA": COSTA}
RATES = (0.1, 0.2, 0.3, 0.4)
COSTS = ["seconds", *(f"certified {rate}" for rate in RATES)]
CONTROLS = "raw"  # the first of the three, which are measured together


def build(name, dataset, num_features):
    """A method in its published setting, without feature masking as there."""
    temperature, _, rates, _, dim, activation = SETTINGS[name][dataset]
    encoder = gcl.nn.gcn(num_features, 2 * dim, 2, dim, act=activation)
    return getattr(gcl.methods, name)(encoder, dim, edge_drop=rates, feature_mask=(0.0, 0.0), temperature=temperature)


def rates_of(method):
    """Drop rates for POT: the probabilities of each edge where the views have them."""
    drops = [augmentor.transforms[0] for augmentor in (method.augmentor1, method.augmentor2)]
    return tuple(getattr(drop, "probabilities", drop.p) for drop in drops)


def split_of(data, seed):
    if "train_mask" in data and data.train_mask.dim() == 1:
        return gcl.eval.split_from_masks(data)
    return gcl.eval.random_split(data.num_nodes, 0.1, 0.1, generator=torch.Generator().manual_seed(seed))


def measure(data, method, mode, weight, seed, epochs):
    """Train once: the scores of the frozen embeddings and the certified shares; or the rows of the baselines."""
    dataset, data = data, gcl.data.load(data)
    torch.manual_seed(seed)
    if method == CONTROLS:
        scores = gcl.eval.baselines(data, split_of(data, seed))
        return [{"method": name, **figures(row), **dict.fromkeys(COSTS, "")} for name, row in scores.items()]
    plain = build(method, dataset, data.num_features)
    trained = plain if mode == NONE else Regularized(plain, POT(rates_of(plain), mode), weight)
    optimizer = torch.optim.Adam(trained.parameters(), lr=SETTINGS[method][dataset][1], weight_decay=1e-5)
    start = time.process_time()
    for _ in gcl.train.fit(trained, [data], optimizer, epochs, generator=torch.Generator().manual_seed(seed)):
        pass
    seconds = time.process_time() - start
    row = figures(gcl.eval.linear_probe(trained.embed(data), data.y, split_of(data, seed)))
    return [row | dict(zip(COSTS, (seconds, *gcl.eval.certified_fraction(plain.encoder, data, RATES)), strict=True))]


def figures(scores):
    """The probe's scores under the names of the columns."""
    return {"val": scores["val_accuracy"], "test": scores["accuracy"], "macro_f1": scores["macro_f1"]}


def study(args):
    """The cells that the file lacks."""
    modes = [(NONE, 0.0), *((mode, weight) for mode in args.modes for weight in args.weights)]
    runs = [(CONTROLS, NONE, 0.0), *((name, *mode) for name in args.methods for mode in modes)]
    cells = [
        {"data": data, "method": name, "mode": mode, "weight": weight, "seed": seed, "epochs": epochs}
        for data in args.datasets
        for seed in range(args.seeds)
        for name, mode, weight in runs
        for epochs in [0 if name == CONTROLS else args.epochs or SETTINGS[name][data][3]]
    ]
    run_cells(args.csv, cells, measure)


def report(args):
    """A table for each data set: each mode at the weight of the best mean validation accuracy."""
    groups = {}
    for row in read(args.csv):
        runs = groups.setdefault(row["data"], {}).setdefault((row["method"], int(row["epochs"])), {})
        runs.setdefault(row["mode"], {}).setdefault(float(row["weight"]), {})[row["seed"]] = row
    for dataset, methods in groups.items():
        shares = " | ".join(f"{rate}" for rate in RATES)
        heads = "epochs | POT | weight | seeds | accuracy % | change | macro F1 % | certified % at p"
        print(f"| {dataset} | {heads} = {shares} |")
        print("|---" * (8 + len(RATES)) + "|")
        for (name, epochs), modes in sorted(methods.items(), key=lambda item: order_of(*item[0])):
            for mode, weights in modes.items():
                weight = max(weights, key=lambda w: validation(weights, w))
                cells = [name, epochs or "", mode if epochs else "", weight or "", *scores(weights[weight], modes)]
                print(f"| {' | '.join(map(str, cells))} |")
        print()
        for (name, epochs), modes in methods.items():
            for mode, weights in modes.items():
                if len(weights) > 1:
                    sweep = ", ".join(f"{w}: {validation(weights, w):.1f}" for w in sorted(weights))
                    print(f"{dataset}, {name}, {epochs} epochs, {mode}, validation accuracy % by weight: {sweep}\n")
    print("± is the standard error over the seeds, and the change from no POT is paired by seed.")


def order_of(name, epochs):
    """Baselines first, methods as in their list, short runs before long ones."""
    return (list(SETTINGS).index(name) if name in SETTINGS else -1), epochs


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
    changed = "" if runs is plain or not change else spread(change, "+.1f")
    certified = [f"{statistics.mean(column[key]):.1f}" if column[key] else "" for key in COSTS[1:]]
    return [len(runs), spread(list(test.values())), changed, spread(column["macro_f1"]), *certified]


def spread(values, form=".1f"):
    """Mean and, where the values differ, standard error."""
    differ = len(values) > 1 and statistics.stdev(values) > 0
    error = f" ± {statistics.stdev(values) / len(values) ** 0.5:.1f}" if differ else ""
    return f"{statistics.mean(values):{form}}{error}"


def synthetic(num_nodes, num_edges, dim):
    """A random undirected graph."""
    torch.manual_seed(0)
    half = torch.randint(num_nodes, (2, num_edges // 2))
    return Data(x=torch.randn(num_nodes, dim), edge_index=torch.cat([half, half.flip(0)], dim=1))


def epoch_seconds(which, mode, repeats):
    """Median CPU seconds of a step of GRACE without and with POT, in turn; a warm-up goes before the repeats."""
    torch.set_num_threads(1)
    data = gcl.data.load("Cora") if which == "Cora" else synthetic(100_000, 1_000_000, 128)
    if which == "Cora":
        plain = build("GRACE", "Cora", data.num_features)
    else:
        plain = gcl.methods.GRACE(gcl.nn.gcn(128, 128, 2, 64), 64, edge_drop=(0.4, 0.3), feature_mask=(0.0, 0.0))
    methods = {"GRACE": plain, "GRACE + POT": Regularized(plain, POT((0.4, 0.3), mode), 0.4)}
    seconds = {name: [] for name in methods}
    for _ in range(repeats + 1):
        for name, method in methods.items():
            start = time.process_time()
            method.zero_grad(set_to_none=True)
            method.loss(data).backward()
            seconds[name].append(time.process_time() - start)
    return {name: statistics.median(values[min(1, repeats - 1) :]) for name, values in seconds.items()}


def score_cost(form, num_nodes):
    """Growth of the peak memory by the score and its gradient: ours in a mode, or the dense form."""
    torch.set_num_threads(1)
    data, encoder = synthetic(num_nodes, 10 * num_nodes, 128), gcl.nn.gcn(128, 128, 2, 64)
    score(form, encoder, synthetic(100, 1000, 128)).backward()  # what is loaded once does not count
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
    print(f"torch {torch.__version__}, CPU, 1 thread, GRACE with drop rates 0.4 and 0.3\n")
    print("| | POT | GRACE, CPU s a step | GRACE + POT | ratio |\n|---|---|---|---|---|")
    for which, repeats in (("Cora", 9), ("100k nodes, 1M edges", 0)):
        for mode in args.modes:
            if which.split()[0] in args.graphs:
                row = run_alone(epoch_seconds, which, mode, repeats)
                plain, with_pot = row["GRACE"], row["GRACE + POT"]
                print(f"| {which} | {mode} | {plain:.3f} | {with_pot:.3f} | {with_pot / plain:.2f} |", flush=True)
    print("\nscore and gradient alone, F = 128, widths 128 and 64, 10 edges a node\n")
    print("| form | nodes | CPU s | MB |\n|---|---|---|---|")
    for form, sizes in [("dense", args.dense_sizes), *((mode, args.sizes) for mode in MODES)]:
        for n in sizes:
            row = run_alone(score_cost, form, n)
            print(f"| {form} | {n:,} | {row['seconds']:.2f} | {row['mb']:,.0f} |", flush=True)


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
    one.add_argument("--methods", nargs="*", default=list(SETTINGS), choices=list(SETTINGS))
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
