"""The laws that hold for every exported augmentor."""

import copy
import pickle

import pytest
import torch
import torch_geometric.transforms as T
from hypothesis import given, settings
from hypothesis import strategies as st
from torch_geometric.data import Batch, Data

import augmentors
from augmentors import Augmentor, Compose, EdgeDrop, FeatureDropout, FeatureMask, Identity, RandomChoice
from tests.graphs import batches, graphs

EXAMPLES = [
    Identity(),
    EdgeDrop(0.5),
    EdgeDrop(0.5, undirected=False),
    FeatureMask(0.5),
    FeatureDropout(0.5),
    Compose([EdgeDrop(0.3), FeatureMask(0.3)]),
    RandomChoice([EdgeDrop(0.5), FeatureMask(0.5), Identity()], num_choices=2),
]
every = pytest.mark.parametrize("augmentor", EXAMPLES, ids=repr)
RANDOM = [augmentor for augmentor in EXAMPLES if not isinstance(augmentor, Identity)]
inputs = st.one_of(graphs(), batches())


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def tensors(data):
    return {key: value for key, value in data.to_dict().items() if isinstance(value, torch.Tensor)}


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
    assert exported == {type(augmentor) for augmentor in EXAMPLES}


@every
@given(data=inputs)
def test_1_the_input_is_untouched(augmentor, data):
    before = copy.deepcopy(data)
    slices = copy.deepcopy(data._slice_dict) if isinstance(data, Batch) else None
    augmentor(data, generator=seeded())
    assert_same(data, before)
    if slices is not None:
        assert all(torch.equal(data._slice_dict[key], slices[key]) for key in slices)


@every
@given(data=inputs)
def test_2_same_seed_same_view(augmentor, data):
    assert_same(augmentor(data, generator=seeded()), augmentor(data, generator=seeded()))
    torch.manual_seed(3)
    one = augmentor(data)
    torch.manual_seed(3)
    assert_same(one, augmentor(data))


@pytest.mark.parametrize("augmentor", RANDOM, ids=repr)
def test_2_one_generator_gives_different_views(augmentor):
    data, g = big(), seeded()
    views = [augmentor(data, generator=g) for _ in range(4)]
    edges = {tuple(view.edge_index.flatten().tolist()) for view in views}
    features = {tuple(view.x.flatten().tolist()) for view in views}
    assert len(edges) > 1 or len(features) > 1


@every
@given(data=inputs)
def test_3_attributes_stay_aligned(augmentor, data):
    view = augmentor(data, generator=seeded())
    assert view.edge_index.size(1) == view.edge_number.numel()
    kept = view.edge_number
    shift = 0
    if isinstance(data, Batch):  # edge_number restarts in each graph of a batch
        shift = data._slice_dict["edge_index"][view.batch[view.edge_index[0]].cpu()]
    assert torch.equal(view.edge_index, data.edge_index[:, kept + shift])
    for key in ("edge_attr", "edge_weight"):
        if key in data:
            assert torch.equal(view[key], data[key][kept + shift])


@every
@given(data=inputs)
def test_4_nodes_are_kept_or_named(augmentor, data):
    view = augmentor(data, generator=seeded())
    n_id = view.get("n_id", torch.arange(data.num_nodes))
    assert view.num_nodes == n_id.numel()
    for key in ("node_number", "y", "train_mask"):
        if key in data:
            assert torch.equal(view[key], data[key][n_id])


@every
@given(batch=batches())
def test_5_batches_stay_batches(augmentor, batch):
    view = augmentor(batch, generator=seeded())
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
    view = augmentor(data, generator=seeded())
    for key, value in tensors(data).items():
        assert view[key].dtype == value.dtype


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@every
def test_6_a_cpu_generator_gives_the_same_view_on_cuda(augmentor):
    data = big()
    on_cuda = augmentor(data.clone().to("cuda"), generator=seeded())
    assert all(value.is_cuda for value in tensors(on_cuda).values())
    assert_same(on_cuda.cpu(), augmentor(data, generator=seeded()))


@every
def test_7_n_is_not_guessed_from_the_edges(augmentor):
    data = Data(edge_index=torch.tensor([[0], [1]]), num_nodes=5)
    assert augmentor(data, generator=seeded()).num_nodes == 5
    alone = augmentor(Data(x=torch.ones(1, 2), edge_index=torch.empty(2, 0).long()), generator=seeded())
    assert alone.num_nodes == 1
    assert alone.num_edges == 0


@every
def test_8_repr_pickle_and_composition(augmentor):
    twin = pickle.loads(pickle.dumps(augmentor))
    assert repr(twin) == repr(augmentor)
    data = big()
    assert_same(twin(data, generator=seeded()), augmentor(data, generator=seeded()))
    assert isinstance(T.Compose([augmentor, T.AddSelfLoops()])(data), Data)
    looped = Compose([T.RemoveSelfLoops(), augmentor, T.AddSelfLoops()])(data, generator=seeded())
    assert looped.has_self_loops()


@every
def test_8_what_is_no_graph_is_refused(augmentor):
    with pytest.raises(TypeError, match=r"data must be a torch_geometric Data or Batch, got list"):
        augmentor([1, 2])


@pytest.mark.parametrize("kind", [EdgeDrop, FeatureMask, FeatureDropout])
@pytest.mark.parametrize("p", [-0.1, 1.01, float("nan")])
def test_8_probabilities_are_checked(kind, p):
    with pytest.raises(ValueError, match=rf"p must be in \[0, 1\], got {p}"):
        kind(p)
    with pytest.raises(TypeError, match=r"p must be a float in \[0, 1\], got 'half'"):
        kind("half")


def test_8_compositions_check_their_parts():
    with pytest.raises(TypeError, match="callables Data -> Data, got 3"):
        Compose([EdgeDrop(0.1), 3])
    with pytest.raises(TypeError, match="sequence of transforms"):
        Compose(EdgeDrop(0.1))
    with pytest.raises(ValueError, match=r"num_choices must be in \[1, 1\], got 2"):
        RandomChoice([EdgeDrop(0.1)], num_choices=2)


settings.register_profile("laws", deadline=None, max_examples=40)
settings.load_profile("laws")
