"""The regularizer with methods, what it refuses, its gradients, and its memory."""

import math

import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch_geometric.data import Data
from torch_geometric.nn import GAT, GCN, GCNConv, GraphSAGE

from augmentors import EdgeDrop, UniformSubgraph
from gcl import fit
from gcl.data import neighbor_loader
from gcl.methods import BGRL, GCA, GRACE, GraphCL, Regularized, StructComp
from gcl.nn import gcn
from gcl.regularizers import POT, compactness_bound, contrast_directions, layer, pot_loss
from gcl.regularizers.pot._bounds import MODES
from gcl.regularizers.pot._graph import Graph
from tests.inputs import seeded
from tests.regularizers.dense import directions, random_encoder, random_graph, reference_loss

every_mode = pytest.mark.parametrize("mode", MODES)


def graph(n=20, undirected=True, seed=0):
    torch.manual_seed(seed)
    return Data(x=torch.randn(n, 6), edge_index=random_graph(n, 2 * n, undirected, seed))


def views_of(pair):
    return (pair.view1.x, pair.view1.edge_index, pair.h1), (pair.view2.x, pair.view2.edge_index, pair.h2)


def test_it_is_the_dense_loss_of_the_methods_own_views():
    data, encoder = graph(), random_encoder()
    data.x = data.x.double()
    grace = GRACE(encoder, 5, edge_drop=(0.4, 0.3), feature_mask=(0.2, 0.1)).double()
    method = Regularized(grace, POT((0.4, 0.3)), 0.25)
    pair = grace.pair(data, generator=seeded(1))
    pot = reference_loss(encoder, data.edge_index, views_of(pair), (0.4, 0.3))
    expected = 0.75 * grace.loss_of(pair) + 0.25 * pot
    torch.testing.assert_close(method.loss(data, generator=seeded(1)), expected, rtol=0, atol=1e-12)


def test_bgrl_can_be_regularized():
    data, bgrl = graph(), BGRL(gcn(6, 8, 2, 5))
    method = Regularized(bgrl, POT((0.2, 0.4)), 0.1)
    pair = bgrl.pair(data, generator=seeded())
    pot = pot_loss(bgrl.encoder, data.edge_index, *views_of(pair), (0.2, 0.4))
    torch.testing.assert_close(method.loss(data, generator=seeded()), 0.9 * bgrl.loss_of(pair) + 0.1 * pot)
    before = [parameter.clone() for parameter in (*bgrl.encoder.parameters(), *bgrl.target.parameters())]
    losses = fit(method, data, torch.optim.Adam(method.parameters(), 0.01), 5, progress=False, generator=seeded())
    assert all(math.isfinite(loss) for loss in losses)
    after = (*bgrl.encoder.parameters(), *bgrl.target.parameters())
    assert not any(torch.equal(one, other) for one, other in zip(before, after, strict=True))


def test_one_rate_is_that_of_both_views():
    data, encoder = graph(), gcn(6, 8, 2, 5)
    pair = GRACE(encoder).pair(data, generator=seeded())
    for rate in (0.3, torch.rand(data.num_edges), lambda data: torch.full((data.num_edges,), 0.3)):
        assert torch.equal(POT(rate)(encoder, pair), POT((rate, rate))(encoder, pair))
    one, other = (pot_loss(encoder, data.edge_index, *views_of(pair), rates) for rates in (0.3, (0.3, 0.3)))
    assert torch.equal(one, other)


def test_a_function_gives_each_edge_its_rate():
    data = graph()
    gca = GCA(gcn(6, 8, 2, 5), 5, edge_drop=(0.4, 0.3))
    drops = [augmentor.transforms[0] for augmentor in (gca.augmentor1, gca.augmentor2)]
    pair = gca.pair(data, generator=seeded())
    one = POT(tuple(drop.probabilities for drop in drops))(gca.encoder, pair)
    other = POT(tuple(drop.probabilities(data) for drop in drops))(gca.encoder, pair)
    assert torch.equal(one, other)
    assert not torch.equal(one, POT((0.0, 0.0))(gca.encoder, pair))


