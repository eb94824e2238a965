"""A heterogeneous graph, ACM's papers, authors and subjects, without labels: `python examples/heterogeneous.py`.

GraphSAGE is made heterogeneous by PyG's `to_hetero`, and `gcl.nn.NodeType` shows the method one node type of it, the
papers. Their embeddings are probed with 20, 40 and 60 labels per class, beside features that took no training.
"""

import argparse

import torch
from torch_geometric.nn import GraphSAGE, to_hetero

import gcl

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--epochs", type=int, default=60)
parser.add_argument("--root", help="folder of the data set (default: $GCL_DATA, else data)")
args = parser.parse_args()

torch.manual_seed(0)
data = gcl.load("ACM", args.root)
data["subject"].x = torch.eye(data["subject"].num_nodes)  # no features: one column for each of the 60 subjects
network = to_hetero(GraphSAGE((-1, -1), 64, 2), data.metadata())
with torch.no_grad():
    network(data.x_dict, data.edge_index_dict)  # tells the layers the width of each type's features
encoder = gcl.nn.NodeType(network, "paper", out_channels=64)
splits = {
    labels: gcl.eval.split_from_masks(gcl.load("ACM", args.root, split=labels)["paper"]) for labels in (20, 40, 60)
}
scores = {labels: gcl.eval.baselines(data, split, encoder) for labels, split in splits.items()}

method = gcl.methods.GRACE(encoder, edge_drop=0.3, feature_mask=0.3)
optimizer = torch.optim.Adam(method.parameters(), lr=5e-3, weight_decay=1e-5)
gcl.fit(method, data, optimizer, args.epochs, generator=torch.Generator().manual_seed(0))
h = method.embed(data)
for labels, split in splits.items():
    scores[labels]["GRACE"] = gcl.eval.linear_probe(h, data["paper"].y, split)

print("\nACM, micro F1 / macro F1 in % by labels per class")
print(" " * 12 + "".join(f"{labels:>14}" for labels in splits))
for name in scores[20]:
    cells = (f"{100 * row[name]['accuracy']:.1f} / {100 * row[name]['macro_f1']:.1f}" for row in scores.values())
    print(f"{name:12}" + "".join(f"{cell:>14}" for cell in cells))
