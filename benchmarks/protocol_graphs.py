"""What the protocol adds on graphs: `python -m benchmarks.protocol_graphs --method InfoGraph --dataset MUTAG`.

A method is evaluated before training and at every epoch, by `gcl.eval.svm_cv` and by the classifiers of the authors'
codes on the same ten folds: a Gaussian SVM on raw columns (InfoGraph, GraphCL, SimGRACE, ARIEL), or a linear one
(MVGRL on raw columns, AD-GCL on standardized ones). Printed are the last epoch, the epoch with the best mean on the
test folds, and the mean of each seed's own best: the gap between the columns is chosen on the test folds.
"""

import argparse
import statistics
import warnings

import torch

import gcl
from benchmarks.graph import METHODS, folds_of, set_up
from benchmarks.settings import optimizer_of, settings_of
from benchmarks.tables import print_table, spread
from gcl.eval._svm import SVM_STRENGTHS


def authors(classifier):
    """The authors' evaluation: C by an inner cross-validation, from the grid that ``svm_cv`` has."""
    from sklearn.model_selection import GridSearchCV, PredefinedSplit, cross_val_score

    step = classifier.steps[-1][0]
    search = GridSearchCV(classifier, {f"{step}__C": SVM_STRENGTHS}, cv=5)

    def judge(g, y, folds):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # LinearSVC does not converge on raw columns
            return cross_val_score(search, g.numpy(), y.numpy(), cv=PredefinedSplit(folds)).mean()

    return judge


def judges(names):
    """``{name: (g, y, folds) -> accuracy}``."""
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC, LinearSVC

    every = {
        "svm_cv": lambda g, y, folds: gcl.eval.svm_cv(g, y, folds)["accuracy"],
        "raw, Gaussian": authors(make_pipeline(SVC())),
        "raw, linear": authors(make_pipeline(LinearSVC())),
        "standardized, linear": authors(make_pipeline(StandardScaler(), LinearSVC(dual=False))),
    }
    return {name: every[name] for name in names or every}


def curves(name, graphs, settings, seed, every, classifiers):
    """``{classifier: accuracies in %}`` of one run, the first ones before training."""
    method, prepared, loader, generator = set_up(name, graphs, settings, seed)
    folds = folds_of(graphs, seed)
    rows = {classifier: [] for classifier in classifiers}

    def evaluate():
        g, y = gcl.eval.embed_graphs(method, prepared)
        for classifier, judge in classifiers.items():
            rows[classifier].append(100 * judge(g, y, folds))

    evaluate()
    epochs = settings["epochs"]
    for epoch, _ in gcl.train.epochs(method, loader, optimizer_of(method, settings), epochs, generator=generator):
        if epoch % every == 0 or epoch == epochs:
            evaluate()
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--method", default="InfoGraph", choices=METHODS)
    parser.add_argument("--dataset", default="MUTAG")
    parser.add_argument("--root", help="folder of the data sets (default: $GCL_DATA, else data)")
    parser.add_argument("--epochs", type=int, help="default: as in settings.json")
    parser.add_argument("--every", type=int, default=1, help="epochs between evaluations (default: 1)")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--classifiers", nargs="+", help="default: all")
    args = parser.parse_args()

    torch.set_num_threads(1)
    graphs, settings = gcl.load(args.dataset, args.root), settings_of(args.method, args.dataset, epochs=args.epochs)
    classifiers = judges(args.classifiers)
    runs = [curves(args.method, graphs, settings, seed, args.every, classifiers) for seed in range(args.seeds)]
    head = [f"{args.method}, {args.dataset}", "untrained", "last epoch", "best epoch of the mean", "each seed's best"]
    body = []
    for name in classifiers:
        epochs = list(zip(*(run[name] for run in runs), strict=True))
        best = max(epochs, key=statistics.mean)
        body.append([name, *map(spread, (epochs[0], epochs[-1], best, [max(run[name]) for run in runs]))])
    print_table(head, body)


if __name__ == "__main__":
    main()