def test_target_batches_draw_from_the_scores_of_the_whole_graph():
    data, encoder = graph(), gcn(6, 8, 2, 5)
    pair = GRACE(encoder, 5).pair(data, generator=seeded())
    for mode in MODES:
        few, draws = POT((0.4, 0.3), mode=mode, target_batch=4), seeded(7)
        targets = torch.randperm(20, generator=seeded(7))[:4]
        torch.testing.assert_close(
            few(encoder, pair, generator=draws),
            pot_loss(encoder, data.edge_index, *views_of(pair), (0.4, 0.3), mode=mode, targets=targets),
        )
        assert few(encoder, pair, generator=draws) != few(encoder, pair, generator=draws)
        all_of_them = POT((0.4, 0.3), mode=mode, target_batch=20)(encoder, pair)
        assert torch.equal(all_of_them, POT((0.4, 0.3), mode=mode)(encoder, pair))


@every_mode
def test_gradients_by_finite_differences(mode):
    encoder, data = random_encoder("elu" if mode == "linear" else "prelu"), graph(8, undirected=mode == "worst")
    x = data.x.double().requires_grad_()
    c = directions(encoder(x, data.edge_index)).detach().requires_grad_()
    parameters = tuple(encoder.parameters())

    def bound(x, c, *_):
        return compactness_bound(encoder, x, data.edge_index, c, 0.4, mode=mode)

    inputs = (x, c) if mode == "reference" else (x, c, *parameters)  # whose slope has no gradient through the lines
    assert torch.autograd.gradcheck(bound, inputs)


def test_the_maximum_over_neighbors_is_the_same_in_blocks():
    data = graph(undirected=False)
    loops = torch.cat([data.edge_index, torch.arange(20).repeat(2, 1)], dim=1)
    adjacency = Graph(loops, 20, torch.double)
    x = torch.rand(20, 16, dtype=torch.double, requires_grad=True)
    torch.testing.assert_close(adjacency.max_neighbors(x), adjacency._max_block(x))
    grads = [torch.autograd.grad((f(x) ** 2).sum(), x)[0] for f in (adjacency.max_neighbors, adjacency._max_block)]
    torch.testing.assert_close(*grads)
    start, end = data.edge_index[:, data.edge_index[0] != data.edge_index[1]]
    expected = torch.stack([torch.cat([x[start[end == i]], 0 * x[:1]]).amax(0) for i in range(20)])
    torch.testing.assert_close(adjacency.max_neighbors(x), expected)


@pytest.mark.parametrize("slope", [-0.5, 1.7])
def test_learnt_slopes_beyond_0_and_1_keep_the_certificates(slope):
    for seed in range(5):
        encoder, data = random_encoder("prelu", seed=seed), graph(seed=seed)
        nn.init.constant_(encoder.act.weight, slope)
        x = data.x.double()
        c = directions(encoder(x, data.edge_index)).detach()
        view = EdgeDrop(0.6, max_drop=0.5)(data, generator=seeded(seed)).edge_index
        true = (c * encoder(x, view)).sum(1)
        for mode in ("worst", "worst_tight", "linear"):
            bound = compactness_bound(encoder, x, data.edge_index, c, 0.5, mode=mode, view=view)
            assert (bound <= true + 1e-10).all(), mode
        exact = compactness_bound(encoder, x, data.edge_index, c, 0.0, mode="worst_tight")
        torch.testing.assert_close(exact, (c * encoder(x, data.edge_index)).sum(1))


@every_mode
@pytest.mark.parametrize("activation", ["relu", "prelu", "elu"])
def test_gradients_stay_finite_with_featureless_isolated_nodes_and_fresh_biases(mode, activation):
    data = graph()
    data.x[:5] = 0
    keep = (data.edge_index >= 5).all(0)
    data.edge_index = data.edge_index[:, keep]
    encoder = gcn(6, 8, 2, 5, act=activation)
    method = Regularized(GRACE(encoder, 5), POT((0.4, 0.3), mode=mode), 1.0)
    method.loss(data, generator=seeded()).backward()
    for parameter in encoder.parameters():
        assert parameter.grad.isfinite().all()
        assert parameter.grad.abs().max() < 1e5


