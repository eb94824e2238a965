"""Data sets by name."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch.nn.functional import one_hot
from torch_geometric.data import Data, InMemoryDataset
from torch_geometric.utils import degree

from gcl.data._builtin import atlas, csbm, digits, karate
from gcl.data._ogb import SPLITS, molecule_features, node_data, ogb_dataset

_BUILTIN: dict[str, Callable[[], Data | InMemoryDataset]] = {
    "atlas": atlas,
    "csbm": lambda: csbm(generator=torch.Generator().manual_seed(0)),
    "digits": digits,
    "karate": karate,
}
_NODE: dict[str, tuple[str, dict[str, Any]]] = {  # PyG's class and its arguments
    **{name: ("Planetoid", {"name": name}) for name in ("Cora", "CiteSeer", "PubMed")},
    **{name: ("Amazon", {"name": name}) for name in ("Computers", "Photo")},
    **{name: ("Coauthor", {"name": name}) for name in ("CS", "Physics")},
    **{name: ("AttributedGraphDataset", {"name": name}) for name in ("BlogCatalog", "Flickr")},
    "WikiCS": ("WikiCS", {"is_undirected": True}),
}
_SIZES = {  # nodes and edges (in both directions)
    "Cora": (2708, 10556),
    "CiteSeer": (3327, 9104),
    "PubMed": (19717, 88648),
    "Computers": (13752, 491722),
    "Photo": (7650, 238162),
    "CS": (18333, 163788),
    "Physics": (34493, 495924),
    "BlogCatalog": (5196, 343486),
}
_GRAPH = (
    *("COLLAB", "DD", "ENZYMES", "IMDB-BINARY", "IMDB-MULTI", "MUTAG", "NCI1", "NCI109"),
    *("PROTEINS", "PTC_MR", "REDDIT-BINARY", "REDDIT-MULTI-5K"),
)


def load(name: str, root: str | Path | None = None) -> Data | InMemoryDataset:
    """Load a data set by name.

    - Built-in, without a download: ``"csbm"`` (a block model of Cora's size, seed 0), ``"digits"``, ``"karate"``, and
      ``"atlas"``, 1,252 graphs of up to seven nodes.
    - From torch_geometric, downloaded once: Cora, CiteSeer, PubMed, Computers, Photo, CS, Physics, WikiCS,
      BlogCatalog and Flickr (the attributed graphs of AANE), and TU sets such as MUTAG, PROTEINS, NCI1.
    - From ogb (``torch-gcl[ogb]``): ogbn-arxiv, ogbn-products, and the molecules of ogbg-molhiv, ogbg-molesol, ...

    Args:
        name: one of the above.
        root: folder of the downloaded sets; ``None``: ``$GCL_DATA``, else ``data/``.

    Returns:
        ``Data`` with dense ``x`` and classes ``y`` for a node data set; PyG's data set of graphs for ``"atlas"``,
        TU sets and molecules.

        TU sets without node features (COLLAB, IMDB, REDDIT) get one-hot degrees as ``x`` ``[n, 129]``; the last column
        is for degrees of 128 and more.

        ogbn sets have OGB's split in ``train_mask``, ``val_mask`` and ``test_mask``, and edges in both directions;
        ``synthetic=True`` marks a set that benchmarks/make_ogb_like.py wrote.

        Molecules have OGB's split, ``gcl.eval.Split(*graphs.get_idx_split().values())``, and floating-point ``x``
        ``[n, 187]`` by :func:`gcl.data.molecule_features`; ``graphs.transform = None`` restores OGB's integers.

    Raises:
        ValueError: the name is unknown, or a file is damaged: the message names the folder to delete.
        FileNotFoundError: the set is not (or only half) on disk and cannot be downloaded: the message lists the
            missing files.
        ImportError: the set needs ogb, which is not installed.

    Example:
        >>> load("karate")
        Data(edge_index=[2, 156], x=[34, 34], y=[34])
    """
    if name in _BUILTIN:
        return _BUILTIN[name]()
    root = Path(root if root is not None else os.environ.get("GCL_DATA", "data"))
    if name in _NODE:
        return _load_node(name, root)
    if name in _GRAPH:
        graphs = _open(name, root, _of_pyg("TUDataset"), {"name": name})
        if graphs.num_features == 0:
            graphs.transform = _degree_features
        return graphs
    if name in SPLITS:
        graphs = _open(name, root, ogb_dataset(name), {"name": name})
        if name.startswith("ogbn"):
            return node_data(graphs)
        graphs.transform = molecule_features
        return graphs
    raise ValueError(
        f"name must be one of {', '.join([*_BUILTIN, *_NODE, *_GRAPH, *SPLITS])}, got {name!r}; "
        "any other torch_geometric Data can be used without load"
    )


def _load_node(name: str, root: Path) -> Data:
    """A node data set of PyG with dense features. Its size is checked: PyG can read some half-written files."""
    dataset, options = _NODE[name]
    graphs = _open(name, root / name if name == "WikiCS" else root, _of_pyg(dataset), options)
    data = graphs[0]
    got: tuple[int, ...] = (data.num_nodes, data.num_edges)
    whole: tuple[int, ...] = _SIZES.get(name, got)
    if dataset == "Planetoid":  # a shortened test index mixes up rows
        whole, got = (*whole, 1000), (*got, int(data.test_mask.sum()))
    if got != whole:
        folder = Path(graphs.raw_dir).parent
        raise ValueError(f"{name} has {whole} nodes, edges (and test nodes), got {got}: {_damaged(folder)}")
    if data.x.layout != torch.strided:
        data.x = data.x.to_dense()
    return data


def _of_pyg(dataset: str) -> type[InMemoryDataset]:
    from torch_geometric import datasets

    return getattr(datasets, dataset)


def _degree_features(data: Data) -> Data:
    """One-hot in-degrees as features; 128 and more are one. **Source:** GIN (arXiv 1810.00826), section 7."""
    data.x = one_hot(degree(data.edge_index[1], data.num_nodes, torch.long).clamp_max(128), 129).float()
    return data


def _open(name: str, root: Path, dataset: type[InMemoryDataset], options: dict[str, Any]) -> InMemoryDataset:
    """PyG's data set, with errors that say what to do."""

    class Guarded(dataset):
        def __init__(self) -> None:
            try:
                super().__init__(str(root), **options)
            except FileNotFoundError:
                raise
            except ImportError as error:
                raise ImportError(f"{name} needs the package {error.name}: pip install {error.name}") from error
            except Exception as error:
                damaged = _damaged(Path(self.raw_dir).parent)
                raise ValueError(f"{name} could not be read ({type(error).__name__}: {error}): {damaged}") from error

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
    return Guarded()


def _damaged(folder: Path) -> str:
    return f"a file in {folder} is damaged or half-written. Delete that folder and load again."
