"""The probes and clustering against scikit-learn and by hand."""

import numpy as np
import pytest
import torch
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, log_loss, roc_auc_score
from sklearn.preprocessing import normalize

from gcl.eval import Split, kmeans_scores, knn_probe, linear_probe, random_split
from gcl.eval._logistic import STRENGTHS, best_logistic, logistic_path


def blobs(n=300, classes=3, noise=1.0, d=5):
    y = torch.arange(n) % classes
    return torch.randn(classes, d)[y] * 2 + noise * torch.randn(n, d), y


@pytest.mark.parametrize("d", [5, 90])  # fewer and more columns than training rows
def test_the_probe_is_scikit_learns_at_the_best_strength_on_validation(d):
    z, y = blobs(noise=2.5, d=d)
    split = random_split(300, 0.2, 0.2, generator=torch.Generator().manual_seed(0))
    rows, classes = normalize(z.double().numpy()), y.numpy()
    train, val, test = (part.numpy() for part in split)
    best = None
    for strength in STRENGTHS:
        model = LogisticRegression(C=strength, max_iter=2000).fit(rows[train], classes[train])
        log_loss = -np.mean(np.log(model.predict_proba(rows[val])[np.arange(len(val)), classes[val]]))
        if best is None or log_loss < best[0]:
            best = log_loss, strength, model
    _, strength, model = best
    assert linear_probe(z, y, split) == {
        "accuracy": pytest.approx(model.score(rows[test], classes[test])),
        "macro_f1": pytest.approx(f1_score(classes[test], model.predict(rows[test]), average="macro")),
        "val_accuracy": pytest.approx(model.score(rows[val], classes[val])),
        "strength": strength,
    }


def test_the_test_rows_are_not_looked_at_before_the_end():
    """Other labels on the test rows change the test scores, and nothing that was chosen."""
    z, y = blobs(noise=2.5)
    split = random_split(300, 0.2, 0.2, generator=torch.Generator().manual_seed(0))
    other = y.clone()
    other[split.test] = (other[split.test] + 1) % 3
    one, two = linear_probe(z, y, split), linear_probe(z, other, split)
    assert (one["strength"], one["val_accuracy"]) == (two["strength"], two["val_accuracy"])
    assert two["accuracy"] < 1 / 3 < one["accuracy"]


def test_shuffled_labels_give_chance():
    z, y = blobs(n=2000, classes=4)
    split = random_split(2000, 0.2, 0.2, generator=torch.Generator().manual_seed(0))
    assert linear_probe(z, y, split)["accuracy"] > 0.8
    mixed = y[torch.randperm(2000)]
    for probe in (linear_probe, knn_probe):
        assert probe(z, y, split)["accuracy"] > 0.8
        assert abs(probe(z, mixed, split)["accuracy"] - 0.25) < 4 * (0.25 * 0.75 / 1200) ** 0.5


def test_rows_are_compared_by_direction():
    z, y = blobs()
    split = random_split(300, 0.2, 0.2, generator=torch.Generator().manual_seed(0))
    scale = torch.rand(300, 1) + 0.1
    assert linear_probe(z * scale, y, split)["accuracy"] == pytest.approx(
        linear_probe(z, y, split)["accuracy"], abs=0.01
    )


def test_bad_input_to_the_probe_is_named():
    z, y = blobs(n=30)
    split = random_split(30, 0.4, 0.3, generator=torch.Generator().manual_seed(0))
    with pytest.raises(TypeError, match="y must hold integer classes, got torch.float32"):
        linear_probe(z, y.float(), split)
    with pytest.raises(ValueError, match=r"y must have shape \[30\], one class a row, got \(29,\)"):
        linear_probe(z, y[1:], split)
    with pytest.raises(ValueError, match=r"z must be finite, got nan at \(4, 2\)"):
        linear_probe(z.index_put((torch.tensor([4]), torch.tensor([2])), torch.tensor(float("nan"))), y, split)
    with pytest.raises(ValueError, match=r"split.test must hold rows in \[0, 30\), got 30"):
        linear_probe(z, y, Split(split.train, split.val, torch.tensor([30])))
    with pytest.raises(ValueError, match="at least two classes, got only class 2"):
        linear_probe(z, torch.full_like(y, 2), split)
    with pytest.raises(ValueError, match="z must have at least one row"):
        linear_probe(z[:0], y[:0], split)


