"""The heterogeneous graphs of HeCo (arXiv 2105.09111), from the files of its repository."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch_geometric.data import HeteroData, InMemoryDataset, download_url
from torch_geometric.transforms import ToUndirected

HECO_SPLITS = (20, 40, 60)  # labels per class


class _Layout(NamedTuple):
    nodes: dict[str, int]  # of each type, the one with labels first; files call a type by its initial
    features: tuple[str, ...]
    edges: dict[tuple[str, str, str], tuple[str, int]]  # file, and its number of lines


_WRITES, _HAS = ("author", "writes", "paper"), "has"
HECO = {
    "ACM": _Layout(
        {"paper": 4019, "author": 7167, "subject": 60},
        ("p_feat.npz", "a_feat.npz"),
        {_WRITES: ("pa.txt", 13407), ("paper", _HAS, "subject"): ("ps.txt", 4019)},
    ),
    "DBLP": _Layout(
        {"author": 4057, "paper": 14328, "conference": 20, "term": 7723},
        ("a_feat.npz", "p_feat.npz", "t_feat.npy"),
        {
            _WRITES: ("pa.txt", 19645),
            ("paper", "appears_in", "conference"): ("pc.txt", 14328),
            ("paper", _HAS, "term"): ("pt.txt", 85810),
        },
    ),
    "AMiner": _Layout(
        {"paper": 6564, "author": 13329, "reference": 35890},
        (),
        {_WRITES: ("pa.txt", 18007), ("paper", "cites", "reference"): ("pr.txt", 58831)},
    ),
    "Freebase": _Layout(
        {"movie": 3492, "director": 2502, "actor": 33401, "writer": 4459},
        (),
        {
            ("director", "directs", "movie"): ("md.txt", 3762),
            ("actor", "acts_in", "movie"): ("ma.txt", 65341),
            ("writer", "writes", "movie"): ("mw.txt", 6414),
        },
    ),
}


class HeCo(InMemoryDataset):
    """One ``HeteroData`` with reverse edges, read from the raw files; ``split`` labels per class are for training."""

    url = "https://raw.githubusercontent.com/liun-online/HeCo/main/data"

    def __init__(self, root: str, name: str, split: int) -> None:
        self.name, self.layout, self.split = name, HECO[name], split
        super().__init__(root)
        self._data = ToUndirected()(self._read())

    @property
    def raw_dir(self) -> str:
        return str(Path(self.root, self.name, "raw"))

    @property
    def raw_file_names(self) -> list[str]:
        masks = [f"{part}_{labels}.npy" for part in ("train", "val", "test") for labels in HECO_SPLITS]
        return ["labels.npy", *masks, *self.layout.features, *(file for file, _ in self.layout.edges.values())]

    def download(self) -> None:
        for file in self.raw_file_names:
            source = "t_feat.npz" if file == "t_feat.npy" else file  # named like an archive, but an array
            download_url(f"{self.url}/{self.name.lower()}/{source}", self.raw_dir, filename=file)

    def _read(self) -> HeteroData:
        data, folder, (nodes, features, edges) = HeteroData(), Path(self.raw_dir), self.layout
        by_initial = {kind[0]: kind for kind in nodes}
        for file in features:
            data[by_initial[file[0]]].x = _features(folder / file)
        target, number = next(iter(nodes.items()))
        data[target].y = torch.from_numpy(np.load(folder / "labels.npy")).long()
        for part in ("train", "val", "test"):
            rows = torch.from_numpy(np.load(folder / f"{part}_{self.split}.npy"))
            data[target][f"{part}_mask"] = torch.zeros(number, dtype=torch.bool).index_fill_(0, rows, True)
        for kind, number in nodes.items():
            if any(len(value) != number for value in data[kind].values()):
                got = {key: len(value) for key, value in data[kind].items()}
                raise ValueError(f"{kind} has {number} nodes, got {got}")
            if "x" not in data[kind]:
                data[kind].num_nodes = number
        for ends, (file, number) in edges.items():
            columns = torch.from_numpy(np.loadtxt(folder / file, dtype=np.int64, ndmin=2)).T
            if columns.shape != (2, number):
                raise ValueError(f"{file} has {number} lines of two numbers, got {tuple(columns.T.shape)}")
            data[ends].edge_index = (columns if by_initial[file[0]] == ends[0] else columns.flip(0)).contiguous()
        data.validate()
        return data


def _features(path: Path) -> Tensor:
    """A dense array, or a sparse matrix of scipy, as dense ``x``."""
    from scipy.sparse import load_npz

    x = np.load(path) if path.suffix == ".npy" else load_npz(path).astype(np.float32).toarray()
    return torch.from_numpy(x).float()
