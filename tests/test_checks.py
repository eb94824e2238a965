"""What a graph to train on may hold."""

import pytest
import torch
from torch_geometric.data import Batch, Data

from gcl._checks import check_graph, check_labels

EDGES = torch.tensor([[0, 1], [1, 2]])


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"edge_weight": torch.ones(2).long()}, TypeError, r"a floating-point tensor \[2\], got torch.int64 tensor"),
        ({"edge_weight": [1.0, 1.0]}, TypeError, r"data.edge_weight must be a tensor of numbers \[E\], got list"),
        ({"edge_weight": torch.tensor(1.0)}, ValueError, r"data.edge_weight must have shape \[2\], got \(\)"),
        ({"edge_weight": torch.ones(2, 3)}, ValueError, r"data.edge_weight must have shape \[2\], got \(2, 3\)"),
        ({"edge_weight": torch.tensor([1.0, -0.5])}, ValueError, "data.edge_weight must be at least 0, got -0.5"),
        ({"edge_weight": torch.tensor([1.0, float("nan")])}, ValueError, "data.edge_weight must be finite, got nan"),
        ({"x": torch.eye(3).to_sparse()}, TypeError, "data.x must be dense, got torch.sparse_coo: use data.x.to_dense"),
        ({"x": torch.eye(3).to_sparse_csr()}, TypeError, "data.x must be dense, got torch.sparse_csr"),
        ({"x": torch.eye(3).tolist()}, TypeError, "data.x must be a tensor with a row for each node, got list"),
        ({"x": torch.ones(3, 2, dtype=torch.cfloat)}, TypeError, "data.x must be .*, got torch.complex64 tensor"),
        ({"x": torch.ones(3, 0)}, ValueError, "data.x must have at least one column"),
    ],
)
@pytest.mark.filterwarnings("ignore:Sparse CSR tensor support")
def test_graphs_that_cannot_be_trained_on_are_refused(changes, error, message):
    data = Data(x=torch.eye(3), edge_index=EDGES).update(changes)
    with pytest.raises(error, match=message):
        check_graph(data)


def test_integer_features_are_the_encoders_matter():
    check_graph(Data(x=torch.arange(6).view(3, 2), edge_index=EDGES, edge_weight=torch.tensor([0.0, 1.0])))
    check_graph(Batch.from_data_list([Data(x=torch.ones(3, 2).bool(), edge_index=EDGES)]))


@pytest.mark.parametrize("y", [[0, 1], torch.zeros(2), None])
def test_labels_are_integer_tensors(y):
    with pytest.raises(TypeError, match="y must be a tensor of integer classes, got"):
        check_labels(y, 2)
