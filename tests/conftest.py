"""Fixtures shared by the tests."""

import os

import pytest
import torch
from hypothesis import settings
from torch_geometric.data import Data

torch.set_num_threads(1)  # the tensors are small: more threads only wait for each other
settings.register_profile("torch-gcl", deadline=None, max_examples=50)
settings.load_profile("torch-gcl")


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)


@pytest.fixture
def square():
    """Four nodes in a cycle, two classes."""
    edge_index = torch.tensor([[0, 1, 1, 2, 2, 3, 3, 0], [1, 0, 2, 1, 3, 2, 0, 3]])
    return Data(x=torch.eye(4), edge_index=edge_index, y=torch.tensor([0, 0, 1, 1]))


@pytest.fixture(scope="session")
def data_root():
    """The folder of the real data sets; tests that need it are skipped without it."""
    root = os.environ.get("GCL_DATA")
    if not root:
        pytest.skip("GCL_DATA is not set: no real data sets")
    return root
