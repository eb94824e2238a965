"""Data sets by name."""

import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import one_hot
from torch_geometric.data import Data, InMemoryDataset
from torch_geometric.utils import degree

from gcl.data._builtin import atlas, csbm, digits, karate
from gcl.data._ogb import SPLITS, molecule_features, node_data, ogb_dataset
from gcl.data._safe import check_pickle, check_tensors

_BUILTIN: dict[str, Callable[[], Data | InMemoryDataset]] = {
    "atlas": atlas,
    "csbm": lambda: csbm(generator=torch.Generator().manual_seed(0)),
    "digits": digits,
    "karate": karate,
}
_NODE: dict[str, tuple[Any, ...]] = {  # PyG's class, and its numbers of nodes and edges (in both directions)
    "Cora": ("Planetoid", 2708, 10556),
    "CiteSeer": ("Planetoid", 3327, 9104),
    "PubMed": ("Planetoid", 19717, 88648),
    "Computers": ("Amazon", 13752, 491722),
    "Photo": ("Amazon", 7650, 238162),
    "CS": ("Coauthor", 18333, 163788),
    "Physics": ("Coauthor", 34493, 495924),
    "BlogCatalog": ("AttributedGraphDataset", 5196, 343486),
    "Flickr": ("AttributedGraphDataset",),
    "WikiCS": ("WikiCS",),
}
_GRAPH: dict[str, tuple[int, ...]] = {  # the numbers of graphs and edges (in both directions), where known
    **dict.fromkeys(("COLLAB", "ENZYMES", "IMDB-MULTI", "NCI109", "PTC_MR", "REDDIT-BINARY", "REDDIT-MULTI-5K"), ()),
    "DD": (1178, 1686092),
    "IMDB-BINARY": (1000, 193062),
    "MUTAG": (188, 7442),
    "NCI1": (4110, 265506),
    "PROTEINS": (1113, 162088),
}


def load(name: str, root: str | Path | None = None) -> Data | InMemoryDataset:
    """Load a data set by name.

    - Built-in: ``"csbm"`` (a block model of Cora's size, seed 0), ``"digits"``, ``"karate"``, ``"atlas"`` (of graphs).
    - From torch_geometric, downloaded once: Cora, CiteSeer, PubMed, Computers, Photo, CS, Physics, WikiCS,
      BlogCatalog and Flickr (the attributed graphs of AANE), and TU sets such as MUTAG, PROTEINS, NCI1.
    - From ogb (``torch-gcl[ogb]``): ogbn-arxiv, ogbn-products, and the molecules of ogbg-molhiv, ogbg-molesol, ...

    Args:
        name: one of the above.
        root: folder of the downloaded sets; ``None``: ``$GCL_DATA``, else ``data/``.

    Returns:
        ``Data`` with dense ``x`` and classes ``y`` for a node data set, else PyG's data set of graphs.

        TU sets without node features (COLLAB, IMDB, REDDIT) get one-hot degrees as ``x`` ``[n, 129]``; the last column
        is for degrees of 128 and more.

        ogbn sets have OGB's split in ``train_mask``, ``val_mask`` and ``test_mask``, and edges in both directions;
        ``synthetic=True`` marks a set that benchmarks/make_ogb_like.py wrote.

        Molecules have OGB's split, ``gcl.eval.Split(*graphs.get_idx_split().values())``, and floating-point ``x``
        ``[n, 187]`` by :func:`gcl.data.molecule_features`; ``graphs.transform = None`` restores OGB's integers.

    Raises:
        ValueError: the name is unknown, or a file is damaged: the message names the folder to delete.
        FileNotFoundError: files, which the message lists, are missing and cannot be downloaded.
        ImportError: ogb or another package that the set needs is not installed.

    Example:
        >>> load("karate")
        Data(edge_index=[2, 156], x=[34, 34], y=[34])
    """
    if name in _BUILTIN:
        return _BUILTIN[name]()
    known = [*_BUILTIN, *_NODE, *_GRAPH, *SPLITS]
    if name not in known:
        other = "any other torch_geometric Data can be used without load"
        raise ValueError(f"name must be one of {', '.join(known)}, got {name!r}; {other}")
    graphs = _open(name, Path(root if root is not None else os.environ.get("GCL_DATA", "data")))
    if name in _NODE:
        return _pyg_node_data(name, graphs)
    if name.startswith("ogbn"):
        return node_data(graphs)
    if name in SPLITS:
        graphs.transform = molecule_features
        return graphs
    _check_graphs(name, graphs)
    if graphs.num_features == 0:
        graphs.transform = _degree_features
    return graphs


