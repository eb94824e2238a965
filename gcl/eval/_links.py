"""Link prediction from embeddings."""

import copy
import random

import torch
from torch import Generator, Tensor
from torch_geometric.data import Data
from torch_geometric.transforms import RandomLinkSplit, RemoveSelfLoops
from torch_geometric.utils import is_undirected

from gcl._checks import check_edges, check_embedding
from gcl.eval._labels import as_tensor
from gcl.eval._splits import check_data, check_fraction, draw_seed


def hold_out_edges(
    data: Data, fraction: float = 0.1, *, generator: Generator | None = None
) -> tuple[Data, Tensor, Tensor]:
    """Hold edges out of a graph before training, for :func:`link_prediction` afterwards.

    Both directions of an undirected graph's edge leave together. Self-loops are removed.

    Args:
        data: a graph without duplicate edges, directed or not.
        fraction: of the edges to hold out, in (0, 1).
        generator: for the edges and the non-edges.

    Returns:
        The graph to train on; pairs ``[2, 2M]`` of M held-out edges and as many non-edges of ``data``; and ``[2M]``
        with 1 for an edge, 0 for a non-edge.

    Raises:
        TypeError, ValueError: the edges are not valid, one occurs twice, ``fraction`` is not in (0, 1) or leaves no
            edges on a side, or non-edges are few.

    **Source:** PyG's ``RandomLinkSplit``. **Differs:** nothing.

    Example:
        >>> data = Data(edge_index=torch.tensor([[0, 1, 1, 2, 2, 3], [1, 0, 2, 1, 3, 2]]), num_nodes=4)
        >>> train, pairs, linked = hold_out_edges(data, 0.4, generator=torch.Generator().manual_seed(0))
        >>> train.num_edges, pairs.shape, linked.tolist()
        (4, torch.Size([2, 2]), [1.0, 0.0])
    """
    check_fraction("fraction", fraction)
    check_data(data)
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
    num_held_out, num_pairs = int(fraction * num_edges), data.num_nodes * (data.num_nodes - 1)
    if not 0 < num_held_out < num_edges:
        raise ValueError(
            f"fraction={fraction} of {num_edges} edges must hold out at least one and leave one: "
            "fraction is too near to an end, or data has too few edges"
        )
    if num_pairs - data.num_edges < num_held_out:
        raise ValueError(f"data must have at least {num_held_out} non-edges, got {num_pairs - data.num_edges}")
    split = RandomLinkSplit(0, num_held_out, is_undirected=undirected, add_negative_train_samples=False)
    seed, python_state = draw_seed(generator), random.getstate()
    try:
        with torch.random.fork_rng():  # the split draws from the global states of torch and Python
            torch.manual_seed(seed)
            random.seed(seed)
            train, _, test = split(data)
    finally:
        random.setstate(python_state)
    del train.edge_label, train.edge_label_index
    return train, test.edge_label_index, test.edge_label


def link_prediction(z: Tensor, pairs: Tensor, linked: Tensor) -> dict[str, float]:
    """Score the cosine similarity of two nodes as a predictor of held-out edges.

    Args:
        z: embeddings ``[N, D]`` of the graph without the held-out edges, any device.
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

    check_embedding("z", z)
    pairs, linked = as_tensor(pairs, "pairs"), as_tensor(linked, "linked")
    if pairs.dim() != 2 or pairs.size(0) != 2 or linked.shape != pairs.shape[1:]:
        shapes = f"{tuple(pairs.shape)} and {tuple(linked.shape)}"
        raise ValueError(f"pairs and linked must have shapes [2, M] and [M], got {shapes}")
    if linked.unique().tolist() != [0, 1]:
        raise ValueError(f"linked must hold both 0 and 1 and nothing else, got {linked.unique().tolist()}")
    check_edges("pairs", pairs, z.size(0))
    source, target = z.detach().double()[pairs]
    truth, score = linked.numpy(), torch.cosine_similarity(source, target).cpu().numpy()
    metrics = {"roc_auc": roc_auc_score, "average_precision": average_precision_score}
    return {name: float(metric(truth, score)) for name, metric in metrics.items()}
