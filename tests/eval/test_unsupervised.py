"""Scores without labels, against dense forms in double precision."""

import math

import pytest
import torch
from torch_geometric.data import Data

from gcl.eval import _unsupervised as scores
from gcl.eval import collapse_metrics, filter_bank, unsupervised_scores
from gcl.losses._similarity import unit
from tests.inputs import ring, seeded

PLAIN = {
    "deviation",
    "min_deviation",
    "dead",
    "effective_rank",
    "uniformity",
    "stable_rank",
    "spectral_decay",
    "sigreg",
}
PLAIN |= {"edge_auc", "bank_from_h", "h_from_bank"}


def rows(n=40, d=6, seed=0):
    """Columns of different variance, not centered."""
    return torch.randn(n, d, generator=seeded(seed), dtype=torch.double) * torch.arange(1.0, d + 1) + 0.5


def centered(x):
    return x - x.mean(0)


def test_the_sketch_is_the_bank_times_one_random_matrix():
    data = ring(30, 5)
    draws = seeded()
    matrix = torch.cat([torch.randn(5, 64, generator=draws) for _ in range(5)]) / 8
    torch.testing.assert_close(scores.sketch(data, seeded()), filter_bank(data) @ matrix)


def test_stable_rank_and_decay():
    data, h = ring(40, 5), rows()
    found = unsupervised_scores(h, data, generator=seeded())
    values = torch.linalg.eigvalsh(h.T @ h)
    assert found["stable_rank"] == pytest.approx(float(values.sum() / values.max()), rel=1e-10)
    spectrum = torch.linalg.eigvalsh(torch.cov(h.T)).flip(0)
    points = torch.stack([torch.arange(1, 7).double().log(), torch.ones(6).double()], dim=1)
    slope = torch.linalg.lstsq(points, spectrum.log()[:, None]).solution[0]
    assert found["spectral_decay"] == pytest.approx(-float(slope), rel=1e-9)


def test_a_power_law_has_its_exponent():
    base = torch.linalg.qr(centered(rows(50, 8)))[0]
    h = base * torch.arange(1, 9).double() ** (-0.75)
    assert scores._decay(h) == pytest.approx(1.5, rel=1e-9)


def test_sigreg_of_one_column_is_the_integral():
    """In one dimension all directions agree, up to a sign that the statistic does not see."""
    z = rows(30, 1)
    x = (z - z.mean()) / z.std(correction=0)
    t = torch.linspace(-5, 5, 17, dtype=torch.double)
    wave = torch.exp(1j * t[:, None] * x.T).mean(1)
    gauss = torch.exp(-t.square() / 2)
    values = (wave - gauss).abs().square() * gauss
    expected = (values[1:] + values[:-1]).sum() / 2 * (10 / 16)
    assert scores._sigreg(z, seeded()) == pytest.approx(float(expected), rel=1e-10)


def test_sigreg_falls_with_n_for_normal_rows_only():
    generator = seeded()
    normal, coins = torch.randn(20_000, 4, generator=generator).double(), torch.randint(2, (20_000, 1)).double()
    assert scores._sigreg(normal, seeded()) < 3 / 20_000
    assert scores._sigreg(coins, seeded()) > 0.1


def test_edge_auc_is_the_fraction_of_ordered_pairs():
    data, u = ring(12, 3), unit(rows(12, 3))
    draws = seeded(2)
    edges = data.edge_index[:, torch.randint(data.num_edges, (10_000,), generator=draws)]
    pairs = torch.randint(12, (2, 10_000), generator=draws)
    positive, negative = ((u[ends[0]] * u[ends[1]]).sum(1) for ends in (edges, pairs))
    values, count = negative.sort().values, len(negative)
    below, equal = torch.searchsorted(values, positive), torch.searchsorted(values, positive, right=True)
    expected = ((below + equal).double() / 2 / count).mean()
    assert scores._edge_auc(u, data.edge_index, seeded(2)) == pytest.approx(float(expected), abs=1e-6)
    loops = torch.arange(12).expand(2, 12)
    both = torch.cat([loops, data.edge_index, loops], dim=1)
    assert scores._edge_auc(u, both, seeded(2)) == scores._edge_auc(u, data.edge_index, seeded(2))
    assert scores._edge_auc(u, loops, seeded(2)) == 0.5


@pytest.mark.parametrize("d", [6, 30])
def test_explained_variance_is_that_of_augmented_least_squares(d):
    """The first half fits, the second is explained; as many unknowns as rows, and fewer."""
    x, y = rows(40, d), rows(40, 3, seed=1) + 0.3 * rows(40, d)[:, :3]
    x0, y0 = x - x[:20].mean(0), y - y[:20].mean(0)
    penalty = (1e-3 * x0[:20].square().sum() / d).sqrt()
    stacked = torch.cat([x0[:20], penalty * torch.eye(d, dtype=torch.double)])
    slope = torch.linalg.lstsq(stacked, torch.cat([y0[:20], torch.zeros(d, 3).double()])).solution
    expected = 1 - (y0[20:] - x0[20:] @ slope).square().sum() / y0[20:].square().sum()
    assert scores._explained(x, y) == pytest.approx(float(expected), rel=1e-8)


