"""Partition by repeated merging of neighboring clusters, and the choice of the heaviest neighbor that it rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy import ndarray
from numpy.random import Generator

if TYPE_CHECKING:
    import scipy.sparse as sp

_BLOCK = 2**17  # rows at a time
_REFINEMENTS = 5


def matching(graph: sp.csr_matrix, num_clusters: int, rng: Generator) -> ndarray:
    """Merge clusters that are each other's heaviest neighbor for their size until ``num_clusters`` are left; refine."""
    n = graph.shape[0]
    cap = 2 * n / num_clusters
    cluster, size, coarse = np.arange(n), np.ones(n), graph.astype(np.float32)
    while (surplus := len(size) - num_clusters) > 0:
        own = np.arange(len(size))
        target = _join(heaviest(coarse, rng, size=size, cap=cap), size, cap)
        if (target == own).all():
            target = _pair(heaviest(coarse, rng, size=size, cap=np.inf), size, cap)
        absorbed = rng.permutation(np.flatnonzero(target != own))
        if len(absorbed) == 0:
            cluster = _pack(size, num_clusters)[cluster]
            break
        spared = absorbed[np.argsort(size[absorbed], kind="stable")][surplus:]  # the smallest are absorbed first
        target[spared] = spared
        merged = np.unique(target, return_inverse=True)[1]
        cluster, size = merged[cluster], np.bincount(merged, weights=size)
        coarse = _contract(coarse, membership(merged, len(size)))
    for _ in range(_REFINEMENTS):
        cluster = _refine(graph, cluster, num_clusters, cap, rng)
    return cluster


def heaviest(
    graph: sp.csr_matrix, rng: Generator, size: ndarray | None = None, cap: float = np.inf, label: ndarray | None = None
) -> ndarray:
    """The column of each row's largest entry, -1 for an empty row.

    With sizes, entries are divided by the sizes of both clusters, and ignored where these exceed the cap together. Ties
    are broken at random, alike for (i, j) and (j, i), and in favor of ``label``.
    """
    choice = np.full(graph.shape[0], -1)
    noise = rng.random(max(graph.shape), dtype=np.float32)
    for start in range(0, graph.shape[0], _BLOCK):
        pointer = graph.indptr[start : start + _BLOCK + 1]
        count, entries = np.diff(pointer), slice(pointer[0], pointer[-1])
        row = np.repeat(np.arange(start, start + len(count)), count)
        col, rating = graph.indices[entries], graph.data[entries]
        rating = rating * (1 + 0.01 * ((noise[row] + noise[col]) % 1))
        if size is not None:
            rating = np.where(size[row] + size[col] <= cap, rating / (size[row] * size[col]), 0)
        if label is not None:
            rating = np.where(col == label[row], rating * 1.02, rating)
        if len(rating):
            highest = np.maximum.reduceat(rating, (pointer[:-1] - pointer[0])[count > 0])
            best = (rating == np.repeat(highest, count[count > 0])) & (rating > 0)
            choice[row[best]] = col[best]
    return choice


def membership(cluster: ndarray, num_clusters: int) -> sp.csr_matrix:
    """The matrix ``[N, num_clusters]`` with a 1 in each row, at the node's cluster."""
    import scipy.sparse as sp

    n = len(cluster)
    return sp.csr_matrix((np.ones(n, dtype=np.float32), (np.arange(n), cluster)), (n, num_clusters))


def _join(choice: ndarray, size: ndarray, cap: float) -> ndarray:
    """The cluster that absorbs each one: the first of a pair that chose each other absorbs all that chose the pair."""
    own = np.arange(len(size))
    chosen = np.where(choice < 0, own, choice)
    mutual = (chosen[chosen] == own) & (chosen != own)
    target = np.where(mutual, np.minimum(own, chosen), own)
    tail = np.flatnonzero(~mutual & mutual[chosen])
    tail = tail[np.argsort(target[chosen[tail]], kind="stable")]
    head = target[chosen[tail]]
    total = size[tail].cumsum()
    first = np.searchsorted(head, head)  # where the tails of the same head start
    full = size[head] + size[chosen[head]] + total - (total - size[tail])[first] > cap
    target[tail[~full]] = head[~full]
    return target


def _pair(choice: ndarray, size: ndarray, cap: float) -> ndarray:
    """As :func:`_join` for clusters without a neighbor that fits: two that chose the same neighbor become one."""
    target = np.arange(len(size))
    order = np.argsort(choice, kind="stable")[(choice < 0).sum() :]
    one, other = order[: len(order) // 2 * 2].reshape(-1, 2).T
    fits = (choice[one] == choice[other]) & (size[one] + size[other] <= cap)
    target[other[fits]] = one[fits]
    return target


def _pack(size: ndarray, num_clusters: int) -> ndarray:
    """Merge the smallest clusters in pairs, neighbors or not, until ``num_clusters`` are left."""
    new = np.arange(len(size))
    while (surplus := len(size) - num_clusters) > 0:
        pairs = min(surplus, len(size) // 2)
        order = np.argsort(size, kind="stable")
        target = np.arange(len(size))
        target[order[pairs : 2 * pairs]] = order[:pairs][::-1]
        merged = np.unique(target, return_inverse=True)[1]
        new, size = merged[new], np.bincount(merged, weights=size)
    return new


def _contract(graph: sp.csr_matrix, member: sp.csr_matrix) -> sp.csr_matrix:
    """The graph of the clusters: the edges between two of them add up, those inside are dropped."""
    graph = member.T.tocsr() @ graph @ member
    graph.data[graph.indices == np.repeat(np.arange(graph.shape[0]), np.diff(graph.indptr))] = 0
    graph.eliminate_zeros()
    return graph


def _refine(graph: sp.csr_matrix, cluster: ndarray, num_clusters: int, cap: float, rng: Generator) -> ndarray:
    """Half of the nodes move to the cluster of most neighbors, where it has room and theirs is not emptied."""
    size = np.bincount(cluster, minlength=num_clusters)
    choice = heaviest(graph.astype(np.float32) @ membership(cluster, num_clusters), rng, label=cluster)
    movers = rng.permutation(np.flatnonzero((choice >= 0) & (choice != cluster) & (rng.random(len(cluster)) < 0.5)))
    movers = movers[_rank(choice[movers]) < (np.floor(cap) - size)[choice[movers]]]
    movers = movers[_rank(cluster[movers]) < size[cluster[movers]] - 1]
    cluster[movers] = choice[movers]
    return cluster


def _rank(group: ndarray) -> ndarray:
    """For each entry the number of equal entries before it."""
    order = np.argsort(group, kind="stable")
    rank = np.empty(len(group), dtype=np.int64)
    rank[order] = np.arange(len(group)) - np.searchsorted(group[order], group[order])
    return rank
