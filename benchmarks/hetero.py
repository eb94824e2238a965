"""Methods on heterogeneous graphs beside their baselines: `python -m benchmarks.hetero --datasets ACM DBLP`.

Each cell trains a method with an encoder once, without labels, and probes the embeddings at 20, 40 and 60 labels per
class on HeCo's splits; the epoch is the one that is best on the validation rows. Rows are added to a CSV file, so that
a stopped run goes on. Raw features and metapath means take no seed but for the table's sake.
"""

import argparse
from pathlib import Path

import torch
from torch import nn
from torch_geometric.nn import GraphSAGE, HANConv, HGTConv, SAGEConv, to_hetero
from tqdm import tqdm

import gcl
from benchmarks.cells import run_cells
from benchmarks.node import Best
from benchmarks.processes import run_alone
from benchmarks.tables import print_table, spread
from gcl.methods import BGRL, CCASSG, DGI, GBT, GGD, GRACE
from gcl.nn._features import features_product

TARGET = {"ACM": "paper", "DBLP": "author", "AMiner": "paper", "Freebase": "movie"}
LABELS = (20, 40, 60)
HIDDEN, EPOCHS = 64, 120
METHODS = {
    "GRACE": lambda encoder: GRACE(encoder, temperature=0.5, edge_drop=0.3, feature_mask=0.3),
    "BGRL": lambda encoder: BGRL(encoder, edge_drop=0.3, feature_mask=0.3),
    "DGI": DGI,
    "CCASSG": lambda encoder: CCASSG(encoder, edge_drop=0.3, feature_mask=0.3),
    "GBT": lambda encoder: GBT(encoder, edge_drop=0.3, feature_mask=0.3),
    "GGD": GGD,
}


class Sage(nn.Module):
    """Two mean-aggregating layers, for ``to_hetero``."""

    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = SAGEConv((HIDDEN, HIDDEN), HIDDEN), SAGEConv((HIDDEN, HIDDEN), HIDDEN)

    def forward(self, x, edge_index):
        return self.conv2(self.conv1(x, edge_index).relu(), edge_index)


class Attention(nn.Module):
    """Two layers of HGT or HAN."""

    def __init__(self, conv, metadata):
        super().__init__()
        self.conv1, self.conv2 = (conv(HIDDEN, HIDDEN, metadata, heads=4) for _ in range(2))

    def forward(self, x_dict, edge_index_dict):
        x_dict = {key: x.relu() for key, x in self.conv1(x_dict, edge_index_dict).items()}
        return self.conv2(x_dict, edge_index_dict)


LAYERS = {
    "SAGE": lambda metadata: to_hetero(Sage(), metadata),
    "HGT": lambda metadata: Attention(HGTConv, metadata),
    "HAN": lambda metadata: Attention(HANConv, metadata),
}


class Projected(nn.Module):
    """Each type's features to one width, by a product that skips the zeros of bags of words; then layers."""

    out_channels = HIDDEN

    def __init__(self, data, layers):
        super().__init__()
        self.linear = nn.ModuleDict({key: nn.Linear(x.size(1), HIDDEN) for key, x in data.x_dict.items()})
        self.layers = LAYERS[layers](data.metadata())

    def forward(self, x_dict, edge_index_dict):
        x_dict = dict(x_dict)  # types without features have embeddings of this width already
        for key, linear in self.linear.items():
            x_dict[key] = features_product(x_dict[key], linear.weight.T) + linear.bias
        return self.layers(x_dict, edge_index_dict)


def encoder_of(data, target, layers):
    """An untrained encoder of the target type; "GraphSAGE" is PyG's on the features as they are."""
    if layers == "GraphSAGE":
        for store in data.node_stores:
            if "x" not in store:
                store.x = torch.eye(store.num_nodes)
        network = to_hetero(GraphSAGE((-1, -1), HIDDEN, 2), data.metadata())
        with torch.no_grad():
            network(data.x_dict, data.edge_index_dict)
        return gcl.nn.NodeType(network, target, HIDDEN)
    without = any("x" not in store for store in data.node_stores)
    embeddings = gcl.nn.NodeEmbeddings(data, HIDDEN) if without else None
    return gcl.nn.NodeType(Projected(data, layers), target, embeddings=embeddings)


