"""Data sets by name, and what is said when they are not there."""

import gc
import pickle
import shutil
import sys
from collections import defaultdict
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
import scipy.sparse as sp
import torch
from torch_geometric.data import Data
from torch_geometric.utils import contains_self_loops, homophily, is_undirected, to_undirected

from gcl._checks import check_graph, check_labels, warn_one_directional
from gcl.data import csbm, from_networkx, load
from gcl.data._safe import check_pickle


@pytest.fixture
def _collected():
    """What the test left is collected before it ends."""
    yield
    gc.collect()


def unclosed(test):
    """For errors on which the readers leave files open: the warnings are this test's, and not of a later one."""
    ignored = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
    return pytest.mark.usefixtures("_collected")(ignored(test))


@pytest.mark.parametrize("name", ["csbm", "digits", "karate"])
def test_builtin_sets_are_sound_and_the_same_each_time(name):
    data, again = load(name), load(name)
    check_graph(data)
    check_labels(data.y, data.num_nodes)
    assert is_undirected(data.edge_index, num_nodes=data.num_nodes)
    assert not contains_self_loops(data.edge_index)
    assert data.is_coalesced()
    assert torch.equal(data.x, again.x)
    assert torch.equal(data.edge_index, again.edge_index)
    assert data.y.unique().tolist() == list(range(int(data.y.max()) + 1))


def test_digits_are_joined_to_their_neighbors():
    data = load("digits")
    i = 17
    distance = (data.x - data.x[i]).norm(dim=1)
    nearest = set(distance.topk(11, largest=False).indices.tolist()) - {i}
    assert nearest <= set(data.edge_index[1, data.edge_index[0] == i].tolist())


def test_karate_is_zacharys():
    data = load("karate")
    graph = nx.karate_club_graph()
    assert {(u, v) for u, v in data.edge_index.T.tolist() if u < v} == set(graph.edges)
    assert data.y.bincount().tolist() == [17, 17]


def test_the_atlas_holds_every_small_graph_once():
    graphs = load("atlas")
    assert torch.bincount(torch.tensor([graph.num_nodes for graph in graphs])).tolist() == [
        0,
        1,
        2,
        4,
        11,
        34,
        156,
        1044,
    ]
    assert graphs.num_classes == 2
    for graph in graphs[::50]:
        check_graph(graph)
        assert is_undirected(graph.edge_index, num_nodes=graph.num_nodes)
    (complete,) = [graph for graph in graphs if graph.num_nodes <= 4 and graph.y == 1]
    assert complete.num_edges == 12
    assert sum(int(graph.y) for graph in graphs) == 401


def test_csbm_has_the_statistics_that_were_asked_for(generator):
    sizes, edges = (500, 300, 200), 4000
    data = csbm(
        sizes,
        edges,
        homophily=0.6,
        num_words=600,
        words_per_node=20,
        class_words=50,
        signal=0.3,
        generator=generator,
    )
    assert data.y.bincount().tolist() == list(sizes)
    assert data.num_edges == 2 * edges
    assert abs(homophily(data.edge_index, data.y) - 0.6) < 0.05
    assert data.x.unique().tolist() == [0, 1]
    degree = data.edge_index[0].bincount(minlength=1000).float()
    assert degree.var() > 1.5 * degree.mean()  # more unequal than Poisson degrees
    own = torch.stack([data.x[data.y == c].mean(0)[:150].reshape(3, 50).sum(1) for c in range(3)])
    assert (own.diagonal() > own.T).sum() == 6  # each class uses its own words most


def test_csbm_without_signal_or_homophily_does_not_depend_on_the_classes(generator):
    data = csbm((600, 600), 6000, homophily=0.5, signal=0.0, num_words=200, generator=generator)
    assert abs(homophily(data.edge_index, data.y) - 0.5) < 0.03
    means = torch.stack([data.x[data.y == c].mean(0) for c in range(2)])
    assert (means[0] - means[1]).abs().max() < 0.12


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"homophily": 1.5}, r"homophily must be in \[0, 1\], got 1.5"),
        ({"signal": -1}, r"signal must be in \[0, 1\], got -1"),
        ({"class_sizes": (5,)}, r"at least two classes with nodes, got \(5,\)"),
        ({"num_words": 10}, "num_words must be at least 420, got 10"),
        (
            {"class_sizes": (3, 3), "num_edges": 100, "num_words": 120},
            "num_edges must be at most about .*, got 100",
        ),
    ],
)
def test_csbm_checks_its_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        csbm(**arguments)


def test_from_networkx_numbers_nodes_in_their_order():
    graph = nx.DiGraph()
    graph.add_node("b", size=[1.0, 2.0], kind="x", age=3)
    graph.add_node("a", size=[3.0, 4.0], kind="w", age=5)
    graph.add_edge("a", "b", cost=7)
    graph.add_edge("a", "a", cost=1)
    data = from_networkx(graph, features=["size", "age"], labels="kind", weight="cost")
    assert data.edge_index.tolist() == [[1, 1], [0, 1]]
    assert data.edge_weight.tolist() == [7, 1]
    assert data.x.tolist() == [[1, 2, 3], [3, 4, 5]]
    assert data.y.tolist() == [1, 0]


