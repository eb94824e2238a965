"""A share of the fuzzer: any input gives a finite answer or an error that names an argument, and stays as it was."""

import pytest

from tests.fuzz.calls import call

SHARE = 3000


@pytest.mark.parametrize("first", range(0, SHARE, 100))
def test_any_input_is_answered_or_refused_by_name(first):
    for seed in range(first, first + 100):
        call(seed)
