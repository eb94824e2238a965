"""Embed nodes that came later, and other graphs, with a saved model: `python examples/unseen.py`.

The model is trained on four fifths of the nodes and saved. Another process would load it as here, and embed the grown
graph: the classes of the new nodes are then read off by a probe that was trained on the old ones.
"""

import argparse
import tempfile
from pathlib import Path

import torch

import gcl


def build():
    return gcl.methods.GRACE(gcl.nn.gcn(data.num_features, 256, 2, 128, act="prelu"), temperature=0.4)


parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--dataset", default="csbm", help="any node data set of gcl.load (default: csbm)")
parser.add_argument("--epochs", type=int, default=100)
args = parser.parse_args()

data = gcl.load(args.dataset)
generator = torch.Generator().manual_seed(0)
order = torch.randperm(data.num_nodes, generator=generator)
old, new = order.tensor_split([4 * data.num_nodes // 5])
path = Path(tempfile.mkdtemp(), "model.ckpt")

torch.manual_seed(0)
method = build()
optimizer = torch.optim.Adam(method.parameters(), lr=1e-3, weight_decay=1e-5)
gcl.fit(method, data.subgraph(old), optimizer, args.epochs, generator=generator)
gcl.train.save_checkpoint(path, args.epochs, method=method)

method = build()  # fresh weights
split = gcl.eval.Split(*old.tensor_split([len(old) // 2]), test=new)
scores = gcl.eval.baselines(data, split, method.encoder)
gcl.train.load_checkpoint(path, method=method)
h = method.embed(data)  # the whole graph: new nodes, and old nodes with new neighbors
scores["GRACE"] = gcl.eval.linear_probe(h, data.y, split)
print(f"\n{args.dataset}: accuracy on {len(new)} nodes that the training has not seen")
for name, score in scores.items():
    print(f"{name:14}{score['accuracy']:.1%}")

other = data.subgraph(new)  # a graph of its own, without an edge to what was trained on
print(f"\nembeddings of another graph: {list(method.embed(other).shape)}")
