"""What holds for every loss on two views: its dense formula, invariances, the right sign, no overflow."""

from functools import partial

import pytest
import torch

from gcl import losses
from tests import reference
from tests.losses.inputs import KINDS, views
from tests.reference import value_and_gradients

OPTIONS = [
    ("info_nce", {}),
    ("info_nce", {"intraview": False, "temperature": 0.07}),
    ("nt_xent_one_way", {}),
    ("nt_xent_one_way", {"temperature": 0.02}),
    ("decoupled", {}),
    ("debiased", {}),
    ("debiased", {"temperature": 0.1, "prior": 0.3}),
    ("hard_negative", {}),
    ("hard_negative", {"temperature": 0.2, "beta": 0.5, "prior": 0.0}),
    ("macl", {}),
    ("macl", {"temperature": 0.5, "alpha": 0.9, "threshold": 0.2}),
    ("progcl", {}),
    ("progcl", {"temperature": 0.1}),
    ("jsd", {}),
    ("siglip", {}),
    ("triplet", {}),
    ("alignment", {}),
    ("barlow_twins", {}),
    ("vicreg", {}),
    ("cca_ssg", {}),
    ("ssge", {}),
    ("ssge", {"uniformity_weight": 3.0}),
    ("byol", {}),
    ("scaled_cosine_error", {}),
    ("scaled_cosine_error", {"gamma": 1.0}),
]
every = pytest.mark.parametrize(("name", "options"), OPTIONS, ids=str)
PAIRED = {name for name, _ in OPTIONS}
STATISTICS = {"barlow_twins", "vicreg", "cca_ssg", "ssge"}
ONE_ROW = {"info_nce", "siglip", "alignment", "byol", "scaled_cosine_error"}  # the others need a second one
ALONE = {"uniformity", "dispersive"}
ELSEWHERE = {"poly_view", "sup_con", "neighbor_nce", "NegativeQueue", "queue_nce", "node_graph_bce", "node_graph_jsd"}
ELSEWHERE |= {"information_regularizer"}


def close(name, got, expected, tolerance=1e-10):
    for one, other in zip(got, expected, strict=True):
        scale = max(1.0, float(other.abs().max()))
        assert (one - other).abs().max() < tolerance * scale, name


def test_every_exported_loss_is_examined():
    assert set(losses.__all__) == PAIRED | ALONE | ELSEWHERE


@every
@pytest.mark.parametrize("n", [2, 3, 40])
@pytest.mark.parametrize("kind", KINDS)
def test_equals_the_dense_formula(name, options, kind, n):
    z = views(kind, n)
    value, gradients = value_and_gradients(partial(getattr(losses, name), **options), *z)
    exact, exact_gradients = value_and_gradients(partial(getattr(reference, name), **options), *z)
    assert value.isfinite()
    close(name, [value, *gradients], [exact, *exact_gradients], 1e-10 if kind != "clustered" else 1e-8)


@pytest.mark.parametrize("name", sorted(ALONE))
@pytest.mark.parametrize("n", [2, 3, 40])
@pytest.mark.parametrize("kind", KINDS)
def test_losses_on_one_view_equal_the_dense_formula(name, kind, n):
    z, _ = views(kind, n)
    value, gradients = value_and_gradients(getattr(losses, name), z)
    exact, exact_gradients = value_and_gradients(getattr(reference, name), z)
    close(name, [value, *gradients], [exact, *exact_gradients])


@every
def test_gradcheck(name, options):
    z = [torch.randn(5, 3, dtype=torch.double, requires_grad=True) for _ in range(2)]
    if name in ("macl", "progcl", "byol"):  # what is detached does not count for finite differences
        pytest.skip("has detached parts: compared with the dense formula instead")
    assert torch.autograd.gradcheck(partial(getattr(losses, name), **options), z)


@every
def test_the_order_of_the_rows_does_not_matter(name, options):
    loss = partial(getattr(losses, name), **options)
    z1, z2 = torch.randn(2, 30, 5, dtype=torch.double)
    order = torch.randperm(30)
    assert abs(loss(z1, z2) - loss(z1[order], z2[order])) < 1e-12


