"""GCA's probabilities against its formulas on networkx's centralities, and what is drawn with them."""

import math
import operator

import networkx as nx
import pytest
import torch
from hypothesis import given
from torch_geometric.data import Batch, Data, HeteroData
from torch_geometric.utils import to_undirected

from augmentors import AdaptiveEdgeDrop, AdaptiveFeatureMask, degree_centrality, eigenvector_centrality, pagerank
from tests.graphs import batches
from tests.inputs import seeded

REFERENCE = {
    degree_centrality: lambda g: nx.in_degree_centrality(g) if g.is_directed() else nx.degree_centrality(g),
    pagerank: lambda g: nx.pagerank(g, tol=1e-12, max_iter=1000),
    eigenvector_centrality: lambda g: nx.eigenvector_centrality(g, tol=1e-12, max_iter=10_000),
}
centralities = pytest.mark.parametrize("centrality", REFERENCE)


def karate():
    graph = nx.karate_club_graph()
    x = torch.rand(34, 20, generator=seeded()) < 0.2
    return Data(x=x.float(), edge_index=to_undirected(torch.tensor(list(graph.edges)).T), num_nodes=34)


def directed():
    """Strongly connected but for one node that no edge leaves."""
    edge_index = torch.tensor([[0, 1, 2, 3, 0, 2, 4, 1, 4], [1, 2, 3, 4, 2, 0, 0, 4, 5]])
    return Data(x=torch.rand(6, 4), edge_index=edge_index, num_nodes=6)


def reference(data, centrality, undirected):
    graph = (nx.Graph if undirected else nx.DiGraph)(data.edge_index.T.tolist())
    return {v: REFERENCE[centrality](graph)[v] for v in range(data.num_nodes)}


def gca(scores, p, threshold):
    """Equations 3 and 7, written out."""
    highest, mean = max(scores), sum(scores) / len(scores)
    return torch.tensor([min((highest - s) / (highest - mean) * p, threshold) for s in scores], dtype=torch.double)


@centralities
@pytest.mark.parametrize("undirected", [True, False])
def test_centralities_are_networkx_s(centrality, undirected):
    data = karate() if undirected else directed()
    expected = torch.tensor(list(reference(data, centrality, undirected).values()), dtype=torch.double)
    if centrality is degree_centrality:
        expected = expected * (data.num_nodes - 1)
    torch.testing.assert_close(centrality(data), expected, rtol=1e-6, atol=1e-7)


@centralities
@pytest.mark.parametrize("undirected", [True, False])
@pytest.mark.parametrize(("p", "threshold"), [(0.3, 0.7), (0.8, 0.7), (0.5, 1.0)])
def test_probabilities_are_gca_s(centrality, undirected, p, threshold):
    data = karate() if undirected else directed()
    value = reference(data, centrality, undirected)
    edges = data.edge_index.T.tolist()
    weights = [(value[u] + value[v]) / 2 if undirected else value[v] for u, v in edges]
    expected = gca([math.log(w) for w in weights], p, threshold)
    got = AdaptiveEdgeDrop(p, centrality, threshold=threshold, undirected=undirected).probabilities(data)
    torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-5)
    columns = [sum(abs(data.x[u, i].item()) * value[u] for u in value) for i in range(data.x.size(1))]
    expected = gca([math.log(w) for w in columns], p, threshold)
    got = AdaptiveFeatureMask(p, centrality, threshold=threshold).probabilities(data)
    torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("sparse", [False, True])
def test_binary_weighs_features_by_their_presence(sparse):
    data, words = karate(), karate()
    data.x = data.x * (torch.rand(data.x.shape, generator=seeded()) - 0.5)
    data.x = data.x.to_sparse() if sparse else data.x
    got = AdaptiveFeatureMask(0.3, binary=True).probabilities(data)
    torch.testing.assert_close(got, AdaptiveFeatureMask(0.3).probabilities(words))


def test_the_mean_probability_is_p_before_the_cut():
    assert AdaptiveEdgeDrop(0.2, threshold=1.0).probabilities(karate()).mean().item() == pytest.approx(0.2)


