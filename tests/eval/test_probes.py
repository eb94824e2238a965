"""The probe, clustering and geometry against scikit-learn and by hand."""

import math

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.preprocessing import normalize

from gcl.eval import Split, alignment, kmeans_scores, knn_probe, linear_probe, random_split, uniformity
from gcl.eval._probes import STRENGTHS


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


def test_geometry_by_hand():
    z = torch.tensor([[3.0, 0.0], [0.0, 0.5]])
    assert alignment(z, z) == 0
    assert alignment(z, -z) == 4
    # one pair at squared distance 2, met twice
    assert uniformity(z) == pytest.approx(-4)
    assert uniformity(torch.ones(5, 3)) == pytest.approx(0, abs=1e-6)


def test_uniformity_is_the_papers_formula():
    z = torch.randn(700, 6, dtype=torch.double)
    u = torch.nn.functional.normalize(z)
    expected = torch.pdist(u).square().mul(-3).exp().mean().log()
    assert uniformity(z, t=3.0) == pytest.approx(float(expected), abs=1e-12)


def test_geometry_refuses_bad_input():
    with pytest.raises(ValueError, match="at least two rows"):
        uniformity(torch.ones(1, 3))
    with pytest.raises(ValueError, match="z1 must be finite"):
        alignment(torch.tensor([[math.nan]]), torch.ones(1, 1))
    with pytest.raises(ValueError, match="same shape"):
        alignment(torch.ones(2, 3), torch.ones(2, 2))
