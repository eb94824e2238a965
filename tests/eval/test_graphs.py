"""Evaluation of sets of graphs: folds, SVM, binary tasks, baselines."""

import sys

import numpy as np
import pytest
import torch
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from torch_geometric.data import Batch, Data
from torch_geometric.nn import global_add_pool, global_mean_pool

from gcl.eval import Split, embed_graphs, graph_baselines, linear_probe, random_folds, random_split, svm_cv
from gcl.eval._filter_bank import filters
from gcl.eval._scores import mean_roc_auc
from gcl.methods import GRACE, InfoGraph
from gcl.nn import gcn, gin, propagate
from tests.inputs import seeded


def blobs(n=120, classes=3, noise=2.0, d=4):
    y = torch.arange(n) % classes
    return torch.randn(classes, d)[y] * 2 + noise * torch.randn(n, d), y


def chains(n=24):
    """Paths of several lengths with random features; the last has no edges. The class is whether it is long."""
    graphs = []
    for i in range(n):
        size = 2 + i % 6
        node = torch.arange(size - 1)
        edge_index = torch.stack([torch.cat([node, node + 1]), torch.cat([node + 1, node])])
        graphs.append(Data(x=torch.randn(size, 3), edge_index=edge_index, y=torch.tensor([int(size > 4)])))
    graphs[-1].edge_index = graphs[-1].edge_index[:, :0]
    return graphs


def test_folds_are_stratified_and_seeded():
    y = torch.tensor([0] * 50 + [1] * 30)[torch.randperm(80)]
    folds = random_folds(y, 10, generator=seeded())
    assert all(folds[y == 0].bincount() == 5)
    assert all(folds[y == 1].bincount() == 3)
    assert torch.equal(folds, random_folds(y, 10, generator=seeded()))
    assert not torch.equal(folds, random_folds(y, 10, generator=seeded(1)))


def test_folds_without_a_class_are_refused():
    with pytest.raises(ValueError, match="num_folds=3 rows of each class, got 2 of class 1"):
        random_folds(torch.tensor([0, 0, 0, 1, 1]), 3)
    with pytest.raises(ValueError, match="num_folds must be at least 2, got 1"):
        random_folds(torch.tensor([0, 1]), 1)
    with pytest.raises(ValueError, match="got no rows"):
        random_folds(torch.empty(0).long(), 2)


def test_the_svm_is_scikit_learns_grid_search_in_each_fold():
    g, y = blobs()
    folds = random_folds(y, 4, generator=seeded())
    rows, classes = g.double().numpy(), y.numpy()
    accuracy = []
    for fold in range(4):
        train, test = (folds != fold).numpy(), (folds == fold).numpy()
        scaled = StandardScaler().fit(rows[train])
        search = GridSearchCV(
            SVC(gamma=1 / 4),
            {"C": [10.0**k for k in range(-3, 4)]},
            cv=StratifiedKFold(5, shuffle=True, random_state=0),
        ).fit(scaled.transform(rows[train]), classes[train])
        accuracy.append(search.score(scaled.transform(rows[test]), classes[test]))
    result = svm_cv(g, y, folds)
    assert result["accuracy"] == pytest.approx(np.mean(accuracy), abs=0.02)  # it stops at another tolerance
    assert result["accuracy_std"] == pytest.approx(np.std(accuracy), abs=0.02)


def test_the_svm_separates_what_is_not_linear_and_only_that():
    """Two rings; and the scale of a column does not matter."""
    angle, y = torch.rand(200) * 6.3, torch.arange(200) % 2
    g = (1 + y)[:, None] * torch.stack([angle.cos(), 1000 * angle.sin()], dim=1)
    assert svm_cv(g, y, random_folds(y, 5, generator=seeded()))["accuracy"] == 1