def test_from_networkx_takes_tensors_and_graphs_without_edges():
    graph = nx.empty_graph(3)
    data = from_networkx(graph, features=torch.ones(3, 2), labels=torch.tensor([0, 1, 1]))
    assert data.edge_index.shape == (2, 0)
    assert data.edge_index.dtype == torch.long
    assert data.x.tolist() == [[1, 1]] * 3
    loop = nx.Graph([(0, 0), (0, 1)])
    assert sorted(from_networkx(loop).edge_index.T.tolist()) == [[0, 0], [0, 1], [1, 0]]


def test_from_networkx_names_what_is_wrong():
    graph = nx.path_graph(3)
    with pytest.raises(TypeError, match="graph must be a networkx Graph or DiGraph, got MultiGraph"):
        from_networkx(nx.MultiGraph(graph))
    with pytest.raises(ValueError, match="at least one node, got an empty graph"):
        from_networkx(nx.Graph())
    with pytest.raises(ValueError, match="labels='club' is missing from node 0, which has"):
        from_networkx(graph, labels="club")
    with pytest.raises(TypeError, match="labels must be the name of a node attribute or a long tensor .* got {0: 1}"):
        from_networkx(graph, labels={0: 1})
    for values in ([[1], [2], [1]], [1, "b", None]):
        nx.set_node_attributes(graph, dict(enumerate(values)), "kind")
        with pytest.raises(TypeError, match="labels='kind' must hold values that can be sorted"):
            from_networkx(graph, labels="kind")
    with pytest.raises(ValueError, match="weight='cost' is missing from the edge between nodes number 0 and 1"):
        from_networkx(graph, weight="cost")
    with pytest.raises(ValueError, match="the rows of x must be the graph's 3 nodes, got 2"):
        from_networkx(graph, features=torch.ones(2, 2))


def test_an_unknown_name_lists_the_known_ones():
    message = "name must be one of atlas, csbm, digits, karate, Cora, .* got 'cora'; any other torch_geometric Data can"
    with pytest.raises(ValueError, match=message):
        load("cora")


def no_network(*args, **kwargs):
    raise OSError("no network")


def test_a_missing_set_says_which_files_go_where(tmp_path, monkeypatch):
    for name in ("planetoid.fs.cp", "amazon.download_url"):
        monkeypatch.setattr(f"torch_geometric.datasets.{name}", no_network)
    with pytest.raises(FileNotFoundError) as error:
        load("Cora", tmp_path)
    message = str(error.value)
    assert "Cora is not on disk and could not be downloaded (no network)" in message
    assert str(tmp_path / "Cora" / "raw" / "ind.cora.graph") in message
    monkeypatch.setenv("GCL_DATA", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="amazon_electronics_photo.npz"):
        load("Photo")


@unclosed
def test_the_folder_of_a_damaged_file_is_named(tmp_path):
    folder = tmp_path / "Photo" / "raw"
    folder.mkdir(parents=True)
    (folder / "amazon_electronics_photo.npz").write_bytes(b"PK\x03\x04 half of a file")
    message = rf"Photo could not be read \(.*\): a file in {folder.parent} is damaged or half-written"
    with pytest.raises(ValueError, match=message) as error:
        load("Photo", tmp_path)
    assert "Delete that folder and load again" in str(error.value)


@unclosed
@pytest.mark.parametrize("victim", ["raw/ind.cora.allx", "raw/ind.cora.graph", "processed/data.pt"])
def test_the_folder_of_a_half_written_file_of_cora_is_named(data_root, tmp_path, victim):
    shutil.copytree(Path(data_root) / "Cora" / "raw", tmp_path / "Cora" / "raw")
    load("Cora", tmp_path)
    file = tmp_path / "Cora" / victim
    if victim.startswith("raw"):
        shutil.rmtree(tmp_path / "Cora" / "processed")
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2 + 1])
    with pytest.raises(ValueError, match=f"a file in {tmp_path / 'Cora'} is damaged or half-written"):
        load("Cora", tmp_path)


def test_a_half_written_file_that_can_be_read_is_noticed(data_root, tmp_path):
    """PyG reads a shortened test index without complaint, and gives the test nodes each other's labels."""
    shutil.copytree(Path(data_root) / "Cora" / "raw", tmp_path / "Cora" / "raw")
    file = tmp_path / "Cora" / "raw" / "ind.cora.test.index"
    file.write_text("\n".join(file.read_text().splitlines()[:500]) + "\n")
    with pytest.raises(ValueError, match=r"Cora has \(2708, 10556, 1000\) .* got \(2708, 10556, 500\): .* in .*Cora "):
        load("Cora", tmp_path)


