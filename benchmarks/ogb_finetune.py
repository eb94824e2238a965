"""Labels after training by a method, and without it: `python -m benchmarks.ogb_finetune --checkpoint runs`.

Encoder and a linear head are trained on the labels, from the weights that benchmarks.ogb_graph left in the checkpoint
folder and from random ones. The epoch is chosen on the validation split; scores are those of ogb's Evaluator.
"""

import copy
from pathlib import Path

import torch
from torch.nn.functional import binary_cross_entropy_with_logits, mse_loss
from torch_geometric.loader import DataLoader
from tqdm import tqdm

import gcl
from benchmarks.ogb_graph import COLUMNS, build, parser, table


def finetune(args, method, graphs, split, seed):
    """The test score at the epoch that is best on validation."""
    torch.manual_seed(seed)
    head = torch.nn.Linear(args.hidden, graphs.num_tasks).to(args.device)
    optimizer = torch.optim.Adam([*method.encoder.parameters(), *head.parameters()], lr=args.lr)
    evaluator = gcl.data.evaluator(args.dataset)
    objective, sign = (mse_loss, -1) if graphs.eval_metric == "rmse" else (binary_cross_entropy_with_logits, 1)
    loader = DataLoader(list(graphs[split.train]), args.batch_size, shuffle=True, drop_last=True)

    def score(rows):
        g, y = gcl.eval.embed_graphs(method, graphs[rows])
        return float(evaluator.eval({"y_true": y, "y_pred": head(g.to(args.device))})[graphs.eval_metric])

    best = -float("inf")
    for _ in tqdm(range(args.epochs), desc=f"labels, seed {seed}", unit="epoch", leave=False):
        method.train()
        for batch in loader:
            batch = batch.to(args.device)
            out = head(method.represent(batch))
            known = ~batch.y.isnan()
            optimizer.zero_grad()
            objective(out[known], batch.y[known].float()).backward()
            optimizer.step()
        if sign * (val := score(split.val)) > best:
            best, state = sign * val, copy.deepcopy((method.state_dict(), head.state_dict()))
    method.load_state_dict(state[0])
    head.load_state_dict(state[1])
    return score(split.test)


def run(args, graphs, seed):
    """The test scores of one seed, by row of the table."""
    split = gcl.eval.Split(*graphs.get_idx_split().values())
    methods = {"labels alone": build(args, args.method[0], seed)}
    for name in args.method:
        path = args.checkpoint / f"{args.dataset}-{name}-{seed}.ckpt"
        if not path.exists():
            raise SystemExit(f"no {path}: run benchmarks.ogb_graph first, with the same arguments")
        methods[f"{name}, then labels"] = build(args, name, seed)
        gcl.train.load_checkpoint(path, method=methods[f"{name}, then labels"])
    (metric,) = COLUMNS[graphs.eval_metric].values()
    return {name: {metric: finetune(args, method, graphs, split, seed)} for name, method in methods.items()}


def main():
    arguments = parser(__doc__)
    arguments.add_argument("--checkpoint", type=Path, required=True, help="folder of benchmarks.ogb_graph's runs")
    table(arguments, run)


if __name__ == "__main__":
    main()