def run_cell(dataset, method, encoder, seed, epochs, root):
    """The rows of one method, or of the baselines, with one encoder: one for each number of labels."""
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    target, graphs = TARGET[dataset], {labels: gcl.load(dataset, root, split=labels) for labels in LABELS}
    splits = {labels: gcl.eval.split_from_masks(graph[target]) for labels, graph in graphs.items()}
    data = graphs[LABELS[0]]
    if method == "baselines":
        network = encoder_of(data, target, encoder)
        return [
            row(name, labels, scores)
            for labels, split in splits.items()
            for name, scores in gcl.eval.baselines(data, split, network).items()
        ]
    best, seconds = train(data, target, method, encoder, seed, list(splits.values()), epochs)
    return [row(method, labels, scores, epochs, seconds) for labels, scores in zip(LABELS, best.scores, strict=True)]


def train(data, target, method, encoder, seed, splits, epochs=EPOCHS):
    """Train a method; return the :class:`benchmarks.node.Best` of its points, and the CPU seconds of an epoch."""
    torch.manual_seed(seed)
    trained = METHODS[method](encoder_of(data, target, encoder))
    optimizer = torch.optim.Adam(trained.parameters(), lr=5e-3, weight_decay=1e-5)
    best = Best(splits)
    run = gcl.train.epochs(trained, data, optimizer, epochs, generator=torch.Generator().manual_seed(seed))
    run = tqdm(run, total=epochs, desc=f"{method} {encoder} {seed}", leave=False)
    for _ in best.watch(run, epochs, lambda: trained.embed(data), data[target].y):
        pass
    return best, best.seconds / epochs


def row(name, labels, scores, epochs="", seconds=""):
    """A row of the file."""
    keys = ("accuracy", "macro_f1", "val_accuracy", "epoch")
    cost = {"epochs": epochs, "seconds_per_epoch": seconds}
    return {"row": name, "labels": labels} | cost | {key: scores.get(key, "") for key in keys}


def report(rows):
    """A table for each data set: micro F1 / macro F1, mean and deviation over the seeds."""
    for dataset in dict.fromkeys(one["dataset"] for one in rows):
        cells = {}
        for one in rows:
            if one["dataset"] == dataset:
                name = one["row"] if one["row"] in ("raw", "metapaths") else f"{one['row']}, {one['encoder']}"
                cells.setdefault(name, {}).setdefault(one["labels"], {})[one["encoder"], one["seed"]] = one
        print(f"\n{dataset}, micro F1 / macro F1 in %\n")

        def cell(runs):
            return " / ".join(
                spread([100 * float(one[key]) for one in runs.values()]) for key in ("accuracy", "macro_f1")
            )

        body = ([name, *(cell(splits[str(labels)]) for labels in LABELS)] for name, splits in cells.items())
        print_table(["", *(f"{labels} labels per class" for labels in LABELS)], body)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--datasets", nargs="+", default=["ACM", "DBLP"], choices=TARGET)
    parser.add_argument("--methods", nargs="+", default=["GRACE", "BGRL", "DGI", "CCASSG"], choices=METHODS)
    parser.add_argument("--encoders", nargs="+", default=["SAGE", "HGT"], choices=["GraphSAGE", *LAYERS])
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--root", help="folder of the data sets (default: $GCL_DATA, else data)")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("results") / "hetero.csv")
    args = parser.parse_args()
    cells = [
        {"dataset": dataset, "method": method, "encoder": encoder, "seed": seed}
        for dataset in args.datasets
        for seed in range(args.seeds)
        for encoder in args.encoders
        for method in ("baselines", *args.methods)
    ]
    report(run_cells(args.out, cells, lambda **cell: run_alone(run_cell, *cell.values(), args.epochs, args.root)))


if __name__ == "__main__":
    main()
