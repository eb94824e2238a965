"""ARIEL: GRACE and GraphCL with an adversarial view; what the attack leaves alone, and how the weights work."""

import copy
import pickle
from functools import partial

import pytest
import torch
from torch_geometric.data import Batch, Data
from torch_geometric.nn.models import GIN

from augmentors import AdversarialView, Identity, UniformSubgraph
from gcl.losses import info_nce, information_regularizer
from gcl.methods import ARIEL, GRACE, ARIELGraph, GraphCL
from gcl.nn import gcn
from gcl.train import fit
from tests.inputs import seeded


def graph(n=30, seed=0):
    g = seeded(seed)
    half = torch.randint(n - 2, (2, 2 * n), generator=g)  # two nodes are isolated
    return Data(x=torch.rand(n, 4, generator=g), edge_index=torch.cat([half, half.flip(0)], 1))


def batch():
    return Batch.from_data_list([graph(n, n) for n in (6, 9, 12)])


def ariel(**options):
    torch.manual_seed(0)
    return ARIEL(gcn(4, 8, 2, 6), 6, **{"subgraph_size": None} | options)


def test_without_the_new_terms_it_is_grace_bit_for_bit():
    data, method = graph(), ariel(adversarial_weight=0, subgraph_size=20)
    torch.manual_seed(0)
    grace = GRACE(gcn(4, 8, 2, 6), 6)
    g = seeded(1)
    loss = grace(UniformSubgraph(20)(data, generator=g), generator=g)
    assert method(data, generator=seeded(1)) == loss
    whole = ariel(adversarial_weight=0)
    states = []
    for one in (whole, grace):
        optimizer = torch.optim.Adam(one.parameters(), lr=0.01)
        losses = fit(one, data, optimizer, 5, progress=False, generator=seeded())
        states.append([torch.tensor(losses), *one.encoder.parameters(), one.embed(data)])
    assert all(torch.equal(a, b) for a, b in zip(*states, strict=True))


def test_without_the_new_terms_it_is_graphcl_bit_for_bit():
    torch.manual_seed(0)
    method = ARIELGraph(gcn(4, 8, 2, 6), 6, adversarial_weight=0)
    torch.manual_seed(0)
    graphcl = GraphCL(gcn(4, 8, 2, 6), 6)
    assert method(batch(), generator=seeded(1)) == graphcl(batch(), generator=seeded(1))


def test_the_loss_is_the_sum_of_its_terms():
    data, method = graph(), ariel(adversarial_weight=0.7, information_weight=0.3, temperature=0.4)
    g = seeded(1)
    pair = method.method.pair(data, generator=g)
    view = method.adversarial_view(pair, generator=g)
    z, z3 = (method.method.projector(method.encoder(v.x, v.edge_index)) for v in (data, view))
    expected = info_nce(pair.z1, pair.z2, 0.4) + 0.7 * info_nce(pair.z1, z3, 0.4)
    expected = expected + 0.3 * information_regularizer(pair.z1, pair.z2, z, 0.4)
    torch.testing.assert_close(method(data, generator=seeded(1)), expected)


@pytest.mark.parametrize(
    ("build", "data"),
    [(ARIEL, graph()), (ARIELGraph, batch())],
    ids=["nodes", "graphs"],
)
def test_the_attack_raises_the_loss_that_is_trained(build, data):
    torch.manual_seed(0)
    method = build(gcn(4, 8, 2, 6), 6, attack=partial(AdversarialView, feature_budget=0.3, feature_step=0.1))
    pair = method.method.pair(data, generator=seeded(1))

    def loss(view):
        return method.method.objective(pair.z1, method.method.projector(method.method.represent(view)))

    assert loss(method.adversarial_view(pair, generator=seeded(2))) > loss(data)


def test_the_attack_changes_no_mode_gradient_or_statistic():
    torch.manual_seed(0)
    method = ARIELGraph(gcn(4, 8, 2, 6, norm="batch_norm", dropout=0.3), 6)
    method.encoder.norms[0].eval()
    pair = method.method.pair(batch(), generator=seeded())
    before = copy.deepcopy(method.state_dict())
    modes = [module.training for module in method.modules()]
    view = method.adversarial_view(pair, generator=seeded())
    assert [module.training for module in method.modules()] == modes
    assert not all(modes)
    assert all(torch.equal(value, before[key]) for key, value in method.state_dict().items())
    assert all(p.grad is None and p.requires_grad for p in method.parameters())
    assert isinstance(view, Batch)
    assert not view.x.requires_grad


def test_any_augmentor_serves_as_the_third_view():
    method, data = ariel(attack=lambda objective: Identity(), adversarial_weight=2), graph()
    pair = method.method.pair(data, generator=seeded(1))
    z = method.method.projector(method.encoder(data.x, data.edge_index))
    torch.testing.assert_close(method(data, generator=seeded(1)), info_nce(pair.z1, pair.z2) + 2 * info_nce(pair.z1, z))


@pytest.mark.parametrize("n", [1, 2, 30])
def test_small_edgeless_and_whole_graphs_train(n):
    data = Data(x=torch.rand(n, 4), edge_index=torch.empty(2, 0).long())
    for one in (data, graph()):
        method = ariel(subgraph_size=30, information_weight=0.5)
        loss = method(one, generator=seeded())
        loss.backward()
        assert loss.isfinite()
        assert all(p.grad.isfinite().all() for p in method.parameters())


def test_methods_can_be_pickled_and_copied():
    for method, data in ((ariel(), graph()), (ARIELGraph(gcn(4, 8, 2, 6), 6), batch())):
        for twin in (pickle.loads(pickle.dumps(method)), copy.deepcopy(method)):
            assert twin(data, generator=seeded()) == method(data, generator=seeded())


def test_arguments_are_checked():
    for options, message in (
        ({"adversarial_weight": -1}, "adversarial_weight must be finite and at least 0, got -1"),
        ({"information_weight": float("nan")}, "information_weight must be finite and at least 0, got nan"),
        ({"subgraph_size": 0}, "num_nodes must be at least 1, got 0"),
        ({"temperature": 0}, "temperature must be finite and above 0, got 0"),
    ):
        with pytest.raises(ValueError, match=message):
            ariel(**options)
    with pytest.raises(ValueError, match="encoder must take edge weights"):
        ARIELGraph(GIN(4, 8, 2, 6), 6)
    ARIELGraph(GIN(4, 8, 2, 6), 6, adversarial_weight=0)