@centralities
@given(batch=batches())
def test_a_batch_has_the_probabilities_of_its_graphs_alone(centrality, batch):
    augmentor = AdaptiveEdgeDrop(0.4, centrality)
    alone = [augmentor.probabilities(member) for member in batch.to_data_list()]
    got = augmentor.probabilities(batch)
    assert ((got >= 0) & (got <= 0.7)).all()
    torch.testing.assert_close(got, torch.cat(alone), rtol=1e-3, atol=1e-3)


def test_equal_weights_get_p_and_none_the_threshold():
    ring = Data(edge_index=torch.tensor([[0, 1, 2], [1, 2, 0]]), x=torch.tensor([[1.0, 1, 0], [1, 1, 0], [1, 1, 0]]))
    assert AdaptiveEdgeDrop(0.3).probabilities(ring).tolist() == pytest.approx([0.3] * 3)
    ring.x[0, 0] = 5
    assert AdaptiveFeatureMask(0.2).probabilities(ring)[2] == pytest.approx(0.7)
    assert AdaptiveFeatureMask(0.0).probabilities(ring).tolist() == [0, 0, 0]
    apart = Data(edge_index=torch.empty(2, 0).long(), x=torch.ones(2, 2))
    assert AdaptiveFeatureMask(0.2).probabilities(apart).tolist() == pytest.approx([0.2] * 2)


def test_edges_are_dropped_as_often_as_the_probabilities_say(generator):
    data = karate()
    augmentor = AdaptiveEdgeDrop(0.4, as_weight=True)
    kept = torch.stack([augmentor(data, generator=generator).edge_weight for _ in range(2000)])
    expected = 1 - augmentor.probabilities(data)
    error = (kept.mean(dim=0) - expected).abs()
    assert (error < 5 * (expected * (1 - expected) / 2000).sqrt() + 1e-6).all()


def test_columns_are_masked_as_often_as_the_probabilities_say(generator):
    data = karate()
    data.x += 0.1
    augmentor = AdaptiveFeatureMask(0.4, pagerank)
    masked = torch.stack([augmentor(data, generator=generator).x[0] == 0 for _ in range(2000)]).double()
    expected = augmentor.probabilities(data)
    error = (masked.mean(dim=0) - expected).abs()
    assert (error < 5 * (expected * (1 - expected) / 2000).sqrt() + 1e-6).all()


def test_a_centrality_stored_with_the_graph_is_used_as_it_is():
    data = karate()
    data.rank = pagerank(data)
    stored = AdaptiveEdgeDrop(0.3, operator.attrgetter("rank"))
    assert torch.equal(stored.probabilities(data), AdaptiveEdgeDrop(0.3, pagerank).probabilities(data))


@pytest.mark.parametrize("centrality", [degree_centrality, pagerank, eigenvector_centrality])
def test_centralities_refuse_what_is_no_graph(centrality):
    with pytest.raises(TypeError, match="data must be a torch_geometric Data or Batch, got HeteroData"):
        centrality(HeteroData())
    with pytest.raises(ValueError, match=r"data.edge_index must hold node numbers in \[0, 2\), got 2"):
        centrality(Data(edge_index=torch.tensor([[0], [2]]), num_nodes=2))


def test_features_and_centralities_of_another_shape_are_refused():
    data = Data(torch.ones(2), torch.tensor([[0], [1]]), num_nodes=2)
    with pytest.raises(ValueError, match=r"data.x must have shape \[N, F\], got \(2,\)"):
        AdaptiveFeatureMask(0.5)(data)
    with pytest.raises(ValueError, match=r"centrality must give a tensor \[2\], got \(3,\)"):
        AdaptiveEdgeDrop(0.5, lambda data: torch.ones(3))(data)


def test_pagerank_sums_to_1_in_each_graph_and_checks_its_damping():
    rank = pagerank(Batch.from_data_list([karate(), karate()]))
    assert rank.view(2, 34).sum(dim=1).tolist() == pytest.approx([1, 1])
    with pytest.raises(ValueError, match=r"damping must be in \[0, 1\), got 1"):
        pagerank(karate(), damping=1)
