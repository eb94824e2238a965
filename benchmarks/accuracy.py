"""Methods x data sets x seeds beside their baselines: `python -m benchmarks.accuracy --datasets Cora --methods CCASSG`.

Each cell runs in a process of its own and adds its rows to accuracy.csv, so that a run that was killed goes on where
it stood; a cell that is there is not computed again. Tables and a plot are made of the file at the end.
The file of the published tables is benchmarks/results/accuracy.csv: `--out` another one to measure them anew.
Seeds vary the training and, where there are several, the split. Baselines are rows like the methods. Each embedding is
scored alone and beside the filter bank (metapath means, pooled filters or counts of atoms and bonds, by the kind of
data). The epoch is the one of five whose validation score is best; for graphs it is the last one. "CCASSG, GraphSAGE"
is CCASSG with that encoder. Seconds are those of one thread's CPU, so that a busy machine does not count.
"""

import argparse
import time
from pathlib import Path

import torch
from torch_geometric.data import Data, HeteroData

import gcl
from benchmarks import graph, hetero, node, ogb_graph
from benchmarks.cells import run_cells
from benchmarks.processes import peak_mb, run_alone
from benchmarks.settings import build, normalized, settings_of
from benchmarks.tables import ALL_BASELINES, BASELINES
from benchmarks.verdicts import report
from gcl.eval._baselines import untrained
from gcl.eval._filter_bank import bank_for, beside

RESULTS = Path(__file__).with_name("results")
NODES = ("Cora", "CiteSeer", "Photo", "Computers", "CS", "BlogCatalog", *node.HETEROPHILOUS)
GRAPHS = ("MUTAG", "PROTEINS", "NCI1", "IMDB-BINARY", "DD")
MOLECULES = ("ogbg-molbace", "ogbg-molesol", "ogbg-molfreesolv")
COLUMNS = ("method", "split", "metric", "score", "with_bank", "macro_f1", "val_score", "epoch", "seconds", "peak_mb")


def run_cell(dataset, method, seed, root):
    """The rows of one method (or of the baselines) on one data set for one seed."""
    torch.set_num_threads(1)
    data = gcl.load(dataset, root)
    before, clock = peak_mb(), time.process_time()
    rows = rows_of(data)(data, dataset, method, seed, root)
    cost = {"seconds": round(time.process_time() - clock, 1), "peak_mb": round(peak_mb() - before)}
    cost = {} if method == ALL_BASELINES else cost
    return [{key: (row | cost).get(key, "") for key in COLUMNS} | {"torch": torch.__version__} for row in rows]


def rows_of(data):
    """The function that measures a cell of this kind of data."""
    if isinstance(data, Data):
        return node_rows
    if isinstance(data, HeteroData):
        return hetero_rows
    return molecule_rows if hasattr(data, "eval_metric") else graph_rows


def node_rows(data, dataset, method, seed, root):
    """One row for each split; the baselines see the features as they are and, where methods do, with rows of sum 1."""
    metric = node.HETEROPHILOUS.get(dataset, "accuracy")
    splits = node.splits_of(data, seed)
    if method == ALL_BASELINES:
        torch.manual_seed(seed)
        return [
            row(name, part, metric, *scores)
            for part, split in splits.items()
            for name, scores in node.baselines(data, split).items()
        ]
    settings = settings_of(method, dataset)
    best, _ = node.train(method, data, settings, seed, list(splits.values()), metric=metric)
    data, rows = normalized(data, settings), []
    for (name, split), h, scores in zip(splits.items(), best.h, best.scores, strict=True):
        joined = gcl.eval.linear_probe(beside(h, bank_for(data, split.train)), data.y, split)
        rows.append(row(method, name, metric, scores, joined))
    return rows


def hetero_rows(data, dataset, method, seed, root):
    """One row for each of HeCo's splits; metapath means are the bank."""
    target, y = hetero.TARGET[dataset], data[hetero.TARGET[dataset]].y
    splits = {n: gcl.eval.split_from_masks(gcl.load(dataset, root, split=n)[target]) for n in hetero.LABELS}
    means = gcl.eval.metapath_means(data, target)

    def rows_of(name, split, scores, h):
        joined = gcl.eval.linear_probe(beside(h, means), y, splits[split])
        return row(name, f"{split} per class", "accuracy", scores, joined)

    if method != ALL_BASELINES:
        best, _ = hetero.train(data, target, method, "SAGE", seed, list(splits.values()))
        return [rows_of(method, *cells) for cells in zip(splits, best.scores, best.h, strict=True)]
    torch.manual_seed(seed)
    encoder, rows = hetero.encoder_of(data, target, "SAGE"), []
    for n, split in splits.items():
        scores = gcl.eval.baselines(data, split, encoder)
        rows.append(rows_of(BASELINES["untrained"], n, scores.pop("untrained"), untrained(data, encoder)))
        rows += [row(BASELINES[name], f"{n} per class", "accuracy", own) for name, own in scores.items()]
    return rows


