"""Molecules as OGB has them: an encoder of their integers, and the methods that train it."""

import copy

import pytest
import torch
from torch_geometric.data import Batch, Data

from augmentors import AdversarialView, EdgeAttrMask, FeatureDropout, FeatureMask
from gcl.methods import ADGCL, ARIELGraph, GraphCL, InfoGraph, SimGRACE
from gcl.nn import encode, molecule_encoder
from gcl.nn._molecules import ATOM, BOND, CategoryEmbedding
from tests.inputs import molecules, seeded

METHODS = {
    "GraphCL": GraphCL,
    "InfoGraph": InfoGraph,
    "SimGRACE": SimGRACE,
    "ADGCL": lambda encoder: ADGCL(encoder, molecule_encoder(8, 2)),
    "ARIELGraph": ARIELGraph,
}


def batch(count=9):
    return Batch.from_data_list(molecules(seeded(), count))


def other_bonds(data):
    """The molecules with bonds of another type."""
    data = copy.copy(data)
    data.edge_attr = data.edge_attr.clone()
    data.edge_attr[:, 0] = (data.edge_attr[:, 0] + 1) % BOND[0]
    return data


def tables(encoder):
    return [part.table.weight for part in encoder.modules() if isinstance(part, CategoryEmbedding)]


def test_embeddings_are_ogbs():
    ogb = pytest.importorskip("ogb.graphproppred.mol_encoder")
    data = batch()
    for sizes, values, theirs in ((ATOM, data.x, ogb.AtomEncoder(16)), (BOND, data.edge_attr, ogb.BondEncoder(16))):
        ours, (columns,) = CategoryEmbedding("data.x", sizes, 16), theirs.children()
        for (row, table), one in zip(enumerate(columns), ours.table.weight.split([s + 1 for s in sizes]), strict=True):
            assert len(table.weight) == sizes[row]
            bound = (6 / (len(one) + 16)) ** 0.5
            assert 0.8 * bound < one.abs().max() <= bound
            one.data[1:] = table.weight.detach()
        torch.testing.assert_close(ours(values), theirs(values), rtol=1e-6, atol=1e-6)


