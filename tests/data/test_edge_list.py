"""Graphs from lists of edges between nodes with ids of one's own."""

import builtins
from collections import Counter

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch_geometric.data import Batch
from torch_geometric.utils import to_dense_adj

from augmentors import NodeDrop
from gcl.data import from_edge_list, neighbor_loader

FRIENDS = [("bob", "ann"), ("ann", "eve"), ("ann", "bob"), ("eve", "eve"), ("bob", "ann")]


def named(data, ids, weight=None):
    """The edges as pairs of ids, with weights if there are any."""
    pairs = [tuple(pair) for pair in ids[data.edge_index.T.numpy()].tolist()]
    return dict(zip(pairs, data.edge_weight.tolist(), strict=True)) if weight else sorted(pairs)


def test_nodes_are_the_sorted_ids_and_edges_have_both_directions():
    data, ids = from_edge_list(FRIENDS)
    assert ids.tolist() == ["ann", "bob", "eve"]
    assert data.edge_index.tolist() == [[0, 0, 1, 2, 2], [1, 2, 0, 0, 2]]
    assert data.num_nodes == 3
    assert "edge_weight" not in data
    directed, _ = from_edge_list(FRIENDS, undirected=False)
    assert directed.edge_index.tolist() == [[0, 0, 1, 2], [1, 2, 0, 2]]


FORMS = {
    "list": lambda e: e.tolist(),
    "array": lambda e: e,
    "int32": lambda e: e.astype(np.int32),
    "frame": lambda e: pd.DataFrame(e),
    "named": lambda e: pd.DataFrame({"when": 0, "target": e[:, 1], "source": e[:, 0]}),
    "nullable": lambda e: pd.DataFrame(e, dtype="Int64"),
    "columns": lambda e: torch.from_numpy(e.T.copy()),
    "rows": lambda e: torch.from_numpy(e),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("undirected", [False, True])
def test_each_form_gives_the_same_graph(form, undirected):
    edges = np.array([[7, -3], [12, 7], [7, -3], [5, 5]])
    data, ids = from_edge_list(FORMS[form](edges), undirected=undirected)
    assert ids.tolist() == [-3, 5, 7, 12]
    expected = {tuple(pair) for pair in edges.tolist()}
    assert named(data, ids) == sorted(expected | {pair[::-1] for pair in expected} if undirected else expected)


def test_a_tensor_of_two_edges_is_read_as_edge_index():
    square = [[0, 1], [2, 3]]
    assert named(*from_edge_list(torch.tensor(square), undirected=False)) == [(0, 2), (1, 3)]
    assert named(*from_edge_list(np.array(square), undirected=False)) == [(0, 1), (2, 3)]


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(1, 4)), min_size=1, max_size=12), st.booleans()
)
def test_weights_add_up_and_the_larger_direction_counts(rows, undirected):
    table = pd.DataFrame(rows, columns=["from", "to", "cost"])
    total = Counter()
    for start, end, cost in rows:
        total[start, end] += cost
    if undirected:
        total = {(a, b): max(total[a, b], total[b, a]) for pair in total for a, b in (pair, pair[::-1])}
    data, ids = from_edge_list(table, weight="cost", undirected=undirected)
    assert named(data, ids, weight=True) == dict(total)
    merged = pd.DataFrame([(*pair, cost) for pair, cost in total.items()], columns=["from", "to", "cost"])
    again, _ = from_edge_list(merged, weight="cost", undirected=undirected)
    assert torch.equal(again.edge_index, data.edge_index)
    assert torch.equal(again.edge_weight, data.edge_weight)