def test_bad_input_to_the_svm_is_named():
    g, y = blobs(30, 2)
    folds = random_folds(y, 3, generator=seeded())
    with pytest.raises(TypeError, match="folds must hold integers, got torch.float32"):
        svm_cv(g, y, folds.float())
    with pytest.raises(ValueError, match=r"folds must have shape \[30\], one fold a row, got \(29,\)"):
        svm_cv(g, y, folds[1:])
    with pytest.raises(ValueError, match="at least two folds, got only"):
        svm_cv(g, y, torch.zeros_like(folds))
    with pytest.raises(ValueError, match="at least two classes to train on, got only"):
        svm_cv(g, torch.zeros_like(y), folds)
    with pytest.raises(ValueError, match="at least five rows of each class outside fold 0"):
        svm_cv(g[:12], y[:12], torch.arange(12) % 3)
    with pytest.raises(ValueError, match="g must be finite"):
        svm_cv(g * float("nan"), y, folds)


def test_the_auc_is_ogbs(monkeypatch):
    monkeypatch.setitem(sys.modules, "outdated", None)  # ogb would ask the network for its version
    evaluator = pytest.importorskip("ogb.graphproppred").Evaluator("ogbg-molhiv")
    evaluator.num_tasks = 4
    random = np.random.default_rng(0)
    labels = random.integers(0, 2, (200, 4)).astype(float)
    labels[random.random((200, 4)) < 0.3] = np.nan
    labels[:, 2] = np.where(np.isnan(labels[:, 2]), np.nan, 1.0)  # one class only: not counted
    scores = random.normal(size=(200, 4)).round(1)  # with ties
    assert mean_roc_auc(labels, scores) == evaluator.eval({"y_true": labels, "y_pred": scores})["rocauc"]


def test_tasks_are_probed_on_their_own_labeled_rows():
    """The mean over two tasks with missing labels is that of the tasks alone, without the unlabeled rows."""
    z, classes = blobs(400, 2)
    y = torch.stack([classes.float(), (z[:, 0] > 0).float()], dim=1)
    y[torch.rand(400, 2) < 0.3] = float("nan")
    split = random_split(400, 0.4, 0.3, generator=seeded())
    scaled = (z - z[split.train].mean(0)) / z[split.train].std(0, correction=0)
    alone = []
    for task in range(2):
        known = ~y[:, task].isnan()
        place = known.cumsum(0) - 1
        part = Split(*(place[rows[known[rows]]] for rows in split))
        alone.append(linear_probe(scaled[known], y[known, task], part)["roc_auc"])
    both = linear_probe(z, y, split)
    assert both["num_tasks"] == 2
    assert both["roc_auc"] == pytest.approx(np.mean(alone), abs=0.01)
    assert both["roc_auc"] > 0.9


def test_bad_input_to_the_auc_is_named():
    z, y = blobs(30, 2)
    split = Split(torch.arange(10), torch.arange(10, 20), torch.arange(20, 30))
    with pytest.raises(ValueError, match="y must hold 0, 1 or NaN, got 2"):
        linear_probe(z, y[:, None] * 2, split)
    with pytest.raises(ValueError, match=r"y must have shape \[30\] or \[30, T\], got \(29,\)"):
        linear_probe(z, y[1:].float(), split)
    with pytest.raises(ValueError, match="both classes of at least one task"):
        linear_probe(z, torch.ones(30), split)
    with pytest.raises(ValueError, match="split.train must hold both classes of task 0, got only"):
        linear_probe(z, torch.where(torch.arange(30) < 10, 0.0, y), split)
    with pytest.raises(ValueError, match="split.val must hold a labeled row of task 0, got none"):
        linear_probe(z, y.float().index_fill(0, split.val, float("nan")), split)


def test_shuffled_labels_give_chance():
    g, y = blobs(400, 2, noise=0.5)
    mixed = y[torch.randperm(400)]
    three_sigma = 3 * (0.25 / 400) ** 0.5
    assert svm_cv(g, y, random_folds(y, 5, generator=seeded()))["accuracy"] > 0.9
    assert abs(svm_cv(g, mixed, random_folds(mixed, 5, generator=seeded()))["accuracy"] - 0.5) < three_sigma
    split = random_split(400, 0.3, 0.2, generator=seeded())
    assert linear_probe(g, y[:, None], split)["roc_auc"] > 0.95
    assert abs(linear_probe(g, mixed[:, None], split)["roc_auc"] - 0.5) < 3 * (401 / (12 * 100 * 100) / 2) ** 0.5


