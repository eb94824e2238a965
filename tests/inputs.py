"""Graphs and seeds that the tests share."""

import torch
from torch_geometric.data import Data


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def ring(n=12, d=4):
    """A ring with random features, and a node apart."""
    node = torch.arange(n - 1)
    edge_index = torch.stack([node, (node + 1) % (n - 1)])
    return Data(x=torch.randn(n, d), edge_index=torch.cat([edge_index, edge_index.flip(0)], dim=1))