def test_what_the_bank_explains():
    """The bank explains linear maps of itself, and noise explains nothing."""
    data = ring(400, 4)
    noise = torch.randn(400, 3, generator=seeded(5))
    same = unsupervised_scores(filter_bank(data), data, generator=seeded())
    assert same["bank_from_h"] == pytest.approx(1, abs=1e-3)
    other = unsupervised_scores(noise, data, generator=seeded())
    assert abs(other["bank_from_h"]) < 0.1
    assert abs(other["h_from_bank"]) < 0.2


def test_information_of_two_views():
    z1, noise = rows(), rows(40, 6, seed=1)
    z2 = z1 + 0.3 * noise
    signal, gap = torch.cov(((z1 + z2) / 2).T, correction=0), (z1 - z2) / 2
    expected = torch.logdet(torch.eye(6) + torch.linalg.solve(gap.T @ gap / 40, signal)) / 2
    assert scores._information(z1, z2) == pytest.approx(float(expected), rel=1e-3)
    assert scores._information(z1, z1 + 3 * noise) < expected < scores._information(z1, z1)
    one = rows(40, 1)
    ratio = float((one + 0.05).var(correction=0)) / (0.05**2 * (1 + 1e-4))
    assert scores._information(one, one + 0.1) == pytest.approx(math.log(1 + ratio) / 2, rel=1e-6)


def test_all_scores_together():
    data, h = ring(40, 5), rows().float()
    h2 = h + 0.1 * torch.randn(h.shape, generator=seeded(4))
    state = torch.random.get_rng_state()
    found = unsupervised_scores(h, data, generator=seeded())
    assert found.keys() == PLAIN
    assert found.items() >= collapse_metrics(h).items()
    both = unsupervised_scores(h, data, h2, generator=seeded())
    assert both.keys() == PLAIN | {"alignment", "view_information"}
    assert both.items() >= found.items()
    assert both["alignment"] == collapse_metrics(h, h2)["alignment"]
    assert torch.equal(torch.random.get_rng_state(), state)
    scaled = unsupervised_scores(1000 * h.double(), data, 1000 * h2.double(), generator=seeded())
    assert scaled == pytest.approx(both, rel=1e-4, abs=1e-5)


def test_of_many_rows_some_are_measured():
    data, h = ring(40, 5), rows()
    few = unsupervised_scores(h, data, max_rows=10, generator=seeded())
    assert few["stable_rank"] == unsupervised_scores(h[::4], ring(10, 5), generator=seeded())["stable_rank"]
    assert few["uniformity"] == collapse_metrics(h[::4])["uniformity"]
    assert few["edge_auc"] != 0.5


@pytest.mark.parametrize("n", [2, 3, 9, 30])
@pytest.mark.parametrize(
    "h",
    [
        lambda n: torch.zeros(n, 3),
        lambda n: torch.ones(n, 1),
        lambda n: torch.full((n, 3), 0.1),
        lambda n: torch.eye(n, 4).half(),
        lambda n: 1e-20 * torch.ones(n, 2).cumsum(0),
        lambda n: 1e30 * torch.randn(n, 2).double(),
        lambda n: torch.randn(n, 50),
    ],
)
def test_scores_are_finite_where_little_varies(n, h):
    for x in (torch.eye(n, 3), torch.zeros(n, 3)):
        data = Data(x=x, edge_index=torch.empty(2, 0).long())
        found = unsupervised_scores(h(n), data, h(n), generator=seeded())
        assert all(map(math.isfinite, found.values())), found


def test_nothing_is_explained_where_nothing_varies():
    data = Data(x=torch.eye(8).repeat(3, 1), edge_index=torch.empty(2, 0).long())
    found = unsupervised_scores(torch.zeros(24, 3), data, torch.zeros(24, 3), generator=seeded())
    for name in ("stable_rank", "spectral_decay", "bank_from_h", "h_from_bank", "view_information"):
        assert found[name] == pytest.approx(0, abs=1e-9), name


def test_bad_input_is_named():
    data, h = ring(40, 5), rows()
    with pytest.raises(ValueError, match="h must have one row for each of data's 40 nodes, got 39"):
        unsupervised_scores(h[1:], data)
    with pytest.raises(ValueError, match=r"h and h2 must have the same shape, got \(40, 6\) and \(40, 5\)"):
        unsupervised_scores(h, data, h[:, 1:])
    with pytest.raises(ValueError, match="h2 must be finite, got nan"):
        unsupervised_scores(h, data, h.index_fill(0, torch.tensor([3]), math.nan))
    with pytest.raises(ValueError, match="h must have at least two rows, got 1"):
        unsupervised_scores(h[:1], data)
    with pytest.raises(ValueError, match="max_rows must be at least 2, got 1"):
        unsupervised_scores(h, data, max_rows=1)
    with pytest.raises(TypeError, match="data must be"):
        unsupervised_scores(h, [data])
