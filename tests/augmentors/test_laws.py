"""The laws that hold for every exported augmentor."""

import copy
import pickle

import pytest
import torch
import torch_geometric.transforms as T
from hypothesis import given
from hypothesis import strategies as st
from torch_geometric.data import Batch, Data, HeteroData

import augmentors
from augmentors import (
    AdaptiveEdgeDrop,
    AdaptiveFeatureMask,
    AdversarialView,
    Augmentor,
    Compose,
    EdgeAdd,
    EdgeAttrMask,
    EdgeDrop,
    EdgeRewire,
    EgoSubgraph,
    FeatureDropout,
    FeatureMask,
    FeatureNoise,
    HeatDiffusion,
    Identity,
    NodeDrop,
    NodeShuffle,
    PPRDiffusion,
    RandomChoice,
    RandomWalkSubgraph,
    UniformSubgraph,
    eigenvector_centrality,
    pagerank,
)
from tests.graphs import batches, graphs, hetero_graphs
from tests.inputs import seeded


def roughness(view):
    """How much the features, or the degrees without any, differ along the edges."""
    row, col = view.edge_index
    degree = view.edge_weight.new_zeros(view.num_nodes).index_add(0, col, view.edge_weight)
    value = degree[:, None] if view.x is None else view.x * (1 + degree[:, None])
    return (view.edge_weight * (value[row] - value[col]).square().mean(1)).sum() + value.square().mean()


EXAMPLES = [
    Identity(),
    EdgeDrop(0.5),
    EdgeDrop(0.5, undirected=False),
    EdgeDrop(0.5, as_weight=True),
    EdgeDrop(0.9, max_drop=0.5),
    EdgeDrop(0.9, undirected=False, max_drop=0.5),
    EdgeAdd(0.5),
    EdgeAdd(0.5, undirected=False),
    EdgeRewire(0.5),
    EdgeRewire(0.5, undirected=False),
    EdgeAttrMask(0.5),
    FeatureMask(0.5),
    FeatureDropout(0.5),
    FeatureNoise(0.1),
    NodeDrop(0.5),
    NodeShuffle(),
    UniformSubgraph(3),
    EgoSubgraph(1),
    RandomWalkSubgraph(3, num_walks=2),
    PPRDiffusion(0.2),
    PPRDiffusion(0.2, eps=1e-5, top_k=3),
    HeatDiffusion(2.0),
    AdaptiveEdgeDrop(0.5),
    AdaptiveEdgeDrop(0.5, pagerank, undirected=False, as_weight=True),
    AdaptiveFeatureMask(0.5),
    AdaptiveFeatureMask(0.5, eigenvector_centrality),
    AdversarialView(roughness, edge_budget=0.5, steps=2),
    AdversarialView(roughness, edge_budget=0.5, steps=2, candidates="all", per_graph=False, relative=False),
    Compose([EdgeDrop(0.3), FeatureMask(0.3)]),
    RandomChoice([EdgeDrop(0.5), FeatureMask(0.5), Identity()], num_choices=2),
]
every = pytest.mark.parametrize("augmentor", EXAMPLES, ids=repr)
DIFFUSION = (PPRDiffusion, HeatDiffusion)
RANDOM = [augmentor for augmentor in EXAMPLES if not isinstance(augmentor, (Identity, *DIFFUSION))]
KEEP_EDGES = [augmentor for augmentor in EXAMPLES if not isinstance(augmentor, DIFFUSION)]
HETERO = [augmentor for augmentor in EXAMPLES if augmentor.hetero]
inputs = st.one_of(graphs(), batches())
hetero_inputs = st.one_of(hetero_graphs(), st.lists(hetero_graphs(), min_size=1, max_size=3).map(Batch.from_data_list))


def suited(augmentor, data):
    """``data`` without the edge attributes that a diffusion refuses."""
    data = copy.copy(data)
    for key in ("edge_number", "edge_attr"):
        if isinstance(augmentor, DIFFUSION) and key in data:
            del data[key]
            if isinstance(data, Batch):
                data._slice_dict = {k: v for k, v in data._slice_dict.items() if k != key}
    return data


def tensors(data):
    pairs = ((store._key, key, value) for store in data.stores for key, value in store.items())
    return {(kind, key) if kind else key: value for kind, key, value in pairs if isinstance(value, torch.Tensor)}


def assert_same(one, other):
    one, other = tensors(one), tensors(other)
    assert one.keys() == other.keys()
    for key in one:
        assert one[key].dtype == other[key].dtype
        assert torch.equal(one[key], other[key]), key


