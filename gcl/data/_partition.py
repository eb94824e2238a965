"""Partitions of a graph: the cluster of each node, and the quality of these clusters without labels."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy import ndarray
from numpy.random import Generator
from torch import Tensor
from torch_geometric.data import Data
from torch_geometric.utils import remove_self_loops

from augmentors._checks import check_at_least, check_long
from augmentors._graphs import check_structure
from gcl.data._matching import heaviest, matching, membership
from gcl.nn import propagate

if TYPE_CHECKING:
    import scipy.sparse as sp

    Partitioner = Callable[[sp.csr_matrix, int, Generator], ndarray]


def partition(
    data: Data, num_clusters: int | None, method: str = "metis", *, seed: int = 0, cache: str | Path | None = None
) -> Tensor:
    """Partition a graph into connected, dense clusters.

    Args:
        data: graph; directions, weights, self-loops and duplicates of edges do not count.
        num_clusters: in [1, N]; ``None`` for ``"labelprop"``, which finds the number itself.
        method: ``"metis"``: multilevel k-way by pymetis, the fewest cut edges; may return fewer clusters, and is slow
            for more than N / 100 clusters of a large graph. ``"matching"``: repeated merging of neighbors up to twice
            the mean size, then moves to the cluster of most neighbors; exactly ``num_clusters``, fast for many small
            clusters too. ``"labelprop"``: label propagation, with clusters of very unequal sizes.
        seed: of the random choices.
        cache: folder that keeps the result, under a hash of the graph and the arguments; a damaged file is replaced.

    Returns:
        Long ``[N]`` on the device of ``edge_index``: the cluster of each node, numbered from 0 on, none empty. Nodes
        without edges are in clusters of their own.

    Raises:
        ValueError: ``num_clusters`` or ``method`` is not as above.
        ImportError: ``"metis"`` without pymetis: install ``torch-gcl[partition]``.

    **Source:** METIS (SIAM J. Sci. Comput. 20, 1998), whose coarsening is heavy-edge matching; label propagation
    (arXiv 0709.2938). **Differs:** matching coarsens by mutual choices with a cap on the sizes, and refines the last
    level only; each round of label propagation changes a random half of the nodes, so that labels do not swap forever.

    Example:
        >>> ring = Data(edge_index=torch.tensor([[0, 1, 2, 3, 4, 5], [1, 2, 3, 4, 5, 0]]), num_nodes=6)
        >>> partition(ring, 2, "matching").bincount()
        tensor([3, 3])
    """
    check_structure(data, edges=True, weights=False)
    n = data.num_nodes
    check_at_least("seed", seed, 0)
    if method not in _METHODS:
        raise ValueError(f"method must be one of {', '.join(_METHODS)}, got {method!r}")
    if method == "labelprop" and num_clusters is not None:
        raise ValueError(f'num_clusters must be None for "labelprop", which finds it itself, got {num_clusters}')
    if num_clusters is not None:
        check_at_least("num_clusters", num_clusters, 0)
    if method != "labelprop" and (num_clusters is None or not 1 <= num_clusters <= n):
        raise ValueError(f"num_clusters must be in [1, {n}], got {num_clusters}")
    path = cache and Path(cache, f"{_hash(data, num_clusters, method, seed)}.npy")
    cluster = _cached(path, n) if path else None
    if cluster is None:
        cluster = _partition(_adjacency(data), num_clusters, _METHODS[method], np.random.default_rng(seed))
        cluster = np.unique(cluster, return_inverse=True)[1].astype(np.int64)
        if path:
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=path.parent) as folder:
                draft = Path(folder, path.name)
                np.save(draft, cluster)
                draft.replace(path)
    return torch.from_numpy(cluster).to(data.edge_index.device)


def partition_quality(data: Data, cluster: Tensor) -> dict[str, float]:
    r"""Measure a partition: cut edges, sizes, and how well clusters' means approximate two steps of propagation.

    Args:
        data: graph; with ``x`` ``[N, F]`` for ``error``.
        cluster: long ``[N]``, the cluster of each node.

    Returns:
        ``num_clusters``; ``cut``, the fraction of the edges (without self-loops) that join two clusters; ``min_size``,
        ``median_size`` and ``max_size``; and, if there are features, ``error``

        .. math:: \| \hat A^2 X - \Pi X \|_F / \| \hat A^2 X \|_F

        with :math:`\Pi X` the mean of each node's cluster: 0 where training on clusters is training on the graph.

    Raises:
        TypeError, ValueError: ``cluster`` is not as above, or the graph has no nodes.

    **Source:** the remainder in the approximation bound of StructComp (ICLR 2024). **Differs:** measured, on X.

    Example:
        >>> data = Data(x=torch.eye(2), edge_index=torch.tensor([[0, 1], [1, 0]]))
        >>> partition_quality(data, torch.tensor([0, 0]))
        {'num_clusters': 1, 'cut': 0.0, 'min_size': 2, 'median_size': 2, 'max_size': 2, 'error': ...}
    """
    check_structure(data, edges=True)
    if not data.num_nodes:
        raise ValueError("data must have at least one node, got an empty graph")
    check_long("cluster", cluster, data.num_nodes)
    cluster, size = cluster.unique(return_inverse=True, return_counts=True)[1:]
    row, col = data.edge_index
    cut = int((cluster[row] != cluster[col]).sum()) / max(int((row != col).sum()), 1)
    quality = {"num_clusters": size.numel(), "cut": cut}
    quality |= {f"{name}_size": int(getattr(size, name)()) for name in ("min", "median", "max")}
    if data.x is not None:
        smooth = propagate(data, hops=2)
        total = smooth.new_zeros(size.numel(), smooth.size(1)).index_add_(0, cluster, data.x)
        error = (smooth - (total / size[:, None])[cluster]).norm()
        quality["error"] = float(error / smooth.norm()) if error else 0.0
    return quality


def _cached(path: Path, num_nodes: int) -> ndarray | None:
    """The partition in a file, unless it is missing, damaged or another graph's."""
    try:
        with path.open("rb") as file:
            cluster = np.lib.format.read_array(file, allow_pickle=False)
    except (OSError, EOFError, ValueError):
        return None
    return cluster if cluster.shape == (num_nodes,) and cluster.dtype == np.int64 else None


