"""A method's embeddings under our probe and under its authors': `python -m benchmarks.protocol --method CCASSG`.

Ours scales the rows to unit length, fits logistic regression to convergence and chooses its strength on validation.
The authors train a linear layer by Adam on the embeddings as they are, for the steps that "probe" in settings.json
gives, and report its last step (DGI, GGD, MVGRL) or the one that is best on validation (CCA-SSG, GCA, COSTA). The step
that is best on the test rows is what reading a training log by its maximum would give.
"""

import argparse

import torch
import torch.nn.functional as F

import gcl
from benchmarks import node
from benchmarks.settings import SETTINGS, settings_of
from benchmarks.tables import print_scores

COLUMNS = {
    "ours %": "ours",
    "authors', last step %": "last",
    "authors', best on validation %": "best_val",
    "authors', best on test %": "best_test",
}


def adam_probe(h, y, split, lr=0.01, weight_decay=0.0, steps=300):
    """Test accuracies of a linear layer: its last step, its first best one on validation, its best one on test."""
    (train, val, test), (y_train, y_val, y_test) = ([value[part] for part in split] for value in (h, y))
    layer = torch.nn.Linear(h.size(1), int(y.max()) + 1)
    torch.nn.init.xavier_uniform_(layer.weight)
    torch.nn.init.zeros_(layer.bias)
    optimizer = torch.optim.Adam(layer.parameters(), lr=lr, weight_decay=weight_decay)
    accuracies = []
    for _ in range(steps):
        optimizer.zero_grad()
        F.cross_entropy(layer(train), y_train).backward()
        optimizer.step()
        with torch.no_grad():
            pairs = (val, y_val), (test, y_test)
            accuracies.append([(layer(rows).argmax(1) == truth).double().mean() for rows, truth in pairs])
    on_val, on_test = torch.tensor(accuracies).T
    steps = {"last": -1, "best_val": on_val.argmax(), "best_test": on_test.argmax()}
    return {name: float(on_test[step]) for name, step in steps.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--method", default="CCASSG", choices=node.METHODS)
    parser.add_argument("--settings", default="tables", choices=SETTINGS, help="whose (default: tables)")
    parser.add_argument("--dataset", default="Cora", help="a data set with one label a node (default: Cora)")
    parser.add_argument("--root", help="folder of the data sets (default: $GCL_DATA, else data)")
    parser.add_argument("--epochs", type=int, help="default: as in the settings")
    parser.add_argument("--seed", type=int, nargs="+", default=[0], help="one run each (default: 0)")
    args = parser.parse_args()

    data = gcl.load(args.dataset, args.root)
    settings = settings_of(args.method, args.dataset, args.settings, epochs=args.epochs)
    runs = []
    for seed in args.seed:
        splits = node.splits_of(data, seed)
        best, _ = node.train(args.method, data, settings, seed, list(splits.values()), probes=1)
        runs.append({})
        for (name, split), h, scores in zip(splits.items(), best.h, best.scores, strict=True):
            theirs = adam_probe(h, data.y, split, **settings.get("probe", {}))
            runs[-1][f"{args.method}, {args.dataset}, {name}"] = {"ours": scores["accuracy"]} | theirs
    probe = settings.get("probe", "Adam, 0.01, 300 steps")
    print(f"\n{len(runs)} seeds, after {settings['epochs']} epochs; the authors' probe: {probe}")
    print_scores(runs, COLUMNS)


if __name__ == "__main__":
    main()