def test_a_class_that_training_has_not_seen_counts_as_wrong():
    z, y = torch.eye(4)[torch.arange(40) % 4], torch.arange(40) % 4
    split = Split(torch.tensor([0, 1, 4, 5]), torch.tensor([8, 9, 10]), torch.tensor([20, 21, 22, 23]))
    assert linear_probe(z, y, split)["accuracy"] == 0.5


def test_neighbors_vote_by_cosine():
    """Row 4 is nearest to row 0 by direction and to row 2 by distance; of k = 1 and 3 validation prefers 1."""
    z = torch.tensor([[10.0, 0.0], [0.0, 1.0], [1.0, 1.0], [5.0, 0.1], [1.0, 0.1]])
    y = torch.tensor([0, 1, 1, 0, 0])
    split = Split(torch.tensor([0, 1, 2]), torch.tensor([3]), torch.tensor([4]))
    assert knn_probe(z, y, split) == {"accuracy": 1, "macro_f1": 1, "val_accuracy": 1, "k": 1}
    assert knn_probe(z, y, split, k=[3])["accuracy"] == 0
    with pytest.raises(ValueError, match=r"k must hold a number of neighbors in \[1, 3\] and none below 1, got \[4\]"):
        knn_probe(z, y, split, k=[4])
    with pytest.raises(ValueError, match=r"none below 1, got \[0, 1\]"):
        knn_probe(z, y, split, k=[0, 1])


def test_neighbors_are_those_of_the_dense_similarity():
    z, y = blobs(noise=2.5)
    split = random_split(300, 0.2, 0.2, generator=torch.Generator().manual_seed(0))
    u = torch.nn.functional.normalize(z.double())
    nearest = (u[split.test] @ u[split.train].T).topk(5).indices
    guess = y[split.train][nearest].mode(dim=1).values
    accuracy = float((guess == y[split.test]).double().mean())
    assert knn_probe(z, y, split, k=[5])["accuracy"] == pytest.approx(accuracy)


def test_kmeans_finds_clusters_and_not_noise(generator):
    z, y = blobs(noise=0.05)
    assert kmeans_scores(z, y, generator=generator) == {"nmi": pytest.approx(1.0), "ari": pytest.approx(1.0)}
    noise = kmeans_scores(torch.randn(300, 5), y, generator=generator)
    assert noise["nmi"] < 0.05
    assert abs(noise["ari"]) < 0.05


def test_labels_and_splits_of_other_kinds_are_taken():
    z, y = blobs(n=60)
    split = random_split(60, 0.4, 0.3, generator=torch.Generator().manual_seed(0))
    for probe in (linear_probe, knn_probe):
        expected = probe(z, y, split)
        assert probe(z, y.tolist(), tuple(split)) == expected
        assert probe(z, y.numpy(), [part.numpy() for part in split]) == expected
        partly = y.index_fill(0, split.test[:5], -1)
        with pytest.raises(
            ValueError, match=r"y must be at least 0 \(-1: unlabeled, leave such rows out\), got -1 in row"
        ):
            probe(z, partly, split)
        assert 0 <= probe(z, partly, (split.train, split.val, split.test[5:]))["accuracy"] <= 1
        with pytest.raises(ValueError, match=r"split must have three parts \(train, val, test\), got 2"):
            probe(z, y, split[:2])
        with pytest.raises(TypeError, match="y must be a tensor or an array of numbers, got NoneType"):
            probe(z, None, split)


def test_two_classes_have_the_auc_of_their_logits():
    z, y = blobs(classes=2, noise=3.0)
    split = random_split(300, 0.2, 0.2, generator=torch.Generator().manual_seed(0))
    scores = linear_probe(z, y, split)
    rows, (train, _, test) = normalize(z.double().numpy()), split
    model = LogisticRegression(C=scores["strength"], tol=1e-8, max_iter=2000).fit(rows[train], y[train])
    expected = roc_auc_score(y[test], model.decision_function(rows[test]))
    assert scores["roc_auc"] == pytest.approx(expected, abs=1e-3)
    assert linear_probe(z, 1 - y, split)["roc_auc"] == pytest.approx(expected, abs=1e-3)
    chosen = roc_auc_score(y[split.val], model.decision_function(rows[split.val]))
    assert scores["val_roc_auc"] == pytest.approx(chosen, abs=1e-3)
    assert "roc_auc" not in linear_probe(z, y, Split(split.train, split.val, split.test[y[split.test] == 0]))


