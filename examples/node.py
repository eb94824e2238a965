"""Any node-level method beside its baselines: `python examples/node.py --method CCASSG --dataset Cora --root data`.

The hyper-parameters are in hyperparameters.json; a data set that is not there takes Cora's. The embeddings are probed
at five points of the training, and the one that is best on the validation rows is tested.
"""

import argparse
import json
import time
from pathlib import Path

import torch
from torch_geometric.transforms import NormalizeFeatures
from tqdm import tqdm

import gcl

HYPERPARAMETERS = json.loads(Path(__file__).with_name("hyperparameters.json").read_text())["node"]


def hyperparameters(method, dataset):
    """What hyperparameters.json says of the method on the data set."""
    return HYPERPARAMETERS[method].get(dataset, HYPERPARAMETERS[method]["Cora"])


def encoders(hp, num_features):
    """The encoder, untrained; MVGRL has two."""
    return [getattr(gcl.nn, gnn)(num_features, **options) for gnn, options in hp["encoders"]]


def split_of(data, seed, public=False):
    """The seed's 10/10/80 split, or the public split of Planetoid."""
    if public:
        return gcl.eval.split_from_masks(data)
    return gcl.eval.random_split(data.num_nodes, train=0.1, val=0.1, generator=torch.Generator().manual_seed(seed))


def train(name, data, hp, seed, splits, clock=time.perf_counter):
    """Train a method; return, for each split, the scores where validation was best, and the seconds of an epoch."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    data = NormalizeFeatures()(data.clone()) if hp.get("normalize") else data
    method = getattr(gcl.methods, name)(*encoders(hp, data.num_features), **hp["method"]).to(data.x.device)
    optimizer = torch.optim.Adam(method.parameters(), lr=hp["lr"], weight_decay=hp["weight_decay"])

    best, seconds, start = [{"val_accuracy": -1.0}] * len(splits), 0.0, clock()
    data = method.prepare(data)
    run = gcl.train.fit(method, [data], optimizer, hp["epochs"], generator=generator)
    for epoch, _ in tqdm(run, total=hp["epochs"], desc=f"{name}, seed {seed}", leave=False, mininterval=1):
        if epoch % max(hp["epochs"] // 5, 1) == 0:
            seconds += clock() - start
            h = method.embed(data)
            scores = [gcl.eval.linear_probe(h, data.y, split) | {"epoch": epoch} for split in splits]
            best = [max(pair, key=lambda scores: scores["val_accuracy"]) for pair in zip(best, scores, strict=True)]
            start = clock()
    return best, seconds / hp["epochs"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--method", default="GRACE", choices=HYPERPARAMETERS)
    parser.add_argument("--dataset", default="csbm", help="any node data set of gcl.data.load (default: csbm)")
    parser.add_argument("--root", help="folder of the data sets (default: $GCL_DATA, else data)")
    parser.add_argument("--epochs", type=int, help="default: as in hyperparameters.json")
    parser.add_argument("--seed", type=int, nargs="+", default=[0, 1, 2], help="one run each (default: 0 1 2)")
    parser.add_argument("--public", action="store_true", help="the data set's own split instead of 10/10/80")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    args = parser.parse_args()

    data = gcl.data.load(args.dataset, args.root).to(args.device)
    hp = hyperparameters(args.method, args.dataset) | ({"epochs": args.epochs} if args.epochs else {})
    runs = []
    for seed in args.seed:
        torch.manual_seed(seed)
        split = split_of(data, seed, args.public)
        scores = gcl.eval.baselines(data, split, encoders(hp, data.num_features)[0])
        (own,), seconds = train(args.method, data, hp, seed, [split])
        runs.append(scores | {args.method: own})

    print(f"{args.dataset}: linear probe, {len(runs)} seeds, {seconds:.2f} s per epoch, {hp}")
    print("| | accuracy % | macro F1 % |\n|---|---|---|")
    for name in runs[0]:
        cells = [100 * torch.tensor([scores[name][key] for scores in runs]) for key in ("accuracy", "macro_f1")]
        print(f"| {name} | " + " | ".join(f"{cell.mean():.1f} ± {cell.std(correction=0):.1f}" for cell in cells) + " |")


if __name__ == "__main__":
    main()
