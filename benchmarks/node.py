"""Any node-level method beside its baselines: `python -m benchmarks.node --method CCASSG --dataset Cora --root data`.

The settings are in settings.json; a data set that is not there takes Cora's. The embeddings are probed at five points
of the training, and the one that is best on the validation rows is tested; by `--probes 1` at the end alone.
`--settings published --method ARIEL` trains as the authors do. With `--checkpoint FOLDER` a stopped run goes on.
"""

import argparse
import time
from pathlib import Path

import torch
from torch_geometric.data import Data
from tqdm import tqdm

import gcl
from benchmarks.settings import ENCODERS, SETTINGS, build, encoders, normalized, optimizer_of, settings_of
from benchmarks.tables import BASELINES, print_scores
from gcl.eval._baselines import untrained
from gcl.eval._filter_bank import bank_for, beside

METHODS = [name for name, sets in SETTINGS["tables"].items() if "Cora" in sets]
HETEROPHILOUS = {"Minesweeper": "roc_auc", "Tolokers": "roc_auc", "chameleon_filtered": "accuracy"}
WIDTH = 256  # of the untrained encoders


class Best:
    """For each split the scores, and the embeddings, where validation was best so far: a part of the checkpoints."""

    def __init__(self, splits, metric="accuracy"):
        self.splits, self.metric = splits, metric
        self.scores, self.h = [{}] * len(splits), [torch.empty(0)] * len(splits)
        self.seconds = 0.0

    def watch(self, run, epochs, embed, y, probes=5):
        """The epochs of ``run``, with ``embed()`` compared at some of them; adds up the training's CPU seconds."""
        clock = time.process_time()
        for epoch, _ in run:
            self.seconds += time.process_time() - clock
            if epoch % max(epochs // probes, 1) == 0:
                self.probe(embed(), y, epoch)
            yield epoch
            clock = time.process_time()

    def probe(self, h, y, epoch):
        """Compare with the embeddings ``h`` of an epoch."""
        key = f"val_{self.metric}"
        for number, split in enumerate(self.splits):
            scores = gcl.eval.linear_probe(h, y, split) | {"epoch": epoch}
            if scores[key] > self.scores[number].get(key, -1):
                self.scores[number], self.h[number] = scores, h

    def state_dict(self):
        return {"scores": self.scores, "h": self.h}

    def load_state_dict(self, state):
        self.scores, self.h = state["scores"], state["h"]


def methods_of(dataset):
    """The methods that have settings for a data set; on heterophilous ones each with two encoders."""
    own = [name for name in METHODS if dataset in SETTINGS["tables"][name]]
    if dataset not in HETEROPHILOUS:
        return own
    several = [name for name in own if name != "HopContrast"]
    return ["HopContrast", *(f"{name}, {encoder}" for name in several for encoder in ("GCN", "GraphSAGE"))]


def splits_of(data, seed):
    """The seed's splits by name: the official one where there are several, else 10/10/80, and the public one or 20 per
    class.
    """
    if "train_mask" in data and data.train_mask.dim() == 2:
        return {"official": gcl.eval.split_from_masks(data, seed)}
    generator = torch.Generator().manual_seed(seed)
    splits = {"10/10/80": gcl.eval.random_split(data.num_nodes, train=0.1, val=0.1, generator=generator)}
    if "train_mask" in data:
        return splits | {"public": gcl.eval.split_from_masks(data)}
    return splits | {"20 per class": few_labels(data.y, generator)}


def few_labels(y, generator):
    """20 rows of each class to train, 30 to choose the probe's strength, the others to test."""
    order = torch.randperm(len(y), generator=generator)
    order = order[y[order].argsort(stable=True)]
    count = y.bincount()
    rank = torch.empty_like(y)
    rank[order] = torch.arange(len(y)) - (count.cumsum(0) - count).repeat_interleave(count)
    return gcl.eval.Split(*(part.nonzero().squeeze(1) for part in (rank < 20, (rank >= 20) & (rank < 50), rank >= 50)))


def baselines(data, split):
    """``{name: (scores, scores beside the bank)}``; only the untrained encoders have a second score.

    The filters see the features as they are and, where these may be counts of words, with rows of sum 1 too.
    """
    bank, smooth = bank_for(data, split.train), gcl.nn.propagate(data, 2)
    features = {BASELINES[key]: h for key, h in {"raw": data.x, "propagated": smooth, "filter_bank": bank}.items()}
    for name, builder in (ENCODERS | {"hops": "hops"}).items():
        encoder = getattr(gcl.nn, builder)(data.num_features, WIDTH).to(data.x.device)
        features[f"{BASELINES['untrained']}, {name}"] = untrained(data, encoder)
    if (data.x >= 0).all():
        rows = normalized(data, {"normalize": True})
        features[f"{BASELINES['propagated']}, rows of sum 1"] = gcl.nn.propagate(rows, 2)
        features[f"{BASELINES['filter_bank']}, rows of sum 1"] = bank_for(rows, split.train)
    scores = {}
    for name, h in features.items():
        joined = beside(h, bank) if name.startswith(BASELINES["untrained"]) else None
        own, with_bank = (z if z is None else gcl.eval.linear_probe(z, data.y, split) for z in (h, joined))
        scores[name] = own, with_bank
    return scores


def train(name, data, settings, seed, splits, probes=5, checkpoint=None, metric="accuracy"):
    """Train a method; return the :class:`Best` of its points, and the CPU seconds of an epoch."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    data = normalized(data, settings)
    method = build(name, settings, data.num_features).to(data.x.device)
    optimizer, best = optimizer_of(method, settings), Best(splits, metric)
    parts = {"method": method, "optimizer": optimizer, "generator": generator, "best": best}
    start = gcl.train.load_checkpoint(checkpoint, **parts) if checkpoint and checkpoint.exists() else 0
    epochs = settings["epochs"]
    if "rows" in settings:  # of the filter bank, in the place of the graph
        data = Data(x=gcl.eval.filter_bank(data), edge_index=data.edge_index[:, :0], y=data.y)
        batches = gcl.data.row_loader(data.x, settings["rows"], generator=generator)
    else:
        batches = data = method.prepare(data)
    run = gcl.train.epochs(method, batches, optimizer, epochs, start=start, generator=generator)
    run = tqdm(run, initial=start, total=epochs, desc=f"{name}, seed {seed}", leave=False, mininterval=1)
    for epoch in best.watch(run, epochs, lambda: method.embed(data), data.y, probes):
        if checkpoint and (epoch % 10 == 0 or epoch == epochs):
            gcl.train.save_checkpoint(checkpoint, epoch, **parts)
    return best, best.seconds / max(epochs - start, 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--method", default="GRACE", choices=[*METHODS, "ARIEL"])
    parser.add_argument("--settings", default="tables", choices=SETTINGS, help="whose (default: tables)")
    parser.add_argument("--dataset", default="csbm", help="any node data set of gcl.load (default: csbm)")
    parser.add_argument("--root", help="folder of the data sets (default: $GCL_DATA, else data)")
    parser.add_argument("--epochs", type=int, help="default: as in the settings")
    parser.add_argument("--lr", type=float, help="learning rate (default: as in the settings)")
    parser.add_argument("--normalize", action="store_true", default=None, help="divide features by their sum")
    parser.add_argument("--probes", type=int, default=5, help="points of the training to choose from (default: 5)")
    parser.add_argument("--seed", type=int, nargs="+", default=[0, 1, 2], help="one run each (default: 0 1 2)")
    parser.add_argument("--public", action="store_true", help="the data set's own split instead of 10/10/80")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--checkpoint", type=Path, help="folder to save the runs in, and to go on from")
    args = parser.parse_args()
    if args.method not in SETTINGS[args.settings]:
        parser.error(f"--settings must be a source that has {args.method}, got {args.settings}")

    data = gcl.load(args.dataset, args.root).to(args.device)
    overrides = {"epochs": args.epochs, "lr": args.lr, "normalize": args.normalize}
    settings = settings_of(args.method, args.dataset, args.settings, **overrides)
    runs = []
    for seed in args.seed:
        torch.manual_seed(seed)
        splits = splits_of(data, seed)
        split = gcl.eval.split_from_masks(data) if args.public else splits["10/10/80"]
        scores = gcl.eval.baselines(data, split, encoders(settings, data.num_features)[0])
        path = args.checkpoint and args.checkpoint / f"{args.method}-{args.dataset}-{seed}.ckpt"
        best, seconds = train(args.method, data, settings, seed, [split], args.probes, path)
        runs.append(scores | {args.method: best.scores[0]})

    print(f"\n{args.dataset}: linear probe, {len(runs)} seeds, {seconds:.2f} CPU s an epoch, {settings}")
    print_scores(runs)


if __name__ == "__main__":
    main()
