"""Partitions: what they promise for any graph, and what they find in graphs whose clusters are known."""

import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch_geometric.data import Data
from torch_geometric.utils import to_undirected

from gcl.data import csbm, partition, partition_quality
from tests.graphs import graphs

METHODS = ["metis", "matching", "labelprop"]
every = pytest.mark.parametrize("method", METHODS)


def num_clusters_for(method, k):
    return None if method == "labelprop" else k


def cliques(count=6, size=8, alone=0):
    """Cliques in a ring, one edge from each to the next, under shuffled names; and nodes without edges."""
    inside = torch.combinations(torch.arange(size)).T
    edges = [inside + size * i for i in range(count)]
    edges.append(torch.stack([torch.arange(count) * size, (torch.arange(count) + 1) % count * size + 1]))
    n = count * size + alone
    name = torch.randperm(n)
    truth = torch.empty(n, dtype=torch.long)
    truth[name] = torch.arange(n) // size
    return Data(x=torch.eye(n), edge_index=to_undirected(name[torch.cat(edges, dim=1)]), num_nodes=n), truth


@every
@given(data=graphs(), k=st.integers(1, 8), seed=st.integers(0, 3))
def test_clusters_are_numbered_from_zero_and_none_is_empty(method, data, k, seed):
    k = num_clusters_for(method, min(k, data.num_nodes))
    cluster = partition(data, k, method, seed=seed)
    size = cluster.bincount()
    assert cluster.shape == (data.num_nodes,)
    assert cluster.dtype == torch.long
    assert (size > 0).all()
    if method == "matching":
        assert size.numel() == k
    if method == "metis":
        assert size.numel() <= k
    assert torch.equal(cluster, partition(data, k, method, seed=seed))
    with_loops = data.clone()  # nor do directions, loops and duplicates count
    loops = torch.arange(data.num_nodes).repeat(2, 1)
    with_loops.edge_index = torch.cat([data.edge_index.flip(0), loops, data.edge_index], dim=1)
    assert torch.equal(cluster, partition(with_loops, k, method, seed=seed))


@every
def test_cliques_are_found(method):
    data, truth = cliques()
    cluster = partition(data, num_clusters_for(method, 6), method)
    cut = partition_quality(data, cluster)["cut"]
    if method == "matching":  # which looks no further than at neighbors, and never moves a node back
        assert cut < 0.2
    else:
        assert len(set(zip(cluster.tolist(), truth.tolist(), strict=True))) == 6
        assert cut == 6 / (6 * 28 + 6)


@every
def test_nodes_without_edges_share_clusters_of_their_own(method):
    data, _ = cliques(alone=20)
    cluster = partition(data, num_clusters_for(method, 8), method)
    has_edges = torch.zeros(68, dtype=torch.bool).index_fill(0, data.edge_index.unique(), True)
    assert not set(cluster[has_edges].tolist()) & set(cluster[~has_edges].tolist())
    assert cluster[~has_edges].unique(return_counts=True)[1].min() >= 5


@pytest.mark.parametrize("method", ["metis", "matching"])
def test_sizes_are_about_equal_and_the_cut_far_below_chance(method):
    data = csbm(generator=torch.Generator().manual_seed(0))
    cluster = partition(data, 300, method)
    own, chance = (partition_quality(data, c) for c in (cluster, cluster[torch.randperm(data.num_nodes)]))
    assert own["max_size"] <= 19
    assert own["cut"] < 0.75 < 0.99 < chance["cut"]
    assert own["error"] < chance["error"] - 0.1


def test_matching_gets_by_with_a_star():
    leaves = torch.arange(1, 100)
    star = Data(edge_index=torch.stack([leaves, torch.zeros_like(leaves)]), num_nodes=100)
    size = partition(star, 10, "matching").bincount()
    assert size.numel() == 10
    assert size.max() <= 20


def test_different_seeds_give_different_partitions():
    data = csbm(generator=torch.Generator().manual_seed(0))
    for method in METHODS:
        k = num_clusters_for(method, 100)
        assert not torch.equal(partition(data, k, method, seed=0), partition(data, k, method, seed=1))


def test_quality_by_hand():
    path = Data(x=torch.eye(4)[:, :2], edge_index=torch.tensor([[0, 1, 1, 2, 2, 3, 3], [1, 0, 2, 1, 3, 2, 3]]))
    cluster = torch.tensor([0, 0, 0, 1])
    a = torch.zeros(4, 4, dtype=torch.double)
    a[tuple(path.edge_index)] = 1
    a = a.fill_diagonal_(1)
    a = a / (a.sum(1)[:, None] * a.sum(1)).sqrt()
    smooth = a @ a @ path.x.double()
    mean = torch.block_diag(torch.full((3, 3), 1 / 3), torch.ones(1, 1)).double() @ path.x.double()
    quality = partition_quality(path, cluster)
    assert quality.pop("error") == pytest.approx(float((smooth - mean).norm() / smooth.norm()), rel=1e-6)
    assert quality == {"num_clusters": 2, "cut": 2 / 6, "min_size": 1, "median_size": 1, "max_size": 3}


