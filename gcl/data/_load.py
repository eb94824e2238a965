"""Data sets by name."""

import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import one_hot
from torch_geometric.data import Data, HeteroData, InMemoryDataset
from torch_geometric.utils import degree

from gcl.data._builtin import atlas, csbm, digits, karate
from gcl.data._heco import HECO
from gcl.data._ogb import SPLITS, node_data
from gcl.data._safe import check_pickle, check_tensors
from gcl.data._sets import GRAPH, NODE, dataset_class, splits

_BUILTIN: dict[str, Callable[[], Data | InMemoryDataset]] = {
    "atlas": atlas,
    "csbm": lambda: csbm(generator=torch.Generator().manual_seed(0)),
    "digits": digits,
    "karate": karate,
}


def load(name: str, root: str | Path | None = None, *, split: int | None = None) -> Data | HeteroData | InMemoryDataset:
    """Load a data set by name.

    - Built-in: ``"csbm"`` (a block model of Cora's size, seed 0), ``"digits"``, ``"karate"``, ``"atlas"`` (of graphs).
    - Nodes, one split or none: Cora, CiteSeer, PubMed, Computers, Photo, CS, Physics, BlogCatalog and Flickr (the
      attributed graphs of AANE), CitationFull-Cora, -Cora_ML, -CiteSeer, -DBLP and -PubMed.
    - Nodes, ten splits: Roman-empire, Amazon-ratings, Minesweeper, Tolokers, Questions, chameleon_filtered,
      squirrel_filtered, Actor, Cornell, Texas, Wisconsin (the last four directed); twenty splits: WikiCS.
    - Nodes of several types, by HeCo, with 20, 40 or 60 training nodes per class: ACM, DBLP, AMiner, Freebase.
    - Graphs: TU sets such as MUTAG, PROTEINS, NCI1; PPI (tasks ``y`` ``[n, 121]`` of nodes) and ZINC (12,000
      molecules, regression), both with their split.
    - From ogb (``torch-gcl[ogb]``): ogbn-arxiv, ogbn-products, and the molecules of ogbg-molhiv, ogbg-molesol, ...

    All but the built-in sets are downloaded once.

    Args:
        name: one of the above.
        root: folder of the downloaded sets; ``None``: ``$GCL_DATA``, else ``data/``.
        split: number of the split, from 0 on, where there are several, or the training nodes per class of HeCo's sets.
            ``None``: masks ``[N, S]`` of all S splits, and 20 for HeCo's sets.

    Returns:
        ``Data`` with dense ``x`` and classes ``y`` for a node data set, else PyG's data set of graphs.

        HeCo's sets are ``HeteroData`` with reverse edges (``rev_...``); one type has ``y`` and masks. ``x`` is as in
        the files, dense; types without (all of AMiner and Freebase, ACM's subjects, DBLP's conferences) have none.

        TU sets without node features (COLLAB, IMDB, REDDIT) get one-hot degrees as ``x`` ``[n, 129]``; the last column
        is for degrees of 128 and more.

        ogbn sets have OGB's split in ``train_mask``, ``val_mask`` and ``test_mask``, and edges in both directions;
        ``synthetic=True`` marks a set that benchmarks/make_ogb_like.py wrote.

        Molecules have OGB's integers as ``x`` ``[n, 9]`` and ``edge_attr`` ``[E, 3]``, for
        :func:`gcl.nn.molecule_encoder`, and OGB's split, ``gcl.eval.Split(*graphs.get_idx_split().values())``;
        ``graphs.transform = gcl.data.molecule_features`` makes ``x`` floating-point ``[n, 187]``.

    Raises:
        ValueError: the name or the split is unknown, or a file is damaged: the message names the folder to delete.
        FileNotFoundError: files, which the message lists, are missing and cannot be downloaded.
        ImportError: ogb or another package that the set needs is not installed.

    Example:
        >>> load("karate")
        Data(edge_index=[2, 156], x=[34, 34], y=[34])
    """
    known = [*_BUILTIN, *NODE, *HECO, *GRAPH, *SPLITS]
    if name not in known:
        other = "any other torch_geometric Data can be used without load"
        raise ValueError(f"name must be one of {', '.join(known)}, got {name!r}; {other}")
    if split is not None and (type(split) is not int or split not in splits(name)):
        allowed = ", ".join(map(str, splits(name)))
        raise ValueError(f"split must be None{allowed and f' or one of {allowed}'} for {name}, got {split!r}")
    if name in _BUILTIN:
        return _BUILTIN[name]()
    graphs = _open(name, Path(root if root is not None else os.environ.get("GCL_DATA", "data")), split)
    if name in HECO:
        return graphs[0]
    if name in NODE:
        return _node_data(name, graphs, split)
    if name.startswith("ogbn"):
        return node_data(graphs)
    if name in SPLITS:
        return graphs
    _check_graphs(name, graphs)
    if graphs.num_features == 0:
        graphs.transform = _degree_features
    return graphs


def _node_data(name: str, graphs: InMemoryDataset, split: int | None) -> Data:
    """The graph with dense features and the masks asked for. Sizes are checked: PyG can read half-written files."""
    (dataset, *size), data = NODE[name], graphs[0]
    got = [data.num_nodes, data.num_edges] if size else []
    if dataset == "Planetoid":  # a shortened test index mixes up rows
        size, got = [*size, 1000], [*got, int(data.test_mask.sum())]
    if got != size:
        sizes = f"{tuple(size)} nodes, edges (and test nodes), got {tuple(got)}"
        raise _wrong_size(f"{name} has {sizes}", graphs)
    data.x = data.x.to_dense()
    for key, value in data.to_dict().items():
        if split is not None and key.endswith("_mask") and value.dim() == 2:
            data[key] = value[:, split].contiguous()
    return data


def _check_graphs(name: str, graphs: InMemoryDataset) -> None:
    """The sizes are the known ones, and each graph has its part of each attribute: PyG can read half-written files."""
    size, got = GRAPH[name], (len(graphs), graphs._data.num_edges)
    if got[: len(size)] != size:
        raise _wrong_size(f"{name} has {size} graphs and edges, got {got}", graphs)
    for key, ends in graphs.slices.items():
        value = graphs._data[key]
        if isinstance(value, Tensor) and value.size(graphs._data.__cat_dim__(key, value)) != int(ends[-1]):
            raise _wrong_size(f"{name} has {int(ends[-1])} entries of {key}, got {tuple(value.shape)}", graphs)


def _degree_features(data: Data) -> Data:
    """One-hot in-degrees as features; 128 and more are one. **Source:** GIN (arXiv 1810.00826), section 7."""
    data.x = one_hot(degree(data.edge_index[1], data.num_nodes, torch.long).clamp_max(128), 129).float()
    return data


def _open(name: str, root: Path, split: int | None) -> InMemoryDataset:
    """The data set, with errors that say what to do."""
    kind, options = dataset_class(name, root, split)
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
    for raw in graphs.raw_paths:
        if raw.endswith(".pickle") or (kind.__name__ == "Planetoid" and not raw.endswith(".test.index")):
            check_pickle(raw)
    kind._process(graphs)


def _wrong_size(what: str, graphs: InMemoryDataset) -> ValueError:
    """The error of a half-written data set, whose processed files are removed: they are not read a second time."""
    shutil.rmtree(graphs.processed_dir, ignore_errors=True)
    return ValueError(f"{what}: {_damaged(graphs)}")


def _damaged(graphs: InMemoryDataset) -> str:
    return f"a file in {Path(graphs.raw_dir).parent} is damaged or half-written. Delete that folder and load again."
