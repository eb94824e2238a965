"""StructComp against full-graph training: accuracy, cost and scale.

    python -m benchmarks.structcomp accuracy --datasets Cora CiteSeer Photo Computers CS --seeds 3
    python -m benchmarks.structcomp cost --datasets Computers CS
    python -m benchmarks.structcomp scale --nodes 10000 100000 1000000 2449029

`accuracy` writes one row for each cell to a CSV file as it goes, and goes on where it stood; nothing
is chosen by a probe, which runs once, at the end of the training. `cost` compares the CPU seconds of an epoch (one
thread, so that a busy machine does not count) and the growth of the peak memory, each in a process of its own. `scale`
takes the block model of make_ogb_like.py through partition, training, embedding and probe, and fits t = c N^b and
MB = a + b N.
"""

import argparse
import statistics
import time
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch_geometric.data import Data
from torch_geometric.utils import to_undirected

import gcl
from augmentors import Compress
from benchmarks import losses
from benchmarks.cells import run_cells
from benchmarks.make_ogb_like import BlockModel
from benchmarks.node import few_labels
from benchmarks.processes import peak_mb, run_alone
from benchmarks.settings import SETTINGS, build, encoders, normalized, settings_of, train
from benchmarks.tables import ALL_BASELINES, BASELINES, print_overview, print_table
from gcl.methods import CCASSG, COLES, SCE, StructComp

COLUMNS = ("method", "split", "accuracy", "macro_f1", "seconds_per_epoch", "peak_mb")
FULL, CLUSTERS, RANDOM, ONE_VIEW = "", ", StructComp", ", random parts", ", no DropMember"
METHODS = [
    name + variant
    for variant in (FULL, CLUSTERS, RANDOM, ONE_VIEW)
    for name in SETTINGS["structcomp"]
    if variant != ONE_VIEW or name not in ("SCE", "COLES")  # which have one view anyway
]


def means(y, seed, num_splits, scores_of):
    """``{protocol: {row: {key: mean over its splits}}}`` of the rows that ``scores_of(split)`` gives."""
    generator = torch.Generator().manual_seed(seed)
    protocols = {"10/10/80": [gcl.eval.random_split(len(y), generator=torch.Generator().manual_seed(seed))]}
    protocols["20 per class"] = [few_labels(y, generator) for _ in range(num_splits)]
    for protocol, splits in protocols.items():
        tables = [scores_of(split) for split in splits]
        yield (
            protocol,
            {
                name: {key: statistics.mean(table[name][key] for table in tables) for key in COLUMNS[2:4]}
                for name in tables[0]
            },
        )


def accuracy_cell(dataset, method, seed, root, num_splits):
    """The rows of a method in one variant, or of the baselines, for one seed."""
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    data, before = gcl.load(dataset, root), peak_mb()
    if method == ALL_BASELINES:
        settings = settings_of("CCASSG", dataset, "structcomp")
        encoder, cost = encoders(settings, data.num_features)[0], {}
        tables = means(data.y, seed, num_splits, lambda split: gcl.eval.baselines(data, split, encoder))
    else:
        h, seconds = embeddings(dataset, method, data, seed)
        cost = {"seconds_per_epoch": round(seconds, 4), "peak_mb": round(peak_mb() - before)}
        tables = means(data.y, seed, num_splits, lambda split: {method: gcl.eval.linear_probe(h, data.y, split)})
    rows = [
        {"method": BASELINES.get(name, name), "split": protocol} | scores | cost
        for protocol, table in tables
        for name, scores in table.items()
    ]
    return [{key: row.get(key, "") for key in COLUMNS} | {"torch": torch.__version__} for row in rows]


def embeddings(dataset, method, data, seed):
    """The embeddings of a method in one variant, and the median CPU seconds of an epoch."""
    base, source = method.split(",")[0], "tables" if method in SETTINGS["tables"] else "structcomp"
    settings = settings_of(base, dataset, source)
    data = normalized(data, settings)
    trained, graph = build(base, settings, data.num_features), data
    if method != base:
        trained, graph = compressed(trained, method, data, seed)
    elif source == "structcomp":
        trained.encoder.cached = True  # A^2 X once, since the graph is always whole
    seconds = median_seconds(trained, graph, settings, seed)
    return trained.embed(data), seconds


