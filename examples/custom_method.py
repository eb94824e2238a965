"""A method in fifteen lines, trained and compared with its baselines: `python examples/custom_method.py`."""

import argparse

import torch
from tqdm import tqdm

import gcl
from augmentors import EdgeDrop, FeatureMask


class AlignUniform(gcl.methods.Method):
    """Two views of each node agree (alignment) while all nodes spread over the sphere (uniformity)."""

    def __init__(self, encoder, dim, p=0.3):
        super().__init__(encoder)
        self.projector = gcl.nn.projection_head(dim, dim, dim)
        self.edges, self.features = EdgeDrop(p), FeatureMask(p)

    def view(self, data, generator):
        view = self.features(self.edges(data, generator=generator), generator=generator)
        return self.projector(self.encoder(view.x, view.edge_index))

    def loss(self, data, *, generator=None):
        z1, z2 = self.view(data, generator=generator), self.view(data, generator=generator)
        return gcl.losses.alignment(z1, z2) + (gcl.losses.uniformity(z1) + gcl.losses.uniformity(z2)) / 2


def run(data, seed, args):
    """The baselines' and the method's scores for one seed."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    split = gcl.eval.random_split(data.num_nodes, train=args.train, val=args.train, generator=generator)
    encoder = gcl.nn.gcn(data.num_features, 256, 2, 128, act="prelu").to(args.device)
    scores = gcl.eval.baselines(data, split, encoder)

    method = AlignUniform(encoder, dim=128).to(args.device)
    optimizer = torch.optim.Adam(method.parameters(), lr=1e-3)
    epochs = gcl.train.fit(method, [data], optimizer, args.epochs, generator=generator)
    for _, loss in (progress := tqdm(epochs, total=args.epochs, desc=f"seed {seed}", unit="epoch")):
        progress.set_postfix(loss=f"{loss:.3f}")
    scores["AlignUniform"] = gcl.eval.linear_probe(method.embed(data), data.y, split)
    return scores


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dataset", default="csbm", help="any node data set of gcl.data.load (default: csbm)")
    parser.add_argument("--root", help="folder of the data sets (default: $GCL_DATA, else data)")
    parser.add_argument("--train", type=float, default=0.1, help="share of labels for the probe (default: 0.1)")
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    args = parser.parse_args()

    data = gcl.data.load(args.dataset, args.root).to(args.device)
    runs = [run(data, seed, args) for seed in range(args.seeds)]

    print(f"\n{args.dataset}: linear probe, {args.seeds} seeds (split and training)")
    for name in runs[0]:
        values = 100 * torch.tensor([scores[name]["accuracy"] for scores in runs])
        print(f"{name:22}{values.mean():8.1f} ± {values.std(correction=0):.1f}")


if __name__ == "__main__":
    main()
