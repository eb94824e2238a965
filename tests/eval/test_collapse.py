"""Collapse monitor by hand."""

import math

import pytest
import torch

from gcl.eval import collapse_metrics
from gcl.losses import alignment, uniformity


def test_spread_rows_are_healthy_and_equal_rows_are_not():
    spread = collapse_metrics(torch.randn(4000, 16))
    assert spread["deviation"] == pytest.approx(1, abs=0.03)
    assert spread["dead"] == 0
    assert spread["effective_rank"] > 15.9
    equal = collapse_metrics(torch.ones(50, 16))
    expected = {"deviation": 0, "min_deviation": 0, "dead": 1, "effective_rank": 1, "uniformity": 0}
    assert equal == pytest.approx(expected, abs=1e-6)


def test_values_by_hand():
    """Singular values 3 and 1, so p = 3/4, 1/4; one of three dimensions is dead."""
    z = torch.tensor([[3.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    health = collapse_metrics(z, z.flip(0))
    entropy = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25))
    assert health["effective_rank"] == pytest.approx(math.exp(entropy))
    assert health["deviation"] == pytest.approx(2 / 3 * 0.5 * math.sqrt(3))
    assert health["min_deviation"] == 0
    assert health["dead"] == pytest.approx(1 / 3)
    assert health["uniformity"] == pytest.approx(float(uniformity(z)))
    assert health["alignment"] == pytest.approx(float(alignment(z, z.flip(0)))) == pytest.approx(2)


def test_it_leaves_the_training_as_it_was():
    z = torch.randn(50, 4, requires_grad=True)
    state = torch.get_rng_state()
    first = collapse_metrics(z, z * 2, max_rows=20)
    assert torch.equal(torch.get_rng_state(), state)
    assert z.grad is None
    assert collapse_metrics(z, z * 2, max_rows=20) == first
    rows = torch.arange(20) * 50 // 20
    assert first == collapse_metrics(z[rows], 2 * z[rows])


def test_zero_rows_and_bad_input():
    assert collapse_metrics(torch.zeros(3, 2))["effective_rank"] == 1
    with pytest.raises(ValueError, match="z must have at least two rows, got 1"):
        collapse_metrics(torch.ones(1, 2))
    with pytest.raises(ValueError, match="z must be finite"):
        collapse_metrics(torch.full((2, 2), math.nan))
    with pytest.raises(ValueError, match="z2 must be finite"):
        collapse_metrics(torch.ones(3, 2), torch.full((3, 2), math.nan))
    with pytest.raises(ValueError, match=r"z and z2 must have the same shape, got \(3, 2\) and \(2, 2\)"):
        collapse_metrics(torch.ones(3, 2), torch.ones(2, 2))
    with pytest.raises(ValueError, match="max_rows must be at least 2, got 1"):
        collapse_metrics(torch.ones(3, 2), max_rows=1)


def test_geometry_by_hand():
    z = torch.tensor([[3.0, 0.0], [0.0, 0.5]])
    assert alignment(z, z) == 0
    assert alignment(z, -z) == 4
    # one pair at squared distance 2, met twice
    assert float(uniformity(z)) == pytest.approx(-4)
    assert float(uniformity(torch.ones(5, 3))) == pytest.approx(0, abs=1e-6)


def test_uniformity_is_the_papers_formula():
    z = torch.randn(700, 6, dtype=torch.double)
    u = torch.nn.functional.normalize(z)
    expected = torch.pdist(u).square().mul(-3).exp().mean().log()
    assert float(uniformity(z, t=3.0)) == pytest.approx(float(expected), abs=1e-12)


def test_geometry_refuses_bad_input():
    with pytest.raises(ValueError, match="at least two rows"):
        uniformity(torch.ones(1, 3))
    with pytest.raises(ValueError, match="same shape"):
        alignment(torch.ones(2, 3), torch.ones(2, 2))
