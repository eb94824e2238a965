"""Any graph-level method beside its baselines: `python -m benchmarks.graph --method GraphCL --dataset MUTAG`.

The settings are in settings.json; a data set that is not there takes MUTAG's. A support vector machine is
cross-validated on the embeddings of the last epoch: no epoch is chosen.
"""

import argparse
import statistics

import torch
from torch_geometric.loader import DataLoader

import gcl
from benchmarks.settings import SETTINGS, build, encoders, settings_of, train
from benchmarks.tables import print_scores

METHODS = [name for name, sets in SETTINGS["tables"].items() if "MUTAG" in sets]


def folds_of(graphs, seed):
    """The seed's ten folds."""
    y = torch.cat([graph.y for graph in graphs])
    return gcl.eval.random_folds(y, 10, generator=torch.Generator().manual_seed(seed))


def baselines(graphs, settings, seed):
    """The baselines' scores for one seed."""
    torch.manual_seed(seed)
    return gcl.eval.graph_baselines(graphs, folds_of(graphs, seed), encoders(settings, graphs.num_features)[0])


def run(name, graphs, settings, seed, device="cpu"):
    """Train a method; return its scores and the CPU seconds of an epoch."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    method = build(name, settings, graphs.num_features).to(device)
    prepared = [method.prepare(graph) for graph in graphs]
    loader = DataLoader(prepared, min(128, len(graphs)), shuffle=True, drop_last=True, generator=generator)
    seconds = train(method, loader, settings, generator)
    g, y = gcl.eval.embed_graphs(method, prepared)
    return gcl.eval.svm_cv(g, y, folds_of(graphs, seed)), statistics.mean(seconds)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--method", default="GraphCL", choices=METHODS)
    parser.add_argument("--dataset", default="atlas", help="any graph data set of gcl.load (default: atlas)")
    parser.add_argument("--root", help="folder of the data sets (default: $GCL_DATA, else data)")
    parser.add_argument("--epochs", type=int, help="default: as in settings.json")
    parser.add_argument("--seed", type=int, nargs="+", default=[0, 1, 2], help="one run each (default: 0 1 2)")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    args = parser.parse_args()

    graphs = gcl.load(args.dataset, args.root)
    settings = settings_of(args.method, args.dataset, epochs=args.epochs)
    runs = []
    for seed in args.seed:
        own, seconds = run(args.method, graphs, settings, seed, args.device)
        runs.append(baselines(graphs, settings, seed) | {args.method: own})

    print(f"\n{args.dataset}: SVM, 10 folds, {len(runs)} seeds, {seconds:.2f} CPU s an epoch, {settings}")
    print_scores(runs)


if __name__ == "__main__":
    main()