def compressed(method, row, data, seed):
    """What trains the method on the clusters of a partition, in the variant of the row, and on which graph."""
    cluster = gcl.data.partition(data, data.num_nodes // 9, "matching", seed=seed)
    if row.endswith(RANDOM):
        cluster = cluster[torch.randperm(len(cluster))]
    if isinstance(method, (SCE, COLES)):
        return method, Compress(cluster, coarse=True)(data)
    return StructComp(method, cluster, p=0.0 if row.endswith(ONE_VIEW) else 0.5), data


def median_seconds(method, data, settings, seed):
    """Train; return the median CPU seconds of an epoch."""
    return statistics.median(train(method, data, settings, torch.Generator().manual_seed(seed)))


def run_accuracy(args):
    """All cells that the file lacks, then its tables and plot."""
    cells = [
        {"dataset": dataset, "method": name, "seed": seed}
        for dataset in args.datasets
        for name in (ALL_BASELINES, *args.methods)
        for seed in range(args.seeds)
    ]

    rows = run_cells(args.out, cells, lambda **cell: run_alone(accuracy_cell, *cell.values(), args.root, args.splits))
    for protocol in dict.fromkeys(row["split"] for row in rows):
        print_overview([row for row in rows if row["split"] == protocol])


def cost_cell(dataset, name, variant, root, epochs):
    """Seconds of the partition, seconds of an epoch, and MB."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    data, settings = gcl.load(dataset, root), settings_of(name, "Cora", "structcomp", epochs=epochs)
    method, partition_seconds = build(name, settings, data.num_features), 0.0
    start = time.process_time()
    if variant == "StructComp":
        cluster = gcl.data.partition(data, data.num_nodes // 9, "matching")
        partition_seconds = time.process_time() - start
        method = StructComp(method, cluster)
    elif variant == "full graph, dense loss":
        method.objective = partial(losses.dense, temperature=0.5)
    small = Data(x=data.x[:64], edge_index=data.edge_index[:, :0])
    build(name, settings, data.num_features)(small).backward()  # what is loaded once does not count
    before = peak_mb()
    seconds = median_seconds(method, data, settings, 0)
    return partition_seconds, seconds, peak_mb() - before


def cost_rows(args):
    """The rows of the table of costs."""
    for dataset in args.datasets:
        for name in ("CCASSG", "GRACE"):
            cut, *ours = run_alone(cost_cell, dataset, name, "StructComp", args.root, args.epochs)
            yield [dataset, name, "StructComp", f"{cut:.2f}", f"{ours[0]:.3f}", f"{ours[1]:,.0f}", "", ""]
            for variant in ["full graph"] + ["full graph, dense loss"] * (name == "GRACE"):
                _, *full = run_alone(cost_cell, dataset, name, variant, args.root, args.epochs)
                ratios = [f"{other / own:.1f}x" for other, own in zip(full, ours, strict=True)]
                yield [dataset, name, variant, "", f"{full[0]:.3f}", f"{full[1]:,.0f}", *ratios]


def run_cost(args):
    """One table."""
    head = ["data set", "method", "", "partition, CPU s", "CPU s / epoch", "MB", "full / StructComp, s", "MB"]
    print_table(head, cost_rows(args))


def scale_cell(num_nodes, args):
    """Seconds of each stage, peak MB and accuracies for one size."""
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    model = BlockModel(num_nodes, mean_degree=args.degree)
    edge_index = torch.from_numpy(np.concatenate(list(model.edges()), axis=1))
    data = Data(edge_index=to_undirected(edge_index, num_nodes=num_nodes), y=torch.from_numpy(model.y))
    data.x = torch.from_numpy(np.concatenate(list(model.features())))
    del edge_index
    row, clock = {"nodes": num_nodes, "edges": data.num_edges, "graph MB": peak_mb()}, time.perf_counter()

    def lap(stage):
        nonlocal clock
        row[f"{stage} s"], clock = time.perf_counter() - clock, time.perf_counter()
        row[f"{stage} MB"] = peak_mb()
        print(f"{num_nodes:,} nodes, {stage}: {row[f'{stage} s']:.1f} s, {row[f'{stage} MB']:,.0f} MB", flush=True)

    cluster = gcl.data.partition(data, max(2, num_nodes // args.members), args.partition)
    lap("partition")
    method = StructComp(CCASSG(gcl.nn.gcn(data.num_features, 256, 2, 128, final_activation=False)), cluster)
    g = torch.Generator().manual_seed(0)
    rows = torch.randperm(num_nodes, generator=g)[:10_000]
    untrained = method.embed(data, chunk=50_000)[rows]
    clock = time.perf_counter()
    method.predraw(data, args.views, generator=g)
    lap("views")
    settings = {"lr": 1e-3, "weight_decay": 0, "epochs": args.epochs}
    row["epoch CPU s"] = median_seconds(method, data, settings, 0)
    lap("train")
    h = method.embed(data, chunk=50_000)[rows]
    lap("embed")
    split = gcl.eval.Split(*torch.arange(len(rows)).tensor_split([len(rows) // 4, len(rows) // 2]))
    row["StructComp"] = gcl.eval.linear_probe(h, data.y[rows], split)["accuracy"]
    lap("probe")
    features = {"untrained": untrained, "raw": data.x[rows], "propagated": gcl.nn.propagate(data, 2)[rows]}
    row |= {BASELINES[name]: gcl.eval.linear_probe(z, data.y[rows], split)["accuracy"] for name, z in features.items()}
    quality = gcl.data.partition_quality(data, cluster)
    return row | {key: quality[key] for key in ("num_clusters", "cut", "max_size", "error")}


def run_scale(args):
    """A table whose columns are the sizes, and the fitted growth."""
    rows = []
    for num_nodes in args.nodes:
        rows.append(run_alone(scale_cell, num_nodes, args))
        print(rows[-1], flush=True)
    nodes = [row["nodes"] for row in rows]

    def growth(key, values):
        if len(rows) > 1 and key.endswith(" s") and min(values) > 0:
            slope, level = np.polyfit(np.log(nodes), np.log(values), 1)
            return [f"N^{slope:.2f}", f"{np.exp(level + slope * np.log(args.extrapolate)):,.0f}"]
        if len(rows) > 1 and key.endswith(" MB"):  # what Python and torch take is there at any size
            slope, level = np.polyfit(nodes, values, 1)
            return [f"{1e6 * slope:,.0f} B / node", f"{level + slope * args.extrapolate:,.0f}"]
        return ["", ""]

    columns = {key: [row[key] for row in rows] for key in rows[0]}
    head = ["", *(f"{n:,} nodes" for n in nodes), "growth", f"at {args.extrapolate:,} nodes"]
    body = ([key, *(f"{value:,.4g}" for value in values), *growth(key, values)] for key, values in columns.items())
    print_table(head, body)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = parser.add_subparsers(required=True)
    one = parts.add_parser("accuracy")
    one.add_argument("--datasets", nargs="+", default=["Cora", "CiteSeer", "Photo", "Computers", "CS"])
    one.add_argument("--methods", nargs="+", default=METHODS, choices=METHODS, metavar="ROW", help="default: all")
    one.add_argument("--seeds", type=int, default=3)
    one.add_argument("--splits", type=int, default=50, help="of 20 labels a class (default: 50)")
    one.add_argument("--root", help="folder of the data sets (default: $GCL_DATA, else data)")
    one.add_argument("--out", type=Path, default=Path("structcomp.csv"), help="also .md and .png beside it")
    one.set_defaults(run=run_accuracy)
    one = parts.add_parser("cost")
    one.add_argument("--datasets", nargs="+", default=["Computers", "CS"])
    one.add_argument("--epochs", type=int, default=5, help="whose median counts")
    one.add_argument("--root")
    one.set_defaults(run=run_cost)
    one = parts.add_parser("scale")
    one.add_argument("--nodes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000, 2_449_029])
    one.add_argument("--degree", type=float, default=50.5, help="mean degree")
    one.add_argument("--members", type=int, default=100, help="mean size of a part")
    one.add_argument("--partition", default="matching", choices=["metis", "matching"])
    one.add_argument("--views", type=int, default=8, help="second views drawn beforehand")
    one.add_argument("--epochs", type=int, default=50)
    one.add_argument("--threads", type=int, default=2)
    one.add_argument("--extrapolate", type=int, default=111_059_956)
    one.set_defaults(run=run_scale)
    args = parser.parse_args()
    args.run(args)


if __name__ == "__main__":
    main()
