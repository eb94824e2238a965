"""A synthetic stand-in for ogbn-arxiv or ogbn-products: `python -m benchmarks.make_ogb_like ogbn-arxiv data`.

The folder is laid out as OGB's download, so that ogb's own class, and `gcl.data.load`, read it by that name; its
SYNTHETIC.txt says what it is. The size, mean degree, widths, classes and sizes of the splits are the real set's.

A degree-corrected block model: communities of about 200 nodes; an edge stays in its community with probability 0.4, in
its community's class with 0.1 more, and else ends anywhere; degrees follow a power law. A node is of its community's
class with probability 0.7, else of any: what the edges tell has a ceiling. Its features are a weak mean of its own
class, one of its community, and noise.

Accuracy % of logistic regression (C = 0.01, standardized columns, 5,000 test rows; trained on 5,000 or 10,000), seed 0:

| | arxiv, 10,000 nodes | arxiv, 100,000 | products, 10,000 | products, 100,000 |
|---|---|---|---|---|
| raw features | 38.2 | 32.2 | 30.6 | 23.3 |
| A^2 X | 64.5 | 62.6 | 70.6 | 71.1 |

Everything is drawn and written in pieces, so that memory holds a few numbers for each node and one piece.
`gcl.data.csbm` draws all at once, and has no communities, which the partitions of StructComp live on.
"""

import argparse
import gzip
from pathlib import Path

import numpy as np

PIECE = 2_000_000
SETS = {
    "ogbn-arxiv": dict(num_nodes=169_343, mean_degree=2 * 1_166_243 / 169_343, num_features=128, num_classes=40),
    "ogbn-products": dict(
        num_nodes=2_449_029, mean_degree=2 * 61_859_140 / 2_449_029, num_features=100, num_classes=47
    ),
}
SAME_COMMUNITY, SAME_CLASS = 0.4, 0.1  # the shares of the edges that stay in one; the others end anywhere
OWN_CLASS = 0.7  # the share of nodes of their community's class
CLASS_SIGNAL, COMMUNITY_SIGNAL = 0.15, 0.1  # deviations of the features' means; that of the noise is 1


