"""Any graph-level method beside its baselines: `python -m benchmarks.graph --method GraphCL --dataset MUTAG`.

The settings are in settings.json; a data set that is not there takes MUTAG's. A support vector machine is
cross-validated on the embeddings of the last epoch: no epoch is chosen.
"""

import argparse
import statistics

import torch
from torch_geometric.loader import DataLoader
from torch_geometric.nn import global_add_pool

import gcl
from benchmarks.settings import SETTINGS, build, encoders, settings_of
from benchmarks.settings import train as train_epochs
from benchmarks.tables import print_scores
from gcl.eval._filter_bank import filters

METHODS = [name for name, sets in SETTINGS["tables"].items() if "MUTAG" in sets]


def folds_of(graphs, seed):
    """The seed's ten folds."""
    y = torch.cat([graph.y for graph in graphs])
    return gcl.eval.random_folds(y, 10, generator=torch.Generator().manual_seed(seed))


def baselines(graphs, settings, seed):
    """The baselines' scores for one seed."""
    torch.manual_seed(seed)
    return gcl.eval.graph_baselines(graphs, folds_of(graphs, seed), encoders(settings, graphs.num_features)[0])


def bank(graphs):
    """The pooled blocks of the filter bank, to put beside embeddings."""
    pooled = [[global_add_pool(block, batch.batch) for block in filters(batch)] for batch in DataLoader(graphs, 256)]
    return torch.cat([torch.cat(blocks, dim=1) for blocks in pooled])


def set_up(name, graphs, settings, seed, device="cpu"):
    """The untrained method, the graphs as it wants them, their loader, and the generator of both."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    method = build(name, settings, graphs.num_features).to(device)
    prepared = [method.prepare(graph) for graph in graphs]
    loader = DataLoader(prepared, settings.get("batch_size", 128), shuffle=True, generator=generator)
    return method, prepared, loader, generator


def train(name, graphs, settings, seed, device="cpu"):
    """Train a method; return the embeddings and labels of the graphs, and the CPU seconds of an epoch."""
    method, prepared, loader, generator = set_up(name, graphs, settings, seed, device)
    seconds = train_epochs(method, loader, settings, generator)
    return *gcl.eval.embed_graphs(method, prepared), statistics.mean(seconds)


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
        g, y, seconds = train(args.method, graphs, settings, seed, args.device)
        own = {args.method: gcl.eval.svm_cv(g, y, folds_of(graphs, seed))}
        runs.append(baselines(graphs, settings, seed) | own)

    print(f"\n{args.dataset}: SVM, 10 folds, {len(runs)} seeds, {seconds:.2f} CPU s an epoch, {settings}")
    print_scores(runs)


if __name__ == "__main__":
    main()