def graph_rows(graphs, dataset, method, seed, root):
    """The row of ten-fold cross-validation; one for each baseline. The pooled filters are the bank."""
    folds, bank = graph.folds_of(graphs, seed), graph.bank(graphs)

    def row_of(name, own, g, y):
        return row(name, "10 folds", "accuracy", own, gcl.eval.svm_cv(torch.cat([g, bank], dim=1), y, folds))

    if method != ALL_BASELINES:
        g, y, _ = graph.train(method, graphs, settings_of(method, dataset), seed)
        return [row_of(method, gcl.eval.svm_cv(g, y, folds), g, y)]
    settings = settings_of("GraphCL", dataset)
    scores = graph.baselines(graphs, settings, seed)
    torch.manual_seed(seed)
    g, y = gcl.eval.embed_graphs(build("GraphCL", settings, graphs.num_features), graphs)
    last = row_of(BASELINES["untrained"], scores.pop("untrained"), g, y)
    return [*(row(BASELINES[name], "10 folds", "accuracy", own) for name, own in scores.items()), last]


def molecule_rows(graphs, dataset, method, seed, root):
    """The row of OGB's split; one for each baseline. Counts of atoms and bonds are the bank.

    The settings are the defaults of benchmarks.ogb_graph.
    """
    options = ogb_graph.arguments().parse_args(["--dataset", dataset, "--device", "cpu"])
    metric = {"rocauc": "roc_auc", "rmse": "rmse"}[graphs.eval_metric]
    probe, split = ogb_graph.PROBES[graphs.eval_metric], gcl.eval.Split(*graphs.get_idx_split().values())
    if method == ALL_BASELINES:
        scores = ogb_graph.baselines(options, graphs, seed)
        trained = ogb_graph.build(options, options.method[0], seed)
    else:
        scores, trained = {}, ogb_graph.pretrain(options, method, graphs[split.train], seed)
    g, y = gcl.eval.embed_graphs(trained, graphs)
    name = BASELINES["untrained"] if scores else method
    own = scores.pop(name) if scores else probe(g, y, split)
    joined = probe(torch.cat([g, ogb_graph.counts(graphs)], dim=1), y, split)
    rows = [row(one, "scaffold", metric, other) for one, other in scores.items()]
    return [*rows, row(name, "scaffold", metric, own, joined)]


def row(method, split, metric, scores, joined=None):
    """What the file says of a method on a split."""
    values = {"score": scores[metric], "val_score": scores.get(f"val_{metric}", "")}
    return scores | values | {
        "method": method, "split": split, "metric": metric, "with_bank": joined[metric] if joined else ""
    }  # fmt: skip


def methods_of(dataset):
    """All methods that this kind of data has settings for."""
    if dataset in hetero.TARGET:
        return list(hetero.METHODS)
    if dataset in MOLECULES:
        return list(ogb_graph.METHODS)
    return graph.METHODS if dataset in GRAPHS else node.methods_of(dataset)


def main():
    known = (*NODES, *hetero.TARGET, *GRAPHS, *MOLECULES)
    default = [name for name in known if name not in ("AMiner", "Freebase")]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--datasets", nargs="+", default=default, choices=known)
    parser.add_argument("--methods", nargs="*", help="default: all that there are settings for; none: the baselines")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--root", help="folder of the data sets (default: $GCL_DATA, else data)")
    parser.add_argument("--report", action="store_true", help="measure nothing: tables and plot of what is there")
    parser.add_argument("--out", type=Path, default=RESULTS / "accuracy.csv", help="also .md and .png beside it")
    args = parser.parse_args()

    cells = [
        {"dataset": dataset, "method": method, "seed": seed}
        for dataset in ([] if args.report else args.datasets)
        for method in (ALL_BASELINES, *(methods_of(dataset) if args.methods is None else args.methods))
        for seed in range(args.seeds)
    ]
    report(run_cells(args.out, cells, lambda **cell: run_alone(run_cell, *cell.values(), args.root)), args.out)


if __name__ == "__main__":
    main()
