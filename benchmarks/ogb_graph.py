"""Embeddings of OGB's molecules without labels: `python -m benchmarks.ogb_graph --dataset ogbg-molhiv --root data`.

Any set that OGB scores by ROC-AUC (molhiv, molbace, ...) or RMSE (molesol, molfreesolv, mollipo). The methods see atoms
and bonds of the training split only; the linear probe's strength is chosen on the validation split, and no epoch is.
With `--checkpoint FOLDER` a run that was stopped goes on, and benchmarks.ogb_finetune can train on with labels.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from torch_geometric.loader import DataLoader
from torch_geometric.nn import global_add_pool, global_mean_pool

import gcl
from benchmarks.tables import print_scores
from benchmarks.watch import watched

PROBES = {"rocauc": gcl.eval.linear_probe, "rmse": gcl.eval.ridge_probe}
COLUMNS = {"rocauc": {"ROC-AUC %": "roc_auc"}, "rmse": {"RMSE": "rmse"}}
METHODS = ("GraphCL", "InfoGraph", "SimGRACE", "ADGCL", "ARIELGraph")


def build(args, name, seed):
    """The method on an untrained encoder, the same for all methods, with OGB's mean over atoms."""
    torch.manual_seed(seed)
    options = {"norm": "batch_norm", "final_activation": False}
    encoders = [gcl.nn.molecule_encoder(args.hidden, args.layers, **options) for _ in range(1 + (name == "ADGCL"))]
    return getattr(gcl.methods, name)(*encoders, readout=global_mean_pool).to(args.device)


def pretrain(args, name, graphs, seed):
    """The method, trained on the graphs."""
    method, generator = build(args, name, seed), torch.Generator().manual_seed(seed)
    batch_size = min(args.batch_size, len(graphs))
    graphs = list(graphs)  # a data set would cut each graph out anew in each epoch
    loader = DataLoader(graphs, batch_size, shuffle=True, drop_last=True, generator=generator)
    optimizer = torch.optim.Adam(method.parameters(), lr=args.lr)
    parts = {"method": method, "optimizer": optimizer, "generator": generator}
    run = f"{args.dataset}-{name}-{seed}"
    path = args.checkpoint and args.checkpoint / f"{run}.ckpt"
    start = gcl.train.load_checkpoint(path, **parts) if path and path.exists() else 0
    if args.compile:
        method.encoder.compile(dynamic=True)
    epochs = gcl.train.epochs(method, loader, optimizer, args.epochs, generator=generator, start=start)
    with torch.autocast(args.device, torch.bfloat16, enabled=args.amp):
        for _ in watched(epochs, args, run, start, path, **parts):
            pass
    return method


def counts(graphs):
    """How often each graph holds each kind of atom and bond."""
    batches = map(gcl.data.molecule_features, DataLoader(graphs, 256))
    return torch.cat([global_add_pool(batch.x, batch.batch) for batch in batches])


def baselines(args, graphs, seed):
    """The baselines' test scores by row of the table."""
    split, probe = gcl.eval.Split(*graphs.get_idx_split().values()), PROBES[graphs.eval_metric]
    z, y = gcl.eval.embed_graphs(build(args, args.method[0], seed), graphs)
    features = {"mean label": torch.ones(len(y), 1)} if graphs.eval_metric == "rmse" else {}
    features |= {"counts of atoms and bonds": counts(graphs), "untrained encoder": z}
    return {name: probe(z, y, split) for name, z in features.items()}


def run(args, graphs, seed):
    """The test scores of one seed, by row of the table; the probes choose their strength on validation rows."""
    split, probe = gcl.eval.Split(*graphs.get_idx_split().values()), PROBES[graphs.eval_metric]
    scores = baselines(args, graphs, seed)
    shuffled = torch.randperm(len(split.train), generator=torch.Generator().manual_seed(seed))
    for name in args.method:
        method = pretrain(args, name, graphs[split.train[shuffled[: args.graphs]]], seed)
        z, y = gcl.eval.embed_graphs(method, graphs)
        scores[name] = probe(z, y, split)
    if args.export:
        np.savez(args.export, graph=np.arange(len(z)), embedding=z.numpy())
    return scores


def parser(description):
    """The arguments that say which runs: those of the set and of the method."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("--dataset", default="ogbg-molbace")
    parser.add_argument("--root", help="folder of the data sets (default: $GCL_DATA, else data)")
    parser.add_argument("--method", nargs="+", default=["GraphCL"], choices=METHODS, help="a row each")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--hidden", type=int, default=128)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--batch-size", type=int, default=256)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--seed", type=int, nargs="+", default=[0, 1, 2], help="one run each (default: 0 1 2)")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    return parser


def table(parser, run):
    """Print the mean and deviation over the seeds of what ``run(args, graphs, seed)`` gives."""
    args = parser.parse_args()
    graphs = gcl.load(args.dataset, args.root)
    if getattr(graphs, "eval_metric", None) not in COLUMNS:
        parser.error(f"--dataset must be a set of OGB's that is scored by ROC-AUC or RMSE, got {args.dataset}")
    runs = [run(args, graphs, seed) for seed in args.seed]
    print(f"\n{args.dataset}, OGB's split, {len(runs)} seeds, {args.epochs} epochs")
    print_scores(runs, COLUMNS[graphs.eval_metric], ".2f")


def arguments():
    """All arguments of this benchmark."""
    arguments = parser(__doc__)
    arguments.add_argument("--graphs", type=int, help="molecules to train on (default: the training split)")
    arguments.add_argument("--amp", action="store_true", help="train in bfloat16 (autocast)")
    arguments.add_argument("--compile", action="store_true", help="torch.compile the encoder")
    arguments.add_argument("--checkpoint", type=Path, help="folder to save the runs in, and to go on from")
    arguments.add_argument("--track", type=Path, help="folder for TensorBoard (torch-gcl[track])")
    arguments.add_argument("--export", type=Path, help="file for the embeddings of the last method and seed (.npz)")
    return arguments


if __name__ == "__main__":
    table(arguments(), run)
