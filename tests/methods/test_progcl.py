"""When ProGCL's loss takes over, and what its mixture finds."""

import pytest
import torch

from gcl.losses import info_nce, progcl
from gcl.losses._progcl import fit_true_negatives, sample_negatives
from gcl.methods import GCA, ProGCL
from gcl.nn import gcn
from gcl.train import epochs, load_checkpoint, save_checkpoint
from tests import reference
from tests.inputs import ring, seeded


def build(**options):
    torch.manual_seed(0)
    return ProGCL(gcn(4, 8, 2, 6), 6, **options)


def test_gcas_loss_comes_first_and_the_weighted_one_after_it():
    data, method = ring(), build(fit_after=2, temperature=0.3)
    optimizer = torch.optim.SGD(method.parameters(), lr=0.0)
    pair = method.pair(data, generator=seeded(1))
    z1, z2 = pair.z1, pair.z2
    plain, weighted = info_nce(z1, z2, 0.3), progcl(z1, z2, 0.3)
    assert abs(plain - weighted) > 1e-3
    losses = []
    for _ in epochs(method, data, optimizer, 3):
        losses.append(method(data, generator=seeded(1)))
    torch.testing.assert_close(torch.stack(losses), torch.stack([plain, weighted, weighted]))
    torch.testing.assert_close(losses[-1].double(), reference.progcl(z1.double(), z2.double(), 0.3), rtol=1e-4, atol=0)


def test_the_views_are_gcas():
    options = {"edge_drop": (0.2, 0.5), "feature_mask": (0.1, 0.3)}
    gca = GCA(gcn(4, 8, 2, 6), 6, **options)
    method = build(**options)
    assert (repr(method.augmentor1), repr(method.augmentor2)) == (repr(gca.augmentor1), repr(gca.augmentor2))


def test_the_steps_are_saved(tmp_path):
    method = build(fit_after=5)
    for _ in range(7):
        method.after_step()
    save_checkpoint(tmp_path / "run.ckpt", 7, method=method)
    other = build(fit_after=5)
    load_checkpoint(tmp_path / "run.ckpt", method=other)
    assert other.steps == 7


def test_the_mixture_is_found():
    """80 % of Beta(4, 12), 20 % of Beta(14, 5), whose means are 0.25 and 0.74: the posterior is right to 0.03."""
    torch.manual_seed(0)
    low, high = torch.distributions.Beta(4.0, 12.0), torch.distributions.Beta(14.0, 5.0)
    bias, slope, other_slope = fit_true_negatives(torch.cat([low.sample((40000,)), high.sample((10000,))]))
    x = torch.linspace(0.05, 0.95, 50)
    got = (bias + slope * x.log() + other_slope * (1 - x).log()).sigmoid()
    true, false = 0.8 * low.log_prob(x).exp(), 0.2 * high.log_prob(x).exp()
    assert (got - true / (true + false)).abs().max() < 0.03


def test_small_sets_are_sampled_whole_and_large_ones_evenly():
    z1, z2 = torch.randn(2, 40, 5, dtype=torch.double)
    cosines = (2 * sample_negatives(z1, z2) - 1).sort()[0]
    every = reference.off_diagonal(reference.unit(z1) @ reference.unit(z2).T)
    torch.testing.assert_close(cosines, every.sort()[0])
    z = torch.randn(20_000, 2)
    sample = sample_negatives(z, z)
    assert sample.numel() <= 2048 * 64
    assert abs(sample.mean() - 0.5) < 0.01  # of random directions
    assert abs(sample.var() - 1 / 8) < 0.01


def test_arguments_are_checked():
    with pytest.raises(ValueError, match="fit_after must be at least 0, got -1"):
        build(fit_after=-1)
    with pytest.raises(ValueError, match="temperature must be finite and above 0, got 0"):
        build(temperature=0)