def test_sparse_matrices_keep_their_rows_and_weights():
    matrix = np.array([[0, 2, 0, 0], [5, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0.0]])
    for kind in (sp.csr_array, sp.coo_matrix):
        data, ids = from_edge_list(kind(matrix))
        assert ids.tolist() == [0, 1, 2, 3]
        dense = to_dense_adj(data.edge_index, edge_attr=data.edge_weight, max_num_nodes=4)[0]
        assert torch.equal(dense, torch.from_numpy(np.maximum(matrix, matrix.T)).float())
        assert "edge_weight" not in from_edge_list(kind(matrix > 0))[0]
    stored_zero = sp.csr_array((np.array([0.0, 1.0]), ([0, 1], [1, 2])), shape=(3, 3))
    assert from_edge_list(stored_zero)[0].edge_index.tolist() == [[1, 2], [2, 1]]
    assert from_edge_list(sp.csr_array((3, 3)))[0].num_nodes == 3


@pytest.mark.parametrize("form", ["frame", "column", "mapping", "csv"])
def test_features_are_aligned_by_id_and_give_the_order(form, tmp_path):
    table = pd.DataFrame({"age": [3, 1, 2, 9], "score": [0.5, 1, 2, 4]}, index=["eve", "zoe", "bob", "ann"])
    features = {
        "frame": table,
        "column": table.rename_axis("id").reset_index(),
        "mapping": dict(zip(table.index, table.to_numpy(), strict=True)),
        "csv": tmp_path / "x.csv",
    }
    table.to_csv(tmp_path / "x.csv")
    data, ids = from_edge_list(FRIENDS, features[form])
    assert ids.tolist() == ["eve", "zoe", "bob", "ann"]
    assert data.x.tolist() == table.to_numpy().tolist()
    assert data.x.dtype == torch.float32
    assert named(data, ids) == named(*from_edge_list(FRIENDS))
    data.validate()


def test_rows_without_ids_are_those_of_the_sorted_ids_or_of_the_numbers():
    assert from_edge_list([(30, 10)], [[1.0], [3.0]])[1].tolist() == [10, 30]
    data, ids = from_edge_list([(3, 1)], torch.eye(5, dtype=torch.double), [0, 1, 0, 1, 2])
    assert ids.tolist() == [0, 1, 2, 3, 4]
    assert data.edge_index.tolist() == [[1, 3], [3, 1]]
    assert data.x.dtype == torch.float32
    assert data.y.tolist() == [0, 1, 0, 1, 2]
    lonely, ids = from_edge_list([], np.ones((1, 2)))
    assert (lonely.num_nodes, lonely.edge_index.shape, ids.tolist()) == (1, (2, 0), [0])
    with pytest.raises(ValueError, match="features must have one row for each of 2 nodes, got 3"):
        from_edge_list([("a", "b")], np.ones((3, 1)))
    with pytest.raises(ValueError, match="labels must have one row for each of 3 nodes, got 2"):
        from_edge_list([(0, 1)], np.ones((3, 1)), [0, 1])


def test_labels_become_classes_and_missing_ones_minus_one():
    data, ids = from_edge_list(FRIENDS, labels={"zoe": "red", "ann": "blue", "eve": None})
    assert ids.tolist() == ["ann", "bob", "eve", "zoe"]
    assert data.y.tolist() == [0, -1, -1, 1]
    assert data.classes == {"blue": 0, "red": 1}
    for labels in (pd.Series([2, None], index=["eve", "bob"]), {"eve": 2.0}, pd.DataFrame({"y": [2]}, index=["eve"])):
        data, _ = from_edge_list(FRIENDS, labels=labels)
        assert data.y.tolist() == [-1, -1, 2]
        assert data.y.dtype == torch.long
        assert "classes" not in data
    assert from_edge_list([(0, 1)], labels=torch.tensor([[1], [0]]))[0].y.tolist() == [1, 0]


