"""Save a run as it goes, stop it with Ctrl-C, and start it again: `python examples/checkpoints.py`.

It goes on where it stood, and ends as if it had not been stopped: the checkpoint holds the weights, the optimizer and
the generator of the views. The loop is over `gcl.train.epochs`, so that evaluation and logging are lines of yours.
"""

import argparse
from pathlib import Path

import torch

import gcl

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--dataset", default="csbm", help="any node data set of gcl.load (default: csbm)")
parser.add_argument("--epochs", type=int, default=100)
parser.add_argument("--checkpoint", type=Path, default=Path("runs/grace.ckpt"))
args = parser.parse_args()

data = gcl.load(args.dataset)
torch.manual_seed(0)
generator = torch.Generator().manual_seed(0)
split = gcl.eval.random_split(data.num_nodes, train=0.1, val=0.1, generator=generator)
encoder = gcl.nn.gcn(data.num_features, 256, 2, 128, act="prelu")
scores = gcl.eval.baselines(data, split, encoder)

method = gcl.methods.GRACE(encoder, temperature=0.4)
optimizer = torch.optim.Adam(method.parameters(), lr=1e-3, weight_decay=1e-5)
parts = {"method": method, "optimizer": optimizer, "generator": generator}
start = gcl.train.load_checkpoint(args.checkpoint, **parts) if args.checkpoint.exists() else 0
print(f"{args.checkpoint}: {start} epochs done")

for epoch, loss in gcl.train.epochs(method, data, optimizer, args.epochs, start=start, generator=generator):
    if epoch % 10 == 0 or epoch == args.epochs:
        gcl.train.save_checkpoint(args.checkpoint, epoch, **parts)
        rank = gcl.eval.collapse_metrics(method.embed(data))["effective_rank"]
        print(f"epoch {epoch}: loss {loss:.3f}, effective rank of the embeddings {rank:.1f}")

scores["GRACE"] = gcl.eval.linear_probe(method.embed(data), data.y, split)
for name, score in scores.items():
    print(f"{name:14}{score['accuracy']:.1%}")