def test_a_cached_partition_is_read_again_and_belongs_to_its_graph_and_arguments(tmp_path, monkeypatch):
    data, _ = cliques()
    first = partition(data, 6, "matching", cache=tmp_path)
    other = data.clone()
    other.edge_index = data.edge_index[:, 2:]
    assert len(list(tmp_path.iterdir())) == 1
    partition(other, 6, "matching", cache=tmp_path)
    partition(data, 6, "matching", seed=1, cache=tmp_path)
    assert len(list(tmp_path.iterdir())) == 3
    monkeypatch.setattr(sys.modules["gcl.data._partition"], "_partition", None)  # cannot be computed any more
    assert torch.equal(partition(data, 6, "matching", cache=tmp_path), first)


@pytest.mark.parametrize("damage", [b"", b"\x93NUM", b"PK\x03\x04", "half", "other"])
def test_a_damaged_file_of_the_cache_is_written_anew(tmp_path, damage):
    data, _ = cliques()
    first = partition(data, 6, "matching", cache=tmp_path)
    (file,) = tmp_path.iterdir()
    content = file.read_bytes()
    if damage == "other":
        np.save(file, np.arange(5))
    else:
        file.write_bytes(content[: len(content) // 2] if damage == "half" else damage)
    assert torch.equal(partition(data, 6, "matching", cache=tmp_path), first)
    assert list(tmp_path.iterdir()) == [file]
    assert file.read_bytes() == content


def test_threads_share_a_cache(tmp_path):
    data, _ = cliques()
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: partition(data, 6, "matching", cache=tmp_path), range(24)))
    assert all(torch.equal(cluster, found[0]) for cluster in found)
    assert len(list(tmp_path.iterdir())) == 1


def test_the_error_of_features_that_vanish_is_0():
    data, truth = cliques()
    data.x = torch.zeros(48, 3)
    assert partition_quality(data, truth)["error"] == 0.0
    data.x = torch.ones(48, 3, dtype=torch.half)
    assert partition_quality(data, torch.arange(48))["error"] < 0.5


@pytest.mark.parametrize(
    ("change", "cluster", "error", "message"),
    [
        ({"num_nodes": 0, "x": torch.zeros(0, 2)}, torch.arange(0), ValueError, "data must have at least one node"),
        ({}, [0, 0], TypeError, "cluster must be a long tensor, got list"),
        ({}, torch.zeros(2), TypeError, "cluster must be a long tensor, got torch.float32"),
        ({"x": torch.ones(2, 2).long()}, torch.arange(2), TypeError, "data.x must be a floating-point tensor"),
        ({"edge_index": torch.tensor([[0], [2]])}, torch.arange(2), ValueError, r"data.edge_index .* \[0, 2\), got 2"),
        ({"edge_weight": torch.ones(3)}, torch.arange(2), ValueError, r"data.edge_weight must have shape \[0\]"),
    ],
)
def test_what_has_no_quality_is_refused(change, cluster, error, message):
    data = Data(x=torch.ones(2, 2), edge_index=torch.zeros(2, 0).long())
    for key, value in change.items():
        data[key] = value
    with pytest.raises(error, match=message):
        partition_quality(data, cluster)


def test_arguments_are_checked(monkeypatch):
    data, _ = cliques()
    with pytest.raises(ValueError, match="method must be one of metis, matching, labelprop, got 'louvain'"):
        partition(data, 3, "louvain")
    for k in (0, 49, None):
        with pytest.raises(ValueError, match=rf"num_clusters must be in \[1, 48\], got {k}"):
            partition(data, k)
    with pytest.raises(ValueError, match='num_clusters must be None for "labelprop", which finds it itself, got 3'):
        partition(data, 3, "labelprop")
    with pytest.raises(TypeError, match="num_clusters must be an int, got 2.5"):
        partition(data, 2.5)
    with pytest.raises(ValueError, match="seed must be at least 0, got -1"):
        partition(data, 3, seed=-1)
    with pytest.raises(TypeError, match="data must be a torch_geometric Data or Batch, got str"):
        partition("karate", 3)
    with pytest.raises(ValueError, match=r"cluster must have shape \[48\], got \(3,\)"):
        partition_quality(data, torch.zeros(3).long())
    monkeypatch.setitem(sys.modules, "pymetis", None)
    with pytest.raises(ImportError, match=r"needs pymetis: pip install pymetis, or torch-gcl\[partition\]"):
        partition(data, 3)