def test_embeddings_come_in_the_sets_order_with_their_labels():
    graphs = chains()
    method = InfoGraph(gin(3, 8, 2, 6), 6).train()
    g, y = embed_graphs(method, graphs, batch_size=5)
    alone = torch.cat([method.embed(Batch.from_data_list([graph])) for graph in graphs])
    torch.testing.assert_close(g, alone)
    assert y.tolist() == [int(graph.y) for graph in graphs]
    assert method.training


def test_what_cannot_be_embedded_is_named():
    graphs = chains()
    with pytest.raises(ValueError, match=r"method must embed graphs \(give it a readout\), got GRACE"):
        embed_graphs(GRACE(gcn(3, 8, 2, 6), 6), graphs)
    with pytest.raises(ValueError, match="graphs must hold at least one graph, got none"):
        embed_graphs(InfoGraph(gin(3, 8, 3, 6), 6), [])
    with pytest.raises(ValueError, match="graphs must have one row of y each, or all none, got 2 for 1 graphs"):
        embed_graphs(
            InfoGraph(gin(3, 8, 3, 6), 6), [Data(x=graphs[0].x, edge_index=graphs[0].edge_index, y=graphs[0].x)]
        )
    with pytest.raises(ValueError, match="graphs must have labels"):
        graph_baselines([Data(x=graphs[0].x, edge_index=graphs[0].edge_index)], torch.zeros(1).long())


def test_graphs_without_labels_are_embedded_too():
    graphs = chains()
    method = InfoGraph(gin(3, 8, 2, 6), 6)
    bare = [Data(x=graph.x, edge_index=graph.edge_index) for graph in graphs]
    g, y = embed_graphs(method, bare)
    assert y is None
    assert torch.equal(g, embed_graphs(method, graphs)[0])
    with pytest.raises(ValueError, match="graphs must have one row of y each, or all none, got 0 for 12 graphs"):
        embed_graphs(method, graphs[:12] + bare[12:], batch_size=12)


@pytest.mark.parametrize("readout", [global_add_pool, global_mean_pool])
def test_the_baselines_are_the_svm_on_what_they_say(readout):
    graphs = chains(36)
    whole = Batch.from_data_list(graphs)
    folds = random_folds(whole.y, 2, generator=seeded())
    encoder = gin(3, 8, 3, 6, dropout=0.5)
    table = graph_baselines(graphs, folds, encoder, readout=readout)
    for name, h in {
        "raw": whole.x,
        "propagated": propagate(whole, 2),
        "filter_bank": torch.cat([*filters(whole)], dim=1),
        "untrained": encoder.eval()(whole.x, whole.edge_index),
    }.items():
        assert table[name] == svm_cv(readout(h, whole.batch).detach(), whole.y, folds), name


def test_what_is_no_method_and_what_are_no_graphs_is_named():
    graphs = chains(20)
    for method in (None, gin(3, 8, 2, 6)):
        with pytest.raises(TypeError, match="method must be a gcl.methods.Method, got"):
            embed_graphs(method, graphs)
    method = InfoGraph(gin(3, 8, 2, 6), 6)
    for wrong in (None, "MUTAG", [1, 2], [*graphs, None], graphs[0], Batch.from_data_list(graphs)):
        with pytest.raises(TypeError, match="graphs must be a data set or a sequence of Data, got"):
            embed_graphs(method, wrong)
        with pytest.raises(TypeError, match="graphs must be a data set or a sequence of Data, got"):
            graph_baselines(wrong, torch.arange(20) % 2)
    y = torch.arange(20) % 2
    with pytest.raises(TypeError, match="folds must be a tensor or an array of numbers, got NoneType"):
        svm_cv(torch.eye(2)[y], y, None)
    folds = (torch.arange(20) // 10).tolist()
    assert svm_cv(torch.eye(2)[y], y.tolist(), folds) == svm_cv(torch.eye(2)[y], y, torch.tensor(folds))
