"""The helpers for rows of a list of edges, against loops."""

from itertools import chain, pairwise

import torch
from hypothesis import given
from hypothesis import strategies as st

from augmentors._sparse import by_row, csr_matrix, largest, numbers_below, sums_before

entries = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5)), max_size=12)


@given(entries=entries)
def test_rows_by_loops(entries):
    row, value = torch.tensor(entries, dtype=torch.long).reshape(-1, 2).T
    order, start = by_row(row, 4)
    places = [[i for i, own in enumerate(row.tolist()) if own == r] for r in range(4)]
    assert [order[a:b].tolist() for a, b in pairwise(start)] == places
    dense = torch.zeros(4, 6).index_put((row, value), torch.ones(len(row)), accumulate=True)
    assert torch.equal(csr_matrix(start, value[order], torch.ones(len(row)), 6).to_dense(), dense)
    count = torch.tensor([2, 0, 1, 9])
    best = [sorted(own, key=lambda i: -value[i])[:k] for own, k in zip(places, count.tolist(), strict=True)]
    assert largest(row, value, count).tolist() == list(chain(*best))


def test_runs_by_hand():
    count = torch.tensor([2, 0, 3])
    assert sums_before(count).tolist() == [0, 2, 2, 5]
    assert sums_before(count > 0).tolist() == [0, 1, 1, 2]
    assert numbers_below(count).tolist() == [0, 1, 0, 1, 2]
