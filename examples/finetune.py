"""Few labels: pre-train by GRACE, then train encoder and a linear layer on the labels: `python examples/finetune.py`.

Random views keep so few labels from being learnt by heart. The same encoder is also trained on the labels alone. The
epoch is chosen on the validation rows.
"""

import argparse
import copy

import torch
from torch.nn.functional import cross_entropy

import gcl
from augmentors import Compose, EdgeDrop, FeatureMask

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--dataset", default="csbm", help="any node data set of gcl.load (default: csbm)")
parser.add_argument("--labels", type=float, default=0.02, help="share of the nodes with labels (default: 0.02)")
parser.add_argument("--pretrain-epochs", type=int, default=100)
parser.add_argument("--epochs", type=int, default=100)
args = parser.parse_args()


def finetune(encoder):
    """Train the encoder and a linear layer; return the test accuracy at the best epoch on validation."""
    torch.manual_seed(0)
    head = torch.nn.Linear(encoder.out_channels, int(data.y.max()) + 1)
    slow, fast = {"params": encoder.parameters(), "lr": 1e-3}, {"params": head.parameters(), "lr": 1e-2}
    optimizer = torch.optim.Adam([slow, fast], weight_decay=5e-4)
    augmentor = Compose([EdgeDrop(0.3), FeatureMask(0.3)])
    best = 0.0, 0.0
    for _ in range(args.epochs):
        loss = cross_entropy(head(gcl.nn.encode(encoder, augmentor(data)))[split.train], data.y[split.train])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            right = head(gcl.nn.encode(encoder, data)).argmax(1) == data.y
        best = max(best, tuple(float(right[rows].float().mean()) for rows in (split.val, split.test)))
    return best[1]


data = gcl.load(args.dataset)
generator = torch.Generator().manual_seed(0)
split = gcl.eval.random_split(data.num_nodes, train=args.labels, val=args.labels, generator=generator)
torch.manual_seed(0)
encoder = gcl.nn.gcn(data.num_features, 256, 2, 128)
untrained = copy.deepcopy(encoder)
accuracies = {name: row["accuracy"] for name, row in gcl.eval.baselines(data, split, encoder).items()}

method = gcl.methods.GRACE(encoder, temperature=0.4)
optimizer = torch.optim.Adam(method.parameters(), lr=1e-3, weight_decay=1e-5)
gcl.fit(method, data, optimizer, args.pretrain_epochs, generator=generator)
accuracies["GRACE, frozen"] = gcl.eval.linear_probe(method.embed(data), data.y, split)["accuracy"]
accuracies["labels alone"] = finetune(untrained)
accuracies["GRACE, then labels"] = finetune(encoder)

print(f"\n{args.dataset}: {len(split.train)} labels")
for name, accuracy in accuracies.items():
    print(f"{name:20}{accuracy:.1%}")
