"""OGB's data sets by ogb's own classes, without their questions, unpickling and half-written folders."""

import importlib
import shutil
import sys
import tempfile
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import one_hot
from torch_geometric.data import Data, InMemoryDataset, download_url, extract_zip
from torch_geometric.data.data import DataEdgeAttr, DataTensorAttr
from torch_geometric.data.storage import GlobalStorage
from torch_geometric.utils import to_undirected

from gcl.nn._molecules import ATOM, BOND

_MOLECULES = "bace bbbp chembl clintox esol freesolv hiv lipo muv pcba sider tox21 toxcast"
SPLITS = {"ogbn-arxiv": "time", "ogbn-products": "sales_ranking"}
SPLITS |= {f"ogbg-mol{name}": "scaffold" for name in _MOLECULES.split()}


def ogb_dataset(name: str, root: Path) -> type[InMemoryDataset]:
    """ogb's class of the data set in ``root``, with arguments ``root`` and ``name``; not for a half-written folder."""
    node, ogb = name.startswith("ogbn"), _import(name)
    base: Any = ogb.PygNodePropPredDataset if node else ogb.PygGraphPropPredDataset
    folder, legacy = (root / f"{name.replace('-', '_')}{suffix}" for suffix in ("", "_pyg"))
    folder = legacy if legacy.exists() else folder  # as ogb prefers
    labels = ["node-label", *["node_year"] * (name == "ogbn-arxiv")] if node else ["graph-label", "edge-feat"]
    raw = [f"raw/{file}" for file in ("edge", "node-feat", "num-node-list", "num-edge-list", *labels)]
    split = [f"split/{SPLITS[name]}/{part}" for part in ("train", "valid", "test")]
    paths = [str(folder / file) for file in ("RELEASE_v1.txt", *(f"{file}.csv.gz" for file in raw + split))]
    missing = "\n  ".join(path for path in paths if not Path(path).exists())
    if folder.exists() and missing:
        raise FileNotFoundError(
            f"{folder} lacks files, perhaps a download was stopped. Delete the folder and load again, "
            f"or put these files there:\n  {missing}"
        )

    class Prepared(base):
        raw_paths = paths

        def __init__(self, root: str, name: str) -> None:
            known = torch.serialization.get_safe_globals()  # PyG's own: the context would forget them at its end
            needed = [one for one in (Data, DataEdgeAttr, DataTensorAttr, GlobalStorage) if one not in known]
            safe = torch.serialization.safe_globals(needed)
            with safe, warnings.catch_warnings():
                warnings.filterwarnings("ignore", "The given NumPy array is not writable")
                super().__init__(name, root)

        def download(self) -> None:
            """Download without a question; the folder appears whole or not at all."""
            with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
                try:
                    extract_zip(download_url(self.meta_info["url"], scratch), scratch)
                finally:
                    shutil.rmtree(folder)  # PyG has made an empty one
                shutil.move(Path(scratch, self.meta_info["download_name"]), folder)

    Prepared.__name__ = base.__name__
    return Prepared


def node_data(graphs: InMemoryDataset) -> Data:
    """The graph of a node set, with classes ``y`` ``[N]`` and the split as masks."""
    data = graphs[0]
    del data.num_nodes  # x has as many rows
    data.y = data.y.squeeze(1)
    if graphs.name == "ogbn-arxiv":
        data.edge_index = to_undirected(data.edge_index, num_nodes=len(data.y))
    for name, rows in zip(("train_mask", "val_mask", "test_mask"), graphs.get_idx_split().values(), strict=True):
        data[name] = torch.zeros(len(data.y), dtype=torch.bool).index_fill_(0, rows, True)
    if Path(graphs.root, "SYNTHETIC.txt").exists():
        data.synthetic = True
    return data


def molecule_features(data: Data) -> Data:
    """Encode OGB's 9 integers of each atom and 3 of each bond as floating-point ``x`` ``[n, 187]``.

    The first 174 columns are the atom's integers, one-hot: a linear layer on them is ogb's ``AtomEncoder``. The other
    13 count the values of the bonds that end in the atom: a linear layer on them is the sum of ogb's ``BondEncoder``
    over its bonds. Summed over a molecule, they are a baseline that needs no training, "counts of atoms and bonds";
    as the ``transform`` of a data set, they serve encoders that take floating-point features alone, where
    :func:`gcl.nn.molecule_encoder` takes the integers. ``edge_attr`` stays.

    Args:
        data: one or several of OGB's molecules, with integer ``x`` ``[n, 9]`` and ``edge_attr`` ``[E, 3]``; changed.

    Example:
        >>> ethane = Data(torch.tensor([[5, 0, 4, 5, 3, 0, 2, 0, 0]] * 2), torch.tensor([[0, 1], [1, 0]]))
        >>> ethane.edge_attr = torch.zeros(2, 3).long()
        >>> molecule_features(ethane).x.shape
        torch.Size([2, 187])
    """
    bonds = _one_hot(data.edge_attr, BOND)
    count = bonds.new_zeros(len(data.x), sum(BOND)).index_add_(0, data.edge_index[1], bonds)
    data.x = torch.cat([_one_hot(data.x, ATOM), count], dim=1)
    return data


def evaluator(name: str) -> Any:
    """ogb's ``Evaluator`` of a data set: ``evaluator(name).eval({"y_true": [N, T], "y_pred": [N, T]})``.

    Raises:
        ImportError, ValueError: ogb is not installed, or has no data set of that name.

    Example:
        >>> y = torch.tensor([[0], [1], [1], [3]])
        >>> float(evaluator("ogbn-arxiv").eval({"y_true": y, "y_pred": torch.tensor([[0], [1], [0], [3]])})["acc"])
        0.75
    """
    return _import(name).Evaluator(name)


def _one_hot(columns: Tensor, sizes: tuple[int, ...]) -> Tensor:
    """Integer columns ``[N, len(sizes)]``, each one-hot, side by side ``[N, sum(sizes)]``."""
    return torch.cat([one_hot(column, size) for column, size in zip(columns.T, sizes, strict=True)], dim=1).float()


def _import(name: str) -> ModuleType:
    """ogb's module for node sets or for graph sets."""
    sys.modules.setdefault("outdated", None)  # type: ignore[arg-type]  # else a thread looks for a newer ogb online
    try:
        return importlib.import_module("ogb.nodeproppred" if name.startswith("ogbn") else "ogb.graphproppred")
    except ImportError as error:
        raise ImportError(f"{name} needs ogb: pip install 'torch-gcl[ogb]'") from error
