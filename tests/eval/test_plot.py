"""What the pictures show."""

import sys

import numpy as np
import pytest
import torch

from gcl.eval import plot

pytest.importorskip("matplotlib")
from matplotlib.figure import Figure


@pytest.fixture
def ax():
    return Figure().subplots()


@pytest.mark.parametrize("method", ["t-SNE", "PCA"])
@pytest.mark.parametrize("n", [2, 60])
def test_points_of_a_class_lie_together(ax, method, n):
    y = torch.arange(n) % 2
    z = torch.eye(5)[y] + 0.01 * torch.randn(n, 5)
    assert plot.embedding_plot(z, y, ax, method=method, generator=torch.Generator().manual_seed(0)) is ax
    points = ax.collections[0].get_offsets().data
    assert len(points) == n
    assert ax.collections[0].get_array().tolist() == y.tolist()
    center = np.stack([points[y == c].mean(0) for c in (0, 1)])
    assert (np.linalg.norm(points[:, None] - center, axis=2).argmin(1) == y.numpy()).all()


def test_the_curve_starts_at_epoch_one(ax):
    assert plot.training_curve([torch.tensor(3.0), torch.tensor(1.0)], ax, ylabel="InfoNCE") is ax
    assert ax.lines[0].get_xydata().tolist() == [[1, 3], [2, 1]]
    assert ax.get_ylabel() == "InfoNCE"


def test_histograms_are_shares_of_positives_and_negatives(ax):
    z = torch.eye(4)
    assert plot.similarity_histogram(z, -z, ax, generator=torch.Generator().manual_seed(0), max_pairs=100) is ax
    negatives, positives = ([bar.get_height() for bar in bars] for bars in ax.containers)
    assert sum(negatives) == pytest.approx(1)
    assert positives[0] == pytest.approx(1)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        "negatives, mean 0.00",
        "positives, mean -1.00",
    ]


def test_confusion_is_in_per_cent_of_each_class(ax):
    y, guess = torch.tensor([3, 3, 3, 3, 7]), torch.tensor([3, 3, 3, 7, 9])
    assert plot.confusion_matrix(y, guess, ax) is ax
    assert ax.images[0].get_array().tolist() == [[75, 25, 0], [0, 0, 100], [0, 0, 0]]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["3", "7", "9"]


def test_bars_are_means_in_order(ax):
    scores = {"best": [4.0, 6.0], "least": [1.0], "middle": [2.0, 2.0, 5.0]}
    assert plot.score_bars(scores, ax, highlighted=["best"], xlabel="accuracy %") is ax
    assert [label.get_text() for label in ax.get_yticklabels()] == ["least", "middle", "best"]
    assert [bar.get_width() for bar in ax.patches] == [1, 3, 5]
    colors = [bar.get_facecolor() for bar in ax.patches]
    assert colors[0] == colors[1] != colors[2]
    whiskers = [segment[:, 0].tolist() for segment in ax.collections[0].get_segments()]
    assert whiskers == [[1, 1], pytest.approx([3 - 2**0.5, 3 + 2**0.5]), [4, 6]]
    assert ax.get_xlabel() == "accuracy %"


def test_bad_input_is_named():
    for scores in ({}, {"a": [1.0], "b": []}):
        with pytest.raises(ValueError, match="scores must have at least one number for each name, got"):
            plot.score_bars(scores)
    with pytest.raises(ValueError, match="method must be 't-SNE' or 'PCA', got 'umap'"):
        plot.embedding_plot(torch.eye(3), torch.arange(3), method="umap")
    with pytest.raises(ValueError, match=r"losses must hold one number for each epoch, got shape \(0,\)"):
        plot.training_curve([])
    with pytest.raises(ValueError, match="z1 must have at least two rows, got 1"):
        plot.similarity_histogram(torch.ones(1, 2), torch.ones(1, 2))
    with pytest.raises(ValueError, match=r"names must name the 2 classes \[0, 1\], got \['a'\]"):
        plot.confusion_matrix(torch.tensor([0, 1]), torch.tensor([0, 1]), names=["a"])