def big():
    g = seeded()
    edge_index = torch.randint(40, (2, 200), generator=g)
    return Data(x=torch.rand(40, 30, generator=g) + 1, edge_index=edge_index, edge_attr=torch.arange(200))


def test_every_exported_augmentor_is_examined():
    exported = {getattr(augmentors, name) for name in augmentors.__all__} - {Augmentor}
    exported = {thing for thing in exported if isinstance(thing, type)}
    compression = {augmentors.Compress, augmentors.DropMember, augmentors.ViewPool}  # test_compression.py
    assert exported == {type(augmentor) for augmentor in EXAMPLES} | compression


@every
@given(data=inputs)
def test_1_the_input_is_untouched(augmentor, data):
    data = suited(augmentor, data)
    before = copy.deepcopy(data)
    slices = copy.deepcopy(data._slice_dict) if isinstance(data, Batch) else None
    augmentor(data, generator=seeded())
    assert_same(data, before)
    if slices is not None:
        assert all(torch.equal(data._slice_dict[key], slices[key]) for key in slices)


@every
@given(data=inputs)
def test_2_same_seed_same_view(augmentor, data):
    data = suited(augmentor, data)
    assert_same(augmentor(data, generator=seeded()), augmentor(data, generator=seeded()))
    torch.manual_seed(3)
    one = augmentor(data)
    torch.manual_seed(3)
    assert_same(one, augmentor(data))


@pytest.mark.parametrize("augmentor", RANDOM, ids=repr)
def test_2_one_generator_gives_different_views(augmentor):
    data, g = big(), seeded()
    views = [augmentor(data, generator=g) for _ in range(4)]
    assert len({str([value.tolist() for value in tensors(view).values()]) for view in views}) > 1


@pytest.mark.parametrize("augmentor", KEEP_EDGES, ids=repr)
@given(data=inputs)
def test_3_attributes_stay_aligned(augmentor, data):
    view = augmentor(data, generator=seeded())
    assert view.edge_index.size(1) == view.edge_number.numel()
    number = view.edge_number
    if isinstance(data, Batch):  # edge_number restarts in each graph of a batch
        number = number + data._slice_dict["edge_index"][view.batch[view.edge_index[0]]]
    n_id = view.get("n_id", torch.arange(data.num_nodes))
    unmoved = (n_id[view.edge_index] == data.edge_index[:, number]).all(dim=0)
    if isinstance(augmentor, EdgeAdd):
        first = number.diff(prepend=torch.tensor([-1])) != 0
        assert torch.equal(number.unique(), torch.arange(data.num_edges))
        assert unmoved[first].all()
    elif isinstance(augmentor, AdversarialView):
        before, after = (set(map(tuple, g.edge_index.T.sort(dim=1)[0].tolist())) for g in (data, view))
        assert all(tuple(sorted(edge)) not in before for edge in view.edge_index.T[~unmoved].tolist())
        assert all(edge in after or edge[0] != edge[1] for edge in before)  # loops stay
    elif isinstance(augmentor, EdgeRewire):
        assert torch.equal(number, torch.arange(data.num_edges))
    else:
        assert unmoved.all()
    changed = {EdgeAttrMask: "edge_attr", EdgeDrop: "edge_weight", AdaptiveEdgeDrop: "edge_weight"}
    for key in ("edge_attr", "edge_weight"):
        if key in data:
            zeroed = changed.get(type(augmentor)) == key and getattr(augmentor, "as_weight", True)
            assert ((view[key] == data[key][number]) | ((view[key] == 0) & zeroed)).all()


@every
@given(data=inputs)
def test_4_nodes_are_kept_or_named(augmentor, data):
    view = augmentor(suited(augmentor, data), generator=seeded())
    n_id = view.get("n_id", torch.arange(data.num_nodes))
    assert view.num_nodes == n_id.numel()
    for key in ("node_number", "y", "train_mask"):
        if key in data:
            assert torch.equal(view[key], data[key][n_id])


@every
@given(data=graphs(), share=st.floats(0, 1))
def test_4_the_seeds_of_a_loaders_batch_stay_its_first_rows(augmentor, data, share):
    data = suited(augmentor, data)
    data.n_id, data.e_id = torch.arange(data.num_nodes) + 100, torch.arange(data.num_edges)
    data.node_hop = data.n_id % 3
    data.batch_size = 1 + int(share * (data.num_nodes - 1))
    data.input_id = data.n_id[: data.batch_size] + 100
    view = augmentor(data, generator=seeded())
    seeds = [n for n in data.n_id[: data.batch_size].tolist() if n in set(view.n_id.tolist())]
    assert view.n_id[: view.batch_size].tolist() == seeds
    assert view.input_id.tolist() == [n + 100 for n in seeds]
    assert torch.equal(view.node_hop, view.n_id % 3)
    assert ("e_id" in view) != isinstance(augmentor, DIFFUSION)
    assert "e_id" in data
    if "e_id" in view:
        assert torch.equal(view.e_id, view.edge_number)


