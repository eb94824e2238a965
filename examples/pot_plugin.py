"""GRACE as one would write it with PyG alone, and POT added by two lines: `python examples/pot_plugin.py`."""

import argparse

import torch
import torch.nn.functional as F
from torch_geometric.nn import GCN
from torch_geometric.utils import dropout_edge

import gcl
from gcl.regularizers import pot_loss  # the first line

RATES, TEMPERATURE = (0.4, 0.3), 0.4
parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--dataset", default="csbm", help="any node data set of gcl.load (default: csbm)")
parser.add_argument("--epochs", type=int, default=50)
args = parser.parse_args()


def nce(z1, z2):
    z1, z2 = F.normalize(z1), F.normalize(z2)
    between, within = (z1 @ z2.T / TEMPERATURE).exp(), (z1 @ z1.T / TEMPERATURE).exp()
    return -(between.diagonal() / (between.sum(1) + within.sum(1) - within.diagonal())).log().mean()


def train(kappa):
    torch.manual_seed(0)
    encoder = GCN(data.num_features, 128, num_layers=2, out_channels=64)
    projector = torch.nn.Sequential(torch.nn.Linear(64, 64), torch.nn.ELU(), torch.nn.Linear(64, 64))
    optimizer = torch.optim.Adam([*encoder.parameters(), *projector.parameters()], lr=1e-3)
    for _ in range(args.epochs):
        edges = [dropout_edge(data.edge_index, p, force_undirected=True)[0] for p in RATES]
        h1, h2 = (encoder(data.x, edge_index) for edge_index in edges)
        z1, z2 = projector(h1), projector(h2)
        loss = (nce(z1, z2) + nce(z2, z1)) / 2
        if kappa:  # the second line
            loss = (1 - kappa) * loss + kappa * pot_loss(encoder, data.edge_index, (data.x, edges[0], h1), (data.x, edges[1], h2), RATES, mode="worst_tight")  # noqa: E501  # fmt: skip
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return encoder.eval()


data = gcl.load(args.dataset)
split = gcl.eval.random_split(data.num_nodes, train=0.1, val=0.1, generator=torch.Generator().manual_seed(0))
for name, scores in gcl.eval.baselines(data, split).items():
    print(f"{name:14} accuracy {scores['accuracy']:.1%}")
for name, kappa in {"GRACE": 0.0, "GRACE + POT": 0.3}.items():
    encoder = train(kappa)
    accuracy = gcl.eval.linear_probe(encoder(data.x, data.edge_index).detach(), data.y, split)["accuracy"]
    certified = gcl.eval.certified_fraction(encoder, data, (0.1, 0.2, 0.4))
    shares = ", ".join(f"{share:.1%}" for share in certified)
    print(f"{name:14} accuracy {accuracy:.1%}, certified at p = 0.1, 0.2, 0.4: {shares}")
