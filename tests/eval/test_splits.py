"""Splits cover what they say and refuse what they cannot."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch_geometric.data import Data, HeteroData

from gcl.eval import Split, knn_probe, linear_probe, random_split, split_from_masks


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
    with pytest.raises(ValueError, match=r"got torch.bool \(4, 20\): choose a column"):
        split_from_masks(Data(train_mask=torch.zeros(4, 20).bool()))


def several_masks():
    train = torch.tensor([[1, 0], [0, 1], [0, 0], [0, 0]]).bool()
    return {"train_mask": train, "val_mask": train.roll(1, 0), "test_mask": torch.tensor([0, 0, 0, 1]).bool()}


@pytest.mark.parametrize("of_type", [False, True])
def test_a_column_of_several_masks(of_type):
    data = HeteroData(paper=several_masks())["paper"] if of_type else Data(**several_masks())
    assert [part.tolist() for part in split_from_masks(data, 1)] == [[1], [2], [3]]
    assert [part.tolist() for part in split_from_masks(data, column=0)] == [[0], [1], [3]]


def test_columns_that_are_not_there_are_refused():
    data = Data(**several_masks())
    for column in (2, 7):
        with pytest.raises(ValueError, match=f"column must be below 2, got {column}"):
            split_from_masks(data, column)
    with pytest.raises(ValueError, match="column must be at least 0, got -1"):
        split_from_masks(data, -1)
    with pytest.raises(TypeError, match="column must be an int, got True"):
        split_from_masks(data, True)
    flat = Data(**dict.fromkeys(("train_mask", "val_mask", "test_mask"), torch.ones(4).bool()))
    with pytest.raises(ValueError, match=r"column must be None for masks \[N\], got 0"):
        split_from_masks(flat, 0)


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


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((100, "half"), TypeError, r"train must be a number in \(0, 1\), got 'half'"),
        ((100, 0.1, None), TypeError, r"val must be a number in \(0, 1\), got None"),
        ((100, torch.tensor(0.5)), TypeError, "train must be a number"),
        ((1.5,), TypeError, "n must be an int, got 1.5"),
        ((0,), ValueError, "n must be at least 1, got 0"),
        ((3, 0.1, 0.1), ValueError, "^n, train and val leave .* got n=3, train=0.1, val=0.1"),
    ],
)
def test_numbers_of_a_random_split_are_named(arguments, error, message):
    with pytest.raises(error, match=message):
        random_split(*arguments)


def test_masks_of_no_graph_are_refused():
    for data in (None, "karate", torch.zeros(3), HeteroData()):
        with pytest.raises(TypeError, match="data must be a torch_geometric Data or Batch, got"):
            split_from_masks(data)
    with pytest.raises(ValueError, match=r"data.train_mask must be a bool tensor \[N\], got \[True\]"):
        split_from_masks(Data(train_mask=[True]))


@pytest.mark.parametrize(
    ("split", "error", "message"),
    [
        (None, TypeError, r"split must be a Split or three tensors \(train, val, test\), got NoneType"),
        ("abc", TypeError, "split must be a Split or three tensors"),
        (([0], "a", [1]), TypeError, "split.val must be a tensor or an array of numbers, got str"),
        ((1, 2, 3), ValueError, "split.train must hold row numbers"),
        (([0], [1]), ValueError, r"split must have three parts \(train, val, test\), got 2"),
    ],
)
@pytest.mark.parametrize("probe", [linear_probe, knn_probe])
def test_what_is_no_split_is_refused(probe, split, error, message):
    with pytest.raises(error, match=message):
        probe(torch.eye(4), torch.arange(4) % 2, split)