@every
@given(batch=batches())
def test_5_batches_stay_batches(augmentor, batch):
    view = augmentor(suited(augmentor, batch), generator=seeded())
    assert isinstance(view, Batch)
    assert view.num_graphs == batch.num_graphs
    assert torch.equal(view.batch[view.edge_index[0]], view.batch[view.edge_index[1]])
    assert torch.equal(
        view.ptr, torch.cat([torch.zeros(1).long(), view.batch.bincount(minlength=view.num_graphs).cumsum(0)])
    )
    members = view.to_data_list()
    assert [int(member.graph_number) for member in members] == list(range(batch.num_graphs))
    assert_same(Batch.from_data_list(members), view)


@every
@given(data=inputs)
def test_6_dtypes_are_kept(augmentor, data):
    data = suited(augmentor, data)
    view = augmentor(data, generator=seeded())
    for key, value in tensors(data).items():
        assert view[key].dtype == value.dtype


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@every
def test_6_a_cpu_generator_gives_the_same_view_on_cuda(augmentor):
    data = suited(augmentor, big())
    on_cuda = augmentor(data.clone().to("cuda"), generator=seeded())
    assert all(value.is_cuda for value in tensors(on_cuda).values())
    one, other = tensors(on_cuda.cpu()), tensors(augmentor(data, generator=seeded()))
    for key in other:  # the same draws; sums may be rounded otherwise
        torch.testing.assert_close(one[key], other[key])


@every
def test_7_n_is_not_guessed_from_the_edges(augmentor):
    data = Data(edge_index=torch.tensor([[0], [1]]), num_nodes=5)
    view = augmentor(data, generator=seeded())
    assert view.num_nodes == len(view.get("n_id", range(5)))
    alone = augmentor(Data(x=torch.ones(1, 2), edge_index=torch.empty(2, 0).long()), generator=seeded())
    assert alone.num_nodes == 1
    assert alone.num_edges == isinstance(augmentor, DIFFUSION)  # what diffuses from a lone node stays there
    edgeless = augmentor(Data(x=torch.ones(4, 2)), generator=seeded())
    assert edgeless.num_nodes == len(edgeless.get("n_id", range(4)))


@every
def test_8_repr_pickle_and_composition(augmentor):
    twin = pickle.loads(pickle.dumps(augmentor))
    assert repr(twin) == repr(augmentor)
    data = suited(augmentor, big())
    assert_same(twin(data, generator=seeded()), augmentor(data, generator=seeded()))
    assert isinstance(T.Compose([augmentor, T.AddSelfLoops()])(data), Data)
    looped = Compose([T.RemoveSelfLoops(), augmentor, T.AddSelfLoops()])(data, generator=seeded())
    assert looped.has_self_loops()


@every
def test_8_what_is_no_graph_is_refused(augmentor):
    with pytest.raises(TypeError, match=r"data must be a torch_geometric Data or Batch, got list"):
        augmentor([1, 2])


@every
@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"edge_index": torch.zeros(4).long()}, ValueError, r"data.edge_index must have shape \[2, E\], got \(4,\)"),
        ({"edge_index": torch.zeros(2, 4)}, TypeError, "data.edge_index must be a long tensor, got torch.float32"),
        ({"edge_index": [[0], [0]]}, TypeError, "data.edge_index must be a long tensor, got list"),
        ({"edge_index": torch.tensor([[0], [3]])}, ValueError, r"data.edge_index must .* in \[0, 3\), got 3"),
        ({"edge_index": torch.tensor([[-1], [0]])}, ValueError, r"data.edge_index must .* in \[0, 3\), got -1"),
        ({"edge_weight": torch.ones(1, 1)}, ValueError, r"data.edge_weight must have shape \[1\], got \(1, 1\)"),
        ({"edge_weight": torch.tensor(1.0)}, ValueError, r"data.edge_weight must have shape \[1\], got \(\)"),
        ({"x": [1.0, 2.0, 3.0]}, TypeError, "data.x must be a tensor with a row for each node, got list"),
    ],
)
def test_8_graphs_that_do_not_fit_are_refused(augmentor, change, error, message):
    data = Data(torch.ones(3, 2), torch.tensor([[0], [1]]), num_nodes=3)
    for key, value in change.items():
        data[key] = value
    with pytest.raises(error, match=message):
        augmentor(data)


