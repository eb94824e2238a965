"""Is training worth it on a graph? A table, a sentence and a picture: `python examples/worth_it.py --dataset Cora`.

Two methods, each beside what takes no training: CCA-SSG on a GCN, whose views drop edges, and HopContrast, whose views
drop filters. Differences are paired by seed, and count above two standard errors.
"""

import argparse

import torch

import gcl

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--dataset", default="csbm", help="any node data set of gcl.load (default: csbm)")
parser.add_argument("--root", help="folder of the data sets (default: $GCL_DATA, else data)")
parser.add_argument("--epochs", type=int, default=50)
parser.add_argument("--seeds", type=int, default=3)
parser.add_argument("--picture", default="worth_it.png")
args = parser.parse_args()

data = gcl.load(args.dataset, args.root)


def split(seed):
    generator = torch.Generator().manual_seed(seed)
    return gcl.eval.random_split(data.num_nodes, train=0.2, val=0.2, generator=generator)


def on_edges():
    return gcl.methods.CCASSG(gcl.nn.gcn(data.num_features, 256, final_activation=False), feature_mask=0.3)


def on_filters():
    return gcl.methods.HopContrast(gcl.nn.hops(data.num_features, 256))


for method in (on_edges, on_filters):
    report = gcl.eval.report(method, data, split, args.seeds, epochs=args.epochs)
    print(f"\n{args.dataset}\n\n{report}")
ax = report.plot()
ax.figure.savefig(args.picture, bbox_inches="tight")
print(f"\nthe last table as a picture: {args.picture}")