class Malicious:
    """Its pickle creates a file where it is read."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@unclosed
@pytest.mark.parametrize(
    "victim", ["raw/ind.cora.graph", "raw/ind.cora.allx", "processed/data.pt", "processed/pre_filter.pt"]
)
def test_a_data_folder_runs_no_code(data_root, tmp_path, victim):
    shutil.copytree(Path(data_root) / "Cora" / "raw", tmp_path / "Cora" / "raw")
    data = load("Cora", tmp_path)
    file, created = tmp_path / "Cora" / victim, tmp_path / "created"
    if victim.startswith("raw"):
        shutil.rmtree(tmp_path / "Cora" / "processed")
        content = pickle.load(file.open("rb"), encoding="latin1")
        file.write_bytes(pickle.dumps([Malicious(created), content]))
    else:
        torch.save([Malicious(created), data.to_dict()], file)
    with pytest.raises(ValueError, match=r"Cora could not be read \(UnpicklingError: .* could run code"):
        load("Cora", tmp_path)
    assert not created.exists()
    pickle.loads(pickle.dumps(Malicious(created)))
    assert created.exists()


@pytest.mark.parametrize("protocol", [3, 4])
def test_arrays_and_matrices_are_harmless(tmp_path, protocol):
    for value in (np.eye(3), sp.csr_matrix(np.eye(3)), defaultdict(list, {0: [1]})):
        path = tmp_path / "file"
        path.write_bytes(pickle.dumps(value, protocol))
        check_pickle(path)


def half(file):
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join(lines[: len(lines) // 2]))


@unclosed
@pytest.mark.parametrize("file", ["A", "graph_indicator", "graph_labels", "node_labels", "edge_labels"])
@pytest.mark.parametrize("left", ["half", "nothing"])
def test_half_written_graph_sets_are_named_each_time(data_root, tmp_path, file, left):
    """PyG reads most of them without complaint, and would find its processed file the second time."""
    shutil.copytree(Path(data_root) / "MUTAG" / "raw", tmp_path / "MUTAG" / "raw")
    path = tmp_path / "MUTAG" / "raw" / f"MUTAG_{file}.txt"
    half(path) if left == "half" else path.write_text("")
    for _ in range(2):
        with pytest.raises(ValueError, match=rf"MUTAG .* a file in {tmp_path / 'MUTAG'} is damaged or half-written"):
            load("MUTAG", tmp_path)


def test_labels_that_do_not_fit_the_graphs_are_noticed_without_known_sizes(data_root, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules["gcl.data._load"].GRAPH, "MUTAG", ())
    shutil.copytree(Path(data_root) / "MUTAG" / "raw", tmp_path / "MUTAG" / "raw")
    assert len(load("MUTAG", tmp_path)) == 188
    shutil.rmtree(tmp_path / "MUTAG" / "processed")
    half(tmp_path / "MUTAG" / "raw" / "MUTAG_graph_labels.txt")
    with pytest.raises(ValueError, match=r"MUTAG has 188 entries of y, got \(94,\): a file in"):
        load("MUTAG", tmp_path)


def test_a_processed_file_of_the_wrong_size_is_made_anew(data_root, tmp_path):
    shutil.copytree(Path(data_root) / "Cora" / "raw", tmp_path / "Cora" / "raw")
    index = tmp_path / "Cora" / "raw" / "ind.cora.test.index"
    content = index.read_text()
    half(index)
    with pytest.raises(ValueError, match="Cora has"):
        load("Cora", tmp_path)
    index.write_text(content)
    assert int(load("Cora", tmp_path).test_mask.sum()) == 1000


def test_a_graph_with_each_edge_given_once_gets_a_warning():
    edge_index = torch.tensor([[0, 1, 2, 2], [1, 2, 0, 2]])
    with pytest.warns(UserWarning, match=r"data.edge_index holds each edge in one direction only: .*to_undirected"):
        warn_one_directional(Data(edge_index=edge_index, num_nodes=3))
    for sound in (
        to_undirected(edge_index),
        torch.cat([edge_index, edge_index[:, 1:2].flip(0)], 1),  # directed, but not each edge
        edge_index[:, :0],
        torch.tensor([[1], [1]]),
    ):
        warn_one_directional(Data(edge_index=sound, num_nodes=3))
    warn_one_directional(Data(x=torch.ones(2, 1)))


@pytest.mark.parametrize(
    ("name", "shape", "edges", "classes"),
    [
        ("Cora", (2708, 1433), 10556, 7),
        ("CiteSeer", (3327, 3703), 9104, 6),
        ("Photo", (7650, 745), 238162, 8),
        ("BlogCatalog", (5196, 8189), 343486, 6),
    ],
)
def test_real_node_sets_have_the_published_sizes(data_root, name, shape, edges, classes):
    data = load(name, data_root)
    assert data.x.shape == shape
    assert data.x.layout == torch.strided
    assert data.num_edges == edges
    assert len(data.y.unique()) == classes
    check_graph(data)


def test_real_graph_sets(data_root):
    graphs = load("MUTAG", data_root)
    assert len(graphs) == 188
    assert graphs.num_classes == 2


def test_graphs_without_features_get_their_degrees(data_root):
    graphs = load("IMDB-BINARY", data_root)
    graph = graphs[0]
    assert graph.x.shape == (20, 129)
    assert graph.x.argmax(1).tolist() == graph.edge_index[1].bincount(minlength=20).tolist()
    assert graph.x.sum() == 20
