"""Embed the nodes of two CSV files, and save the embeddings by id: `python examples/own_graph.py`.

To have something to read, it first writes the files into a temporary folder: 300 users of three communities, who mostly
follow their own, and of whom half say which it is. It needs pandas: `pip install pandas`.
"""

import csv
import random
import tempfile
from pathlib import Path

import numpy as np
import torch

import gcl

folder = Path(tempfile.mkdtemp())
rng = random.Random(0)
names = [f"user-{i}" for i in range(300)]
with (folder / "users.csv").open("w", newline="") as file:
    noise = [[rng.gauss(30 + 5 * (i % 3), 8), rng.gauss(i % 3, 2)] for i in range(300)]
    said = [("art", "law", "tea")[i % 3] if i < 150 else "" for i in range(300)]
    rows = [[name, *numbers, word] for name, numbers, word in zip(names, noise, said, strict=True)]
    csv.writer(file).writerows([["id", "age", "score", "community"], *rows])
with (folder / "follows.csv").open("w", newline="") as file:
    pairs = [(i, (i + rng.choice([3, 3, 3, 1]) * rng.randrange(1, 100)) % 300) for i in range(300) for _ in range(4)]
    csv.writer(file).writerows([["source", "target"], *([names[i], names[j]] for i, j in pairs)])

data, ids = gcl.data.from_edge_list(folder / "follows.csv", folder / "users.csv", labels="community")
data.x = (data.x - data.x.mean(0)) / data.x.std(0)
print(f"{data.num_nodes} nodes, {data.num_edges} edges, {(data.y >= 0).sum()} labels: {', '.join(data.classes)}")

torch.manual_seed(0)
method = gcl.methods.GRACE(gcl.nn.gcn(data.num_features, 64, 2, 32), feature_mask=0.2)
optimizer = torch.optim.Adam(method.parameters(), lr=1e-3)
gcl.fit(method, data, optimizer, epochs=100, generator=torch.Generator().manual_seed(0))
h = method.embed(data)

labeled = (data.y >= 0).nonzero().squeeze(1)
split = gcl.eval.Split(*labeled.tensor_split([30, 50]))
scores = gcl.eval.baselines(data, split)
scores["GRACE"] = gcl.eval.linear_probe(h, data.y, split)
print(f"accuracy on the communities of {len(split.test)} users")
for name, score in scores.items():
    print(f"  {name:14}{score['accuracy']:.0%}")

gcl.save_embeddings(folder / "embeddings.npz", h, ids)
saved = np.load(folder / "embeddings.npz", allow_pickle=False)
z = saved["embedding"] / np.linalg.norm(saved["embedding"], axis=1, keepdims=True)
nearest = (z @ z[saved["id"] == "user-0"][0]).argsort()[:-7:-1]
print(f"{folder / 'embeddings.npz'}: nearest to user-0 are", ", ".join(saved["id"][nearest[1:]]))
