"""Learn node embeddings without labels and compare them with training-free baselines: `python examples/quickstart.py`.

The data set is built in: a block model of Cora's size, in which both the edges and the words say a little about the
classes. Prints a table and writes quickstart.png.
"""

import argparse
import statistics

import matplotlib.pyplot as plt
import torch

import gcl

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--dataset", default="csbm", help="any node data set of gcl.load (default: csbm)")
parser.add_argument("--epochs", type=int, default=120)
parser.add_argument("--seeds", type=int, default=3)
args = parser.parse_args()

data = gcl.load(args.dataset)
runs = []
for seed in range(args.seeds):
    torch.manual_seed(seed)  # the weights
    generator = torch.Generator().manual_seed(seed)  # the split and the views
    split = gcl.eval.random_split(data.num_nodes, train=0.1, val=0.1, generator=generator)
    encoder = gcl.nn.gcn(data.num_features, 256, 2, 128, act="prelu")
    scores = gcl.eval.baselines(data, split, encoder)

    method = gcl.methods.GRACE(encoder, temperature=0.4)
    optimizer = torch.optim.Adam(method.parameters(), lr=1e-3, weight_decay=1e-5)
    losses = gcl.fit(method, data, optimizer, args.epochs, generator=generator)
    h = method.embed(data)
    scores["GRACE"] = gcl.eval.linear_probe(h, data.y, split)
    runs.append((scores, h, losses))

print(f"\n{args.dataset}: linear probe, 10 % of the labels, {args.seeds} seeds (split and training)")
print(f"{'':14}{'accuracy %':>14}{'macro F1 %':>14}")
for name in runs[0][0]:
    row = f"{name:14}"
    for metric in ("accuracy", "macro_f1"):
        values = [100 * scores[name][metric] for scores, _, _ in runs]
        row += f"{statistics.mean(values):8.1f} ± {statistics.pstdev(values):.1f}"
    print(row)

_, h, losses = runs[0]
figure, axes = plt.subplots(1, 3, figsize=(13, 4.2), width_ratios=(1, 1, 0.8), layout="constrained")
for ax, z, title in zip(axes, (data.x, h), ("raw features", "GRACE embeddings, no labels used"), strict=False):
    gcl.eval.plot.embedding_plot(z, data.y, ax, generator=torch.Generator().manual_seed(0))
    ax.set_title(f"{title} (t-SNE)")
gcl.eval.plot.training_curve(losses, axes[2], ylabel="InfoNCE loss")
figure.savefig("quickstart.png", dpi=110)
print("\nwrote quickstart.png")
