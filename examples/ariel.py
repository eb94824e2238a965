"""ARIEL: GRACE on random subgraphs, with an adversarial view: `python examples/ariel.py --dataset Cora`.

The settings are the authors' for Cora, and GRACE on the same subgraphs is ARIEL without the attack. On the weaker
built-in data set the seed decides which of the two is ahead; `python -m benchmarks.ariel accuracy` compares them.
"""

import argparse
from functools import partial

import torch

import gcl
from augmentors import AdversarialView

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--dataset", default="csbm", help="any node data set of gcl.load (default: csbm)")
parser.add_argument("--epochs", type=int, default=300, help="steps, one subgraph of 500 nodes each (default: 300)")
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()

data = gcl.load(args.dataset)
generator = torch.Generator().manual_seed(args.seed)
split = gcl.eval.random_split(data.num_nodes, train=0.1, val=0.1, generator=generator)
attack = partial(AdversarialView, edge_step=200, feature_step=0.01, relative=False)
scores = {}
for name, weight in {"GRACE": 0.0, "ARIEL": 0.5}.items():
    torch.manual_seed(args.seed)
    encoder = gcl.nn.gcn(data.num_features, 256, 2, 128)
    scores = gcl.eval.baselines(data, split, encoder) | scores
    method = gcl.methods.ARIEL(
        encoder,
        edge_drop=(0.2, 0.4),
        feature_mask=(0.3, 0.4),
        temperature=0.4,
        adversarial_weight=weight,
        attack=attack,
        subgraph_size=500,
    )
    optimizer = torch.optim.Adam(method.parameters(), lr=5e-4, weight_decay=1e-5)
    generator = torch.Generator().manual_seed(args.seed)
    gcl.fit(method, data, optimizer, args.epochs, generator=generator)
    scores[name] = gcl.eval.linear_probe(method.embed(data), data.y, split)

print(f"\n{args.dataset}: linear probe, 10 % of the labels, seed {args.seed}")
for name, score in scores.items():
    print(f"{name:14}{score['accuracy']:.1%}")
