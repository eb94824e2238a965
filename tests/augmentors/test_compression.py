"""Compressed views: the laws of the augmentors as they hold for them, and the moments of DropMember.

A cluster vector belongs to one graph, and a view has other nodes than the graph. So of the laws (test_laws.py) 1, 2, 6,
7 and 8 hold word for word; 3 and 4 hold for what a view has, its means and coarse edges; and 5 is a refusal.
"""

import copy
import pickle

import pytest
import torch
import torch_geometric.transforms as T
from hypothesis import given
from hypothesis import strategies as st
from torch_geometric.data import Batch, Data

from augmentors import Compose, Compress, DropMember, FeatureMask, ViewPool
from tests.augmentors.test_laws import assert_same, tensors
from tests.graphs import graphs
from tests.inputs import seeded

KINDS = {
    "Compress": Compress,
    "Compress, coarse": lambda cluster: Compress(cluster, coarse=True),
    "DropMember": DropMember,
    "DropMember, p=0.8": lambda cluster: DropMember(cluster, p=0.8),
    "DropMember, p=1": lambda cluster: DropMember(cluster, p=1.0),
}
every = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


@st.composite
def clustered(draw, features=True):
    """A graph and a cluster vector for it."""
    data = draw(graphs(features=features))
    cluster = draw(st.lists(st.integers(0, 4), min_size=data.num_nodes, max_size=data.num_nodes))
    return data, torch.tensor(cluster).unique(return_inverse=True)[1]


def big():
    g = seeded()
    edge_index = torch.randint(40, (2, 200), generator=g)
    return Data(x=torch.randn(40, 5, generator=g, dtype=torch.double), edge_index=edge_index), torch.arange(40) % 7


@every
@given(given_=clustered())
def test_1_the_input_is_untouched(kind, given_):
    data, cluster = given_
    before, vector = copy.deepcopy(data), cluster.clone()
    kind(cluster)(data, generator=seeded())
    assert_same(data, before)
    assert torch.equal(cluster, vector)


@every
@given(given_=clustered())
def test_2_same_seed_same_view(kind, given_):
    data, cluster = given_
    assert_same(kind(cluster)(data, generator=seeded()), kind(cluster)(data, generator=seeded()))
    torch.manual_seed(3)
    one = kind(cluster)(data)
    torch.manual_seed(3)
    assert_same(one, kind(cluster)(data))


def test_2_one_generator_gives_different_views():
    data, cluster = big()
    g = seeded()
    views = [DropMember(cluster)(data, generator=g).x for _ in range(2)]
    assert not torch.equal(*views)


@every
@given(given_=clustered())
def test_3_and_4_each_row_is_the_mean_of_members_of_its_cluster(kind, given_):
    data, cluster = given_
    augmentor = kind(cluster)
    view = augmentor(data, generator=seeded())
    size = cluster.bincount()
    assert view.num_nodes == size.numel()
    assert view.edge_index.shape == (2, 0)
    assert (view.num_members >= 1).all()
    assert (view.num_members <= size).all()
    if isinstance(augmentor, Compress):
        assert torch.equal(view.num_members, size)
    if data.x is None:
        return
    for number, (row, count) in enumerate(zip(view.x, view.num_members, strict=True)):
        members = data.x[cluster == number].to(row.dtype)
        means = torch.stack([members[list(chosen)].mean(0) for chosen in subsets(len(members), int(count))])
        assert (means - row).abs().amax(1).min() < 1e-5


def subsets(n, count):
    return [[i for i in range(n) if code >> i & 1] for code in range(2**n) if code.bit_count() == count]


@given(given_=clustered(), weighted=st.booleans())
def test_3_coarse_edges_count_the_edges_between_clusters(given_, weighted):
    data, cluster = given_
    k = int(cluster.max()) + 1
    weight = torch.arange(1.0, data.num_edges + 1) if weighted else torch.ones(data.num_edges)
    data.edge_weight = weight if weighted else None
    expected = torch.zeros(k, k)
    for (u, v), w in zip(data.edge_index.T.tolist(), weight, strict=True):
        expected[cluster[u], cluster[v]] += w
    view = Compress(cluster, coarse=True)(data)
    got = torch.zeros(k, k)
    got[tuple(view.coarse_edge_index)] = view.coarse_edge_weight
    assert torch.equal(got, expected)
    assert view.coarse_edge_index.size(1) == (expected > 0).sum()


@every
def test_5_batches_of_several_graphs_are_refused(kind):
    data, cluster = big()
    with pytest.raises(ValueError, match="must be the one graph that cluster belongs to, got a batch of 2"):
        kind(cluster)(Batch.from_data_list([data, data]))
    assert_same(
        kind(cluster)(Batch.from_data_list([data]), generator=seeded()), kind(cluster)(data, generator=seeded())
    )


@every
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_6_dtypes_are_kept(kind, dtype):
    data, cluster = big()
    data.x = data.x.to(dtype)
    assert kind(cluster)(data, generator=seeded()).x.dtype == dtype
    data.x = torch.arange(40)[:, None]  # a mean of whole numbers is none
    assert torch.equal(Compress(cluster)(data).x[0], torch.arange(0.0, 40, 7).mean()[None])


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@every
def test_6_a_cpu_generator_gives_the_same_view_on_cuda(kind):
    data, cluster = big()
    one, other = kind(cluster)(data.clone().to("cuda"), generator=seeded()), kind(cluster)(data, generator=seeded())
    for key, value in tensors(one).items():
        torch.testing.assert_close(value.cpu(), tensors(other)[key])


