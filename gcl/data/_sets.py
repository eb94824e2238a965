"""The data sets of ``load``: their names, classes and sizes."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch_geometric.data import InMemoryDataset

from gcl.data._heco import HECO, HECO_SPLITS, HeCo
from gcl.data._ogb import SPLITS, ogb_dataset

NODE: dict[str, tuple[Any, ...]] = {  # the class, and its numbers of nodes and edges (in both directions), where known
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
    "CitationFull-Cora": ("CitationFull", 19793, 126842),
    "CitationFull-Cora_ML": ("CitationFull", 2995, 16316),
    "CitationFull-CiteSeer": ("CitationFull", 4230, 10674),
    "CitationFull-DBLP": ("CitationFull", 17716, 105734),
    "CitationFull-PubMed": ("CitationFull", 19717, 88648),
    "Roman-empire": ("HeterophilousGraphDataset", 22662, 65854),
    "Amazon-ratings": ("HeterophilousGraphDataset", 24492, 186100),
    "Minesweeper": ("HeterophilousGraphDataset", 10000, 78804),
    "Tolokers": ("HeterophilousGraphDataset", 11758, 1038000),
    "Questions": ("HeterophilousGraphDataset", 48921, 307080),
    "chameleon_filtered": ("Filtered", 890, 17708),
    "squirrel_filtered": ("Filtered", 2223, 93996),
    "Actor": ("Actor", 7600, 30019),
    "Cornell": ("WebKB", 183, 298),
    "Texas": ("WebKB", 183, 325),
    "Wisconsin": ("WebKB", 251, 515),
}
GRAPH: dict[str, tuple[int, ...]] = {  # the numbers of graphs and edges (in both directions), where known
    **dict.fromkeys(("COLLAB", "ENZYMES", "IMDB-MULTI", "NCI109", "PTC_MR", "REDDIT-BINARY", "REDDIT-MULTI-5K"), ()),
    "DD": (1178, 1686092),
    "IMDB-BINARY": (1000, 193062),
    "MUTAG": (188, 7442),
    "NCI1": (4110, 265506),
    "PPI": (24,),
    "PROTEINS": (1113, 162088),
    "ZINC": (12000,),
}
_NUM_SPLITS = {"HeterophilousGraphDataset": 10, "Filtered": 10, "Actor": 10, "WebKB": 10, "WikiCS": 20}


def splits(name: str) -> tuple[int, ...]:
    """What ``split`` may be, where there are several."""
    return HECO_SPLITS if name in HECO else tuple(range(_NUM_SPLITS.get(NODE.get(name, ("",))[0], 0)))


def dataset_class(name: str, root: Path, split: int | None) -> tuple[type[InMemoryDataset], dict[str, Any]]:
    """The class of a data set and its arguments."""
    from torch_geometric import datasets

    base = NODE.get(name, ("TUDataset",))[0]
    if name in SPLITS:
        return ogb_dataset(name, root), {"root": str(root), "name": name}
    if name in HECO:
        return HeCo, {"root": str(root), "name": name, "split": split or HECO_SPLITS[0]}
    if name in ("PPI", "ZINC"):
        return _in_three_parts(getattr(datasets, name)), {"root": str(root / name)}
    if base == "Filtered":
        return _filtered(datasets.HeterophilousGraphDataset), {"root": str(root), "name": name}
    if base == "CitationFull":
        return datasets.CitationFull, {"root": str(root / base), "name": name.removeprefix(f"{base}-")}
    if base == "Actor":
        return datasets.Actor, {"root": str(root / name)}
    if base == "WikiCS":
        return datasets.WikiCS, {"root": str(root / name), "is_undirected": True}
    return getattr(datasets, base), {"root": str(root), "name": name}


def _filtered(base: type[InMemoryDataset]) -> type[InMemoryDataset]:
    """chameleon and squirrel without duplicates (arXiv 2302.11640), in the files of the heterophilous data sets."""

    class Filtered(base):
        def __init__(self, root: str, name: str) -> None:
            self.name = name
            InMemoryDataset.__init__(self, root)
            self.load(self.processed_paths[0])

    return Filtered


def _in_three_parts(base: type[InMemoryDataset]) -> type[InMemoryDataset]:
    """PyG's class of a set in three parts, as one set whose parts are told by ``get_idx_split``, as by ogb's."""

    class Joined(base):
        def __init__(self, root: str) -> None:
            super().__init__(root, **{"subset": True} if base.__name__ == "ZINC" else {})
            graphs, self._sizes = [], []
            for path in self.processed_paths:
                self.load(path)
                graphs += [*self]
                self._sizes.append(len(self))
            self.data, self.slices = self.collate(graphs)

        def get_idx_split(self) -> dict[str, Tensor]:
            rows = torch.arange(sum(self._sizes)).split(self._sizes)
            return dict(zip(("train", "valid", "test"), rows, strict=True))

    Joined.__name__ = base.__name__
    return Joined
