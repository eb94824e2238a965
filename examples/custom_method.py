"""A method of your own in fifteen lines, compared with its baselines: `python examples/custom_method.py`."""

import argparse

import torch

import gcl
from augmentors import EdgeDrop, FeatureMask


class AlignUniform(gcl.methods.Method):
    """Two views of each node agree (alignment) while all nodes spread over the sphere (uniformity)."""

    def __init__(self, encoder, p=0.3):
        super().__init__(encoder)
        dim = encoder.out_channels
        self.projector = gcl.nn.projection_head(dim, dim, dim)
        self.edges, self.features = EdgeDrop(p), FeatureMask(p)

    def view(self, data, generator):
        view = self.features(self.edges(data, generator=generator), generator=generator)
        return self.projector(self.represent(view))

    def loss(self, data, *, generator=None):
        z1, z2 = self.view(data, generator), self.view(data, generator)
        return gcl.losses.alignment(z1, z2) + (gcl.losses.uniformity(z1) + gcl.losses.uniformity(z2)) / 2


parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--dataset", default="csbm", help="any node data set of gcl.load (default: csbm)")
parser.add_argument("--epochs", type=int, default=100)
args = parser.parse_args()

data = gcl.load(args.dataset)
torch.manual_seed(0)
generator = torch.Generator().manual_seed(0)
split = gcl.eval.random_split(data.num_nodes, train=0.1, val=0.1, generator=generator)
encoder = gcl.nn.gcn(data.num_features, 256, 2, 128, act="prelu")
scores = gcl.eval.baselines(data, split, encoder)

method = AlignUniform(encoder)
optimizer = torch.optim.Adam(method.parameters(), lr=1e-3)
gcl.fit(method, data, optimizer, args.epochs, generator=generator)
scores["AlignUniform"] = gcl.eval.linear_probe(method.embed(data), data.y, split)

print(f"\n{args.dataset}: linear probe, 10 % of the labels")
for name, score in scores.items():
    print(f"{name:14}{score['accuracy']:.1%}")
