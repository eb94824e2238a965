"""Embeddings of a set of graphs, and training-free baselines for them."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn
from torch.utils.data import Dataset
from torch_geometric.data import Batch, Data
from torch_geometric.loader import DataLoader
from torch_geometric.nn import global_add_pool

from augmentors._checks import check_at_least
from gcl._checks import check_graph
from gcl.eval._baselines import copy_of, untrained
from gcl.eval._filter_bank import filters
from gcl.eval._svm import svm_cv
from gcl.methods import Method
from gcl.nn import gin
from gcl.nn._readouts import Readout, read_out


def embed_graphs(method: Method, graphs: Sequence[Data], batch_size: int = 256) -> tuple[Tensor, Tensor | None]:
    """Embeddings and labels of a set of graphs, in its order.

    Args:
        method: one with a readout; its device is where the batches go.
        graphs: a PyG data set or a list; all with one row of ``y``, or all without.
        batch_size: graphs at a time.

    Returns:
        ``g`` ``[B, D]``, and ``y`` ``[B]`` or ``[B, T]``, ``None`` without labels; on the CPU.

    Raises:
        TypeError: ``method`` is no method, or ``graphs`` holds something else than graphs.
        ValueError: there are no graphs, one is not valid or has not one row of ``y``, or the method embeds nodes.

    Example:
        >>> from gcl.methods import InfoGraph
        >>> graphs = [Data(x=torch.ones(n, 1), edge_index=torch.empty(2, 0).long(), y=n % 2) for n in (1, 2, 3)]
        >>> g, y = embed_graphs(InfoGraph(gin(1, 8, 3, 8), dim=8), graphs)
        >>> g.shape, y
        (torch.Size([3, 8]), tensor([1, 0, 1]))
    """
    if not isinstance(method, Method):
        raise TypeError(f"method must be a gcl.methods.Method, got {type(method).__name__}")
    if method.readout is None:
        raise ValueError(f"method must embed graphs (give it a readout), got {type(method).__name__} of nodes")
    rows = [(method.embed(batch).cpu(), batch.get("y")) for batch in _batches(graphs, batch_size)]
    embeddings, labels = zip(*rows, strict=True)
    return torch.cat(embeddings), None if labels[0] is None else torch.cat(labels)


def graph_baselines(
    graphs: Sequence[Data], folds: Tensor, encoder: nn.Module | None = None, *, readout: Readout = global_add_pool
) -> dict[str, dict[str, float]]:
    """Cross-validated support vector machine on sets of graph features that took no training.

    Args:
        graphs: a PyG data set or a list; each with ``x`` ``[n, F]`` and one integer class ``y``.
        folds: the fold of each graph ``[B]``; the same as for the embeddings they are compared with.
        encoder: as for :func:`gcl.eval.baselines`; ``None``: a fresh ``gin(F, 32, 3, 32)``.
        readout: that of the method; pools them all.

    Returns:
        The result of :func:`gcl.eval.svm_cv` by name; the names as of :func:`gcl.eval.baselines`. The blocks of the
        filter bank are pooled as they are, since the support vector machine scales their columns.

    Raises:
        TypeError, ValueError: as :func:`embed_graphs` and :func:`gcl.eval.svm_cv`.

    Example:
        >>> graphs = [Data(x=torch.ones(1 + n % 2, 1), edge_index=torch.empty(2, 0).long(), y=n % 2) for n in range(20)]
        >>> {name: row["accuracy"] for name, row in graph_baselines(graphs, torch.arange(20) // 10).items()}
        {'raw': 1.0, 'propagated': 1.0, 'filter_bank': 1.0, 'untrained': 1.0}
    """
    width = next(_batches(graphs, 1)).num_features
    encoder = gin(width, 32, 3, 32) if encoder is None else copy_of(encoder).cpu()
    rows, labels = defaultdict(list), []
    for batch in _batches(graphs, 256):
        check_graph(batch)
        if batch.get("y") is None:
            raise ValueError("graphs must have labels: set y of each to its class")
        labels.append(batch.y)
        pooled = [read_out(readout, block, batch) for block in filters(batch)]
        rows["raw"].append(pooled[0])
        rows["propagated"].append(pooled[2])
        rows["filter_bank"].append(torch.cat(pooled, dim=1))
        rows["untrained"].append(read_out(readout, untrained(batch, encoder), batch))
    return {name: svm_cv(torch.cat(g), torch.cat(labels), folds) for name, g in rows.items()}


def _batches(graphs: Sequence[Data], batch_size: int) -> Iterator[Batch]:
    """The graphs in their order, on the CPU; either all have one row of ``y``, or none has ``y``."""
    check_at_least("batch_size", batch_size, 1)
    several = isinstance(graphs, Sequence) and all(isinstance(graph, Data) for graph in graphs)
    if not several and not isinstance(graphs, Dataset):
        raise TypeError(f"graphs must be a data set or a sequence of Data, got {type(graphs).__name__}")
    if len(graphs) == 0:
        raise ValueError("graphs must hold at least one graph, got none")
    labeled = graphs[0].get("y") is not None
    for batch in DataLoader(graphs, batch_size):
        rows = 0 if batch.get("y") is None else len(batch.y)
        if rows != labeled * batch.num_graphs:
            got = f"{rows} for {batch.num_graphs} graphs"
            raise ValueError(f"graphs must have one row of y each, or all none, got {got}")
        yield batch.cpu()