@pytest.mark.parametrize("augmentor", HETERO, ids=repr)
def test_8_hetero_graphs_that_do_not_fit_are_refused(augmentor):
    data = HeteroData()
    data["a"].x, data["b"].x = torch.ones(2, 1), torch.ones(5, 1)
    data["a", "to", "b"].edge_index = torch.tensor([[4], [1]])
    with pytest.raises(ValueError, match=r"data\[.*\].edge_index must hold a numbers in \[0, 2\), got 4"):
        augmentor(data)


@pytest.mark.filterwarnings("ignore:Sparse:UserWarning")
@pytest.mark.parametrize("layout", [torch.sparse_coo, torch.sparse_csr])
@pytest.mark.parametrize("augmentor", [one for one in EXAMPLES if not isinstance(one, AdversarialView)], ids=repr)
def test_sparse_features_give_the_dense_view(augmentor, layout):
    edge_index = torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]])
    dense = [Data(torch.rand(n, 4, generator=seeded(n)) + 1, edge_index) for n in (3, 5, 4)]
    sparse = [Data(data.x.to_sparse(layout=layout), edge_index) for data in dense]
    views = [augmentor(Batch.from_data_list(graphs), generator=seeded()) for graphs in (dense, sparse)]
    torch.testing.assert_close(views[1].x.to_dense(), views[0].x)
    for key in ("edge_index", "batch", "ptr"):
        assert torch.equal(views[1][key], views[0][key])


@pytest.mark.parametrize("augmentor", HETERO, ids=repr)
@given(data=hetero_inputs)
def test_hetero_graphs_keep_the_laws(augmentor, data):
    before = copy.deepcopy(data)
    view = augmentor(data, generator=seeded())
    assert_same(data, before)
    assert_same(view, augmentor(data, generator=seeded()))
    for store in view.node_stores:
        n_id = store.get("n_id", torch.arange(data[store._key].num_nodes))
        assert torch.equal(store.node_number, data[store._key].node_number[n_id])
    for start, kind, end in view.edge_types:
        store, old = view[start, kind, end], data[start, kind, end]
        number = store.edge_number
        assert number.numel() == store.edge_index.size(1)
        if isinstance(data, Batch):
            graph = view[start].batch[store.edge_index[0]]
            assert torch.equal(graph, view[end].batch[store.edge_index[1]])
            number = number + data._slice_dict[start, kind, end]["edge_index"][graph]
        if not isinstance(augmentor, (EdgeAdd, EdgeRewire)):
            for side, node in ((0, start), (1, end)):
                n_id = view[node].get("n_id", torch.arange(data[node].num_nodes))
                assert torch.equal(n_id[store.edge_index[side]], old.edge_index[side, number])
        if not isinstance(augmentor, EdgeAttrMask):
            assert torch.equal(store.edge_attr, old.edge_attr[number])
    if isinstance(data, Batch):
        assert_same(Batch.from_data_list(view.to_data_list()), view)


@pytest.mark.parametrize("augmentor", HETERO, ids=repr)
def test_hetero_graphs_are_perturbed_in_the_named_types_only(augmentor):
    if not hasattr(augmentor, "p"):
        return
    data = HeteroData()
    data["a"].x, data["b"].x = torch.rand(2, 50, 20) + 1
    for kind in (("a", "to", "a"), ("a", "to", "b")):
        data[kind].edge_index = torch.randint(50, (2, 100), generator=seeded())
        data[kind].edge_attr = torch.ones(100, 9)
    of_edges = type(augmentor) in (EdgeDrop, EdgeAdd, EdgeRewire, EdgeAttrMask)
    named, other = (("a", "to", "b"), ("a", "to", "a")) if of_edges else ("b", "a")
    one = type(augmentor)({named: 0.5})
    view = one(data, generator=seeded())
    before, after = tensors(data), tensors(view)
    assert all(torch.equal(before[other, key], after[other, key]) for kind, key in before if kind == other)
    assert any(not torch.equal(before[named, key], after[named, key]) for kind, key in before if kind == named)
    with pytest.raises(ValueError, match=r"p must have types of the graph as keys, .*, got \['c'\]"):
        type(augmentor)({"c": 0.5})(data)
    with pytest.raises(ValueError, match=r"p\['c'\] must be in \[0, 1\], got 2"):
        type(augmentor)({"c": 2})