@every_mode
def test_training_raises_the_scores(mode):
    data = graph(30)
    method = Regularized(GRACE(gcn(6, 16, 2, 8), 8), POT(0.2, mode=mode), 0.5)

    def loss_of_pot():
        with torch.no_grad():
            return float(method.regularizer(method.encoder, method.pair(data, generator=seeded(9))))

    before = loss_of_pot()
    assert abs(before - math.log(2)) < 0.3  # scores start near 0
    fit(method, data, torch.optim.Adam(method.parameters(), 0.01), 40, progress=False, generator=seeded())
    assert loss_of_pot() < before


def test_a_regularized_method_is_a_method():
    data, grace = graph(), GRACE(gcn(6, 8, 2, 5), 5)
    method = Regularized(Regularized(grace, POT((0.2, 0.4)), 0.5), lambda encoder, pair: pair.h1.sum(), 0.0)
    pair = method.pair(data, generator=seeded())
    half = 0.5 * grace.loss_of(pair) + 0.5 * POT((0.2, 0.4))(grace.encoder, pair)
    torch.testing.assert_close(method.loss(data, generator=seeded()), half)
    assert torch.equal(method.embed(data), grace.embed(data))
    assert len(list(method.parameters())) == len(list(grace.parameters()))
    with pytest.raises(ValueError, match=r"regularizer_weight must be in \[0, 1\], got 1.5"):
        Regularized(grace, POT((0.2, 0.4)), 1.5)


@every_mode
def test_graphs_without_edges_and_pairs_of_nodes(mode):
    encoder = random_encoder()
    x, none = torch.randn(2, 6, dtype=torch.double), torch.empty(2, 0, dtype=torch.long)
    c = contrast_directions(encoder(x, none))
    bound = compactness_bound(encoder, x, none, c, 0.5, mode=mode)
    assert bound.isfinite().all()
    if mode == "worst_tight":
        torch.testing.assert_close(bound, (c * encoder(x, none)).sum(1))
    with pytest.raises(ValueError, match="h must have at least two rows, got 1"):
        contrast_directions(x[:1])


@pytest.mark.parametrize("scale", [1e3, 1e25])
def test_directions_of_large_rows_are_those_of_small_ones(scale):
    h = torch.randn(10, 4)
    expected = contrast_directions(h)
    torch.testing.assert_close(contrast_directions(scale * h), expected, rtol=1e-5, atol=1e-6)
    h[0] = 0
    small = contrast_directions((1e3 * h).half())
    assert small.dtype == torch.float16
    torch.testing.assert_close(small.float(), contrast_directions(h), rtol=0, atol=2e-3)


class Largest(TorchDispatchMode):
    """The most entries that the result of any operation has, forward and backward."""

    def __init__(self):
        super().__init__()
        self.numel = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        if isinstance(out, torch.Tensor) and out.layout == torch.strided:
            self.numel = max(self.numel, out.numel())
        return out


def test_no_array_of_n_by_n_or_edges_by_width():
    n, e, width = 4_000, 200_000, 64
    x, edge_index = torch.randn(n, 16), torch.randint(n, (2, e), generator=seeded())
    encoder, c = gcn(16, width, 2, 32), torch.randn(n, 32)
    with Largest() as largest:
        for mode in MODES:
            compactness_bound(encoder, x, edge_index, c, 0.3, mode=mode).sum().backward()
    assert 2 * n * width <= largest.numel < 9e6  # edge_dot's pieces have 2**23 entries
    assert largest.numel < min(n * n, e * width)


