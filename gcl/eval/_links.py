"""Link prediction from embeddings."""

import copy
import random
from typing import Any

import torch
from torch import Generator, Tensor
from torch_geometric.data import HeteroData
from torch_geometric.transforms import RandomLinkSplit, RemoveSelfLoops
from torch_geometric.utils import is_undirected

from augmentors._checks import check_long, check_numbers
from augmentors._graphs import Graph, is_reverse
from gcl._checks import check_edges, check_embedding, check_hetero_graph
from gcl.eval._labels import as_tensor
from gcl.eval._metapaths import EdgeType
from gcl.eval._splits import check_data, check_fraction, draw_seed


def hold_out_edges(
    data: Graph,
    fraction: float = 0.1,
    *,
    edge_type: EdgeType | None = None,
    generator: Generator | None = None,
) -> tuple[Graph, Tensor, Tensor]:
    """Hold edges out of a graph before training, for :func:`link_prediction` afterwards.

    Both directions of an undirected graph's edge leave together, and so do an edge between two node types and its copy
    in a reverse edge type (one whose ``edge_index`` is the other's, flipped). Self-loops are removed.

    Args:
        data: a graph without duplicate edges, directed or not.
        fraction: of the edges to hold out, in (0, 1).
        edge_type: of a ``HeteroData``, whose other edges all stay: the type to hold out of, between two node types.
        generator: for the edges and the non-edges.

    Returns:
        The graph to train on; pairs ``[2, 2M]`` of M held-out edges and as many non-edges of ``data``; and ``[2M]``
        with 1 for an edge, 0 for a non-edge.

    Raises:
        TypeError, ValueError: the edges are not valid, one occurs twice, ``fraction`` is not in (0, 1) or leaves no
            edges on a side, or non-edges are few.

    **Source:** PyG's ``RandomLinkSplit``. **Differs:** nothing.

    Example:
        >>> from torch_geometric.data import Data
        >>> data = Data(edge_index=torch.tensor([[0, 1, 1, 2, 2, 3], [1, 0, 2, 1, 3, 2]]), num_nodes=4)
        >>> train, pairs, linked = hold_out_edges(data, 0.4, generator=torch.Generator().manual_seed(0))
        >>> train.num_edges, pairs.shape, linked.tolist()
        (4, torch.Size([2, 2]), [1.0, 0.0])
    """
    check_fraction("fraction", fraction)
    if isinstance(data, HeteroData):
        return _hold_out_of_type(data, fraction, edge_type, generator)
    check_data(data)
    if edge_type is not None:
        raise ValueError(f"edge_type must be None for a Data, got {edge_type!r}")
    check_edges("data.edge_index", as_tensor(data.get("edge_index"), "data.edge_index"), data.num_nodes)
    for name in ("edge_weight", "edge_attr"):
        rows = as_tensor(data.get(name, data.edge_index[0]), f"data.{name}").shape[:1]
        if rows != (data.num_edges,):
            raise ValueError(f"data.{name} must have one row for each of {data.num_edges} edges, got {tuple(rows)}")
    if data.num_edges != data.edge_index.unique(dim=1).size(1):
        raise ValueError("data.edge_index must hold each edge once, else copies stay in training (coalesce it)")
    data = RemoveSelfLoops()(copy.copy(data))
    undirected = is_undirected(data.edge_index, num_nodes=data.num_nodes)
    num_edges = data.num_edges // 2 if undirected else data.num_edges
    num_non_edges = data.num_nodes * (data.num_nodes - 1) - data.num_edges
    count = _num_held_out(fraction, num_edges, num_non_edges)
    train, test = _split(data, count, generator, is_undirected=undirected)
    del train.edge_label, train.edge_label_index
    return train, test.edge_label_index, test.edge_label


def _hold_out_of_type(
    data: HeteroData, fraction: float, edge_type: EdgeType | None, generator: Generator | None
) -> tuple[HeteroData, Tensor, Tensor]:
    between = [kind for kind in data.edge_types if kind[0] != kind[2]]
    if edge_type is None or edge_type not in between:
        raise ValueError(f"edge_type must be one of data's between two node types, {between}, got {edge_type!r}")
    check_hetero_graph(data)
    edge_index, sizes = data[edge_type].edge_index, [data[edge_type[end]].num_nodes for end in (0, 2)]
    num_edges = edge_index.size(1)
    if num_edges != edge_index.unique(dim=1).size(1):
        raise ValueError("data.edge_index must hold each edge once, else copies stay in training (coalesce it)")
    count = _num_held_out(fraction, num_edges, sizes[0] * sizes[1] - num_edges)
    reverses = [store._key for store in data.edge_stores if is_reverse(edge_type, edge_index, store)]
    types = {"edge_types": [edge_type], "rev_edge_types": [reverses[0] if reverses else None]}
    train, test = _split(data, count, generator, **types)
    del train[edge_type].edge_label, train[edge_type].edge_label_index
    return train, test[edge_type].edge_label_index, test[edge_type].edge_label