def _pyg_node_data(name: str, graphs: InMemoryDataset) -> Data:
    """The graph with dense features. Its size is checked: PyG can read some half-written files."""
    (dataset, *size), data = _NODE[name], graphs[0]
    got = [data.num_nodes, data.num_edges] if size else []
    if dataset == "Planetoid":  # a shortened test index mixes up rows
        size, got = [*size, 1000], [*got, int(data.test_mask.sum())]
    if got != size:
        sizes = f"{tuple(size)} nodes, edges (and test nodes), got {tuple(got)}"
        raise _wrong_size(f"{name} has {sizes}", graphs)
    data.x = data.x.to_dense()
    return data


def _check_graphs(name: str, graphs: InMemoryDataset) -> None:
    """The sizes are the known ones, and each graph has its part of each attribute: PyG can read half-written files."""
    size, got = _GRAPH[name], (len(graphs), graphs._data.num_edges)
    if size and got != size:
        raise _wrong_size(f"{name} has {size} graphs and edges, got {got}", graphs)
    for key, ends in graphs.slices.items():
        value = graphs._data[key]
        if isinstance(value, Tensor) and value.size(graphs._data.__cat_dim__(key, value)) != int(ends[-1]):
            raise _wrong_size(f"{name} has {int(ends[-1])} entries of {key}, got {tuple(value.shape)}", graphs)


def _degree_features(data: Data) -> Data:
    """One-hot in-degrees as features; 128 and more are one. **Source:** GIN (arXiv 1810.00826), section 7."""
    data.x = one_hot(degree(data.edge_index[1], data.num_nodes, torch.long).clamp_max(128), 129).float()
    return data


def _open(name: str, root: Path) -> InMemoryDataset:
    """PyG's or ogb's data set, with errors that say what to do."""
    from torch_geometric import datasets

    kind = ogb_dataset(name, root) if name in SPLITS else getattr(datasets, _NODE.get(name, ("TUDataset",))[0])
    options: dict[str, Any] = {"root": str(root), "name": name}
    if name == "WikiCS":
        options = {"root": str(root / name), "is_undirected": True}
    graphs = InMemoryDataset.__new__(kind)  # an error in __init__ has to name its files
    graphs._process = partial(_process, kind, graphs)
    try:
        kind.__init__(graphs, **options)
        del graphs._process
    except ImportError as error:
        raise ImportError(f"{name} needs the package {error.name}: pip install {error.name}") from error
    except Exception as error:
        missing = "\n  ".join(path for path in graphs.raw_paths if not os.path.exists(path))
        if not missing:
            what = f"{type(error).__name__}: {error}"
            raise ValueError(f"{name} could not be read ({what}): {_damaged(graphs)}") from error
        raise FileNotFoundError(
            f"{name} is not on disk and could not be downloaded ({error}). "
            f"Set root or $GCL_DATA to the folder that holds it, or put these files there:\n  {missing}"
        ) from error
    return graphs


def _process(kind: type[InMemoryDataset], graphs: InMemoryDataset) -> None:
    """PyG's processing, which unpickles files, after a look into them that runs no code."""
    for path in Path(graphs.processed_dir).glob("*.pt"):
        check_tensors(path)
    if kind.__name__ == "Planetoid":
        for raw in graphs.raw_paths:
            if not raw.endswith(".test.index"):
                check_pickle(raw)
    kind._process(graphs)


def _wrong_size(what: str, graphs: InMemoryDataset) -> ValueError:
    """The error of a half-written data set, whose processed files are removed: they are not read a second time."""
    shutil.rmtree(graphs.processed_dir, ignore_errors=True)
    return ValueError(f"{what}: {_damaged(graphs)}")


def _damaged(graphs: InMemoryDataset) -> str:
    return f"a file in {Path(graphs.raw_dir).parent} is damaged or half-written. Delete that folder and load again."
