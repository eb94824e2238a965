"""InfoNCE in every precision against GRACE's formula, dense in float64."""

import math

import pytest
import torch

from gcl.losses import info_nce
from gcl.losses._info_nce import fixed_anchor_info_nce
from tests import reference
from tests.losses.inputs import KINDS, views
from tests.reference import value_and_gradients

intraviews = pytest.mark.parametrize("intraview", [True, False])


@intraviews
@pytest.mark.parametrize("temperature", [0.005, 0.07, 0.5, 2.0])
@pytest.mark.parametrize("n", [1, 2, 3, 5, 64, 257])
@pytest.mark.parametrize("kind", KINDS)
def test_equals_the_dense_formula(kind, n, temperature, intraview):
    z = views(kind, n)
    value, gradients = value_and_gradients(lambda *z: info_nce(*z, temperature, intraview=intraview), *z)
    exact, exact_gradients = value_and_gradients(lambda *z: reference.info_nce(*z, temperature, intraview), *z)
    assert abs(value - exact) < 1e-12
    for got, expected in zip(gradients, exact_gradients, strict=True):
        scale = max(1.0, float(expected.abs().max()))  # clustered rows at temperature 0.005 have gradients of 1e2
        assert (got - expected).abs().max() < 1e-12 * scale


@intraviews
def test_gradcheck(intraview):
    z1, z2 = (torch.randn(5, 3, dtype=torch.double, requires_grad=True) for _ in range(2))
    assert torch.autograd.gradcheck(lambda *z: info_nce(*z, 0.3, intraview=intraview), (z1, z2))


def test_by_hand():
    """Two orthogonal rows, aligned views, temperature 1: -log(e / (e + 1 + 1)) for every row."""
    z = torch.eye(2, dtype=torch.double)
    assert info_nce(z, z, 1.0).item() == pytest.approx(math.log((math.e + 2) / math.e), abs=1e-15)
    assert info_nce(z, z, 1.0, intraview=False).item() == pytest.approx(math.log((math.e + 1) / math.e), abs=1e-15)
    assert info_nce(z[:1], z[:1]).item() == 0


@intraviews
def test_order_and_length_of_rows_do_not_matter(intraview):
    z1, z2 = torch.randn(2, 50, 8, dtype=torch.double)
    order, scale = torch.randperm(50), torch.rand(50, 1, dtype=torch.double) + 0.1
    loss = info_nce(z1, z2, intraview=intraview)
    assert abs(loss - info_nce(z1[order], z2[order], intraview=intraview)) < 1e-13
    assert abs(loss - info_nce(z1 * scale, z2, intraview=intraview)) < 1e-13
    assert abs(loss - info_nce(z2, z1, intraview=intraview)) < 1e-13


@intraviews
def test_aligned_pairs_score_below_random_ones(intraview):
    z = torch.randn(100, 16)
    assert (
        info_nce(z, z + 0.1 * torch.randn(100, 16), intraview=intraview)
        < info_nce(z, z[torch.randperm(100)], intraview=intraview) - 1
    )


@intraviews
@pytest.mark.parametrize(
    ("dtype", "temperature", "error", "gradient_error"),
    [
        (torch.float32, 0.5, 1e-6, 2e-6),
        (torch.float32, 0.07, 1e-6, 5e-6),
        (torch.float32, 0.005, 1e-5, 5e-5),
        (torch.bfloat16, 0.5, 4e-3, 8e-3),
        (torch.bfloat16, 0.07, 2e-2, 5e-2),
    ],
)
def test_error_of_low_precision(dtype, temperature, error, gradient_error, intraview):
    """Relative errors of value and gradient with low-precision embeddings, against float64, half-aligned views."""
    z1 = torch.randn(300, 32, dtype=torch.double)
    z = (z1, z1 + torch.randn(300, 32, dtype=torch.double))
    exact, exact_gradients = value_and_gradients(lambda *z: reference.info_nce(*z, temperature, intraview), *z)
    low = [value.to(dtype) for value in z]
    value, gradients = value_and_gradients(lambda *z: info_nce(*z, temperature, intraview=intraview), *low)
    assert abs(value - exact) < error * exact
    for got, expected in zip(gradients, exact_gradients, strict=True):
        assert (got.double() - expected).norm() < gradient_error * expected.norm()


def test_aligned_views_keep_their_digits():
    """At temperature 0.07 and cosine 1 the loss is about 1e-5: the form with the positive inside rounds it away."""
    z = torch.randn(64, 128, dtype=torch.double)
    exact = reference.info_nce(z, z, 0.07)
    assert abs(info_nce(z.float(), z.float(), 0.07) - exact) < 1e-5 * exact


@intraviews
def test_collapsed_and_extreme_input_stays_finite(intraview):
    for z in (torch.ones(30, 4), torch.zeros(30, 4), torch.full((30, 4), 1e18), torch.full((30, 4), 1e-18)):
        for temperature in (1e-4, 1e4):
            value, gradients = value_and_gradients(lambda *z, t=temperature: info_nce(*z, t, intraview=intraview), z, z)
            assert value.isfinite()
            assert all(gradient.isfinite().all() for gradient in gradients)


@pytest.mark.parametrize("temperature", [0.0, -1.0, math.nan, math.inf])
def test_the_temperature_is_checked(temperature):
    with pytest.raises(ValueError, match=f"temperature must be finite and above 0, got {temperature}"):
        info_nce(torch.eye(2), torch.eye(2), temperature)


def test_the_views_are_checked():
    z = torch.eye(3)
    with pytest.raises(ValueError, match=r"same shape, got \(3, 3\) and \(2, 3\)"):
        info_nce(z, z[:2])
    with pytest.raises(ValueError, match="at least one row"):
        info_nce(z[:0], z[:0])
    with pytest.raises(TypeError, match=r"z1 must be a floating-point tensor \[N, D\], got torch.int64 tensor"):
        info_nce(z.long(), z)
    with pytest.raises(ValueError, match=r"z2 must have shape \[N, D\], got \(9,\)"):
        info_nce(z, z.flatten())


@pytest.mark.parametrize("temperature", [0.01, 0.4])
@pytest.mark.parametrize("n", [1, 2, 9])
def test_a_fixed_anchor_gives_the_same_number_and_gradient(n, temperature):
    z1, z2 = torch.randn(2, n, 4, dtype=torch.double)
    z2.requires_grad_()
    loss = fixed_anchor_info_nce(z1.requires_grad_(), temperature)
    for scale in (1.0, -2.0):  # one function for many second views
        found, expected = loss(scale * z2), reference.info_nce(z1, scale * z2, temperature)
        assert abs(found - expected) < 1e-10
        (a,), (b,) = torch.autograd.grad(found, z2), torch.autograd.grad(expected, z2)
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-10)
    assert torch.autograd.grad(loss(z2), z1, allow_unused=True) == (None,)
    with pytest.raises(ValueError, match="same shape"):
        loss(torch.randn(n + 1, 4))
