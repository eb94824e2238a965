"""StructComp beside full-graph training and the baselines: `python examples/structcomp.py --dataset Cora --root data`.

The graph is cut into parts of about nine nodes. Training sees one row a part, the mean of its members and of a random
half of them, and no edges; the embeddings are those of the whole graph. No probe has a say in the training.
"""

import argparse
import time

import torch

import gcl
from gcl.methods import CCASSG, GRACE, StructComp


def build(name, data):
    """A method with the encoder that the paper gives it (one layer for GRACE, two for CCA-SSG)."""
    if name == "GRACE":
        return GRACE(gcl.nn.gcn(data.num_features, 512, 1, 512, act="prelu"), 512, temperature=0.5)
    return CCASSG(gcl.nn.gcn(data.num_features, 512, 2, 512, act=torch.nn.Identity()), weight=5e-4)


def train(method, data, args, generator):
    """Train; return the seconds of an epoch."""
    optimizer = torch.optim.Adam(method.parameters(), lr=args.lr, weight_decay=5e-4)
    start = time.perf_counter()
    for _ in gcl.train.fit(method, [data], optimizer, args.epochs, generator=generator):
        pass
    return (time.perf_counter() - start) / args.epochs


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--method", default="CCASSG", choices=["CCASSG", "GRACE"])
    parser.add_argument("--dataset", default="csbm", help="any node data set of gcl.data.load (default: csbm)")
    parser.add_argument("--root", help="folder of the data sets (default: $GCL_DATA, else data)")
    parser.add_argument("--parts", type=int, help="default: N / 9")
    parser.add_argument("--partition", default="matching", choices=["metis", "matching", "labelprop"])
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--seed", type=int, nargs="+", default=[0, 1, 2], help="one run each (default: 0 1 2)")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    args = parser.parse_args()

    data = gcl.data.load(args.dataset, args.root).to(args.device)
    num_clusters = None if args.partition == "labelprop" else args.parts or data.num_nodes // 9
    runs, seconds = [], {}
    for seed in args.seed:
        torch.manual_seed(seed)
        split = gcl.eval.random_split(data.num_nodes, 0.1, 0.1, generator=torch.Generator().manual_seed(seed))
        cluster = gcl.data.partition(data, num_clusters, args.partition, seed)
        scores = gcl.eval.baselines(data, split, build(args.method, data).encoder)
        for name in (args.method, f"{args.method}, StructComp"):
            torch.manual_seed(seed)
            method = build(args.method, data).to(args.device)
            if "StructComp" in name:
                method = StructComp(method, cluster, weighted=args.partition == "labelprop")
            seconds[name] = train(method, data, args, generator=torch.Generator().manual_seed(seed))
            scores[name] = gcl.eval.linear_probe(method.embed(data), data.y, split)
        runs.append(scores)

    print(f"{args.dataset}: 10/10/80 splits, {len(runs)} seeds, {gcl.data.partition_quality(data, cluster)}")
    print("| | accuracy % | macro F1 % | s / epoch |\n|---|---|---|---|")
    for name in runs[0]:
        cells = [100 * torch.tensor([scores[name][key] for scores in runs]) for key in ("accuracy", "macro_f1")]
        cells = " | ".join(f"{cell.mean():.1f} ± {cell.std(correction=0):.1f}" for cell in cells)
        print(f"| {name} | {cells} | {seconds[name]:.3f} |" if name in seconds else f"| {name} | {cells} | |")


if __name__ == "__main__":
    main()