REFUSED = [
    (GAT(6, 8, 2, 5), TypeError, "must be PyG's GCN or gcl.nn.gcn, whose propagation is linear, got GAT"),
    (GraphSAGE(6, 8, 2, 5), TypeError, "got GraphSAGE"),
    (nn.Linear(6, 5), TypeError, "got Linear"),
    (gcn(6, 8, 2, 5, norm="batch_norm"), ValueError, "must not normalize between its layers, got BatchNorm"),
    (gcn(6, 8, 2, 5, dropout=0.5), ValueError, "must not drop out between its layers in training, got dropout=0.5"),
    (GCN(6, 8, 2, 5, jk="cat"), ValueError, "no jumping knowledge, got jk='cat'"),
    (gcn(6, 8, 2, 5, improved=True), ValueError, "must have improved=False, got True"),
    (gcn(6, 8, 2, 5, cached=True), ValueError, "must have cached=False, got True"),
    (gcn(6, 8, 2, 5, aggr="mean"), ValueError, "must have aggr='add', got 'mean'"),
    (gcn(6, 8, 2, 5, normalize=False), ValueError, "must have normalize=True, got False"),
    (gcn(6, 8, 2, 5, act="tanh"), TypeError, "must be the identity, ReLU, LeakyReLU, PReLU or ELU, got Tanh"),
    (gcn(6, 8, 2, 5, act=nn.LeakyReLU(2.0)), ValueError, r"LeakyReLU must be in \[0, 1\], got 2.0"),
    (gcn(6, 8, 2, 5, act=nn.ELU(2.0)), ValueError, r"ELU must be in \(0, 1\] .* got 2.0"),
    (gcn(6, 8, 1, 5), ValueError, "at least two layers, got 1"),
    ([GCNConv(6, 5)], TypeError, "a sequence of gcl.regularizers.layer"),
]


@pytest.mark.parametrize(("encoder", "error", "message"), REFUSED)
def test_encoders_that_are_not_covered_are_refused_with_the_reason(encoder, error, message):
    x, none = torch.randn(3, 6), torch.empty(2, 0, dtype=torch.long)
    with pytest.raises(error, match=message):
        compactness_bound(encoder, x, none, torch.randn(3, 5), 0.1, mode="worst")


