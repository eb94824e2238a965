"""Data sets of several splits, of several node types, and in three parts."""

import gc
import json
import pickle
import shutil
import sys
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
import scipy.sparse as sp
import torch
from torch_geometric.utils import is_undirected

from gcl._checks import check_graph
from gcl.data import load
from gcl.eval import Split, split_from_masks

MASKS = ("train_mask", "val_mask", "test_mask")


@pytest.fixture(autouse=True)
def _collected():
    """Files that readers leave open on errors are collected in the test that left them."""
    yield
    gc.collect()


@pytest.mark.parametrize("name", ["Cora", "karate", "MUTAG", "ogbn-arxiv"])
def test_a_split_is_refused_where_there_is_one_or_none(name, tmp_path):
    with pytest.raises(ValueError, match=f"split must be None for {name}, got 0"):
        load(name, tmp_path, split=0)


@pytest.mark.parametrize(
    ("name", "split", "allowed"),
    [("ACM", 30, "20, 40, 60"), ("Actor", 10, "0, 1, .*, 9"), ("Texas", True, "0, 1, .*, 9")],
)
def test_a_split_that_is_not_there_is_refused(name, split, allowed, tmp_path):
    with pytest.raises(ValueError, match=f"split must be None or one of {allowed} for {name}, got {split}"):
        load(name, tmp_path, split=split)


@pytest.mark.parametrize(
    ("name", "shape", "edges", "classes"),
    [
        ("Minesweeper", (10000, 7), 78804, 2),
        ("Tolokers", (11758, 10), 1038000, 2),
        ("chameleon_filtered", (890, 2325), 17708, 5),
    ],
)
def test_heterophilous_sets_have_the_published_sizes_and_ten_splits(data_root, name, shape, edges, classes):
    if not Path(data_root, name.lower()).exists():
        pytest.skip(f"{name} is not on disk")
    data = load(name, data_root)
    assert (data.x.shape, data.num_edges, len(data.y.unique())) == (shape, edges, classes)
    assert is_undirected(data.edge_index)
    check_graph(data)
    for mask in MASKS:
        assert data[mask].shape == (shape[0], 10)
    one = load(name, data_root, split=7)
    split = split_from_masks(one)
    split.check(shape[0])
    assert all(torch.equal(a, b) for a, b in zip(split, split_from_masks(data, 7), strict=True))
    assert not torch.equal(split.train, split_from_masks(data, 8).train)


HECO = {
    "ACM": ("paper", [1993, 965, 1061], {"paper": 4019, "author": 7167, "subject": 60}),
    "DBLP": ("author", [1197, 745, 1109, 1006], {"author": 4057, "paper": 14328, "term": 7723, "conference": 20}),
}


@pytest.mark.parametrize("name", HECO)
def test_heco_sets_have_the_published_sizes(data_root, name):
    if not Path(data_root, name).exists():
        pytest.skip(f"{name} is not on disk")
    target, classes, nodes = HECO[name]
    for labels in (20, 40, 60):
        data = load(name, data_root, split=labels)
        assert {kind: data[kind].num_nodes for kind in data.node_types} == nodes
        assert data[target].y.bincount().tolist() == classes
        split = split_from_masks(data[target])
        split.check(nodes[target])
        assert data[target].y[split.train].bincount().tolist() == [labels] * len(classes)
        assert [len(part) for part in split[1:]] == [1000, 1000]
    default = split_from_masks(load(name, data_root)[target]).train
    assert len(default) == 20 * len(classes)
    for start, kind, end in data.edge_types:
        back = (end, kind[4:] if kind.startswith("rev_") else f"rev_{kind}", start)
        reverse = data[back].edge_index.flip(0)
        assert set(map(tuple, reverse.T.tolist())) == set(map(tuple, data[start, kind, end].edge_index.T.tolist()))


def test_acm_holds_what_is_in_its_files(data_root):
    raw = Path(data_root, "ACM", "raw")
    if not raw.exists():
        pytest.skip("ACM is not on disk")
    data = load("ACM", data_root)
    paper, author = np.loadtxt(raw / "pa.txt", dtype=int).T
    assert data["author", "writes", "paper"].edge_index.tolist() == [author.tolist(), paper.tolist()]
    assert data["paper", "has", "subject"].edge_index.T.tolist() == np.loadtxt(raw / "ps.txt", dtype=int).tolist()
    assert torch.equal(data["paper"].x, torch.from_numpy(sp.load_npz(raw / "p_feat.npz").toarray()).float())
    assert "x" not in data["subject"]


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """A set in HeCo's layout: movies 0-3 with labels; directors, actors and writers without features."""
    layout = sys.modules["gcl.data._heco"].HECO["Freebase"]
    nodes = dict(zip(layout.nodes, (4, 2, 3, 1), strict=True))
    edges = {ends: (file, 4 - i) for i, (ends, (file, _)) in enumerate(layout.edges.items())}
    monkeypatch.setitem(sys.modules["gcl.data._heco"].HECO, "Freebase", layout._replace(nodes=nodes, edges=edges))
    raw = tmp_path / "Freebase" / "raw"
    raw.mkdir(parents=True)
    (raw / "md.txt").write_text("0\t0\n1\t1\n2\t0\n3\t1\n")
    (raw / "ma.txt").write_text("0\t2\n1\t1\n3\t0\n")
    (raw / "mw.txt").write_text("2\t0\n0\t0\n")
    np.save(raw / "labels.npy", np.array([2.0, 0, 1, 0]))
    for labels in (20, 40, 60):
        for part, rows in (("train", [3]), ("val", [0, 2]), ("test", [1])):
            np.save(raw / f"{part}_{labels}.npy", np.array(rows))
    return tmp_path