@pytest.mark.parametrize("augmentor", [one for one in EXAMPLES if not one.hetero], ids=repr)
def test_hetero_graphs_are_refused_by_name(augmentor):
    with pytest.raises(TypeError, match=f"data must be a Data or Batch for {type(augmentor).__name__}, got HeteroData"):
        augmentor(HeteroData())


P_KINDS = [EdgeDrop, EdgeAdd, EdgeRewire, EdgeAttrMask, FeatureMask, FeatureDropout, NodeDrop]


@pytest.mark.parametrize("kind", [*P_KINDS, AdaptiveEdgeDrop, AdaptiveFeatureMask])
@pytest.mark.parametrize("p", [-0.1, 1.01, float("nan")])
def test_8_probabilities_are_checked(kind, p):
    with pytest.raises(ValueError, match=rf"p must be in \[0, 1\], got {p}"):
        kind(p)
    with pytest.raises(TypeError, match=r"p must be a number in \[0, 1\], got 'half'"):
        kind("half")


def test_8_compositions_take_any_callable_and_pass_the_generator_to_those_that_name_it():
    def noise(data, generator=None):
        data.z = torch.rand(2, generator=generator)
        return data

    view = Compose([lambda data: data.clone(), T.AddSelfLoops(), noise])(big(), generator=seeded())
    assert view.has_self_loops()
    assert torch.equal(view.z, torch.rand(2, generator=seeded()))
    choice = RandomChoice([noise])
    assert torch.equal(choice(big(), generator=seeded()).z, choice(big(), generator=seeded()).z)


def test_8_the_repr_is_the_call_without_defaults():
    for shown in (
        "Identity()",
        "EdgeDrop(0.5, max_drop=0.5)",
        "RandomChoice([EdgeDrop(0.1), Identity()], num_choices=2)",
    ):
        assert repr(eval(shown)) == shown
    assert repr(AdaptiveEdgeDrop(0.5, pagerank)) == "AdaptiveEdgeDrop(0.5, centrality=pagerank)"
    assert repr(AdversarialView(roughness, steps=2)) == "AdversarialView(roughness, steps=2)"


def test_8_compositions_check_their_transforms():
    with pytest.raises(TypeError, match=r"transforms\[1\] must be a callable Data -> Data, got 3"):
        Compose([EdgeDrop(0.1), 3])
    with pytest.raises(TypeError, match="sequence of transforms"):
        Compose(EdgeDrop(0.1))
    with pytest.raises(ValueError, match=r"num_choices must be in \[1, 1\], got 2"):
        RandomChoice([EdgeDrop(0.1)], num_choices=2)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: UniformSubgraph(0), ValueError, "num_nodes must be at least 1, got 0"),
        (lambda: UniformSubgraph(2.5), TypeError, "num_nodes must be an int, got 2.5"),
        (lambda: EgoSubgraph(-1), ValueError, "num_hops must be at least 0, got -1"),
        (lambda: RandomWalkSubgraph(-1), ValueError, "walk_length must be at least 0, got -1"),
        (lambda: RandomWalkSubgraph(1, 0), ValueError, "num_walks must be at least 1, got 0"),
        (lambda: FeatureNoise(-1.0), ValueError, "std must be finite and at least 0, got -1.0"),
        (lambda: FeatureNoise("big"), TypeError, "std must be a number of at least 0, got 'big'"),
        (lambda: PPRDiffusion(0.0), ValueError, r"alpha must be in \(0, 1\], got 0.0"),
        (lambda: PPRDiffusion(eps=0.0), ValueError, r"eps must be in \[1e-9, 1\), got 0.0"),
        (lambda: PPRDiffusion(top_k=0), ValueError, "top_k must be at least 1, got 0"),
        (lambda: HeatDiffusion(0.0), ValueError, r"t must be in \(0, 100\], got 0.0"),
        (lambda: HeatDiffusion(eps=2.0), ValueError, r"eps must be in \[1e-9, 1\), got 2.0"),
        (lambda: AdaptiveEdgeDrop(0.1, "degree"), TypeError, "centrality must be a function .* got 'degree'"),
        (lambda: AdaptiveFeatureMask(0.1, threshold=2.0), ValueError, r"threshold must be in \[0, 1\], got 2.0"),
    ],
)
def test_8_other_arguments_are_checked(make, error, message):
    with pytest.raises(error, match=message):
        make()