@every
def test_aligned_views_score_below_random_ones(name, options):
    loss = partial(getattr(losses, name), **options)
    z = torch.randn(100, 16, dtype=torch.double)
    near = z + 0.1 * torch.randn_like(z)
    assert loss(z, near) < loss(z, near[torch.randperm(100)]) - 1e-3


def test_spread_rows_score_below_gathered_ones():
    for name in ALONE:
        loss, z = getattr(losses, name), torch.randn(100, 16)
        assert loss(z) < loss(z / 10 + 1) - 0.1


@every
@pytest.mark.parametrize("value", [0.0, 1.0, 1e-18, 1e15])
def test_collapsed_views_stay_finite(name, options, value):
    if value == 1e15 and name in ("jsd", "vicreg"):
        pytest.skip("not invariant to scale: the loss itself is that large")
    z = torch.full((20, 4), value)
    loss, gradients = value_and_gradients(partial(getattr(losses, name), **options), z, z)
    assert loss.isfinite()
    assert all(gradient.isfinite().all() for gradient in gradients)


@pytest.mark.parametrize("temperature", [1e-4, 1e-2, 1e4])
@pytest.mark.parametrize(
    "name", ["info_nce", "nt_xent_one_way", "decoupled", "debiased", "hard_negative", "macl", "progcl", "dispersive"]
)
def test_extreme_temperatures_stay_finite(name, temperature):
    z1 = torch.randn(50, 8)
    z = (z1,) if name in ALONE else (z1, z1 + 0.3 * torch.randn(50, 8))
    loss, gradients = value_and_gradients(lambda *z: getattr(losses, name)(*z, temperature=temperature), *z)
    assert loss.isfinite()
    assert all(gradient.isfinite().all() for gradient in gradients)


@every
def test_half_precision_is_computed_in_single(name, options):
    loss = partial(getattr(losses, name), **options)
    z1, z2 = torch.randn(2, 40, 8).bfloat16()
    value, gradients = value_and_gradients(loss, z1, z2)
    single, single_gradients = value_and_gradients(loss, z1.float(), z2.float())
    assert value.dtype == torch.float32
    assert gradients[0].dtype == torch.bfloat16
    assert abs(value - single) <= 1e-5 * max(1, abs(single))
    assert (gradients[0].float() - single_gradients[0]).norm() <= 0.01 * single_gradients[0].norm() + 1e-6


@every
def test_bad_views_are_named(name, options):
    loss, z = partial(getattr(losses, name), **options), torch.eye(3)
    with pytest.raises(ValueError, match="same shape"):
        loss(z, z[:2])
    with pytest.raises(ValueError, match="at least one row"):
        loss(z[:0], z[:0])
    with pytest.raises(TypeError, match="floating-point"):
        loss(z.long(), z.long())
    if name in ONE_ROW:
        assert loss(z[:1], z[:1]).isfinite()
    else:
        with pytest.raises(ValueError, match="at least two rows, got 1"):
            loss(z[:1], z[:1])


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("nt_xent_one_way", {"temperature": 0}, "temperature must be finite and above 0, got 0"),
        ("decoupled", {"temperature": -1}, "temperature must be finite and above 0, got -1"),
        ("debiased", {"prior": 1.0}, r"prior must be in \[0, 1\), got 1.0"),
        ("hard_negative", {"beta": -1}, "beta must be finite and at least 0, got -1"),
        ("macl", {"alpha": 2}, r"alpha must be in \[0, 1\], got 2"),
        ("macl", {"threshold": 2}, r"threshold must be in \[0, 1\], got 2"),
        ("ssge", {"uniformity_weight": -1.0}, "uniformity_weight must be finite and at least 0, got -1"),
        ("scaled_cosine_error", {"gamma": 0.9}, "gamma must be finite and at least 1, got 0.9"),
        ("triplet", {"margin": 0}, "margin must be finite and above 0, got 0"),
    ],
)
def test_bad_options_are_named(name, options, message):
    with pytest.raises(ValueError, match=message):
        getattr(losses, name)(torch.eye(3), torch.eye(3), **options)