def test_labels_can_be_a_column_of_the_features(tmp_path):
    (tmp_path / "x.csv").write_text("age,id,team\n1,eve,red\n2,bob,\n3,ann,blue\n")
    (tmp_path / "e.csv").write_text("source,target\nann,bob\n")
    data, ids = from_edge_list(tmp_path / "e.csv", str(tmp_path / "x.csv"), "team")
    assert ids.tolist() == ["eve", "bob", "ann"]
    assert data.x.tolist() == [[1], [2], [3]]
    assert data.y.tolist() == [1, -1, 0]
    (tmp_path / "y.csv").write_text("id,team\nann,7\n")
    assert from_edge_list(tmp_path / "e.csv", labels=tmp_path / "y.csv")[0].y.tolist() == [7, -1]


def test_parquet_files(tmp_path):
    pytest.importorskip("pyarrow")
    pd.DataFrame(FRIENDS, columns=["source", "target"]).to_parquet(tmp_path / "e.parquet")
    pd.DataFrame({"id": ["eve", "bob", "ann"], "age": [1, 2, 3]}).to_parquet(tmp_path / "x.parquet")
    data, ids = from_edge_list(tmp_path / "e.parquet", tmp_path / "x.parquet")
    assert ids.tolist() == ["eve", "bob", "ann"]
    assert data.x.tolist() == [[1], [2], [3]]
    assert named(data, ids) == named(*from_edge_list(FRIENDS))


def test_the_graph_survives_loaders_views_batches_and_files(tmp_path, generator):
    data, ids = from_edge_list(FRIENDS, np.eye(3), {"ann": "red", "eve": "blue"})
    for batch in neighbor_loader(data, [-1], batch_size=2, generator=generator):
        assert batch.x.argmax(1).tolist() == batch.n_id.tolist()
        assert batch.classes == data.classes
    view = NodeDrop(0.5)(data, generator=generator)
    assert view.x.argmax(1).tolist() == view.n_id.tolist()
    assert Batch.from_data_list([data, data]).y.tolist() == 2 * data.y.tolist()
    rows = torch.tensor([0, 2])
    assert ids[rows].tolist() == ["ann", "eve"]
    assert data.subgraph(rows).y.tolist() == data.y[rows].tolist()
    torch.save(data.to_dict(), tmp_path / "graph.pt")
    assert torch.load(tmp_path / "graph.pt", weights_only=True)["classes"] == data.classes