@every
def test_7_odd_graphs(kind):
    assert kind(torch.tensor([0, 1, 1]))(Data(num_nodes=3, edge_index=torch.tensor([[0], [1]]))).num_nodes == 2
    alone = kind(torch.tensor([0]))(Data(x=torch.ones(1, 2)))
    assert torch.equal(alone.x, torch.ones(1, 2))
    assert alone.num_edges == 0


@every
def test_8_repr_pickle_and_composition(kind):
    data, cluster = big()
    augmentor = kind(cluster)
    twin = pickle.loads(pickle.dumps(augmentor))
    assert repr(twin) == repr(augmentor)
    assert "cluster=[40 -> 7]" in repr(augmentor)
    assert_same(twin(data, generator=seeded()), augmentor(data, generator=seeded()))
    assert T.Compose([augmentor, T.AddSelfLoops()])(data).has_self_loops()
    composed = Compose([T.RemoveSelfLoops(), augmentor, FeatureMask(1.0)])(data, generator=seeded())
    assert torch.equal(composed.x, torch.zeros(7, 5, dtype=torch.double))


@pytest.mark.parametrize("kind", [Compress, DropMember])
@pytest.mark.parametrize(
    ("cluster", "error", "message"),
    [
        ([0, 1], TypeError, "cluster must be a long tensor, got list"),
        (torch.tensor([0.0]), TypeError, "got torch.float32"),
        (torch.tensor([[0]]), ValueError, r"shape \[N\] with N >= 1, got \(1, 1\)"),
        (torch.empty(0).long(), ValueError, r"got \(0,\)"),
        (torch.tensor([0, -1]), ValueError, "cluster must be at least 0, got -1"),
        (torch.tensor([0, 2]), ValueError, "no cluster empty, got 2 clusters numbered up to 2"),
    ],
)
def test_8_cluster_vectors_are_checked(kind, cluster, error, message):
    with pytest.raises(error, match=message):
        kind(cluster)


def test_8_other_arguments_are_checked():
    data, cluster = big()
    with pytest.raises(ValueError, match="an entry for each of the 40 nodes, got 39"):
        Compress(cluster[:39])(data)
    with pytest.raises(ValueError, match=r"p must be in \[0, 1\], got 2"):
        DropMember(cluster, p=2.0)
    data.x = data.x[:, 0]
    with pytest.raises(ValueError, match=r"data.x must have shape \[N, F\], got \(40,\)"):
        Compress(cluster)(data)
    with pytest.raises(ValueError, match="views must hold at least one graph, got none"):
        ViewPool([])
    with pytest.raises(TypeError, match="views must hold torch_geometric Data, got int"):
        ViewPool([3])


@pytest.mark.parametrize(("p", "kept"), [(0.0, 10), (0.25, 7), (0.5, 5), (0.9, 1), (1.0, 1)])
def test_drop_member_keeps_a_fraction_of_each_cluster_and_at_least_one(p, kept):
    view = DropMember(torch.tensor([0] * 10 + [1]), p)(Data(x=torch.arange(11.0)[:, None]), generator=seeded())
    assert view.num_members.tolist() == [kept, 1]
    assert view.x[1] == 10.0


@pytest.mark.parametrize("m", [1, 2, 7])
def test_drop_member_has_the_mean_and_covariance_of_sampling_without_replacement(m):
    copies, g = 40_000, seeded()
    x = torch.randn(m, 2, generator=g, dtype=torch.double)
    cluster = torch.arange(copies).repeat_interleave(m)
    drawn = DropMember(cluster)(Data(x=x.repeat(copies, 1)), generator=g)
    s = max(1, m // 2)
    assert (drawn.num_members == s).all()
    within = (x - x.mean(0)).T @ (x - x.mean(0)) / m
    expected = within * (m - s) / (s * max(m - 1, 1))
    deviation = (expected.diagonal() / copies).sqrt()
    assert ((drawn.x.mean(0) - x.mean(0)).abs() <= 4 * deviation + 1e-12).all()
    assert ((drawn.x.T.cov(correction=0) - expected).abs() <= 0.03 * within.trace() + 1e-12).all()


@pytest.mark.parametrize("layout", [torch.sparse_coo, torch.sparse_csr])
def test_sparse_features_give_the_dense_means(layout):
    data, cluster = big()
    dense = data.x * (data.x > 0.5)
    data.x = dense
    expected = [augmentor(data, generator=seeded()).x for augmentor in (Compress(cluster), DropMember(cluster))]
    data.x = dense.to_sparse(layout=layout)
    for augmentor, x in zip((Compress(cluster), DropMember(cluster)), expected, strict=True):
        torch.testing.assert_close(augmentor(data, generator=seeded()).x, x)


def test_a_nan_stays_in_its_cluster():
    data, cluster = big()
    data.x[0, 0] = torch.nan
    assert Compress(cluster)(data).x.isnan().nonzero().tolist() == [[0, 0]]


def test_means_have_a_gradient():
    data, cluster = big()
    data.x.requires_grad_()
    Compress(cluster)(data).x.sum().backward()
    torch.testing.assert_close(data.x.grad[:, 0], 1 / cluster.bincount()[cluster].double())


def test_a_pool_holds_the_views_and_draws_each():
    data, cluster = big()
    g = seeded()
    views = [DropMember(cluster)(data, generator=g) for _ in range(3)]
    pool = ViewPool(views)
    drawn = [pool(data, generator=g) for _ in range(40)]
    assert {next(i for i, view in enumerate(views) if view.x is one.x) for one in drawn} == {0, 1, 2}
    drawn[0].x = None  # a view may be rebound without harm to the pool
    assert all(view.x is not None for view in views)
    assert repr(pool).endswith("and 2 more)")