def _adjacency(data: Data) -> sp.csr_matrix:
    """The boolean adjacency matrix, made symmetric and without self-loops."""
    import scipy.sparse as sp

    row, col = remove_self_loops(data.edge_index)[0].to("cpu", torch.int32).numpy()
    graph = sp.coo_matrix((np.ones(len(row), dtype=bool), (row, col)), (data.num_nodes, data.num_nodes)).tocsr()
    return graph + graph.T.tocsr()


def _hash(data: Data, *arguments: object) -> str:
    key = hashlib.sha256(repr((data.num_nodes, *arguments)).encode())
    key.update(data.edge_index.contiguous().cpu().numpy())
    return key.hexdigest()[:32]


def _partition(graph: sp.csr_matrix, num_clusters: int | None, method: Partitioner, rng: Generator) -> ndarray:
    """Apply ``method`` to the nodes that have edges; the others fill clusters of about the mean size."""
    n, has_edges = graph.shape[0], np.diff(graph.indptr) > 0
    inside, alone = np.flatnonzero(has_edges), np.flatnonzero(~has_edges)
    if num_clusters == 1 or len(inside) == 0:
        return np.arange(n) * (num_clusters or 1) // n
    core = graph if len(alone) == 0 else graph[inside][:, inside]
    cluster = np.empty(n, dtype=np.int64)
    if num_clusters is None:
        cluster[inside] = method(core, 0, rng)
        shared = max(1, round(len(alone) * len(np.unique(cluster[inside])) / len(inside)))
    else:
        shared = max(1, len(alone) * num_clusters // n) if len(alone) else 0
        cluster[inside] = method(core, num_clusters - shared, rng)
    cluster[alone] = n + np.arange(len(alone)) * shared // len(alone)
    return cluster


def _metis(graph: sp.csr_matrix, num_clusters: int, rng: Generator) -> ndarray:
    try:
        import pymetis
    except ImportError as error:
        install = 'pip install pymetis, or torch-gcl[partition]; or take method="matching"'
        raise ImportError(f'method="metis" needs pymetis: {install}') from error
    order = rng.permutation(graph.shape[0])  # k-way METIS ignores its own seed
    graph = graph[order][:, order]
    adjacency = pymetis.CSRAdjacency(graph.indptr.astype(np.int32), graph.indices.astype(np.int32))
    return np.array(pymetis.part_graph(num_clusters, adjacency, recursive=False)[1])[np.argsort(order)]


def _labelprop(graph: sp.csr_matrix, _: int, rng: Generator) -> ndarray:
    """A random half of the nodes takes the most frequent label of its neighbors, until few would change."""
    n, graph = graph.shape[0], graph.astype(np.float32)
    label = np.arange(n)
    for _ in range(100):
        choice = heaviest(graph @ membership(label, n), rng, label=label)
        if (choice != label).sum() <= n / 1000:
            break
        label = np.where(rng.random(n) < 0.5, choice, label)
    return label


_METHODS: dict[str, Partitioner] = {"metis": _metis, "matching": matching, "labelprop": _labelprop}
