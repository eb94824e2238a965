"""A graph that does not fit at once: sampled mini-batches, embeddings in pieces: `python examples/large_graph.py`.

GRACE compares the 1,024 seeds of each batch; the batch holds their sampled neighbors too. The graph here is a built-in
block model of 50,000 nodes. Where the clusters of a partition suit better, the batches are those of
`gcl.data.cluster_loader(data, gcl.data.partition(data, 100), batch_size=10)`.
"""

import argparse

import torch

import gcl

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--nodes", type=int, default=50_000)
parser.add_argument("--epochs", type=int, default=3)
args = parser.parse_args()

generator = torch.Generator().manual_seed(0)
sizes = (args.nodes // 5,) * 5
data = gcl.data.csbm(sizes, num_edges=4 * args.nodes, num_words=500, generator=generator)
split = gcl.eval.random_split(data.num_nodes, train=0.02, val=0.02, generator=generator)

torch.manual_seed(0)
encoder = gcl.nn.gcn(data.num_features, 128, 2, 64, act="prelu")
scores = gcl.eval.baselines(data, split, encoder)

loader = gcl.data.neighbor_loader(data, num_neighbors=[10, 10], batch_size=1024, drop_last=True, generator=generator)
method = gcl.methods.GRACE(encoder, temperature=0.4)
optimizer = torch.optim.Adam(method.parameters(), lr=1e-3)
gcl.fit(method, loader, optimizer, args.epochs, generator=generator)

h = method.embed(data, chunk=10_000)  # layer by layer, 10,000 nodes at a time, all neighbors
scores["GRACE"] = gcl.eval.linear_probe(h, data.y, split)
print(f"\n{data.num_nodes:,} nodes, {data.num_edges:,} edges, {args.epochs} epochs of {len(loader)} batches")
for name, score in scores.items():
    print(f"{name:14}{score['accuracy']:.1%}")
