"""Attacks do not break the certificates, and are strong enough to reach them."""

import pytest
import torch

from gcl.regularizers import compactness_bound
from tests.fuzz.certificates import EXACT, attack


def test_no_attack_breaks_a_bound_in_twenty_thousand_checks():
    cases = [attack(seed) for seed in range(40)]
    assert sum(case.checks for case in cases) >= 20_000
    assert [case.violations for case in cases] == [0] * len(cases)
    for case in cases:
        worst, tight = case.bounds
        assert worst.dtype == torch.double
        assert (worst <= tight + EXACT).all()
        assert (tight <= case.least + EXACT).all()
    assert sum(case.attained() for case in cases) > 0.1 * sum(len(case.attacked) for case in cases)


def test_the_attacks_break_the_bound_of_fewer_drops():
    for seed in range(10):
        case = attack(seed, nodes=14)
        fewer = compactness_bound(case.encoder, case.x, case.edge_index, case.c, case.rate / 4, mode="worst_tight")
        if (case.least < fewer - 1e-3).any():
            return
    pytest.fail("no view went below the bound of another drop rate")