class BlockModel:
    """The model's nodes; its edges and features come in pieces, the same ones each time."""

    def __init__(self, num_nodes, mean_degree=50.0, num_features=100, num_classes=47, community=200, seed=0):
        self.num_nodes, self.num_features, self.num_classes, self.seed = num_nodes, num_features, num_classes, seed
        self.num_edges = round(num_nodes * mean_degree / 2)  # undirected
        rng = np.random.default_rng(seed)
        count = max(1, num_nodes // community)
        cuts = np.sort(rng.choice(np.arange(1, num_nodes), count - 1, replace=False))
        self.bounds = np.concatenate([[0], cuts, [num_nodes]])  # communities lie in a row, and classes too
        self.class_of = np.sort(rng.integers(num_classes, size=count))
        self.community = np.repeat(np.arange(count), np.diff(self.bounds))
        weight = (1 - rng.random(num_nodes)) ** (-1 / 2.5)
        self.total = np.concatenate([[0.0], weight.cumsum()])
        self.name = rng.permutation(num_nodes)  # what the node in each place is called
        strays = rng.random(num_nodes) >= OWN_CLASS
        self.y = np.empty(num_nodes, dtype=np.int64)
        self.y[self.name] = np.where(strays, rng.integers(num_classes, size=num_nodes), self.class_of[self.community])
        self.class_mean, self.community_mean = (
            scale * rng.normal(size=(k, num_features)).astype(np.float32)
            for scale, k in ((CLASS_SIGNAL, num_classes), (COMMUNITY_SIGNAL, count))
        )
        self.first = np.searchsorted(self.class_of, np.arange(num_classes + 1))  # the communities of each class

    def edges(self):
        """Pieces ``[2, <= PIECE]``, each edge once; self-loops and duplicates happen, as chance has it."""
        rng = np.random.default_rng([self.seed, 1])
        for start in range(0, self.num_edges, PIECE):
            m = min(PIECE, self.num_edges - start)
            source = self._by_weight(np.zeros(m), np.full(m, self.total[-1]), rng)
            community, where = self.community[source], rng.random(m)
            group = self.class_of[community]
            near = [where < SAME_COMMUNITY, where < SAME_COMMUNITY + SAME_CLASS]
            low = np.select(near, [self.bounds[community], self.bounds[self.first[group]]], 0)
            high = np.select(near, [self.bounds[community + 1], self.bounds[self.first[group + 1]]], self.num_nodes)
            target = self._by_weight(self.total[low], self.total[high], rng)
            yield self.name[np.stack([source, target])]

    def features(self):
        """Pieces ``[<= PIECE / F, F]`` in the order of the nodes' names."""
        rng, place = np.random.default_rng([self.seed, 2]), np.argsort(self.name)
        step = PIECE // self.num_features
        for start in range(0, self.num_nodes, step):
            community, y = self.community[place[start : start + step]], self.y[start : start + step]
            mean = self.class_mean[y] + self.community_mean[community]
            yield mean + rng.standard_normal(mean.shape, dtype=np.float32)

    def _by_weight(self, low, high, rng):
        point = low + (high - low) * rng.random(len(low))
        return np.clip(np.searchsorted(self.total, point, side="right") - 1, 0, self.num_nodes - 1)


def splits(name, model):
    """The year of each node, or None, and the rows of train, valid and test in the proportions of OGB's split."""
    rng, n = np.random.default_rng([model.seed, 3]), model.num_nodes
    if name == "ogbn-products":  # there by sales rank, here at random
        return None, np.split(rng.permutation(n), [n * 196_615 // 2_449_029, n * 235_938 // 2_449_029])
    years = np.arange(2010, 2021)
    share = np.array([*[0.537 / 8] * 8, 0.176, 0.25, 0.037])  # to 2017; 2018; 2019 and 2020
    year = rng.choice(years, n, p=share)
    return year, [np.flatnonzero(rows) for rows in (year <= 2017, year == 2018, year >= 2019)]


def make(name, root, num_nodes=None, seed=0):
    """Write the set's folder and return its model; a folder that is there is an error."""
    options = SETS[name] | ({"num_nodes": num_nodes} if num_nodes else {})
    model = BlockModel(**options, seed=seed)
    folder = Path(root, name.replace("-", "_"))
    folder.mkdir(parents=True)
    (folder / "SYNTHETIC.txt").write_text(f"Not {name}: a block model, benchmarks/make_ogb_like.py, seed {seed}.\n")
    write(folder / "raw/edge.csv.gz", (edges.T for edges in model.edges()), "%d")
    write(folder / "raw/node-feat.csv.gz", model.features(), "%.4f")
    write(folder / "raw/node-label.csv.gz", [model.y[:, None]], "%d")
    write(folder / "raw/num-node-list.csv.gz", [np.array([[model.num_nodes]])], "%d")
    write(folder / "raw/num-edge-list.csv.gz", [np.array([[model.num_edges]])], "%d")
    year, parts = splits(name, model)
    if year is not None:
        write(folder / "raw/node_year.csv.gz", [year[:, None]], "%d")
    for part, rows in zip(("train", "valid", "test"), parts, strict=True):
        split = "sales_ranking" if year is None else "time"
        write(folder / f"split/{split}/{part}.csv.gz", [rows[:, None]], "%d")
    (folder / "RELEASE_v1.txt").touch()  # last: without it the folder counts as half-written
    return model


def write(path, pieces, fmt):
    """Rows of numbers as a .csv.gz."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt", compresslevel=1) as file:
        for piece in pieces:
            line = ",".join([fmt] * piece.shape[1]) + "\n"
            for start in range(0, len(piece), 10_000):
                rows = piece[start : start + 10_000]
                file.write(line * len(rows) % tuple(rows.ravel().tolist()))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=SETS)
    parser.add_argument("root", type=Path, help="the folder is made in it; one that is there is never overwritten")
    parser.add_argument("--nodes", type=int, help="default: as the real set")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    model = make(args.name, args.root, args.nodes, args.seed)
    print(f"{args.root}: {args.name}, synthetic, {model.num_nodes:,} nodes, {model.num_edges:,} undirected edges")


if __name__ == "__main__":
    main()
