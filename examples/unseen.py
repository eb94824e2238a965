"""Embed nodes that came later, and other graphs, with a saved model in another process: `python examples/unseen.py`.

The model is trained on four fifths of the nodes. A fresh process loads it and embeds the grown graph; a probe that was
trained on the old nodes then reads off the classes of the new ones. docs/unseen.md explains what is printed.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from torch_geometric.data import Batch

import gcl

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--dataset", default="csbm", help="any node data set of gcl.load (default: csbm)")
parser.add_argument("--epochs", type=int, default=100)
parser.add_argument("--model", type=Path, help="embed the data set with this saved model (the second process)")
args = parser.parse_args()

data = gcl.load(args.dataset)
torch.manual_seed(0)
method = gcl.methods.GRACE(gcl.nn.gcn(data.num_features, 256, 2, 128, act="prelu"), temperature=0.4)
if args.model:
    gcl.train.load_checkpoint(args.model, method=method)
    gcl.save_embeddings(args.model.with_suffix(".npz"), method.embed(data))
    sys.exit()

generator = torch.Generator().manual_seed(0)
old, new = torch.randperm(data.num_nodes, generator=generator).tensor_split([4 * data.num_nodes // 5])
split = gcl.eval.Split(*old.tensor_split([len(old) // 2]), test=new)
scores = gcl.eval.baselines(data, split, method.encoder)
optimizer = torch.optim.Adam(method.parameters(), lr=1e-3, weight_decay=1e-5)
gcl.fit(method, data.subgraph(old), optimizer, args.epochs, generator=generator)

model = Path(tempfile.mkdtemp(), "model.ckpt")
gcl.train.save_checkpoint(model, args.epochs, method=method)
subprocess.run([sys.executable, __file__, "--dataset", args.dataset, "--model", str(model)], check=True)
h = torch.from_numpy(np.load(model.with_suffix(".npz"))["embedding"])  # of all nodes, by the other process

scores["GRACE"] = gcl.eval.linear_probe(h, data.y, split)
print(f"\n{args.dataset}: accuracy on {len(new)} nodes that the training has not seen")
for name, score in scores.items():
    print(f"{name:14}{score['accuracy']:.1%}")

loader = gcl.data.neighbor_loader(data, [-1, -1], batch_size=100, shuffle=False)  # all neighbors, a hop for each layer
batches = torch.cat([method.embed(batch) for batch in loader])
chunks = method.embed(data, chunk=100)
graphs = [data.subgraph(new), data.subgraph(old)]  # each a graph of its own
alone, together = torch.cat([method.embed(graph) for graph in graphs]), method.embed(Batch.from_data_list(graphs))
ways = {"in batches": (batches, h), "in chunks": (chunks, h), "graphs in a batch and alone": (together, alone)}
for name, (a, b) in ways.items():
    print(f"{name}: the largest difference is {(a - b).abs().max():.0e}")
moved = (method.embed(graphs[1]) - h[old]).norm(dim=1) / h[old].norm(dim=1)
print(f"old nodes before and after the graph grew: {moved.mean():.0%} apart, the same for {(moved < 1e-5).sum()}")
