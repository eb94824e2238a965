"""The regression probe against its closed form, and what it must not see."""

import importlib.util

import numpy as np
import pytest
import torch

from gcl.data import evaluator
from gcl.eval import Split, random_split, ridge_probe
from gcl.eval._regression import PENALTIES


def line(n=400, d=6, noise=0.5):
    z = torch.randn(n, d, dtype=torch.double) * torch.tensor([100.0, 1, 1, 1, 1, 1e-3]) + 7
    return z, z @ torch.linspace(-1, 1, d, dtype=torch.double) + noise * torch.randn(n, dtype=torch.double)


@pytest.fixture
def split(generator):
    return random_split(400, 0.2, 0.2, generator=generator)


@pytest.mark.parametrize("noise", [0.5, 500.0])
def test_the_probe_is_the_closed_form_at_the_best_penalty_on_validation(split, noise):
    z, y = line(noise=noise)
    mean, deviation = z[split.train].mean(0), z[split.train].std(0, correction=0)
    x, center = (z - mean) / deviation, y[split.train].mean()
    best = None
    for penalty in PENALTIES:
        own = x[split.train]
        gram = own.T @ own + penalty * torch.eye(6, dtype=torch.double)
        guess = x @ torch.linalg.solve(gram, own.T @ (y[split.train] - center)) + center
        error = guess - y
        val = float(error[split.val].square().mean().sqrt())
        if best is None or val < best[0]:
            best = val, penalty, error[split.test]
    val, penalty, error = best
    assert ridge_probe(z, y, split) == {
        "rmse": pytest.approx(float(error.square().mean().sqrt())),
        "mae": pytest.approx(float(error.abs().mean())),
        "val_rmse": pytest.approx(val),
        "penalty": penalty,
    }


def test_the_test_rows_are_not_looked_at_before_the_end(split):
    z, y = line(noise=50)
    other = y.clone()
    other[split.test] += 1000
    one, two = ridge_probe(z, y, split), ridge_probe(z, other, split)
    assert (one["penalty"], one["val_rmse"]) == (two["penalty"], two["val_rmse"])
    assert two["mae"] > one["mae"] + 800
    moved = z.clone()
    moved[split.test] += 1e6
    assert ridge_probe(moved, y, split)["val_rmse"] == one["val_rmse"]


def test_shuffled_targets_give_the_mean_targets_error(split):
    z, y = line()
    mixed = y[torch.randperm(400)]
    baseline = float((mixed[split.test] - mixed[split.train].mean()).square().mean().sqrt())
    got = ridge_probe(z, mixed, split)["rmse"]
    assert ridge_probe(z, y, split)["rmse"] < 0.1 * baseline
    assert abs(got / baseline - 1) < 0.1


def test_embeddings_without_information_give_the_mean(split):
    y = line()[1]
    got = ridge_probe(torch.ones(400, 3), y, split)
    error = y[split.test] - y[split.train].mean()
    assert got["rmse"] == pytest.approx(float(error.square().mean().sqrt()))


@pytest.mark.skipif(importlib.util.find_spec("ogb") is None, reason="ogb is not installed")
def test_the_rmse_is_ogbs(split):
    y = line()[1]
    mean = y[split.train].mean().expand(len(split.test), 1)
    ogb = evaluator("ogbg-molesol").eval({"y_true": y[split.test][:, None].numpy(), "y_pred": mean.numpy()})["rmse"]
    assert ridge_probe(torch.ones(400, 1), y[:, None], split)["rmse"] == pytest.approx(float(np.asarray(ogb)))


def test_bad_input_is_named(split):
    z, y = line()
    with pytest.raises(TypeError, match="y must be a floating-point tensor"):
        ridge_probe(z, y.long(), split)
    with pytest.raises(ValueError, match=r"y must have shape \[400\] or \[400, 1\], got \(399,\)"):
        ridge_probe(z, y[1:], split)
    with pytest.raises(ValueError, match=r"got \(400, 2\)"):
        ridge_probe(z, torch.stack([y, y], 1), split)
    with pytest.raises(ValueError, match=r"y must be finite, got nan at \(3, 0\)"):
        ridge_probe(z, y.index_fill(0, torch.tensor([3]), float("nan")), split)
    with pytest.raises(ValueError, match="must not share or repeat rows"):
        ridge_probe(z, y, Split(split.train, split.train, split.test))
