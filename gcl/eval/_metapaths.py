"""Features of one node type of a heterogeneous graph that take no training: means along metapaths."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch_geometric.data import HeteroData

from gcl._checks import check_hetero_graph, check_matrix
from gcl.losses._similarity import unit
from gcl.nn._hops import mean_weights
from gcl.pairwise import edge_sum

EdgeType = tuple[str, str, str]


def metapath_means(data: HeteroData, node_type: str, metapaths: Sequence[Sequence[EdgeType]] | None = None) -> Tensor:
    r"""The mean features of the nodes that a metapath leads from, one block ``[N, F]`` for each metapath.

    .. math:: D_k^{-1} A_k \cdots D_1^{-1} A_1 X

    for edge types :math:`A_1, ..., A_k` from the node type back to it. The rows of each block have unit length, or are
    0 where the metapath does not lead.

    Args:
        data: the graph; the node type has ``x`` ``[N, F]``.
        node_type: the type at both ends.
        metapaths: each a sequence of edge types, as of PyG's ``AddMetaPaths``; ``None``: to each other node type by
            the fewest edges, and back (paper, author, paper; paper, subject, paper).

    Returns:
        ``[N, F * len(metapaths)]``.

    Raises:
        TypeError: ``data`` is no ``HeteroData``.
        ValueError: the graph is not valid, the type has no ``x``, or a metapath does not fit the graph.

    **Source:** metapaths: PathSim (VLDB 2011); their means as baseline: SeHGNN (arXiv 2207.02547). **Differs:** unit
    rows, so that a linear probe weighs the metapaths alike.

    Example:
        >>> data = HeteroData()
        >>> data["paper"].x, data["author"].num_nodes = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]]), 2
        >>> data["paper", "by", "author"].edge_index = torch.tensor([[0, 1, 1], [0, 0, 1]])
        >>> data["author", "wrote", "paper"].edge_index = torch.tensor([[0, 0, 1], [0, 1, 1]])
        >>> metapath_means(data, "paper")
        tensor([[0.7071, 0.7071],
                [0.3162, 0.9487],
                [0.0000, 0.0000]])
    """
    if not isinstance(data, HeteroData):
        raise TypeError(f"data must be a torch_geometric HeteroData, got {type(data).__name__}")
    check_hetero_graph(data)
    if node_type not in data.node_types:
        raise ValueError(f"node_type must be one of data's, {data.node_types}, got {node_type!r}")
    if "x" not in data[node_type]:
        raise ValueError(f"data[{node_type!r}].x is missing: set it to the node features [N, F]")
    check_matrix("x", data[node_type].x)
    metapaths = there_and_back(data, node_type) if metapaths is None else metapaths
    for path in metapaths:
        _check_metapath(data, node_type, path)
    return torch.cat([unit(_mean_along(data, path)) for path in metapaths], dim=1)


def there_and_back(data: HeteroData, node_type: str) -> list[list[EdgeType]]:
    """The shortest metapath from the node type to each other type, followed by one back."""
    out, back = (_shortest(data.edge_types, node_type, *ends) for ends in ((0, 2), (2, 0)))
    paths = [out[kind] + back[kind][::-1] for kind in data.node_types if kind in out.keys() & back.keys()]
    loops = [[edge_type] for edge_type in data.edge_types if edge_type[0] == edge_type[2] == node_type]
    if not paths and not loops:
        raise ValueError(f"data must have edges that lead from {node_type!r} back to it, got {data.edge_types}")
    return loops + paths


def _shortest(edge_types: list[EdgeType], start: str, near: int, far: int) -> dict[str, list[EdgeType]]:
    """The fewest edge types to each other node type, from ``start`` on."""
    paths: dict[str, list[EdgeType]] = {start: []}
    frontier = [start]
    while frontier:
        found = {kind[far]: [*paths[kind[near]], kind] for kind in reversed(edge_types) if kind[near] in frontier}
        frontier = [kind for kind in found if kind not in paths]
        paths |= {kind: found[kind] for kind in frontier}
    del paths[start]
    return paths


def _mean_along(data: HeteroData, path: Sequence[EdgeType]) -> Tensor:
    x = data[path[0][0]].x
    for kind in path:
        edge_index = data[kind].edge_index
        num_nodes = data[kind[2]].num_nodes
        weight = mean_weights(x.new_ones(edge_index.size(1)), edge_index[1], num_nodes)
        x = edge_sum(weight, x, edge_index.flip(0), num_nodes)
    return x


def _check_metapath(data: HeteroData, node_type: str, path: Sequence[EdgeType]) -> None:
    if unknown := [kind for kind in path if tuple(kind) not in data.edge_types]:
        raise ValueError(f"metapaths must hold edge types of data, {data.edge_types}, got {unknown}")
    ends = [node_type, *(kind[2] for kind in path)]
    if not path or ends[-1] != node_type or any(kind[0] != end for kind, end in zip(path, ends, strict=False)):
        raise ValueError(f"metapaths must lead from {node_type!r} to {node_type!r} edge by edge, got {list(path)}")
