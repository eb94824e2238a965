"""Can the best of many runs be chosen without labels? `python -m benchmarks.selection`.

Methods, masking rates, depths, widths and lengths of training give runs of different quality on each data set. Each
has its `gcl.eval.unsupervised_scores` beside the linear probe's accuracy (ROC-AUC on Minesweeper), a mean over three
splits, and the validation score of the first of them, which is the choice by labels. Printed are Spearman's rank
correlations of scores with accuracies, and what the run that a score chooses loses. A score's sign is that of its mean
correlation on the sets of the design; only what holds on the others, which had no part in its making, counts. Rows are
added to a CSV file, so that a stopped run goes on.
"""

import argparse
import statistics
from pathlib import Path

import torch
from scipy.stats import spearmanr

import gcl
from augmentors import Compose, EdgeDrop, FeatureMask
from benchmarks import node
from benchmarks.cells import run_cells
from benchmarks.tables import print_table

DESIGN = ("Cora", "CiteSeer", "Photo")
HELD_OUT = ("chameleon_filtered", "Minesweeper", "BlogCatalog")
LARGE = ("Photo", "Minesweeper", "BlogCatalog")  # fewer epochs
WITHOUT_MASK = ("DGI", "SCE")
METHODS = ("GRACE", "BGRL", "GBT", "CCASSG", "GGD", "COSTA", *WITHOUT_MASK)
SETTINGS = ((0.1, 2, 128), (0.7, 2, 128), (0.4, 1, 256))  # feature mask, layers, width
NO_MASK = ((0.0, 2, 128), (0.0, 2, 256), (0.0, 1, 128))
SPLITS = 3


def build(dataset, method, feature_mask, layers, width, num_features):
    """The method on its encoder."""
    norm = {"norm": "batch_norm", "act": "prelu"} if method in ("BGRL", "GBT") else {}
    encoder = (gcl.nn.sage if dataset in node.HETEROPHILOUS else gcl.nn.gcn)(
        num_features, width, layers, width, final_activation=method not in ("CCASSG", "SCE"), **norm
    )
    options = {} if method in WITHOUT_MASK else {"feature_mask": feature_mask, "edge_drop": 0.3}
    if method in ("GRACE", "COSTA"):
        options |= {"proj_dim": 64, "temperature": 0.2 if layers == 1 else 0.5}
    return getattr(gcl.methods, method)(encoder, **options)


def train(dataset, method, root, **settings):
    """Epoch, loss, and the embeddings of the graph and of a view of it, after a few epochs and at the end."""
    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(0)
    data = gcl.load(dataset, root)
    model = build(dataset, method, **settings, num_features=data.num_features)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    view = Compose([EdgeDrop(0.2), FeatureMask(0.2)])(data, generator=torch.Generator().manual_seed(1))
    points = (8, 40) if dataset not in LARGE else (3, 8) if method in ("GRACE", "COSTA") else (5, 20)
    for epoch, loss in gcl.train.epochs(model, data, optimizer, points[-1], generator=generator):
        if epoch in points:
            yield epoch, float(loss), model.embed(data), model.embed(view)


def run_cell(dataset, method, root, **settings):
    """The rows of one training: scores with labels and without."""
    data = gcl.load(dataset, root)
    rows = []
    for epoch, loss, h, h2 in train(dataset, method, root, **settings):
        splits = (next(iter(node.splits_of(data, number).values())) for number in range(SPLITS))
        probes = [gcl.eval.linear_probe(h, data.y, split) for split in splits]
        metric = node.HETEROPHILOUS.get(dataset, "accuracy")
        labeled = {
            "accuracy": statistics.mean(probe[metric] for probe in probes),
            "validation labels": probes[0][f"val_{metric}"],
        }
        scores = gcl.eval.unsupervised_scores(h, data, h2, generator=torch.Generator().manual_seed(0))
        row = {"epoch": epoch} | labeled | {"loss": loss} | scores
        rows.append({key: round(value, 5) for key, value in row.items()})
    return rows


