"""Of a loader's batch only the seeds, its first rows, are compared and embedded, whatever the method."""

from functools import partial

import pytest
import torch
from torch_geometric.data import Data
from torch_geometric.nn import GraphSAGE
from torch_geometric.utils import to_undirected

from augmentors import Identity
from gcl.data import cluster_loader, neighbor_loader
from gcl.methods import ADGCL, ARIEL, CCASSG, GRACE, Regularized, StructComp
from gcl.nn import gcn, gin
from gcl.regularizers import POT, Information
from gcl.train import fit
from tests.inputs import ring, seeded
from tests.methods.test_every_method import MASKED, NODE, build


def build_information():
    method = build("GRACE")
    return Regularized(method, Information(method.projector), 0.5)


def build_ariel(information_weight=0.1):
    torch.manual_seed(0)
    return ARIEL(gcn(4, 8, 2, 6), 6, information_weight=information_weight, subgraph_size=None)


BUILD = {name: partial(build, name) for name in NODE} | {"ARIEL": build_ariel, "Information": build_information}
every = pytest.mark.parametrize("name", BUILD)


def chords(weighted=False):
    """Thirty nodes in a ring with chords, and some apart."""
    torch.manual_seed(2)
    edge_index = to_undirected(torch.cat([ring(26).edge_index, torch.randint(25, (2, 20))], dim=1))
    data = Data(x=torch.randn(30, 4, dtype=torch.float64), edge_index=edge_index)
    if weighted:
        data.edge_weight = 0.5 + ((edge_index.sum(0) * 7) % 10) / 10.0
        data.edge_weight = data.edge_weight.double()
    return data


class Rows(torch.nn.Module):
    """Takes some columns of the features for the embeddings."""

    def __init__(self, start, stop):
        super().__init__()
        self.start, self.stop = start, stop

    def forward(self, x, edge_index, edge_weight=None):
        return x[:, self.start : self.stop]


def parts_of(method):
    """The method with its networks, and the one that it wraps."""
    return [method, *([method.method] if hasattr(method, "method") else [])]


def without_augmentation(method):
    for part in parts_of(method):
        for name in ("augmentor", "augmentor1", "augmentor2", "corrupt"):
            if hasattr(part, name):
                setattr(part, name, Identity())
        if hasattr(part, "attack"):
            part.attack = lambda objective: Identity()
    for module in method.modules():
        if isinstance(module, torch.nn.BatchNorm1d):
            module.eval()  # else its statistics are those of the batch
    return method.double()


def on_embeddings(method, data, seeds, weighted):
    """The method's loss where the seeds' embeddings in the whole graph are given, and the edges between them."""
    with torch.no_grad():
        views = [method.encoder(data.x, data.edge_index, data.get("edge_weight"))]
        if hasattr(method, "diffusion_encoder"):
            views = list(method.encode_views(method.prepare(data)))
    place = torch.full((data.num_nodes,), -1)
    place[seeds] = torch.arange(seeds.numel())
    ends = place[data.edge_index]
    given = Data(x=torch.cat(views, dim=1)[seeds], edge_index=ends[:, (ends >= 0).all(0)])
    for part in parts_of(method):
        part.encoder = Rows(0, 6)
        if hasattr(part, "target"):
            part.target = part.encoder
        if hasattr(part, "diffusion_encoder"):
            part.diffusion_encoder = Rows(6, 12)
    return method.loss(given, generator=seeded(3))


@every
@pytest.mark.parametrize("weighted", [False, True])
def test_the_loss_is_that_of_the_seeds_in_the_whole_graph(name, weighted):
    method, data = without_augmentation(BUILD[name]()), chords(weighted)
    batch = next(iter(neighbor_loader(data, [-1] * 26, 12, generator=seeded(1))))
    seeds = batch.n_id[: batch.batch_size]
    assert not torch.equal(seeds, seeds.sort().values)
    assert batch.num_nodes > seeds.numel() + 8
    loss = method.loss(batch, generator=seeded(3))
    torch.testing.assert_close(loss, on_embeddings(method, data, seeds, weighted), rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("name", [*BUILD, *MASKED])
def test_a_loader_embeds_the_whole_graph(name):
    method, data = (BUILD[name] if name in BUILD else partial(build, name))().double(), chords()
    loader = neighbor_loader(data, [-1] * 26, 7, shuffle=False)
    h = torch.cat([method.embed(batch) for batch in loader])
    torch.testing.assert_close(h, method.embed(data), rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize(
    ("encoder", "exact"),
    [(lambda: GraphSAGE(4, 8, 2, 6), 2), (lambda: gcn(4, 8, 2, 6), 2), (lambda: gin(4, 8, 3, 6), 3)],
)
def test_how_many_full_hops_embed_as_the_whole_graph(encoder, exact):
    method, data = CCASSG(encoder()).double(), chords()
    whole = method.embed(data)
    for hops in (exact - 1, exact):
        loader = neighbor_loader(data, [-1] * hops, 7, shuffle=False)
        h = torch.cat([method.embed(batch) for batch in loader])
        assert torch.allclose(h, whole, atol=1e-8) == (hops == exact)


@pytest.mark.parametrize("name", NODE | MASKED)
def test_training_on_batches_lowers_the_loss(name):
    method, data = build_ariel(information_weight=0.0) if name == "ARIEL" else build(name), chords()
    data.x = data.x.float()
    loader = neighbor_loader(data, [3, 3], 10, generator=seeded())
    fixed = list(loader)

    def mean_loss():
        with torch.no_grad():
            return sum(method(batch, generator=seeded(seed)).item() for seed in range(5) for batch in fixed)

    before = mean_loss()
    optimizer = torch.optim.Adam(method.parameters(), lr=0.01)
    fit(method, loader, optimizer, epochs=10, generator=seeded(), progress=False)
    assert mean_loss() < before


def batch_of(data):
    return next(iter(neighbor_loader(data, [2], 4, generator=seeded())))


def test_what_cannot_tell_seeds_refuses_them():
    data = ring()
    batch = batch_of(data)
    encoder = gcn(4, 8, 2, 6)
    parts = torch.arange(12) // 3
    with pytest.raises(ValueError, match=r"subgraph_size takes no batches of a loader \(data.batch_size = 4\)"):
        ARIEL(encoder, 6).loss(batch)
    with pytest.raises(ValueError, match="StructComp takes no batches of a loader"):
        StructComp(CCASSG(encoder), parts).loss(batch)
    with pytest.raises(ValueError, match="StructComp with BatchNorm takes no batches of a loader"):
        StructComp(CCASSG(gcn(4, 8, 2, 6, norm="batch_norm")), parts).embed(batch)
    with pytest.raises(ValueError, match="chunk takes no batches of a loader"):
        GRACE(encoder, 6).embed(batch, chunk=5)
    with pytest.raises(ValueError, match="ADGCL takes no batches of a loader"):
        ADGCL(gin(4, 8, 3, 6), gin(4, 8, 3, 6), 6).loss(batch)
    with pytest.raises(ValueError, match="POT needs the embeddings of all .* nodes, got those of 4 seeds"):
        Regularized(GRACE(encoder, 6), POT((0.2, 0.2)), 0.5).loss(batch)


def test_pot_takes_the_batches_whose_nodes_all_count():
    method = Regularized(GRACE(gcn(4, 8, 2, 6), 6), POT((0.2, 0.2)), 0.5)
    for batch in cluster_loader(ring(), torch.arange(12) // 3, 2):
        assert method.loss(batch).isfinite()
