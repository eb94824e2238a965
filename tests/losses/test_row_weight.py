"""Row weights: a row of weight m equals m copies of the row."""

import math

import pytest
import torch

from gcl.losses import barlow_twins, cca_ssg, info_nce, ssge
from tests.losses.inputs import KINDS, close, views
from tests.reference import unit, value_and_gradients

SIZES = torch.tensor([1, 5, 2, 2, 7, 1, 1, 3, 4, 1])
CLUSTER = torch.arange(10).repeat_interleave(SIZES)  # 27 rows


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("loss", [cca_ssg, barlow_twins, ssge])
def test_moments_are_those_of_repeated_rows(kind, loss):
    z1, z2 = views(kind, 10)
    expected = value_and_gradients(lambda *z: loss(z[0][CLUSTER], z[1][CLUSTER]), z1, z2)
    close(value_and_gradients(lambda *z: loss(*z, row_weight=SIZES), z1, z2), expected)


@pytest.mark.parametrize("kind", KINDS)
def test_info_nce_between_views_is_that_of_repeated_rows_less_a_constant(kind):
    z1, z2 = views(kind, 10)

    def lifted(z1, z2):
        """Every copy is a column, also those of the same cluster."""
        s = unit(z1)[CLUSTER] @ unit(z2)[CLUSTER].T / 0.3
        return (s.logsumexp(1) + s.logsumexp(0) - 2 * s.diagonal()).mean() / 2 - math.log(27 / 10)

    got = value_and_gradients(lambda *z: info_nce(*z, 0.3, intraview=False, row_weight=SIZES), z1, z2)
    close(got, value_and_gradients(lifted, z1, z2))


def test_info_nce_on_lifted_rows_of_equal_clusters_is_the_compressed_loss_and_log_m():
    z1, z2 = torch.randn(2, 50, 8, dtype=torch.double)
    lift = torch.arange(50).repeat_interleave(6)
    s = unit(z1)[lift] @ unit(z2)[lift].T / 0.5
    lifted = (s.logsumexp(1) + s.logsumexp(0) - 2 * s.diagonal()).mean() / 2
    assert abs(lifted - info_nce(z1, z2, 0.5, intraview=False) - math.log(6)) < 1e-12


@pytest.mark.parametrize("kind", KINDS)
def test_info_nce_within_views_by_the_dense_formula(kind):
    z1, z2 = views(kind, 10)
    weight = SIZES / SIZES.double().mean()

    def dense(z1, z2):
        total = 0.0
        for a, b in ((unit(z1), unit(z2)), (unit(z2), unit(z1))):
            inter, intra = a @ b.T / 0.3 + weight.log(), a @ a.T / 0.3 + weight.log()
            intra = intra.masked_fill(torch.eye(10).bool(), -torch.inf)
            term = torch.cat([inter, intra], dim=1).logsumexp(1) - (a * b).sum(1) / 0.3
            total = total + (weight * term).mean() / 2
        return total

    got = value_and_gradients(lambda *z: info_nce(*z, 0.3, row_weight=SIZES), z1, z2)
    close(got, value_and_gradients(dense, z1, z2))


@pytest.mark.parametrize("loss", [cca_ssg, barlow_twins, ssge, info_nce])
def test_equal_weights_change_nothing_and_others_are_checked(loss):
    z1, z2 = torch.randn(2, 10, 4, dtype=torch.double)
    assert abs(loss(z1, z2, row_weight=torch.full((10,), 7)) - loss(z1, z2)) < 1e-12
    with pytest.raises(ValueError, match=r"row_weight must have shape \[10\], one for each row, got \(9,\)"):
        loss(z1, z2, row_weight=torch.ones(9))