def test_micro_f1_counts_the_labeled_entries_of_all_tasks():
    z, classes = blobs(noise=2.5)
    y = torch.eye(3)[classes]
    y[torch.rand(300, 3) < 0.2] = float("nan")
    split = random_split(300, 0.3, 0.3, generator=torch.Generator().manual_seed(0))
    scores = linear_probe(z, y, split)
    rows = (z - z[split.train].mean(0)) / z[split.train].std(0, correction=0)
    truth, guess = [], []
    for task in range(3):
        train, val, test = (part[~y[part, task].isnan()] for part in split)
        model = best_logistic(rows.numpy(), y[:, task].numpy(), train.numpy(), val.numpy())
        truth.append(y[test, task].numpy())
        guess.append(model.predict(rows[test].numpy()))
    assert scores["micro_f1"] == pytest.approx(f1_score(np.concatenate(truth), np.concatenate(guess)), abs=0.01)
    assert scores["num_tasks"] == 3


@pytest.mark.parametrize("classes", [2, 5])
@pytest.mark.parametrize("d", [4, 150])
def test_the_path_meets_scikit_learns_minimum_at_each_strength(classes, d):
    """Correlated columns far from the origin, which plain L-BFGS needs hundreds of steps for."""
    z, y = blobs(n=100, classes=classes, d=d, noise=2.0)
    rows = (z.double() @ torch.randn(d, d, dtype=torch.double) / d + 3).numpy()
    for model in logistic_path(rows, y.numpy()):
        reference = LogisticRegression(C=model.strength, solver="newton-cg", tol=1e-9, max_iter=2000).fit(rows, y)
        minimum, found = (
            log_loss(y, probabilities) + (weight**2).sum() / (2 * len(y) * model.strength)
            for probabilities, weight in (
                (reference.predict_proba(rows), reference.coef_),
                (softmax(model.logits(rows), axis=1), model.weight),
            )
        )
        assert found == pytest.approx(minimum, abs=3e-4)


@pytest.mark.parametrize("classes", [2, 5])
@pytest.mark.parametrize("d", [4, 150])
def test_the_probabilities_are_scikit_learns_at_each_strength(classes, d):
    z, y = blobs(n=100, classes=classes, d=d, noise=2.0)
    rows = normalize(z.double().numpy())
    for model in logistic_path(rows, y.numpy(), STRENGTHS[::3]):
        reference = LogisticRegression(C=model.strength, tol=1e-8, max_iter=10000).fit(rows, y)
        np.testing.assert_allclose(
            softmax(model.logits(rows), axis=1), reference.predict_proba(rows), rtol=0, atol=4e-3
        )


def test_neighbors_and_clusters_refuse_bad_arguments():
    z, y = blobs(n=30)
    split = random_split(30, 0.4, 0.3, generator=torch.Generator().manual_seed(0))
    for k in (3, [1.0], [True], "12"):
        with pytest.raises(TypeError, match="k must be a sequence of ints, got"):
            knn_probe(z, y, split, k=k)
    for labels, error, message in (
        (None, TypeError, "y must be a tensor or an array of numbers, got NoneType"),
        (y.float(), TypeError, "y must hold integer classes, got torch.float32"),
        (y[1:], ValueError, r"y must have shape \[30\], one class a row, got \(29,\)"),
        (y - 1, ValueError, r"y must be at least 0 \(-1: unlabeled, leave such rows out\), got -1 in row 0"),
        (torch.full_like(y, 2), ValueError, "y must cover at least two classes, got only class 2"),
    ):
        with pytest.raises(error, match=message):
            kmeans_scores(z, labels)


@pytest.mark.parametrize("kind", [list, np.array, lambda y: np.array(y, np.uint16), lambda y: torch.tensor(y).bool()])
def test_labels_of_every_kind_are_probed(kind):
    z, y = blobs(n=40)
    y = (y > 0).long()
    split = random_split(40, 0.4, 0.3, generator=torch.Generator().manual_seed(0))
    for probe in (linear_probe, knn_probe):
        assert probe(z, kind(y.tolist()), split) == probe(z, y, split)
    scores = [kmeans_scores(z, one, generator=torch.Generator().manual_seed(0)) for one in (kind(y.tolist()), y)]
    assert scores[0] == scores[1]