@pytest.mark.parametrize(
    ("method", "error", "message"),
    [
        (GraphCL(gcn(6, 8)), ValueError, "compares nodes, got one with the readout"),
        (StructComp(GRACE(gcn(6, 8)), torch.arange(20) // 2), ValueError, "views with edges, .* such as StructComp"),
        (GRACE(GAT(6, 8, 2, 5)), TypeError, "must be PyG's GCN or gcl.nn.gcn, whose propagation is linear, got GAT"),
        (GRACE(gcn(6, 8, norm="batch_norm")), ValueError, "must not normalize between its layers, got BatchNorm"),
    ],
)
def test_methods_that_are_not_covered_are_refused_at_construction(method, error, message):
    with pytest.raises(error, match=message):
        Regularized(method, POT(0.2), 0.1)


def test_compiled_encoders_are_looked_through():
    data, encoder = graph(), gcn(6, 8, 2, 5)
    c = directions(encoder(data.x, data.edge_index)).detach()
    for wrapped in (encoder, torch.compile(encoder, backend="eager")):
        bound = compactness_bound(wrapped, data.x, data.edge_index, c, 0.3, mode="worst_tight")
        assert torch.equal(bound, compactness_bound(encoder, data.x, data.edge_index, c, 0.3, mode="worst_tight"))


def test_dropout_in_evaluation_is_no_obstacle():
    encoder = gcn(6, 8, 2, 5, dropout=0.5).eval()
    data = graph()
    c = directions(encoder(data.x, data.edge_index))
    exact = compactness_bound(encoder, data.x, data.edge_index, c, 0.0, mode="worst_tight")
    torch.testing.assert_close(exact, (c * encoder(data.x, data.edge_index)).sum(1))


def test_arguments_are_checked():
    data, encoder = graph(), gcn(6, 8, 2, 5)
    c = torch.randn(20, 5)
    three = gcn(6, 8, 3, 5)
    for change, message in [
        (dict(mode="tight"), "mode must be one of reference, linear, worst, worst_tight, got 'tight'"),
        (dict(drop_rate=1.5), r"drop_rate must be in \[0, 1\], got 1.5"),
        (dict(drop_rate=torch.full((data.num_edges,), -0.5)), r"drop_rate must be in \[0, 1\], got -0.5"),
        (dict(drop_rate=torch.ones(3)), r"drop_rate must have shape \(\d+,\), got \(3,\)"),
        (dict(contrast=c[:, :2]), r"contrast must have shape \(20, 5\), .* got \(20, 2\)"),
        (dict(edge_index=torch.tensor([[0], [20]])), r"edge_index must hold node numbers in \[0, 20\), got 20"),
        (dict(view=torch.tensor([[-1], [2]])), r"view must hold node numbers in \[0, 20\), got -1"),
        (dict(encoder=three, mode="linear"), "two layers for mode 'linear', got 3"),
        (dict(x=data.x[:, :4]), "x must have the 6 columns that the encoder takes, got 4"),
        (dict(x=data.x.double()), "x must be of torch.float32 as the encoder is, got torch.float64"),
        (dict(contrast=c.double()), "contrast must be of torch.float32 as the encoder is, got torch.float64"),
        (dict(targets=torch.tensor([-1])), r"targets must hold node numbers in \[0, 20\), got -1"),
    ]:
        arguments = dict(encoder=encoder, x=data.x, edge_index=data.edge_index, contrast=c, drop_rate=0.2, mode="worst")
        with pytest.raises(ValueError, match=message):
            compactness_bound(**(arguments | change))
    for name in ("encoder", "x", "edge_index", "contrast"):
        with pytest.raises(TypeError, match=f"{name} must"):
            compactness_bound(**(arguments | {name: None}))
    with pytest.raises(TypeError, match="targets must be a long tensor, got list"):
        compactness_bound(**arguments, targets=[0])
    with pytest.raises(ValueError, match="eps must be finite and above 0, got 0"):
        contrast_directions(c, eps=0)
    with pytest.raises(ValueError, match=r"one rate or a pair, one for each view, got \(0.1,\)"):
        POT((0.1,))
    with pytest.raises(ValueError, match=r"drop_rates must be in \[0, 1\], got 2"):
        POT((0.1, 2))
    with pytest.raises(ValueError, match="target_batch must be at least 1, got 0"):
        POT((0.1, 0.2), target_batch=0)
    with pytest.raises(TypeError, match="must consist of GCNConv layers"):
        layer(nn.Linear(2, 2), None)


def test_views_that_are_not_covered_are_refused():
    data, grace = graph(), GRACE(gcn(6, 8, 2, 5), 5)
    pot = POT((0.1, 0.2))
    grace.augmentor1 = EdgeDrop(0.5, as_weight=True)
    with pytest.raises(ValueError, match="does not cover edge weights"):
        pot(grace.encoder, grace.pair(data))
    grace.augmentor1 = grace.augmentor2 = UniformSubgraph(10)
    with pytest.raises(ValueError, match=r"views with all 20 nodes, got 10"):
        pot(grace.encoder, grace.pair(data))
    graphs = GraphCL(gcn(6, 8, 2, 5), 5)
    graphs.augmentor1 = graphs.augmentor2 = EdgeDrop(0.1)
    with pytest.raises(ValueError, match=r"embeddings of the 20 nodes, got \(1, 5\)"):
        pot(graphs.encoder, graphs.pair(data))


def test_degrees_of_another_graph_are_refused():
    sample = next(iter(neighbor_loader(graph(), [2, 2], batch_size=20, generator=seeded())))
    method = Regularized(GRACE(gcn(6, 8, 2, 5), 5), POT(0.2), 0.3)
    with pytest.raises(ValueError, match="POT counts degrees in the edges that it gets, got a sample with node_degree"):
        method.loss(sample)
    del sample.node_degree
    assert method.loss(sample).isfinite()
