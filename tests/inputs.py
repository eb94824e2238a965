"""Graphs and seeds that the tests share."""

import torch
from torch_geometric.data import Data

from gcl.nn._molecules import ATOM, BOND


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def ring(n=12, d=4):
    """A ring with random features, and a node apart."""
    node = torch.arange(n - 1)
    edge_index = torch.stack([node, (node + 1) % (n - 1)])
    return Data(x=torch.randn(n, d), edge_index=torch.cat([edge_index, edge_index.flip(0)], dim=1))


def molecules(generator, count=5):
    """Graphs with OGB's integers, of 1, 2, ... atoms: the first has no bonds."""
    graphs = []
    for n in range(1, count + 1):
        bonds = torch.randint(n, (2, 2 * (n - 1)), generator=generator)
        x = torch.stack([torch.randint(size, (n,), generator=generator) for size in ATOM], dim=1)
        attr = torch.stack([torch.randint(size, (len(bonds.T),), generator=generator) for size in BOND], dim=1)
        graphs.append(Data(x, torch.cat([bonds, bonds.flip(0)], dim=1), torch.cat([attr, attr])))
    return graphs