def test_the_columns_of_a_file_are_told_by_its_name(tiny):
    data = load("Freebase", tiny, split=60)
    assert data["movie"].y.tolist() == [2, 0, 1, 0]
    assert [part.tolist() for part in split_from_masks(data["movie"])] == [[3], [0, 2], [1]]
    assert data["director", "directs", "movie"].edge_index.tolist() == [[0, 1, 0, 1], [0, 1, 2, 3]]
    assert data["movie", "rev_acts_in", "actor"].edge_index.tolist() == [[0, 1, 3], [2, 1, 0]]
    assert {kind: data[kind].num_nodes for kind in data.node_types} == {
        "movie": 4,
        "director": 2,
        "actor": 3,
        "writer": 1,
    }


def shorten(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def lose_a_line(path):
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))


DAMAGES = {
    "half of the labels": lambda raw: shorten(raw / "labels.npy"),
    "fewer labels": lambda raw: np.save(raw / "labels.npy", np.zeros(3)),
    "a mask of others": lambda raw: np.save(raw / "train_20.npy", np.array([9])),
    "a shorter line": lambda raw: (raw / "md.txt").write_text("0\t0\n1\t1\n2\t0\n3"),
    "fewer lines": lambda raw: lose_a_line(raw / "ma.txt"),
    "an unknown node": lambda raw: (raw / "mw.txt").write_text("2\t0\n0\t1\n"),
    "a pickle": lambda raw: np.save(raw / "labels.npy", np.array([{}, 1], dtype=object), allow_pickle=True),
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_damaged_files_of_heco_are_named(tiny, damage):
    DAMAGES[damage](tiny / "Freebase" / "raw")
    with pytest.raises(ValueError, match=rf"Freebase could not be read .*a file in {tiny / 'Freebase'} is damaged"):
        load("Freebase", tiny)


def test_missing_files_of_heco_are_listed(tiny, monkeypatch):
    def no_network(*args, **kwargs):
        raise OSError("no network")

    monkeypatch.setattr("gcl.data._heco.download_url", no_network)
    (tiny / "Freebase" / "raw" / "mw.txt").unlink()
    with pytest.raises(FileNotFoundError, match="not on disk and could not be downloaded .no network.") as error:
        load("Freebase", tiny)
    assert str(error.value).splitlines()[1:] == [f"  {tiny / 'Freebase' / 'raw' / 'mw.txt'}"]


def test_files_of_heco_are_downloaded_from_its_repository(tmp_path, data_root, monkeypatch):
    source = Path(data_root, "DBLP", "raw")
    if not source.exists():
        pytest.skip("DBLP is not on disk")

    def copy(url, folder, filename):
        name = url.removeprefix("https://raw.githubusercontent.com/liun-online/HeCo/main/data/dblp/")
        assert name == ("t_feat.npz" if filename == "t_feat.npy" else filename)
        shutil.copy(source / filename, folder)

    monkeypatch.setattr("gcl.data._heco.download_url", copy)
    assert load("DBLP", tmp_path)["term"].x.shape == (7723, 50)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_damaged_file_of_a_filtered_set_is_named(tmp_path):
    raw = tmp_path / "chameleon_filtered" / "raw"
    raw.mkdir(parents=True)
    arrays = {
        "node_features": np.ones((3, 2), dtype=np.float32),
        "node_labels": np.arange(3),
        "edges": np.array([[0, 1]]),
    }
    masks = {f"{part}_masks": np.zeros((10, 3), dtype=bool) for part in ("train", "val", "test")}
    file = raw / "chameleon_filtered.npz"
    np.savez(file, **arrays, **masks)
    with pytest.raises(
        ValueError, match=r"chameleon_filtered has \(890, 17708\) nodes, .* got \(3, 2\): .* is damaged"
    ):
        load("chameleon_filtered", tmp_path)
    shorten(file)
    with pytest.raises(ValueError, match="chameleon_filtered could not be read .* is damaged or half-written"):
        load("chameleon_filtered", tmp_path)
    np.savez(file, **{**arrays, "edges": np.array([[{}, {}]], dtype=object)}, **masks)
    with pytest.raises(ValueError, match="chameleon_filtered could not be read .ValueError: .*allow_pickle=False"):
        load("chameleon_filtered", tmp_path)


def test_wikics_has_one_test_mask_for_all_splits(tmp_path):
    raw = tmp_path / "WikiCS" / "raw"
    raw.mkdir(parents=True)
    masks = np.eye(20, 4, dtype=bool)
    content = {"features": np.eye(4).tolist(), "labels": [0, 1, 0, 1], "links": [[1], [2], [3], []]}
    content |= dict.fromkeys(("train_masks", "val_masks", "stopping_masks"), masks.tolist())
    (raw / "data.json").write_text(json.dumps({**content, "test_mask": [True] * 4}))
    assert load("WikiCS", tmp_path).train_mask.shape == (4, 20)
    data = load("WikiCS", tmp_path, split=2)
    assert data.train_mask.tolist() == masks[2].tolist()
    assert data.test_mask.tolist() == [True] * 4


@pytest.fixture
def sizes(monkeypatch):
    """Sets in three parts are smaller here."""
    monkeypatch.setitem(sys.modules["gcl.data._load"].GRAPH, "PPI", (4,))
    monkeypatch.setitem(sys.modules["gcl.data._load"].GRAPH, "ZINC", (4,))


def molecule(i):
    bonds = torch.tensor([[0, 1, 0], [1, 0, 2], [0, 2, 0]], dtype=torch.int8)
    atoms = torch.tensor([i, 2, 1], dtype=torch.int8)
    return {"num_atom": 3, "atom_type": atoms, "bond_type": bonds, "logP_SA_cycle_normalized": torch.tensor([float(i)])}


def write_zinc(root):
    raw = root / "ZINC" / "raw"
    raw.mkdir(parents=True)
    for part, numbers in (("train", [0, 3]), ("val", [1]), ("test", [2])):
        (raw / f"{part}.pickle").write_bytes(pickle.dumps([molecule(i) for i in range(4)]))
        (raw / f"{part}.index").write_text(",".join(map(str, numbers)) + "\n")
    return raw


def check_parts(graphs):
    split = Split(*graphs.get_idx_split().values())
    split.check(len(graphs))
    assert [part.tolist() for part in split] == [[0, 1], [2], [3]]
    return split


def test_zinc_is_one_set_with_its_split(tmp_path, sizes):
    write_zinc(tmp_path)
    for _ in range(2):
        graphs = load("ZINC", tmp_path)
        check_parts(graphs)
        assert [float(graph.y) for graph in graphs] == [0, 3, 1, 2]
        assert graphs[3].x.tolist() == [[2], [2], [1]]
        assert graphs[3].edge_attr.tolist() == [1, 1, 2, 2]


class Malicious:
    """Its pickle creates a file where it is read."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("inside", [False, True])
def test_zinc_runs_no_code(tmp_path, sizes, inside):
    raw, created = write_zinc(tmp_path), tmp_path / "created"
    if inside:  # in the bytes of a tensor, which are a file of torch.save

        class Hidden:
            def __reduce__(self):
                torch.save(Malicious(created), tmp_path / "hidden")
                return torch.storage._load_from_bytes, ((tmp_path / "hidden").read_bytes(),)

        (raw / "val.pickle").write_bytes(pickle.dumps([Hidden()]))
    else:
        (raw / "val.pickle").write_bytes(pickle.dumps([Malicious(created)]))
    with pytest.raises(ValueError, match="ZINC could not be read .UnpicklingError"):
        load("ZINC", tmp_path)
    assert not created.exists()


def test_ppi_is_one_set_with_its_split(tmp_path, sizes):
    raw = tmp_path / "PPI" / "raw"
    raw.mkdir(parents=True)
    for part, n in (("train", 2), ("valid", 1), ("test", 1)):
        graph = nx.disjoint_union_all([nx.path_graph(3)] * n).to_directed()
        (raw / f"{part}_graph.json").write_text(json.dumps(nx.node_link_data(graph, edges="links")))
        np.save(raw / f"{part}_feats.npy", np.full((3 * n, 50), len(part)))
        np.save(raw / f"{part}_labels.npy", np.ones((3 * n, 121)))
        np.save(raw / f"{part}_graph_id.npy", np.repeat(np.arange(n), 3))
    graphs = load("PPI", tmp_path)
    check_parts(graphs)
    assert [float(graph.x[0, 0]) for graph in graphs] == [5, 5, 5, 4]
    assert graphs[2].edge_index.shape == (2, 4)
    assert graphs[0].y.shape == (3, 121)


def test_names_of_the_same_set_by_others_have_folders_of_their_own(tmp_path):
    file = tmp_path / "CitationFull" / "cora" / "raw" / "cora.npz"
    file.parent.mkdir(parents=True)
    x, adjacency = sp.csr_array(np.eye(3)), sp.csr_array(np.array([[0, 1, 0], [0, 0, 1], [0, 0, 0]]))
    np.savez(
        file,
        labels=np.arange(3),
        **{f"attr_{key}": getattr(x, key) for key in ("data", "indices", "indptr", "shape")},
        **{f"adj_{key}": getattr(adjacency, key) for key in ("data", "indices", "indptr", "shape")},
    )
    with pytest.raises(ValueError, match=r"CitationFull-Cora has \(19793, 126842\) nodes, .* got \(3, 4\)"):
        load("CitationFull-Cora", tmp_path)
