"""Learn node embeddings without labels, and compare them with what needs no training: `python examples/quickstart.py`.

The data set is embedded: a block model of Cora's size whose edges and words each know a little of the classes.
Prints a table and writes quickstart.png.
"""

import argparse

import torch
from tqdm import tqdm

import gcl


def train(data, seed, epochs):
    """Return the split, the baselines' scores, GRACE's scores, its embeddings and losses for one seed."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    split = gcl.eval.random_split(data.num_nodes, train=0.1, val=0.1, generator=generator)
    encoder = gcl.nn.gcn(data.num_features, 256, 2, 128, act="prelu")
    scores = gcl.eval.baselines(data, split, encoder)

    method = gcl.methods.GRACE(encoder, dim=128, temperature=0.4)
    optimizer = torch.optim.Adam(method.parameters(), lr=1e-3, weight_decay=1e-5)
    run = gcl.train.fit(method, [data], optimizer, epochs, generator=generator)
    losses = [float(loss) for _, loss in tqdm(run, total=epochs, desc=f"seed {seed}", unit="epoch")]

    h = method.embed(data)
    scores["GRACE"] = gcl.eval.linear_probe(h, data.y, split)
    return scores, h, losses


def plot(data, h, losses, path):
    """t-SNE of the raw features beside the embeddings, and the training curve."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 3, figsize=(13, 4.2), width_ratios=(1, 1, 0.8), layout="constrained")
    for ax, z, title in zip(axes, (data.x, h), ("raw", "GRACE embeddings, no labels used"), strict=False):
        gcl.eval.plot.embedding_plot(z, data.y, ax, generator=torch.Generator().manual_seed(0))
        ax.set_title(f"{title} (t-SNE)")
    gcl.eval.plot.training_curve(losses, axes[2], ylabel="InfoNCE loss")
    figure.savefig(path, dpi=110)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dataset", default="csbm", help="any node data set of gcl.data.load (default: csbm)")
    parser.add_argument("--epochs", type=int, default=120)
    parser.add_argument("--seeds", type=int, default=3)
    args = parser.parse_args()

    data = gcl.data.load(args.dataset)
    runs = [train(data, seed, args.epochs) for seed in range(args.seeds)]

    print(f"\n{args.dataset}: linear probe, 10 % of the labels, {args.seeds} seeds (split and training)")
    print(f"{'':22}{'accuracy %':>14}{'macro F1 %':>14}")
    for name in runs[0][0]:
        row = f"{name:22}"
        for metric in ("accuracy", "macro_f1"):
            values = 100 * torch.tensor([scores[name][metric] for scores, _, _ in runs])
            row += f"{values.mean():8.1f} ± {values.std(correction=0):.1f}"
        print(row)

    _, h, losses = runs[0]
    plot(data, h, losses, "quickstart.png")
    print("\nwrote quickstart.png")


if __name__ == "__main__":
    main()
