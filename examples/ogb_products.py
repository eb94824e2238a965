"""Embed ogbn-products, 2.4 million nodes, by StructComp: `python examples/ogb_products.py` (needs `torch-gcl[ogb]`).

CCA-SSG is trained on the 272,000 clusters of a partition, without edges, and embeds the whole graph. On CPUs it takes
some 12 minutes and 15 GB. `python -m benchmarks.ogb_node --dataset ogbn-products` does more: mini-batches of BGRL,
several processes, checkpoints.
"""

import argparse

import torch

import gcl

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--root", help="folder of the data sets (default: $GCL_DATA, else data)")
parser.add_argument("--epochs", type=int, default=20)
args = parser.parse_args()

data = gcl.load("ogbn-products", args.root)
generator = torch.Generator().manual_seed(0)
split = gcl.eval.split_from_masks(data)  # OGB's
labels = split.train[torch.randperm(len(split.train), generator=generator)[:20_000]]  # are enough for a linear probe
split = split._replace(train=labels)
cluster = gcl.data.partition(data, data.num_nodes // 9, "matching")

torch.manual_seed(0)
encoder = gcl.nn.gcn(data.num_features, 256, 2, 128, final_activation=False)
method = gcl.methods.StructComp(gcl.methods.CCASSG(encoder), cluster)
features = {"raw": data.x, "propagated": gcl.nn.propagate(data, hops=2), "untrained": method.embed(data, chunk=50_000)}
optimizer = torch.optim.Adam(method.parameters(), lr=1e-3)
gcl.fit(method, data, optimizer, args.epochs, generator=generator)
features["CCA-SSG"] = method.embed(data, chunk=50_000)

print("\nogbn-products" + " (SYNTHETIC)" * ("synthetic" in data))
for name, z in features.items():
    print(f"{name:14}{gcl.eval.linear_probe(z, data.y, split)['accuracy']:.1%}")
