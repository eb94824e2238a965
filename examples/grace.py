"""GRACE on a node data set, beside its baselines: `python examples/grace.py --dataset Cora --root data`.

Each seed draws its own 10/10/80 split and training run. With `--checkpoint FOLDER` a run that was stopped goes on.
"""

import argparse
from pathlib import Path

import torch
from torch_geometric.transforms import NormalizeFeatures
from tqdm import tqdm

import gcl

# Cora, CiteSeer: the configuration of the authors' code; the others: GCA's (arXiv 2010.14945), with plain GRACE views
PUBLISHED = {
    "Cora": dict(dim=128, proj=128, act="relu", lr=5e-4, edge=(0.2, 0.4), mask=(0.3, 0.4), temperature=0.4, epochs=200),
    "CiteSeer": dict(dim=256, proj=256, act="prelu", lr=1e-3, edge=(0.2, 0), mask=(0.3, 0.2), temperature=0.9, epochs=200),  # noqa: E501
    "Photo": dict(dim=256, proj=64, act="relu", lr=0.1, edge=(0.3, 0.5), mask=(0.1, 0.1), temperature=0.3, epochs=2000),
    "Computers": dict(dim=128, proj=128, act="rrelu", lr=0.01, edge=(0.6, 0.3), mask=(0.2, 0.3), temperature=0.2, epochs=2000),  # noqa: E501
    "CS": dict(dim=256, proj=256, act="rrelu", lr=5e-4, edge=(0.3, 0.2), mask=(0.3, 0.4), temperature=0.4, epochs=1000),
}  # fmt: skip


def run(data, hp, seed, args):
    """The baselines' and GRACE's scores for one seed."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    split = gcl.eval.random_split(data.num_nodes, train=0.1, val=0.1, generator=generator)
    encoder = gcl.nn.gcn(data.num_features, 2 * hp["dim"], 2, hp["dim"], act=hp["act"])
    scores = gcl.eval.baselines(data, split, encoder)

    method = gcl.methods.GRACE(
        encoder,
        hp["dim"],
        proj_dim=hp["proj"],
        edge_drop=hp["edge"],
        feature_mask=hp["mask"],
        temperature=hp["temperature"],
    ).to(args.device)
    optimizer = torch.optim.Adam(method.parameters(), lr=hp["lr"], weight_decay=1e-5)
    parts = {"method": method, "optimizer": optimizer, "generator": generator}

    path = args.checkpoint and args.checkpoint / f"{args.dataset}-{seed}.ckpt"
    start = gcl.train.load_checkpoint(path, **parts) if path and path.exists() else 0
    with tqdm(total=hp["epochs"], initial=start, desc=f"seed {seed}", unit="epoch") as progress:
        for epoch, loss in gcl.train.fit(method, [data], optimizer, hp["epochs"], generator=generator, start=start):
            progress.update()
            if epoch % 10 == 0 or epoch == hp["epochs"]:
                progress.set_postfix(loss=f"{loss:.3f}")
                if path:
                    gcl.train.save_checkpoint(path, epoch, **parts)

    scores["GRACE"] = gcl.eval.linear_probe(method.embed(data), data.y, split)
    return scores


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dataset", default="Cora", help="any node data set of gcl.data.load (default: Cora)")
    parser.add_argument("--root", help="folder of the data sets (default: $GCL_DATA, else data)")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, help="default: as published")
    parser.add_argument("--lr", type=float, help="learning rate (default: as published)")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--normalize", action="store_true", help="divide each node's features by their sum")
    parser.add_argument("--checkpoint", type=Path, help="folder to save the runs in, and to go on from")
    args = parser.parse_args()

    data = gcl.data.load(args.dataset, args.root)
    data = (NormalizeFeatures()(data) if args.normalize else data).to(args.device)
    hp = dict(PUBLISHED.get(args.dataset, PUBLISHED["Cora"]))
    hp |= {name: value for name in ("epochs", "lr") if (value := getattr(args, name)) is not None}
    runs = [run(data, hp, seed, args) for seed in range(args.seeds)]

    print(f"\n{args.dataset}: linear probe, 10/10/80 splits, {args.seeds} seeds, {hp}")
    print("| | accuracy % | macro F1 % |\n|---|---|---|")
    for name in runs[0]:
        cells = [100 * torch.tensor([scores[name][key] for scores in runs]) for key in ("accuracy", "macro_f1")]
        print(f"| {name} | " + " | ".join(f"{cell.mean():.1f} ± {cell.std(correction=0):.1f}" for cell in cells) + " |")


if __name__ == "__main__":
    main()
