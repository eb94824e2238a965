"""A synthetic data set in OGB's raw layout: `python benchmarks/make_ogb_like.py ogbn-products-like data`.

A degree-corrected block model with the size, mean degree, feature width and classes of ogbn-products by default:
communities of about 200 nodes, each of one class; an edge stays in its community with probability 0.4, in its class
with 0.1 more; degrees follow a power law. Features are a class mean, a smaller community mean and noise. Everything is
drawn and written in pieces, so that memory holds a few numbers for each node and one piece.
"""

import argparse
import gzip
from pathlib import Path

import numpy as np

PIECE = 2_000_000


class BlockModel:
    """Its nodes; edges and features come in pieces, the same ones each time."""

    def __init__(self, num_nodes, mean_degree=50.0, num_features=100, num_classes=47, community=200, seed=0):
        self.num_nodes, self.num_features, self.num_classes, self.seed = num_nodes, num_features, num_classes, seed
        self.num_edges = round(num_nodes * mean_degree / 2)  # undirected
        rng = np.random.default_rng(seed)
        parts = max(1, num_nodes // community)
        cuts = np.sort(rng.choice(np.arange(1, num_nodes), parts - 1, replace=False))
        self.bounds = np.concatenate([[0], cuts, [num_nodes]])  # communities lie in a row, and classes too
        self.class_of = np.sort(rng.integers(num_classes, size=parts))
        self.community = np.repeat(np.arange(parts), np.diff(self.bounds))
        weight = (1 - rng.random(num_nodes)) ** (-1 / 2.5)
        self.total = np.concatenate([[0.0], weight.cumsum()])
        self.name = rng.permutation(num_nodes)  # what the node in each place is called
        self.y = np.empty(num_nodes, dtype=np.int64)
        self.y[self.name] = self.class_of[self.community]
        class_mean, own_mean = (rng.normal(size=(k, num_features)).astype(np.float32) for k in (num_classes, parts))
        self.mean = 0.05 * class_mean[self.class_of] + 0.1 * own_mean  # of each community
        self.first = np.searchsorted(self.class_of, np.arange(num_classes + 1))  # the communities of each class

    def edges(self):
        """Pieces ``[2, <= PIECE]``, each edge once; self-loops and duplicates happen, as chance has it."""
        rng = np.random.default_rng([self.seed, 1])
        for start in range(0, self.num_edges, PIECE):
            m = min(PIECE, self.num_edges - start)
            source = self._by_weight(np.zeros(m), np.full(m, self.total[-1]), rng)
            part, where = self.community[source], rng.random(m)
            group = self.class_of[part]
            low = np.select([where < 0.4, where < 0.5], [self.bounds[part], self.bounds[self.first[group]]], 0)
            high = np.select(
                [where < 0.4, where < 0.5],
                [self.bounds[part + 1], self.bounds[self.first[group + 1]]],
                self.num_nodes,
            )
            target = self._by_weight(self.total[low], self.total[high], rng)
            yield self.name[np.stack([source, target])]

    def features(self):
        """Pieces ``[<= PIECE / F, F]`` in the order of the nodes' names."""
        rng, place = np.random.default_rng([self.seed, 2]), np.argsort(self.name)
        step = PIECE // self.num_features
        for start in range(0, self.num_nodes, step):
            places = place[start : start + step]
            mean = self.mean[self.community[places]]
            yield mean + rng.standard_normal(mean.shape, dtype=np.float32)

    def _by_weight(self, low, high, rng):
        point = low + (high - low) * rng.random(len(low))
        return np.clip(np.searchsorted(self.total, point, side="right") - 1, 0, self.num_nodes - 1)


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
    parser.add_argument("name", help="as OGB's, such as ogbn-products-like; its folder has underscores")
    parser.add_argument("root", type=Path)
    parser.add_argument("--nodes", type=int, default=2_449_029)
    parser.add_argument("--degree", type=float, default=50.5, help="mean degree")
    parser.add_argument("--features", type=int, default=100)
    parser.add_argument("--classes", type=int, default=47)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()

    model = BlockModel(args.nodes, args.degree, args.features, args.classes, seed=args.seed)
    folder = args.root / args.name.replace("-", "_")
    write(folder / "raw/edge.csv.gz", (edges.T for edges in model.edges()), "%d")
    write(folder / "raw/node-feat.csv.gz", model.features(), "%.4f")
    write(folder / "raw/node-label.csv.gz", [model.y[:, None]], "%d")
    write(folder / "raw/num-node-list.csv.gz", [np.array([[args.nodes]])], "%d")
    write(folder / "raw/num-edge-list.csv.gz", [np.array([[model.num_edges]])], "%d")
    order = np.random.default_rng([args.seed, 3]).permutation(args.nodes)[:, None]
    parts = np.split(order, [args.nodes // 10, args.nodes // 5])
    for part, rows in zip(("train", "valid", "test"), parts, strict=True):
        write(folder / f"split/random/{part}.csv.gz", [rows], "%d")
    (folder / "RELEASE_v1.txt").touch()
    print(f"{folder}: {args.nodes:,} nodes, {model.num_edges:,} undirected edges")


if __name__ == "__main__":
    main()