def _num_held_out(fraction: float, num_edges: int, num_non_edges: int) -> int:
    count = int(fraction * num_edges)
    if not 0 < count < num_edges:
        raise ValueError(
            f"fraction={fraction} of {num_edges} edges must hold out at least one and leave one: "
            "fraction is too near to an end, or data has too few edges"
        )
    if num_non_edges < count:
        raise ValueError(f"data must have at least {count} non-edges, got {num_non_edges}")
    return count


def _split(data: Graph, count: int, generator: Generator | None, **options: Any) -> tuple[Graph, Graph]:
    """PyG's split, which draws from the global states of torch and Python: they stay as they are."""
    split = RandomLinkSplit(0, count, add_negative_train_samples=False, **options)
    seed, python_state = draw_seed(generator), random.getstate()
    try:
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            random.seed(seed)
            train, _, test = split(data)
    finally:
        random.setstate(python_state)
    return train, test


def link_prediction(z: Tensor | tuple[Tensor, Tensor], pairs: Tensor, linked: Tensor) -> dict[str, float]:
    """Score the cosine similarity of two nodes as a predictor of held-out edges.

    Args:
        z: embeddings ``[N, D]`` of the graph without the held-out edges, any device; for edges between two node types
            a pair, of the nodes where they start and of those where they end, equally wide.
        pairs: node numbers ``[2, M]``, as :func:`hold_out_edges` gives them.
        linked: ``[M]``, 1 for an edge, 0 for a non-edge.

    Returns:
        ``roc_auc`` and ``average_precision`` in [0, 1]; chance is 0.5 where half the pairs are edges.

    Raises:
        TypeError: ``z`` is not floating-point, or ``pairs`` not long.
        ValueError: ``z`` has NaN, a node number is out of range, shapes do not fit, or there are only edges or none.

    **Source:** the evaluation of variational graph autoencoders (arXiv 1611.07308), section 3. **Differs:** the cosine
    replaces the dot product, since contrastive losses compare directions.

    Example:
        >>> z = torch.tensor([[1.0, 0.0], [2.0, 0.1], [0.0, 1.0]])
        >>> link_prediction(z, torch.tensor([[0, 0], [1, 2]]), torch.tensor([1, 0]))
        {'roc_auc': 1.0, 'average_precision': 1.0}
    """
    from sklearn.metrics import average_precision_score, roc_auc_score

    ends = z if isinstance(z, (tuple, list)) else (z, z)
    if len(ends) != 2:
        raise ValueError(f"z must be a tensor or a pair of tensors, got {len(ends)}")
    for end in ends:
        check_embedding("z", end)
    if ends[0].size(1) != ends[1].size(1):
        raise ValueError(f"z must be a pair of equal width, got {ends[0].size(1)} and {ends[1].size(1)}")
    pairs, linked = as_tensor(pairs, "pairs"), as_tensor(linked, "linked")
    if pairs.dim() != 2 or pairs.size(0) != 2 or linked.shape != pairs.shape[1:]:
        shapes = f"{tuple(pairs.shape)} and {tuple(linked.shape)}"
        raise ValueError(f"pairs and linked must have shapes [2, M] and [M], got {shapes}")
    if linked.unique().tolist() != [0, 1]:
        raise ValueError(f"linked must hold both 0 and 1 and nothing else, got {linked.unique().tolist()}")
    check_long("pairs", pairs)
    for end, nodes in zip(ends, pairs, strict=True):
        check_numbers("pairs", nodes, "node", end.size(0))
    source, target = (end.detach().double()[nodes] for end, nodes in zip(ends, pairs, strict=True))
    truth, score = linked.numpy(), torch.cosine_similarity(source, target).cpu().numpy()
    metrics = {"roc_auc": roc_auc_score, "average_precision": average_precision_score}
    return {name: float(metric(truth, score)) for name, metric in metrics.items()}