def test_without_matplotlib_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r"pip install torch-gcl\[plot\]"):
        plot.training_curve([1.0])


def test_certified_fractions_are_one_line_a_model(ax):
    assert plot.certified_fraction_curve([0.1, 0.2], {"GRACE": [1.0, 0.25], "POT": [1.0, 0.5]}, ax) is ax
    assert [list(line.get_ydata()) for line in ax.get_lines()] == [[1.0, 0.25], [1.0, 0.5]]
    with pytest.raises(ValueError, match=r"fractions\['GRACE'\] must have 2 values, one a rate, got 1"):
        plot.certified_fraction_curve([0.1, 0.2], {"GRACE": [1.0]})


def test_bounds_are_counted(ax):
    bound = torch.tensor([-1.0, 0.5, 0.5, 2.0])
    assert plot.compactness_histogram({"GRACE": bound, "POT": bound + 1}, ax) is ax
    assert {text.get_text() for text in ax.get_legend().get_texts()} == {"GRACE", "POT"}
    heights = [patch.get_path().vertices[:, 1].max() for patch in ax.patches]
    assert heights == [2, 2]


def test_bounds_are_averaged_over_octaves_of_the_degree(ax):
    star = torch.tensor([[0, 1, 0, 2, 0, 3], [1, 0, 2, 0, 3, 0]])
    assert plot.compactness_against_degree(torch.tensor([-1.0, 0.5, 0.5, 2.0]), star, ax) is ax
    assert ax.collections[0].get_offsets().tolist() == [[4, -1], [2, 0.5], [2, 0.5], [2, 2]]
    assert ax.get_lines()[0].get_ydata().tolist() == [1.0, -1.0]


@pytest.mark.parametrize("kind", [torch.tensor, np.array, list])
def test_labels_of_every_kind_are_drawn(kind):
    y, guess, ring = [0, 1, 1, 0], [0, 1, 0, 0], [[0, 1, 2, 3], [1, 2, 3, 0]]
    z = torch.eye(2)[torch.tensor(y)]
    assert plot.embedding_plot(z, kind(y), method="PCA").collections[0].get_array().tolist() == y
    assert plot.confusion_matrix(kind(y), kind(guess)).images[0].get_array().tolist() == [[100, 0], [50, 50]]
    ax = plot.compactness_against_degree(kind([0.0, 1.0, 2.0, 3.0]), kind(ring))
    assert ax.collections[0].get_offsets().tolist() == [[2, 0], [2, 1], [2, 2], [2, 3]]


def test_what_are_no_labels_is_named():
    z, y = torch.eye(3), torch.arange(3)
    for wrong in (None, "abc", {}):
        with pytest.raises(TypeError, match="^y must be a tensor or an array of numbers, got"):
            plot.embedding_plot(z, wrong)
        with pytest.raises(TypeError, match="^guess must be a tensor or an array of numbers, got"):
            plot.confusion_matrix(y, wrong)
        with pytest.raises(TypeError, match="^edge_index must be a tensor or an array of numbers, got"):
            plot.compactness_against_degree(torch.ones(3), wrong)
    with pytest.raises(ValueError, match=r"guess must have shape \[3\], one class a row, got \(2,\)"):
        plot.confusion_matrix(y, y[1:])
    with pytest.raises(ValueError, match="y must be at least 0 .* got -1 in row 0"):
        plot.embedding_plot(z, y - 1)
    with pytest.raises(ValueError, match=r"edge_index must hold node numbers in \[0, 3\), got 3"):
        plot.compactness_against_degree(torch.ones(3), torch.tensor([[0], [3]]))
    with pytest.raises(ValueError, match=r"bound must hold one number for each node, got shape \(0,\)"):
        plot.compactness_against_degree(torch.ones(0), torch.empty(2, 0).long())
    with pytest.raises(ValueError, match="max_pairs must be at least 1, got 0"):
        plot.similarity_histogram(z, z, max_pairs=0)