def test_it_is_the_formula_with_bonds_in_each_layer():
    data, encoder = batch(), molecule_encoder(8, 3, 6).double()
    data.edge_weight = torch.rand(data.num_edges, dtype=torch.double)

    def embedded(table, sizes, values):
        first = [1 + sum(size + 1 for size in sizes[:column]) for column in range(len(sizes))]
        return sum(table[values[:, column] + first[column]] for column in range(len(sizes)))

    atoms, *bonds = tables(encoder)
    x, (source, target) = embedded(atoms, ATOM, data.x), data.edge_index
    assert len(bonds) == 3
    for conv, table in zip(encoder.gnn.convs, bonds, strict=True):
        message = data.edge_weight[:, None] * (x[source] + embedded(table, BOND, data.edge_attr)).relu()
        x = conv.nn(x + torch.zeros_like(x).index_add(0, target, message)).relu()
    torch.testing.assert_close(encode(encoder, data), x, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", METHODS)
def test_methods_see_and_train_the_bonds(name):
    method, data = METHODS[name](molecule_encoder(8, 2, norm="batch_norm")), batch()
    assert not torch.allclose(method.embed(data), method.embed(other_bonds(data)))
    method(data, generator=seeded()).backward()
    encoders = [method.encoder, *([method.view_encoder] if name == "ADGCL" else [])]
    for encoder in encoders:
        assert len(tables(encoder)) == 3
        assert all(table.grad.isfinite().all() and table.grad.abs().sum() > 0 for table in tables(encoder))


def test_the_view_learner_chooses_edges_by_their_bonds():
    method, data = METHODS["ADGCL"](molecule_encoder(8, 2)), batch()
    keep, other = (method._keep(view, seeded()) for view in (data, other_bonds(data)))
    assert not torch.allclose(keep, other)


def test_ariel_attacks_bonds_and_keeps_atoms():
    method, data = METHODS["ARIELGraph"](molecule_encoder(8, 2)), batch()
    view = method.adversarial_view(method.pair(data, generator=seeded()), generator=seeded())
    assert torch.equal(view.x, data.x)
    assert not torch.equal(view.edge_index, data.edge_index)
    assert view.edge_attr.dtype == torch.long
    assert view.edge_attr.shape == (view.num_edges, 3)
    attack = AdversarialView(lambda view: encode(method.encoder, view).square().sum(), edge_budget=0.0)
    assert torch.equal(attack(data, generator=seeded()).edge_index, data.edge_index)


@pytest.mark.parametrize(
    ("mask", "key"), [(FeatureMask, "x"), (FeatureDropout, "x"), (EdgeAttrMask, "edge_attr")], ids=str
)
def test_what_is_masked_is_no_category(mask, key):
    data, encoder = batch(), molecule_encoder(8, 2)
    view = mask(1.0)(data)
    assert (view[key] == -1).all()
    assert view[key].dtype == torch.long
    zeros = copy.copy(data)
    zeros[key] = torch.zeros_like(data[key])
    h = encode(encoder, view)
    assert not torch.allclose(h, encode(encoder, zeros))
    h.sum().backward()
    table, sizes = (encoder.atoms, ATOM) if key == "x" else (encoder.gnn.convs[0].lin, BOND)
    for rows in table.table.weight.grad.split([size + 1 for size in sizes]):
        assert rows[0].abs().sum() > 0
        assert rows[1:].abs().sum() == 0


def test_a_molecule_is_the_same_alone_and_in_any_batch():
    graphs = [*molecules(seeded()), Data(torch.empty(0, 9).long(), torch.empty(2, 0).long(), torch.empty(0, 3).long())]
    method = InfoGraph(molecule_encoder(8, 3, jk="cat"))
    alone = torch.cat([method.embed(Batch.from_data_list([graph])) for graph in graphs[:-1]])
    together = method.embed(Batch.from_data_list(graphs))
    torch.testing.assert_close(together[:-1], alone, rtol=1e-5, atol=1e-5)
    assert torch.equal(together[-1], torch.zeros(24))


def test_scripts_and_exports_are_the_encoder():
    encoder, data = molecule_encoder(8, 2, norm="batch_norm").eval(), batch()
    edges = torch.export.Dim("edges")
    sizes = {"x": {0: torch.export.Dim("atoms")}, "edge_index": {1: edges}, "edge_attr": {0: edges}}
    arguments = (data.x, data.edge_index), {"edge_attr": data.edge_attr}
    program = torch.export.export(encoder, *arguments, dynamic_shapes=sizes).module()
    script = torch.jit.script(encoder)
    for count in (9, 4):
        data = batch(count)
        h = encode(encoder, data)
        for other in (program, script):
            found = other(data.x, data.edge_index, edge_attr=data.edge_attr)
            torch.testing.assert_close(found, h, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("key", "change", "error", "message"),
    [
        ("x", lambda x: x.float(), TypeError, r"data.x must be a tensor of integers \[N, 9\], got torch.float32"),
        ("x", lambda x: x[:, :8], ValueError, r"data.x must have shape \[N, 9\], got \(45, 8\)"),
        (
            "x",
            lambda x: x.clamp(min=119),
            ValueError,
            r"data.x\[:, 0\] must hold category numbers in .*, got 119",
        ),
        ("x", lambda x: x - 2, ValueError, r"data.x\[:, 0\] must hold category numbers in \[-1, 119\), got -2"),
        ("edge_attr", lambda _: None, ValueError, "data.edge_attr is missing"),
        ("edge_attr", lambda e: e.float(), TypeError, r"data.edge_attr must be a tensor of integers \[N, 3\]"),
        ("edge_attr", lambda e: e[:, 0], ValueError, r"data.edge_attr must have shape \[144, 3\], got \(144,\)"),
        ("edge_attr", lambda e: e[:1], ValueError, r"data.edge_attr must have shape \[144, 3\], got \(1, 3\)"),
        (
            "edge_attr",
            lambda e: e + 2,
            ValueError,
            r"data.edge_attr\[:, 0\] must hold category .* in \[-1, 5\)",
        ),
    ],
)
def test_what_is_no_molecule_is_refused_by_name(key, change, error, message):
    data = batch()
    data[key] = change(data[key])
    with pytest.raises(error, match=message):
        encode(molecule_encoder(8, 2), data)


def test_arguments_are_checked():
    with pytest.raises(ValueError, match="hidden_channels must be at least 1, got 0"):
        molecule_encoder(0)
    with pytest.raises(TypeError, match="num_layers must be an int, got 2.5"):
        molecule_encoder(8, 2.5)
