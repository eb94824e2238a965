"""Labels after training by a method, and without it: `python examples/ogb/ogbg_finetune.py --checkpoint runs`.

Encoder and a linear head are trained on the labels, from the weights that ogbg_mol.py left in the checkpoint folder and
from random ones. The epoch is chosen on the validation split; scores are those of ogb's Evaluator.
"""

import argparse
import copy
from pathlib import Path

import torch
from ogbg_mol import METHODS, build
from torch.nn.functional import binary_cross_entropy_with_logits, mse_loss
from torch_geometric.loader import DataLoader
from torch_geometric.nn import global_mean_pool
from tqdm import tqdm

import gcl


def finetune(args, method, graphs, split, seed):
    """The test score at the epoch that is best on validation."""
    torch.manual_seed(seed)
    head = torch.nn.Linear(args.hidden, graphs.num_tasks).to(args.device)
    optimizer = torch.optim.Adam([*method.encoder.parameters(), *head.parameters()], lr=args.lr)
    evaluator = gcl.data.evaluator(args.dataset)
    objective, sign = (mse_loss, -1) if graphs.eval_metric == "rmse" else (binary_cross_entropy_with_logits, 1)
    loader = DataLoader(graphs[split.train], args.batch_size, shuffle=True)

    def score(rows):
        g, y = gcl.eval.embed_graphs(method, graphs[rows])
        return float(evaluator.eval({"y_true": y, "y_pred": head(g.to(args.device))})[graphs.eval_metric])

    best = -float("inf")
    for _ in tqdm(range(args.epochs), desc=f"labels, seed {seed}", unit="epoch", leave=False):
        method.train()
        for batch in loader:
            batch = batch.to(args.device)
            out = head(global_mean_pool(method.encoder(batch.x, batch.edge_index), batch.batch))
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
    path = args.checkpoint / f"{args.dataset}-{args.method}-{seed}.ckpt"
    if not path.exists():
        raise SystemExit(f"no {path}: run ogbg_mol.py with the same --dataset, --method, --seed and --checkpoint first")
    torch.manual_seed(seed)
    scratch, trained = build(args, graphs.num_features), build(args, graphs.num_features)
    trained.load_state_dict(torch.load(path, weights_only=True)["parts"]["method"])
    methods = {"labels alone": scratch, f"{args.method}, then labels": trained}
    return {name: finetune(args, method, graphs, split, seed) for name, method in methods.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--checkpoint", type=Path, required=True, help="folder that ogbg_mol.py saved its runs in")
    parser.add_argument("--dataset", default="ogbg-molbace", help="as ogbg_mol.py was given, like the next four")
    parser.add_argument("--method", default="GraphCL", choices=METHODS)
    parser.add_argument("--hidden", type=int, default=128)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--seed", type=int, nargs="+", default=[0, 1, 2], help="one run each (default: 0 1 2)")
    parser.add_argument("--root", help="folder of the data sets (default: $GCL_DATA, else data)")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--batch-size", type=int, default=256)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    args = parser.parse_args()

    graphs = gcl.data.load(args.dataset, args.root)
    if graphs.eval_metric not in ("rocauc", "rmse"):
        parser.error(f"--dataset must be scored by ROC-AUC or RMSE, {args.dataset} is by {graphs.eval_metric}")
    runs = [run(args, graphs, seed) for seed in args.seed]
    unit, scale = ("ROC-AUC %", 100) if graphs.eval_metric == "rocauc" else ("RMSE", 1)
    print(f"\n{args.dataset}, OGB's split, {len(runs)} seeds, {args.epochs} epochs\n| | {unit} |\n|---|---|")
    for name in runs[0]:
        cell = scale * torch.tensor([scores[name] for scores in runs])
        print(f"| {name} | {cell.mean():.2f} ± {cell.std(correction=0):.2f} |")


if __name__ == "__main__":
    main()
