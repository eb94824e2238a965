"""GRACE as one would write it with PyG alone, and POT added by two lines: `python examples/pot_plugin.py`."""

import torch
import torch.nn.functional as F
from torch_geometric.nn import GCN
from torch_geometric.utils import dropout_edge

from gcl.data import load
from gcl.eval import baselines, certified_fraction, linear_probe, random_split
from gcl.regularizers import pot_loss  # the first line

KAPPA, RATES, TEMPERATURE = 0.3, (0.4, 0.3), 0.4


def nce(z1, z2):
    z1, z2 = F.normalize(z1), F.normalize(z2)
    between, within = (z1 @ z2.T / TEMPERATURE).exp(), (z1 @ z1.T / TEMPERATURE).exp()
    return -(between.diagonal() / (between.sum(1) + within.sum(1) - within.diagonal())).log().mean()


def train(data, kappa, epochs=50):
    torch.manual_seed(0)
    encoder = GCN(data.num_features, 128, num_layers=2, out_channels=64)
    projector = torch.nn.Sequential(torch.nn.Linear(64, 64), torch.nn.ELU(), torch.nn.Linear(64, 64))
    optimizer = torch.optim.Adam([*encoder.parameters(), *projector.parameters()], lr=1e-3)
    for _ in range(epochs):
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


def main():
    data = load("csbm")
    split = random_split(data.num_nodes, train=0.1, val=0.1, generator=torch.Generator().manual_seed(0))
    for name, scores in baselines(data, split).items():
        print(f"{name:18} accuracy {scores['accuracy']:.3f}")
    for name, kappa in (("GRACE", 0.0), ("GRACE + POT", KAPPA)):
        encoder = train(data, kappa)
        accuracy = linear_probe(encoder(data.x, data.edge_index).detach(), data.y, split)["accuracy"]
        shares = certified_fraction(encoder, data, (0.1, 0.2, 0.4))
        print(f"{name:18} accuracy {accuracy:.3f}, certified at p = 0.1, 0.2, 0.4:", *(f"{s:.1%}" for s in shares))


if __name__ == "__main__":
    main()
