"""Embed a graph from two CSV files, and save the embeddings by node: `python examples/own_graph.py`.

To have something to read, it first writes the files into a temporary folder: 300 users in three communities.
"""

import csv
import random
import tempfile
from pathlib import Path

import torch
from torch_geometric.data import Data
from torch_geometric.utils import to_undirected

import gcl

folder = Path(tempfile.mkdtemp())
rng = random.Random(0)
with (folder / "users.csv").open("w", newline="") as file:
    rows = [[f"user-{i}", rng.gauss(30 + 10 * (i % 3), 8), rng.gauss(i % 3, 1)] for i in range(300)]
    csv.writer(file).writerows([["id", "age", "score"], *rows])
with (folder / "follows.csv").open("w", newline="") as file:
    pairs = [(i, (i + 3 * rng.randrange(1, 100)) % 300) for i in range(300) for _ in range(4)]  # within a community
    csv.writer(file).writerows([["source", "target"], *([f"user-{i}", f"user-{j}"] for i, j in pairs)])

with (folder / "users.csv").open(newline="") as file:
    users = list(csv.DictReader(file))
with (folder / "follows.csv").open(newline="") as file:
    follows = list(csv.DictReader(file))
number = {user["id"]: i for i, user in enumerate(users)}  # row i of x is user i of the file
x = torch.tensor([[float(user["age"]), float(user["score"])] for user in users])
edges = torch.tensor([[number[follow["source"]], number[follow["target"]]] for follow in follows])
data = Data(x=(x - x.mean(0)) / x.std(0), edge_index=to_undirected(edges.T, num_nodes=len(users)))

torch.manual_seed(0)
method = gcl.methods.GRACE(gcl.nn.gcn(data.num_features, 64, 2, 32), feature_mask=0.2)
optimizer = torch.optim.Adam(method.parameters(), lr=1e-3)
gcl.fit(method, data, optimizer, epochs=100, generator=torch.Generator().manual_seed(0))
h = method.embed(data)

with (folder / "embeddings.csv").open("w", newline="") as file:
    writer = csv.writer(file)
    writer.writerow(["id", *(f"h{k}" for k in range(h.size(1)))])
    writer.writerows([user["id"], *row] for user, row in zip(users, h.tolist(), strict=True))
print(f"wrote {folder / 'embeddings.csv'}: {h.size(0)} users, {h.size(1)} numbers each")

z = torch.nn.functional.normalize(h)
nearest = (z @ z[0]).argsort(descending=True)[1:6]
print("nearest to user-0:", ", ".join(users[i]["id"] for i in nearest))
