"""StructComp: train on a compressed graph, embed the whole one: `python examples/structcomp.py`.

The graph is cut into clusters of about nine nodes. Training sees one row for each cluster, the mean of its members and
of a random half of them, and no edges. The same method on the full graph is trained beside it.
"""

import argparse
import time

import torch

import gcl

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--dataset", default="csbm", help="any node data set of gcl.load (default: csbm)")
parser.add_argument("--partition", default="matching", choices=["metis", "matching"])
parser.add_argument("--epochs", type=int, default=20)
args = parser.parse_args()

data = gcl.load(args.dataset)
split = gcl.eval.random_split(data.num_nodes, train=0.1, val=0.1, generator=torch.Generator().manual_seed(0))
cluster = gcl.data.partition(data, data.num_nodes // 9, args.partition)
print(f"{args.dataset}: {gcl.data.partition_quality(data, cluster)}")


def build():
    torch.manual_seed(0)
    return gcl.methods.CCASSG(gcl.nn.gcn(data.num_features, 512, act=None), decorrelation_weight=5e-4)


scores = gcl.eval.baselines(data, split, build().encoder)
methods = {"CCA-SSG, full graph": build(), "CCA-SSG, StructComp": gcl.methods.StructComp(build(), cluster)}
seconds = {}
for name, method in methods.items():
    optimizer = torch.optim.Adam(method.parameters(), lr=1e-3, weight_decay=5e-4)
    start = time.perf_counter()
    gcl.fit(method, data, optimizer, args.epochs, generator=torch.Generator().manual_seed(0))
    seconds[name] = time.perf_counter() - start
    scores[name] = gcl.eval.linear_probe(method.embed(data), data.y, split)

for name, score in scores.items():
    print(f"{name:22}{score['accuracy']:.1%}", f"{seconds[name]:7.1f} s" if name in seconds else "")