class Runs:
    """The runs of one data set: for each score its values, and the accuracies."""

    def __init__(self, rows):
        self.methods = [row["method"] for row in rows]
        self.accuracy = [float(row["accuracy"]) for row in rows]
        start = list(rows[0]).index("accuracy") + 1
        self.scores = {key: [float(row[key]) for row in rows] for key in list(rows[0])[start:]}

    def over_all(self, score):
        """The correlation over all runs."""
        return correlation(self.scores[score], self.accuracy)

    def within(self, score):
        """The mean over the methods of the correlation over a method's runs, of those with four or more."""
        own = {name: [i for i, method in enumerate(self.methods) if method == name] for name in set(self.methods)}
        found = [
            correlation([self.scores[score][i] for i in rows], [self.accuracy[i] for i in rows])
            for rows in own.values()
            if len(rows) >= 4
        ]
        return statistics.mean(found) if found else None

    def between(self, score):
        """The correlation of the methods' means."""
        names = sorted(set(self.methods))
        return correlation(
            *([self.mean_of(name, values) for name in names] for values in (self.scores[score], self.accuracy))
        )

    def mean_of(self, method, values):
        return statistics.mean(value for value, name in zip(values, self.methods, strict=True) if name == method)

    def chosen(self, score, sign):
        """The accuracy of the run with the greatest ``sign * score``, of the first of several."""
        return self.accuracy[max(range(len(self.accuracy)), key=lambda i: sign * self.scores[score][i])]


def correlation(scores, accuracy):
    """Spearman's, 0 where all scores are equal."""
    return float(spearmanr(scores, accuracy).statistic) if len(set(scores)) > 1 else 0.0


def mean(values):
    """The mean of those that are there, None where none is."""
    found = [value for value in values if value is not None]
    return statistics.mean(found) if found else None


def report(rows):
    """Print the correlations, for both groups of data sets, and what a choice by each score loses."""
    runs = {row["dataset"]: [] for row in rows}
    for row in rows:
        runs[row["dataset"]].append(row)
    runs = {dataset: Runs(own) for dataset, own in runs.items()}
    groups = {
        name: [runs[dataset] for dataset in group if dataset in runs]
        for name, group in {"design": DESIGN, "held out": HELD_OUT}.items()
        if runs.keys() & set(group)
    }
    scores = list(rows[0])[list(rows[0]).index("accuracy") + 1 :]
    design = groups.get("design", [])  # whose signs do not exist where none of its sets was measured
    on_design = {score: mean(run.over_all(score) for run in design) or 0.0 for score in scores}
    scores.sort(key=lambda score: -abs(on_design[score]))
    correlations(runs, groups, scores)
    print("\nPoints of accuracy between the chosen run and the mean run / the best run\n")
    print_table(["", "chosen", *runs, *groups], (choice(runs, groups, score, on_design[score]) for score in scores))


def correlations(runs, groups, scores):
    """Print Spearman's correlations with the accuracy, by group and by data set."""
    kinds = {"all": Runs.over_all, "within a method": Runs.within, "methods": Runs.between}

    def body():
        for score in scores:
            means = [mean(kind(run, score) for run in group) for group in groups.values() for kind in kinds.values()]
            yield [score, *("" if value is None else f"{value:+.2f}" for value in means)]

    print("\nSpearman's correlation with the accuracy, means over the data sets\n")
    print_table(["", *(f"{group}, {kind}" for group in groups for kind in kinds)], body())
    print("\nSpearman's correlation with the accuracy over all runs of a data set\n")
    print_table(["", *runs], ([s, *(f"{run.over_all(s):+.2f}" for run in runs.values())] for s in scores))


def choice(runs, groups, score, sign):
    """The row of a score: the accuracy of its choice less that of the mean run, and less that of the best run."""

    def gaps(run):
        chosen = run.chosen(score, 1 if sign >= 0 else -1)
        return 100 * (chosen - statistics.mean(run.accuracy)), 100 * (chosen - max(run.accuracy))

    found = [gaps(run) for run in runs.values()]
    found += [tuple(map(statistics.mean, zip(*map(gaps, group), strict=True))) for group in groups.values()]
    return [score, "greatest" if sign >= 0 else "least", *(f"{over:+.1f} / {under:+.1f}" for over, under in found)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--datasets", nargs="+", default=[*DESIGN, *HELD_OUT], choices=[*DESIGN, *HELD_OUT])
    parser.add_argument("--methods", nargs="+", default=METHODS, choices=METHODS)
    parser.add_argument("--report", action="store_true", help="measure nothing: the tables of what is there")
    parser.add_argument("--root", help="folder of the data sets (default: $GCL_DATA, else data)")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("results") / "selection.csv")
    args = parser.parse_args()

    torch.set_num_threads(1)
    cells = [
        {"dataset": dataset, "method": method, "feature_mask": mask, "layers": layers, "width": width}
        for number in range(len(SETTINGS))
        for dataset in ([] if args.report else args.datasets)
        for method in args.methods
        for mask, layers, width in [(NO_MASK if method in WITHOUT_MASK else SETTINGS)[number]]
    ]
    report(run_cells(args.out, cells, lambda **cell: run_cell(**cell, root=args.root)))


if __name__ == "__main__":
    main()
