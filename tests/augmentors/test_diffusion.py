"""The sparse diffusions against the exact dense ones, within the stated bound."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch_geometric.data import Batch, Data

import augmentors._diffusion
from augmentors import HeatDiffusion, PPRDiffusion
from tests.graphs import batches, graphs
from tests.inputs import seeded


def dense(data, exact):
    """``exact`` of M = D^(-1/2) (A + I) D^(-1/2), and sqrt(d) of the nodes where edges start."""
    n = data.num_nodes
    weight = data.edge_weight if "edge_weight" in data else torch.ones(data.num_edges)
    a = torch.eye(n, dtype=torch.double)
    a.index_put_(tuple(data.edge_index), weight.double(), accumulate=True)
    root = a.sum(dim=1).sqrt()
    return exact(a / root[:, None] / root), root


def ppr(alpha):
    return lambda m: alpha * torch.linalg.inv(torch.eye(len(m)).double() - (1 - alpha) * m)


def heat(t):
    return lambda m: torch.linalg.matrix_exp(t * (m - torch.eye(len(m)).double()))


def as_matrix(view, n):
    assert len(set(map(tuple, view.edge_index.T.tolist()))) == view.num_edges
    return torch.zeros(n, n).double().index_put_(tuple(view.edge_index), view.edge_weight.double())


def community(n=300, seed=0):
    g = seeded(seed)
    half = torch.cat([torch.randint(0, n // 2, (2, n), generator=g), torch.randint(n // 2, n, (2, n), generator=g)], 1)
    return Data(edge_index=torch.cat([half, half.flip(0), torch.tensor([[0], [n - 1]])], dim=1), num_nodes=n)


CASES = [(PPRDiffusion, 0.15, ppr), (PPRDiffusion, 0.9, ppr), (HeatDiffusion, 0.5, heat), (HeatDiffusion, 5.0, heat)]
cases = pytest.mark.parametrize(("kind", "parameter", "exact"), CASES)


@cases
@given(data=graphs(), eps=st.sampled_from([1e-1, 1e-2, 1e-5]))
def test_small_graphs_are_within_the_bound(kind, parameter, exact, data, eps):
    del data.edge_number, data.edge_attr
    view = kind(parameter, eps=eps, top_k=None)(data)
    matrix, root = dense(data, exact(parameter))
    error = matrix - as_matrix(view, data.num_nodes)
    assert (error > -1e-6).all()
    assert (error <= eps * root[:, None] + 1e-6).all()


@cases
@pytest.mark.parametrize("eps", [1e-2, 1e-3, 1e-4])
def test_larger_graphs_are_within_the_bound_and_sparse(kind, parameter, exact, eps, monkeypatch):
    monkeypatch.setattr(augmentors._diffusion, "_WORKSPACE", 7 * 300)  # many blocks
    data = community()
    view = kind(parameter, eps=eps, top_k=None)(data)
    matrix, root = dense(data, exact(parameter))
    error = matrix - as_matrix(view, 300)
    assert error.min() > -1e-5
    assert (error <= eps * root[:, None] + 1e-6).all()
    if eps == 1e-2 and kind is PPRDiffusion:
        assert view.num_edges < 300 * 300 / 4


def test_a_path_by_hand():
    """Two nodes: M is 1/2 everywhere, so that S = alpha I + (1 - alpha) / 2, as M^k = M."""
    pair = Data(edge_index=torch.tensor([[0, 1], [1, 0]]), num_nodes=2)
    view = PPRDiffusion(0.2, eps=1e-9)(pair)
    torch.testing.assert_close(as_matrix(view, 2), torch.tensor([[0.6, 0.4], [0.4, 0.6]]).double(), atol=1e-6, rtol=0)
    directed = PPRDiffusion(0.5, eps=1e-9)(Data(edge_index=torch.tensor([[0], [1]]), num_nodes=2))
    assert directed.edge_index.T.tolist() == [[0, 0], [0, 1], [1, 1]]


@pytest.mark.parametrize("kind", [PPRDiffusion, HeatDiffusion])
def test_top_k_keeps_the_largest_weights_into_each_node(kind):
    data = community()
    full, few = kind(eps=1e-4, top_k=None)(data), kind(eps=1e-4, top_k=5)(data)
    expected = as_matrix(full, 300).topk(5, dim=0).values
    assert torch.equal(few.edge_index[1].bincount(), full.edge_index[1].bincount().clamp(max=5))
    assert torch.equal(as_matrix(few, 300).topk(5, dim=0).values, expected)


@pytest.mark.parametrize("augmentor", [PPRDiffusion(), HeatDiffusion(top_k=None), PPRDiffusion(top_k=2)], ids=repr)
@given(batch=batches())
def test_a_batch_diffuses_as_its_graphs_alone(augmentor, batch):
    members = batch.to_data_list()
    for member in members:
        del member.edge_number, member.edge_attr
    view = augmentor(Batch.from_data_list(members))
    for one, member in zip(view.to_data_list(), members, strict=True):
        alone = augmentor(member)
        assert torch.equal(one.edge_index, alone.edge_index)
        torch.testing.assert_close(one.edge_weight, alone.edge_weight)


def test_one_augmentor_serves_many_graphs():
    augmentor, one, two = PPRDiffusion(), community(seed=0), community(seed=1)
    first = augmentor(one).edge_index
    assert not torch.equal(augmentor(two).edge_index, first)
    assert torch.equal(augmentor(one).edge_index, first)


def test_weights_count_and_keep_their_dtype(square):
    square.edge_weight = torch.full((8,), 2.0, dtype=torch.double)
    view = HeatDiffusion(1.0, eps=1e-9)(square)
    assert view.edge_weight.dtype == torch.double
    torch.testing.assert_close(as_matrix(view, 4), dense(square, heat(1.0))[0])


def test_what_new_edges_cannot_have_is_refused(square):
    square.edge_weight = -torch.ones(8)
    with pytest.raises(ValueError, match="edge_weight must be at least 0, got -1.0"):
        PPRDiffusion()(square)
    square.edge_attr = torch.ones(8, 2)
    with pytest.raises(ValueError, match=r"no edge attributes but edge_weight, .* got \['edge_attr'\]"):
        HeatDiffusion()(square)


@pytest.mark.parametrize("kind", [PPRDiffusion, HeatDiffusion])
def test_a_graph_without_nodes_has_no_edges_after_diffusion(kind):
    view = kind()(Data(x=torch.ones(0, 3), edge_index=torch.zeros(2, 0).long()))
    assert view.edge_index.shape == (2, 0)
    assert view.edge_weight.shape == (0,)
