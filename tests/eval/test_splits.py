"""Splits cover what they say and refuse what they cannot."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch_geometric.data import Data

from gcl.eval import Split, random_split, split_from_masks


@given(n=st.integers(10, 300), seed=st.integers(0, 9))
def test_a_random_split_is_a_partition(n, seed):
    split = random_split(n, 0.1, 0.2, generator=torch.Generator().manual_seed(seed))
    assert torch.equal(torch.cat(split).sort().values, torch.arange(n))
    assert len(split.train) == round(0.1 * n)
    assert len(split.val) == round(0.2 * n)
    again = random_split(n, 0.1, 0.2, generator=torch.Generator().manual_seed(seed))
    assert all(torch.equal(a, b) for a, b in zip(split, again, strict=True))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((100, 0.0, 0.1), r"train must be in \(0, 1\), got 0.0"),
        ((100, 0.1, 1.0), r"val must be in \(0, 1\), got 1.0"),
        ((100, 0.5, 0.5), r"leave \(50, 50, 0\) rows: each must be >= 1"),
        ((100, 0.9, 0.9), r"each must be >= 1"),
        ((3, 0.1, 0.1), r"leave \(0, 0, 3\) rows"),
    ],
)
def test_splits_without_rows_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        random_split(*arguments)


def test_masks_become_rows():
    mask = torch.tensor([True, False, False, True])
    split = split_from_masks(
        Data(train_mask=mask, val_mask=~mask & (torch.arange(4) == 1), test_mask=torch.arange(4) == 2)
    )
    assert [part.tolist() for part in split] == [[0, 3], [1], [2]]


def test_missing_and_multiple_masks_are_named():
    with pytest.raises(ValueError, match=r"data.train_mask must be a bool tensor \[N\], got nothing"):
        split_from_masks(Data())
    with pytest.raises(ValueError, match=r"data.train_mask must be a bool tensor \[N\], got torch.bool \(4, 20\)"):
        split_from_masks(Data(train_mask=torch.zeros(4, 20).bool()))


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (([0], [1], [9]), r"split.test must hold rows in \[0, 5\), got 9"),
        (([0], [-1], [2]), r"split.val must hold rows in \[0, 5\), got -1"),
        (([], [1], [2]), "split.train must hold at least one row, got none"),
        (([0, 1], [1], [2]), "must not share or repeat rows"),
    ],
)
def test_splits_that_do_not_fit_are_refused(parts, message):
    with pytest.raises(ValueError, match=message):
        Split(*(torch.tensor(part, dtype=torch.long) for part in parts)).check(5)


def test_masks_passed_as_rows_are_refused():
    with pytest.raises(ValueError, match=r"split.train must hold row numbers .*, got torch.bool"):
        Split(*torch.eye(3).bool()).check(3)
