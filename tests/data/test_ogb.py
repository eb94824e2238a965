"""OGB's sets through ogb's own classes, from folders written here, and from the real molecules where they are."""

import importlib.util
import sys

import numpy as np
import pytest
import torch
from torch_geometric.data import Batch
from torch_geometric.utils import to_undirected

from benchmarks import make_ogb_like
from gcl.data import evaluator, load, molecule_features
from gcl.eval import Split, split_from_masks
from gcl.nn._molecules import ATOM, BOND
from tests.inputs import molecules

pytestmark = pytest.mark.skipif(importlib.util.find_spec("ogb") is None, reason="ogb is not installed")


@pytest.fixture(autouse=True)
def _no_questions(monkeypatch):
    def refuse(prompt=""):
        raise AssertionError(f"a question was asked: {prompt}")

    monkeypatch.setattr("builtins.input", refuse)


@pytest.mark.parametrize("name", ["ogbn-arxiv", "ogbn-products"])
def test_a_written_set_is_read_by_ogb_as_the_model_has_it(tmp_path, name):
    model = make_ogb_like.make(name, tmp_path, num_nodes=200, seed=1)
    for _ in range(2):  # the second time from ogb's processed file
        data = load(name, tmp_path)
        edges = torch.from_numpy(np.concatenate(list(model.edges()), axis=1))
        assert data.num_nodes == 200
        assert torch.equal(to_undirected(data.edge_index), to_undirected(edges))
        assert torch.allclose(data.x, torch.from_numpy(np.concatenate(list(model.features()))), atol=5.1e-5)
        assert torch.equal(data.y, torch.from_numpy(model.y))
        year, parts = make_ogb_like.splits(name, model)
        for part, rows in zip(split_from_masks(data), parts, strict=True):
            assert part.tolist() == sorted(rows)
        assert data.synthetic is True
        assert data.is_undirected()
        if year is not None:
            assert data.node_year.flatten().tolist() == year.tolist()
            assert data.node_year[data.train_mask].max() <= 2017 < data.node_year[data.val_mask].min()
    with pytest.raises(FileExistsError):
        make_ogb_like.make(name, tmp_path, num_nodes=100)


@pytest.mark.parametrize(("name", "share"), [("ogbn-arxiv", (0.537, 0.176)), ("ogbn-products", (0.0803, 0.0161))])
def test_splits_have_ogbs_proportions_and_cover_all(name, share):
    model = make_ogb_like.BlockModel(20_000)
    parts = make_ogb_like.splits(name, model)[1]
    assert sorted(np.concatenate(parts)) == list(range(20_000))
    for part, expected in zip(parts, share, strict=False):
        assert abs(len(part) / 20_000 - expected) < 4 * (expected * (1 - expected) / 20_000) ** 0.5


def test_a_set_that_is_nowhere_says_which_files_go_where_and_leaves_nothing(tmp_path, monkeypatch):
    def no_network(*args, **kwargs):
        raise OSError("no network")

    monkeypatch.setattr("gcl.data._ogb.download_url", no_network)
    for _ in range(2):
        with pytest.raises(FileNotFoundError) as error:
            load("ogbn-arxiv", tmp_path)
        assert "ogbn-arxiv is not on disk and could not be downloaded (no network)" in str(error.value)
        for file in ("RELEASE_v1.txt", "raw/node_year.csv.gz", "split/time/valid.csv.gz"):
            assert str(tmp_path / "ogbn_arxiv" / file) in str(error.value)
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("victim", ["RELEASE_v1.txt", "raw/node-label.csv.gz", "split/sales_ranking/test.csv.gz"])
def test_half_a_folder_is_explained_before_ogb_sees_it(tmp_path, victim):
    make_ogb_like.make("ogbn-products", tmp_path, num_nodes=100)
    file = tmp_path / "ogbn_products" / victim
    file.unlink()
    with pytest.raises(FileNotFoundError, match="Delete the folder and load again, or put these files there") as error:
        load("ogbn-products", tmp_path)
    assert str(error.value).splitlines()[1:] == [f"  {file}"]


def test_the_folder_of_a_damaged_file_is_named(tmp_path):
    make_ogb_like.make("ogbn-products", tmp_path, num_nodes=100)
    file = tmp_path / "ogbn_products" / "raw" / "node-feat.csv.gz"
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(
        ValueError, match=rf"ogbn-products could not be read .*: a file in {file.parents[1]} is damaged"
    ):
        load("ogbn-products", tmp_path)


