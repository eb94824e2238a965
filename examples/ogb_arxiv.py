"""Embed ogbn-arxiv without labels, in mini-batches: `python examples/ogb_arxiv.py` (needs `torch-gcl[ogb]`).

GRACE compares the 1,024 seeds of each batch. `python -m benchmarks.ogb_node` does more: other methods, the whole graph,
several processes, checkpoints, POT, mixed precision. Without the download, `python -m benchmarks.make_ogb_like
ogbn-arxiv data` writes a synthetic stand-in.
"""

import argparse

import torch

import gcl

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--root", help="folder of the data sets (default: $GCL_DATA, else data)")
parser.add_argument("--epochs", type=int, default=20)
parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
args = parser.parse_args()

data = gcl.load("ogbn-arxiv", args.root)  # stays on the CPU; the batches go to the device
generator = torch.Generator().manual_seed(0)
split = gcl.eval.split_from_masks(data)  # OGB's
labels = split.train[torch.randperm(len(split.train), generator=generator)[:20_000]]  # are enough for a linear probe
split = split._replace(train=labels)

torch.manual_seed(0)
encoder = gcl.nn.gcn(data.num_features, 256, 2, 128)
scores = gcl.eval.baselines(data, split, encoder)

loader = gcl.data.neighbor_loader(data, num_neighbors=[10, 10], batch_size=1024, drop_last=True, generator=generator)
method = gcl.methods.GRACE(encoder, temperature=0.4).to(args.device)
optimizer = torch.optim.Adam(method.parameters(), lr=1e-3)
gcl.fit(method, loader, optimizer, args.epochs, generator=generator)
h = method.embed(data, chunk=50_000)
scores["GRACE"] = gcl.eval.linear_probe(h, data.y, split)

print("\nogbn-arxiv" + " (SYNTHETIC)" * ("synthetic" in data))
for name, score in scores.items():
    print(f"{name:14}{score['accuracy']:.1%}")
