"""One door to data: ``load(name)``."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch.nn.functional import one_hot
from torch_geometric import datasets
from torch_geometric.data import Data, InMemoryDataset
from torch_geometric.utils import degree

from gcl.data import _ogb as ogb
from gcl.data._builtin import atlas, csbm, digits, karate

_EMBEDDED: dict[str, Callable[[], Data | InMemoryDataset]] = {
    "atlas": atlas,
    "csbm": lambda: csbm(generator=torch.Generator().manual_seed(0)),
    "digits": digits,
    "karate": karate,
}
_NODE: dict[str, tuple[type[InMemoryDataset], dict[str, Any]]] = {
    **{name: (datasets.Planetoid, {"name": name}) for name in ("Cora", "CiteSeer", "PubMed")},
    **{name: (datasets.Amazon, {"name": name}) for name in ("Computers", "Photo")},
    **{name: (datasets.Coauthor, {"name": name}) for name in ("CS", "Physics")},
    **{name: (datasets.AttributedGraphDataset, {"name": name}) for name in ("BlogCatalog", "Flickr")},
    "WikiCS": (datasets.WikiCS, {"is_undirected": True}),
}
_SIZES = {  # nodes and edges (in both directions) of the whole set
    "Cora": (2708, 10556),
    "CiteSeer": (3327, 9104),
    "PubMed": (19717, 88648),
    "Computers": (13752, 491722),
    "Photo": (7650, 238162),
    "CS": (18333, 163788),
    "Physics": (34493, 495924),
    "BlogCatalog": (5196, 343486),
}
_GRAPH: dict[str, tuple[type[InMemoryDataset], dict[str, Any]]] = {
    name: (datasets.TUDataset, {"name": name})
    for name in (
        *("COLLAB", "DD", "ENZYMES", "IMDB-BINARY", "IMDB-MULTI", "MUTAG", "NCI1", "NCI109"),
        *("PROTEINS", "PTC_MR", "REDDIT-BINARY", "REDDIT-MULTI-5K"),
    )
}


def load(name: str, root: str | Path | None = None) -> Data | InMemoryDataset:
    """A data set by name.

    Built-in, without any download: ``"csbm"`` (a block model of Cora's size, seed 0), ``"digits"``, ``"karate"``, and
    ``"atlas"``, 1,252 graphs of up to seven nodes.
    Through torch_geometric, downloaded once: Cora, CiteSeer, PubMed, Computers, Photo, CS, Physics, WikiCS,
    BlogCatalog and Flickr (the attributed graphs of AANE), and TU sets such as MUTAG, PROTEINS, NCI1.
    Through ogb (``torch-gcl[ogb]``): ogbn-arxiv, ogbn-products, and the molecules of ogbg-molhiv, ogbg-molesol, ...

    Args:
        name: as above.
        root: folder of the downloaded sets; ``None``: ``$GCL_DATA``, else ``data/``.

    Returns:
        ``Data`` with dense ``x`` and classes ``y`` for a node data set; PyG's data set of graphs for ``"atlas"``,
        TU sets and molecules.

        Where a TU set has no node features (COLLAB, IMDB, REDDIT), ``x`` ``[n, 129]`` holds one-hot degrees, the last
        column for 128 and more.

        ogbn sets have OGB's split in ``train_mask``, ``val_mask`` and ``test_mask``, and edges in both directions;
        ``synthetic=True`` if benchmarks/make_ogb_like.py wrote them.

        Molecules have OGB's split, ``gcl.eval.Split(*graphs.get_idx_split().values())``, and floating-point ``x``
        ``[n, 187]``: :func:`gcl.data.ogb.molecule_features`, which ``graphs.transform = None`` switches off.

    Raises:
        ValueError: the name is unknown, or a file is damaged: the message names it.
        FileNotFoundError: the set is neither on disk nor downloadable, or half on disk: the message says which files
            go where.
        ImportError: a set of OGB, and ogb is not installed.

    Example:
        >>> load("karate")
        Data(edge_index=[2, 156], x=[34, 34], y=[34])
    """
    if name in _EMBEDDED:
        return _EMBEDDED[name]()
    root = Path(root if root is not None else os.environ.get("GCL_DATA", "data"))
    if name in _GRAPH:
        graphs = _open(name, root, *_GRAPH[name])
        if graphs.num_features == 0:
            graphs.transform = _degree_features
        return graphs
    if name in ogb.SPLITS:
        graphs = _open(name, root, ogb.dataset(name), {"name": name})
        if name.startswith("ogbn"):
            return ogb.node_data(graphs)
        graphs.transform = ogb.molecule_features
        return graphs
    if name not in _NODE:
        raise ValueError(f"name must be one of {', '.join([*_EMBEDDED, *_NODE, *_GRAPH, *ogb.SPLITS])}, got {name!r}")
    data = _open(name, root if name != "WikiCS" else root / name, *_NODE[name])[0]
    _check_size(name, data, root)
    if data.x.layout != torch.strided:
        data.x = data.x.to_dense()
    return data


def _degree_features(data: Data) -> Data:
    """One-hot in-degrees as features; 128 and more are one. **Source:** GIN (arXiv 1810.00826), section 7."""
    data.x = one_hot(degree(data.edge_index[1], data.num_nodes, torch.long).clamp_max(128), 129).float()
    return data


def _open(name: str, root: Path, dataset: type[InMemoryDataset], options: dict[str, Any]) -> InMemoryDataset:
    """PyG's data set, with errors that say what to do."""

    class Guarded(dataset):
        def download(self) -> None:
            try:
                super().download()
            except Exception as error:
                missing = "\n  ".join(path for path in self.raw_paths if not os.path.exists(path))
                raise FileNotFoundError(
                    f"{name} is not on disk and could not be downloaded ({error}). "
                    f"Set root or $GCL_DATA to the folder that holds it, or put these files there:\n  {missing}"
                ) from error

    Guarded.__name__ = dataset.__name__
    try:
        return Guarded(str(root), **options)
    except FileNotFoundError:
        raise
    except ImportError as error:
        raise ImportError(f"{name} needs the package {error.name}: pip install {error.name}") from error
    except Exception as error:
        raise ValueError(
            f"{name} could not be read: {_file_at_fault(error, root)} is damaged or half-written "
            f"({type(error).__name__}: {error}). Delete it and load again."
        ) from error


def _check_size(name: str, data: Data, root: Path) -> None:
    """Some half-written files can be read: they give a smaller graph, or (Planetoid's test index) mixed-up rows."""
    got: tuple[int, ...] = (data.num_nodes, data.num_edges)
    whole: tuple[int, ...] = _SIZES.get(name, (data.num_nodes, data.num_edges))
    if _NODE[name][0] is datasets.Planetoid:
        whole, got = (*whole, 1000), (*got, int(data.test_mask.sum()))
    if got != whole:
        raise ValueError(
            f"{name} has {whole} nodes, edges (and test nodes), got {got}: a file in {root / name} is damaged or "
            "half-written. Delete that folder and load again."
        )


def _file_at_fault(error: Exception, root: Path) -> str:
    """The file under ``root`` that the innermost frame of the traceback was reading."""
    frames, traceback = [], error.__traceback__
    while traceback is not None:
        frames.append(traceback.tb_frame)
        traceback = traceback.tb_next
    for frame in reversed(frames):
        for value in list(frame.f_locals.values()):
            path = getattr(value, "name", value)
            if isinstance(path, str) and str(root) in path and os.path.isfile(path):
                return path
    return f"a file in {root}"