def test_a_download_is_moved_in_whole(tmp_path, monkeypatch):
    """The archive of OGB holds a folder of another name."""
    make_ogb_like.make("ogbn-arxiv", tmp_path / "elsewhere", num_nodes=50)

    def unpack(path, folder):
        assert path == "http://snap.stanford.edu/ogb/data/nodeproppred/arxiv.zip"
        (tmp_path / "elsewhere" / "ogbn_arxiv").rename(f"{folder}/arxiv")

    monkeypatch.setattr("gcl.data._ogb.download_url", lambda url, folder: url)
    monkeypatch.setattr("gcl.data._ogb.extract_zip", unpack)
    assert load("ogbn-arxiv", tmp_path / "here").num_nodes == 50
    assert [path.name for path in (tmp_path / "here").iterdir()] == ["ogbn_arxiv"]


def test_without_ogb_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ogb.nodeproppred", None)
    with pytest.raises(ImportError, match=r"ogbn-arxiv needs ogb: pip install 'torch-gcl\[ogb\]'"):
        load("ogbn-arxiv", tmp_path)


def test_a_linear_layer_on_the_features_is_ogbs_encoders(generator):
    from ogb.graphproppred.mol_encoder import AtomEncoder, BondEncoder

    atom, bond = AtomEncoder(16).double(), BondEncoder(16).double()
    tables = [table.weight for table in (*atom.atom_embedding_list, *bond.bond_embedding_list)]
    assert [len(table) for table in tables] == [*ATOM, *BOND]
    weight = torch.cat(tables)
    for graph in molecules(generator):
        x = molecule_features(graph.clone()).x
        assert torch.allclose(x[:, : sum(ATOM)].double() @ weight[: sum(ATOM)], atom(graph.x), atol=1e-12)
        around = torch.zeros(len(x), 16, dtype=torch.double)
        if graph.num_edges:
            around.index_add_(0, graph.edge_index[1], bond(graph.edge_attr))
        assert torch.allclose(x.double() @ weight, atom(graph.x) + around, atol=1e-12)


def test_molecules_in_a_batch_are_those_outside(generator):
    graphs = molecules(generator)
    alone = torch.cat([molecule_features(graph.clone()).x for graph in graphs])
    assert torch.equal(molecule_features(Batch.from_data_list(graphs)).x, alone)


@pytest.mark.parametrize(
    ("name", "count", "sizes"),
    [("ogbg-molfreesolv", 642, (513, 64, 65)), ("ogbg-molbace", 1513, (1210, 151, 152))],
)
def test_real_molecules(data_root, name, count, sizes):
    graphs = load(name, data_root)
    assert (len(graphs), graphs.num_features, graphs.num_edge_features) == (count, 9, 3)
    split = Split(*graphs.get_idx_split().values())
    split.check(count)
    assert tuple(map(len, split)) == sizes
    assert graphs[0].x.dtype == graphs[0].edge_attr.dtype == torch.long
    graphs.transform = molecule_features
    graph = graphs[0]
    assert (graph.x[:, : sum(ATOM)].sum(1) == len(ATOM)).all()
    assert graph.x[:, sum(ATOM) :].sum() == len(BOND) * graph.num_edges


def test_no_thread_asks_the_network_for_a_newer_ogb(monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] in ("ogb", "outdated")]:
        monkeypatch.delitem(sys.modules, name)
    evaluator("ogbg-molhiv")
    assert sys.modules["ogb.version"].check_outdated is None


def test_the_evaluator_is_ogbs():
    perfect = {"y_true": torch.tensor([[0], [1]]), "y_pred": torch.tensor([[0.1], [0.9]])}
    assert evaluator("ogbg-molhiv").eval(perfect) == {"rocauc": 1.0}
    with pytest.raises(ValueError, match="Invalid dataset name ogbg-none"):
        evaluator("ogbg-none")


def test_pygs_safe_classes_are_not_forgotten(tmp_path):
    before = set(torch.serialization.get_safe_globals())
    make_ogb_like.make("ogbn-products", tmp_path, num_nodes=100)
    load("ogbn-products", tmp_path)
    assert set(torch.serialization.get_safe_globals()) == before
