"""Pre-train on molecules by GraphCL, then train on their labels: `python examples/ogb_finetune.py` (`torch-gcl[ogb]`).

The same encoder is also trained on the labels alone. The epoch is chosen on the validation split; scores are those of
ogb's evaluator (ROC-AUC). With checkpoints and several seeds: `python -m benchmarks.ogb_graph`, then
`benchmarks.ogb_finetune`.
"""

import argparse

import torch
from torch.nn.functional import binary_cross_entropy_with_logits
from torch_geometric.loader import DataLoader
from torch_geometric.nn import global_mean_pool

import gcl

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--dataset", default="ogbg-molbace", help="a set that is scored by ROC-AUC (default: ogbg-molbace)")
parser.add_argument("--root", help="folder of the data sets (default: $GCL_DATA, else data)")
parser.add_argument("--epochs", type=int, default=20)
args = parser.parse_args()

graphs = gcl.load(args.dataset, args.root)
split = gcl.eval.Split(*graphs.get_idx_split().values())
evaluator = gcl.data.evaluator(args.dataset)
loader = DataLoader(graphs[split.train], batch_size=256, shuffle=True, drop_last=True)


def build():
    torch.manual_seed(0)
    encoder = gcl.nn.molecule_encoder(128, 4, norm="batch_norm", final_activation=False)
    return gcl.methods.GraphCL(encoder, readout=global_mean_pool)


def finetune(method):
    """Train the encoder and a linear layer; return the test score at the best epoch on validation."""
    head = torch.nn.Linear(method.encoder.out_channels, graphs.num_tasks)
    optimizer = torch.optim.Adam([*method.encoder.parameters(), *head.parameters()], lr=1e-3)
    scores = []
    for _ in range(args.epochs):
        method.train()
        for batch in loader:
            known = ~batch.y.isnan()
            optimizer.zero_grad()
            binary_cross_entropy_with_logits(head(method.represent(batch))[known], batch.y[known].float()).backward()
            optimizer.step()
        g, y = gcl.eval.embed_graphs(method, graphs)
        guess = head(g)
        parts = (evaluator.eval({"y_true": y[rows], "y_pred": guess[rows]}) for rows in (split.val, split.test))
        scores.append(tuple(part["rocauc"] for part in parts))
    return max(scores)[1]


pretrained = build()
gcl.fit(pretrained, loader, torch.optim.Adam(pretrained.parameters(), lr=1e-3), args.epochs)
print(f"\n{args.dataset}, ROC-AUC")
for name, method in {"labels alone": build(), "GraphCL, then labels": pretrained}.items():
    print(f"{name:24}{finetune(method):.1%}")
