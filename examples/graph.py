"""Any graph-level method beside its baselines: `python examples/graph.py --method GraphCL --dataset MUTAG --root data`.

The hyper-parameters are in hyperparameters.json; a data set that is not there takes MUTAG's. A support vector machine
is cross-validated on the embeddings of the last epoch: no epoch is chosen.
"""

import argparse
import json
import time
from functools import partial
from pathlib import Path

import torch
from torch_geometric.loader import DataLoader
from tqdm import tqdm

import gcl

HYPERPARAMETERS = json.loads(Path(__file__).with_name("hyperparameters.json").read_text())["graph"]


def hyperparameters(method, dataset):
    """What hyperparameters.json says of the method on the data set."""
    return HYPERPARAMETERS[method].get(dataset, HYPERPARAMETERS[method]["MUTAG"])


def folds_of(graphs, seed):
    """The seed's ten folds."""
    y = torch.cat([graph.y for graph in graphs])
    return gcl.eval.random_folds(y, 10, generator=torch.Generator().manual_seed(seed))


def encoders(hp, num_features):
    """The encoder, untrained; MVGRLGraph has two."""
    return [getattr(gcl.nn, gnn)(num_features, **options) for gnn, options in hp["encoders"]]


def build(name, hp, num_features):
    """The method; "GraphCL, macl" is GraphCL with another objective."""
    options = dict(hp["method"])
    if "objective" in options:
        loss, keywords = options["objective"]
        options["objective"] = partial(getattr(gcl.losses, loss), **keywords)
    return getattr(gcl.methods, name.split(",")[0])(*encoders(hp, num_features), **options)


def train(name, graphs, hp, seed, device="cpu", clock=time.perf_counter):
    """Train a method; return its scores and the seconds of an epoch."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    method = build(name, hp, graphs.num_features).to(device)
    optimizer = torch.optim.Adam(method.parameters(), lr=hp["lr"])
    graphs = [method.prepare(graph) for graph in graphs]
    loader = DataLoader(graphs, min(128, len(graphs)), shuffle=True, drop_last=True, generator=generator)

    start = clock()
    run = gcl.train.fit(method, loader, optimizer, hp["epochs"], generator=generator)
    for _ in tqdm(run, total=hp["epochs"], desc=f"{name}, seed {seed}", leave=False, mininterval=1):
        pass
    seconds = (clock() - start) / hp["epochs"]
    g, y = gcl.eval.embed_graphs(method, graphs)
    return gcl.eval.svm_cv(g, y, folds_of(graphs, seed)), seconds


def baselines(graphs, hp, seed):
    """The baselines' scores for one seed."""
    torch.manual_seed(seed)
    return gcl.eval.graph_baselines(graphs, folds_of(graphs, seed), encoders(hp, graphs.num_features)[0])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--method", default="GraphCL", choices=HYPERPARAMETERS)
    parser.add_argument("--dataset", default="atlas", help="any graph data set of gcl.data.load (default: atlas)")
    parser.add_argument("--root", help="folder of the data sets (default: $GCL_DATA, else data)")
    parser.add_argument("--epochs", type=int, help="default: as in hyperparameters.json")
    parser.add_argument("--seed", type=int, nargs="+", default=[0, 1, 2], help="one run each (default: 0 1 2)")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    args = parser.parse_args()

    graphs = gcl.data.load(args.dataset, args.root)
    hp = hyperparameters(args.method, args.dataset) | ({"epochs": args.epochs} if args.epochs else {})
    runs = []
    for seed in args.seed:
        own, seconds = train(args.method, graphs, hp, seed, args.device)
        runs.append(baselines(graphs, hp, seed) | {args.method: own})

    print(f"{args.dataset}: SVM, 10 folds, {len(runs)} seeds, {seconds:.2f} s per epoch, {hp}")
    print("| | accuracy % | macro F1 % |\n|---|---|---|")
    for name in runs[0]:
        cells = [100 * torch.tensor([scores[name][key] for scores in runs]) for key in ("accuracy", "macro_f1")]
        print(f"| {name} | " + " | ".join(f"{cell.mean():.1f} ± {cell.std(correction=0):.1f}" for cell in cells) + " |")


if __name__ == "__main__":
    main()