def table(**columns):
    return pd.DataFrame(columns)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"edges": [(1, 2), ("a", 3)]}, "edges must hold only integers or only strings, got strings and 1"),
        ({"edges": [("a", None)]}, "edges must hold only integers or only strings, got a missing one"),
        ({"edges": [(1, float("nan"))]}, "edges must hold only integers or only strings, got a missing one"),
        ({"edges": [(1.5, 2)]}, "edges must hold only integers or only strings, got float64"),
        ({"edges": [(1, 2), (3,)]}, "edges must be pairs of ids, got some of other lengths"),
        ({"edges": np.array([[2**63, 1]], dtype=np.uint64)}, r"integers below 2\*\*63, got 9223372036854775808"),
        ({"edges": np.zeros((2, 5))}, r"edges must have shape \[E, 2\], got \(2, 5\)"),
        ({"edges": None}, r"edges must have shape \[E, 2\], got \(\)"),
        ({"edges": []}, "edges or features must name at least one node, got none"),
        ({"edges": table(a=["x", None], b=["y", "z"])}, "edges must have no missing ids, got one in row 1"),
        ({"edges": table(a=[1, 2], b=[3, float("nan")])}, "edges must have no missing ids, got one in row 1"),
        ({"edges": table(a=["x"], b=[1])}, "edges must hold only integers or only strings, got strings and 1"),
        ({"edges": table(a=[1])}, r"edges must have two columns of ids, got \['a'\]"),
        ({"edges": table(a=[1], b=[2]), "weight": "w"}, r"weight='w' must be a column .* columns \['a', 'b'\]"),
        ({"edges": [(1, 2)], "weight": "w"}, "weight='w' must be a column of a table of edges, got list"),
        ({"edges": table(a=[1], b=[2], w=[-1]), "weight": "w"}, "weight must be at least 0, got -1.0"),
        ({"edges": table(a=[1], b=[2], w=[float("nan")]), "weight": "w"}, "weight must be finite, got nan in row 0"),
        ({"edges": table(a=[1], b=[2], w=["x"]), "weight": "w"}, r"weight must have columns of numbers, .*\['w'\]"),
        ({"edges": sp.csr_array((2, 3))}, r"edges must be a square adjacency matrix, got \(2, 3\)"),
        ({"edges": "graph.txt"}, "edges must be a file that ends in .csv, .csv.gz or .parquet, got 'graph.txt'"),
        ({"features": {"a": [1]}}, "features must have a row for each id of edges, got none for 'b' .1 such ids"),
        ({"features": {1: [1], 2: [1]}}, "features must have a row for each id of edges, got strings and integers"),
        ({"labels": {1: 0}}, "edges and labels must have ids of one kind, got strings and integers"),
        ({"features": {"a": [1], "b": [1, 2]}}, "features must have rows of one length"),
        ({"features": {"a": [1], "b": [float("inf")]}}, "features must be finite, got inf in row 1, column 0"),
        (
            {"features": table(f=[1, 2]).set_index(pd.Index(["a", "a"]))},
            "features must hold each id once, got 'a' 2 times",
        ),
        ({"features": table(f=["x", "y"]).set_index(pd.Index(["a", "b"]))}, r"features must have columns of .*\['f'\]"),
        ({"features": 3}, r"features must be numbers \[N, F\], got int64 \(\)"),
        ({"labels": {"z": 1, "a": 0.5}}, "labels must hold only integers or only strings, got float64"),
        ({"labels": ["x", 1]}, "labels must hold only integers or only strings, got strings and 1"),
        ({"labels": {"c": 1}, "features": np.ones((2, 1))}, "labels must be of nodes, got none for 'c' .1 such ids"),
        ({"labels": [[0, 1], [1, 0]]}, r"labels must have one value for each node, got \(2, 2\)"),
        ({"labels": "team"}, "labels must be a file that ends in .*, got 'team'"),
    ],
)
def test_what_is_wrong_is_named(arguments, message):
    with pytest.raises((ValueError, TypeError), match=message):
        from_edge_list(**{"edges": [("a", "b")], **arguments})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "edges must be a table, but .*e.csv could not be read: No columns"),
        ("1,2\n2,3\n", r"edges must start with a line that names the columns, got \['1', '2'\]"),
        ("a,b\n1,2\n1,2,3,4\n", "edges must be a table, but .*e.csv could not be read"),
    ],
)
def test_files_that_are_no_tables_are_named(tmp_path, content, message):
    (tmp_path / "e.csv").write_text(content)
    with pytest.raises(ValueError, match=message):
        from_edge_list(tmp_path / "e.csv")
    with pytest.raises(FileNotFoundError, match="none.csv"):
        from_edge_list(tmp_path / "none.csv")


def test_files_without_pandas_name_the_extra(tmp_path, monkeypatch):
    (tmp_path / "e.csv").write_text("a,b\n1,2\n")
    real = builtins.__import__

    def no_pandas(name, *args, **kwargs):
        if name == "pandas":
            raise ImportError("no pandas")
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", no_pandas)
    with pytest.raises(
        ImportError, match=r"edges in a file needs pandas and pyarrow: pip install 'torch-gcl\[tables\]'"
    ):
        from_edge_list(tmp_path / "e.csv")
    assert from_edge_list([(0, 1)], {0: [1], 1: [2]})[0].num_nodes == 2


def test_a_file_whose_first_line_is_an_edge_is_refused(tmp_path):
    path = tmp_path / "edges.csv"
    path.write_text("ann,bob\nbob,eve\n")
    with pytest.raises(ValueError, match=r"must start with a line that names the columns, got the nodes \['bob'\] in"):
        from_edge_list(path)
