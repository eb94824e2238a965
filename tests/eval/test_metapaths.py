"""Means along metapaths, and the baselines of heterogeneous graphs."""

import pytest
import torch
from torch_geometric.data import Data, HeteroData
from torch_geometric.nn import GraphSAGE, to_hetero

from gcl.eval import baselines, linear_probe, metapath_means, random_split
from gcl.nn import NodeType, encode, gcn
from tests.inputs import seeded

WRITES, WRITTEN = ("author", "writes", "paper"), ("paper", "rev_writes", "author")


def bibliography(n=30):
    data = HeteroData()
    data["author"].x, data["author"].y = torch.rand(n, 3, dtype=torch.double, generator=seeded()), torch.arange(n) % 3
    data["paper"].x, data["venue"].num_nodes = torch.rand(20, 3, dtype=torch.double, generator=seeded(1)), 4
    data[WRITES].edge_index = torch.stack([torch.arange(60) % (n - 1), torch.randint(20, (60,), generator=seeded())])
    data[WRITTEN].edge_index = data[WRITES].edge_index.flip(0)
    data["paper", "in", "venue"].edge_index = torch.stack([torch.arange(20), torch.arange(20) % 4])
    data["venue", "rev_in", "paper"].edge_index = data["paper", "in", "venue"].edge_index.flip(0)
    return data


def mean_matrix(data, kind):
    """D^-1 A, dense: rows are the nodes where edges end; duplicate edges count twice."""
    a = torch.zeros(data[kind[2]].num_nodes, data[kind[0]].num_nodes, dtype=torch.double)
    a.index_put_((data[kind].edge_index[1], data[kind].edge_index[0]), torch.ones(1).double(), accumulate=True)
    return a / a.sum(1, keepdim=True).clamp_min(1)


def test_means_are_products_of_dense_matrices():
    data = bibliography()
    there, back = mean_matrix(data, WRITES), mean_matrix(data, WRITTEN)
    venue = mean_matrix(data, ("venue", "rev_in", "paper")) @ mean_matrix(data, ("paper", "in", "venue"))
    blocks = [torch.nn.functional.normalize(a @ data["author"].x) for a in (back @ there, back @ venue @ there)]
    z = metapath_means(data, "author")
    torch.testing.assert_close(z, torch.cat(blocks, dim=1), rtol=1e-12, atol=1e-12)
    assert torch.equal(z[-1], torch.zeros(6).double())  # the author of no paper
    torch.testing.assert_close(metapath_means(data, "author", [[WRITES, WRITTEN]]), blocks[0], rtol=1e-12, atol=1e-12)


def test_the_shortest_way_back_and_edges_within_a_type_count():
    data = bibliography()
    data["author", "knows", "author"].edge_index = torch.tensor([[0], [1]])
    data["author", "cites", "venue"].edge_index = torch.tensor([[0], [1]])  # a shorter way there, not back
    z = metapath_means(data, "author")
    assert z.shape == (30, 9)
    torch.testing.assert_close(z[1, :3], torch.nn.functional.normalize(data["author"].x[:1])[0])
    direct = mean_matrix(data, ("author", "cites", "venue"))
    back = mean_matrix(data, WRITTEN) @ mean_matrix(data, ("venue", "rev_in", "paper"))
    torch.testing.assert_close(z[:, 6:], torch.nn.functional.normalize(back @ direct @ data["author"].x))


def test_what_is_no_metapath_is_named():
    data = bibliography()
    for paths, message in (
        ([[WRITES]], "metapaths must lead from 'author' to 'author' edge by edge, got"),
        ([[WRITES, WRITES]], "metapaths must lead from"),
        ([[]], "metapaths must lead from"),
        ([[("a", "b", "c")]], r"metapaths must hold edge types of data, .*, got \[\('a', 'b', 'c'\)\]"),
    ):
        with pytest.raises(ValueError, match=message):
            metapath_means(data, "author", paths)
    with pytest.raises(ValueError, match=r"data\['venue'\].x is missing"):
        metapath_means(data, "venue")
    with pytest.raises(ValueError, match="node_type must be one of data's"):
        metapath_means(data, "editor")
    with pytest.raises(TypeError, match="data must be a torch_geometric HeteroData, got Data"):
        metapath_means(Data(), "author")
    del data[WRITTEN]
    with pytest.raises(ValueError, match="data must have edges that lead from 'author' back to it"):
        metapath_means(data, "author")


def test_the_rows_are_the_probe_on_what_they_say():
    data = bibliography(60)
    torch.manual_seed(0)
    data = data.apply(lambda x: x.float() if x.is_floating_point() else x)
    del data["venue"], data["paper", "in", "venue"], data["venue", "rev_in", "paper"]
    encoder, y = NodeType(to_hetero(GraphSAGE(3, 8, 2, 4), data.metadata()), "author", 4), data["author"].y
    split = random_split(60, 0.4, 0.2, generator=seeded())
    table = baselines(data, split, encoder)
    assert list(table) == ["raw", "metapaths", "untrained"]
    assert table["raw"] == linear_probe(data["author"].x, y, split)
    assert table["metapaths"] == linear_probe(metapath_means(data, "author"), y, split)
    assert table["untrained"] == linear_probe(encode(encoder, data), y, split)
    with pytest.raises(TypeError, match="encoder must be a gcl.nn.NodeType for HeteroData, got SparseGCN"):
        baselines(data, split, gcn(3, 4))
