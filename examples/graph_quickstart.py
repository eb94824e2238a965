"""Learn graph embeddings without labels, and compare them with what needs no training.

`python examples/graph_quickstart.py` trains on an embedded set, all graphs of up to seven nodes, and asks the
embeddings which graphs hold a clique of four. `--dataset MUTAG --root data` takes a TU set.
"""

import argparse

import torch
from torch_geometric.loader import DataLoader
from tqdm import tqdm

import gcl


def run(graphs, seed, args):
    """The controls' and the method's scores for one seed, all on the same folds."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    y = torch.cat([graph.y for graph in graphs])
    folds = gcl.eval.random_folds(y, 10, generator)
    encoder = gcl.nn.gin(graphs.num_features, 32, 32, num_layers=3)
    scores = gcl.eval.graph_controls(graphs, folds, encoder)

    method = getattr(gcl.methods, args.method)(encoder, dim=32).to(args.device)
    optimizer = torch.optim.Adam(method.parameters(), lr=args.lr)
    loader = DataLoader([graph.to(args.device) for graph in graphs], 128, shuffle=True, generator=generator)
    epochs = gcl.train.fit(method, loader, optimizer, args.epochs, generator=generator)
    for _, loss in (progress := tqdm(epochs, total=args.epochs, desc=f"seed {seed}", unit="epoch")):
        progress.set_postfix(loss=f"{loss:.3f}")

    g, y = gcl.eval.embed_graphs(method, graphs)
    scores[args.method] = gcl.eval.svm_cv(g, y, folds)
    return scores


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dataset", default="atlas", help="any graph data set of gcl.data.load (default: atlas)")
    parser.add_argument("--root", help="folder of the data sets (default: $GCL_DATA, else data)")
    parser.add_argument("--method", default="GraphCL", choices=("GraphCL", "InfoGraph", "SimGRACE"))
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    args = parser.parse_args()

    graphs = gcl.data.load(args.dataset, args.root)
    runs = [run(graphs, seed, args) for seed in range(args.seeds)]

    print(f"\n{args.dataset}: SVM, 10-fold cross-validation, {args.seeds} seeds (folds and training)")
    print(f"{'':22}{'accuracy %':>14}{'macro F1 %':>14}")
    for name in runs[0]:
        row = f"{name:22}"
        for metric in ("accuracy", "macro_f1"):
            values = 100 * torch.tensor([scores[name][metric] for scores in runs])
            row += f"{values.mean():8.1f} ± {values.std(correction=0):.1f}"
        print(row)


if __name__ == "__main__":
    main()
