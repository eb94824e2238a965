"""ARIEL's attack, accuracy and robustness, measured: `python -m benchmarks.ariel cost|accuracy|robustness`.

`cost`: CPU seconds and peak memory of one attack beside the paper's dense form, each in a process of its own.
`accuracy`: ARIEL beside the same training with no third view (GRACE on the same subgraphs), a clean one, and one
perturbed at random by as much. `robustness`: embeddings of poisoned graphs.
Both append a row a cell to `--out` and skip the cells that it has: a stopped run goes on.
"""

import argparse
import statistics
import time
from functools import partial
from pathlib import Path

import torch
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.multiclass import OneVsRestClassifier
from sklearn.preprocessing import normalize
from torch_geometric.data import Data

import gcl
from augmentors import AdversarialView, Augmentor, Identity
from augmentors._pairs import pair_graph, present_pairs, random_pairs
from augmentors._random import uniform
from benchmarks.cells import run_cells
from benchmarks.processes import peak_mb, run_alone
from benchmarks.settings import build, encoders, settings_of, train
from benchmarks.tables import BASELINES, print_table, spread, standard_error

# -- cost


def sparse_graph(n, degree=3, num_features=1433):
    """Mean degree and features of a sampled subgraph of Cora."""
    torch.manual_seed(0)
    half = torch.randint(n, (2, n * degree // 2))
    half = half[:, half[0] != half[1]]
    x = (torch.rand(n, num_features) < 0.0127).float()
    return Data(x=x, edge_index=torch.cat([half, half.flip(0)], 1).unique(dim=1))


def dense_loss(z1, z2, temperature):
    """InfoNCE as the authors have it: four matrices of similarities."""
    z1, z2 = torch.nn.functional.normalize(z1), torch.nn.functional.normalize(z2)

    def half(a, b):
        own, other = (a @ a.T / temperature).exp(), (a @ b.T / temperature).exp()
        return -torch.log(other.diag() / (own.sum(1) + other.sum(1) - own.diag()))

    return (half(z1, z2) + half(z2, z1)).mean() / 2


def dense_projection(s, budget):
    """By bisection to a tolerance."""
    if s.clamp(0, 1).sum() <= budget:
        return s.clamp(0, 1)
    low, high = (s - 1).min(), s.max()
    while high - low > 1e-3:
        middle = (low + high) / 2
        low, high = (middle, high) if (s - middle).clamp(0, 1).sum() > budget else (low, middle)
    return (s - high).clamp(0, 1)


def dense_attack(method, z1, data, temperature):
    """The paper's attack with matrices of all pairs, normalized by products with diagonal matrices."""
    n = data.num_nodes
    a = torch.zeros(n, n).index_put(tuple(data.edge_index), torch.ones(()))
    sign, eye = 1 - torch.eye(n) - 2 * a, torch.eye(n)
    s, delta = torch.zeros(n, n), torch.zeros_like(data.x)
    for t in range(5):
        s.requires_grad_()
        delta.requires_grad_()
        relaxed = a + sign * (s + s.T) + eye
        scale = torch.diag(relaxed.sum(1).rsqrt())
        a_hat, h = scale @ relaxed @ scale, data.x + delta
        for conv in method.encoder.convs:
            h = (a_hat @ (h @ conv.lin.weight.T) + conv.bias).relu()
        grad_s, grad_x = torch.autograd.grad(dense_loss(z1, method.method.projector(h), temperature), [s, delta])
        s = dense_projection((s.detach() + 200 / (t + 1) ** 0.5 * grad_s).triu(1), 0.2 * a.sum() / 2)
        delta = (delta.detach() + 0.01 * grad_x.sign()).clamp(-0.04, 0.04)
    flips = (torch.rand(n, n) < s).float()
    return a + sign * (flips + flips.T), data.x + delta


def cost_cell(form, n, repeats):
    """CPU seconds and growth of the peak memory of one attack."""
    torch.set_num_threads(1)
    settings = settings_of("ARIEL", "Cora", "published")
    method = build("ARIEL", settings, 1433)
    attack = partial(AdversarialView, edge_step=200, relative=False)

    def project(view):
        return method.method.projector(method.represent(view))

    def run(data):
        if form == "dense":
            return dense_attack(method, project(data).detach(), data, settings["method"]["temperature"])
        against = method.anchored_objective(project(data).detach())
        return attack(lambda view: against(project(view)))(data)

    run(sparse_graph(50))  # what is loaded once does not count
    data = sparse_graph(n)
    before, start = peak_mb(), time.process_time()
    for _ in range(repeats):
        run(data)
    seconds = (time.process_time() - start) / repeats
    return {"seconds": seconds, "mb": peak_mb() - before, "edges": data.num_edges // 2}


def cost(args):
    """Print the table of costs."""

    def row(n):
        dense, edges = (run_alone(cost_cell, form, n, 3 if n <= 1000 else 1) for form in ("dense", "edges"))
        cells = [f"{one[key]:.{digits}f}" for one in (dense, edges) for key, digits in (("seconds", 2), ("mb", 0))]
        return [n, edges["edges"], *cells, *(f"{dense[key] / edges[key]:.1f}" for key in ("seconds", "mb"))]

    head = ["nodes", "edges", "dense: s", "MB", "edge-wise: s", "MB", "times faster", "leaner"]
    print_table(head, map(row, args.sizes))


# -- accuracy


class RandomPerturbation(Augmentor):
    """As many flips of random pairs as the attack's budget, and every feature off by what the attack may change."""

    def __init__(self, objective, edge_budget=0.2, size=0.04):
        self.edge_budget, self.size = edge_budget, size

    def forward(self, data, *, generator=None):
        flips = round(self.edge_budget * present_pairs(data).numel())
        numbers = random_pairs(data, torch.tensor([flips], device=data.x.device), generator)
        graph = pair_graph(data, numbers, generator)
        view = graph.flipped(torch.isin(graph.numbers, numbers))
        signs = 2.0 * (uniform(data.x.shape, data.x.device, generator) < 0.5) - 1
        view.x = data.x + self.size * signs
        return view

    def __repr__(self):
        return f"RandomPerturbation(edge_budget={self.edge_budget}, size={self.size})"


def variants(settings):
    """Third views, by name: what they change in the method."""
    feature_step = settings["method"]["attack"]["feature_step"]
    random = partial(RandomPerturbation, size=min(0.04, 5 * feature_step))
    return {
        "GRACE": {"adversarial_weight": 0},
        "clean third view": {"attack": lambda objective: Identity()},
        "random third view": {"attack": random},
        "ARIEL": {},
        "ARIEL, scale-free steps": {"attack": partial(AdversarialView, feature_step=feature_step)},
    }


def trained(data, variant, settings, seed):
    """A trained method, the split, and the CPU seconds of a step."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    split = gcl.eval.random_split(data.num_nodes, 0.1, 0.1, generator=generator)
    method = build("ARIEL", settings, data.num_features, **variants(settings)[variant])
    return method, split, statistics.mean(train(method, data, settings, generator))


def ten_ninety(h, y, seed, splits=5):
    """The authors' protocol: mean accuracy over random 10/90 splits, strength by cross-validation on the tenth."""
    rows, y = normalize(h.double().numpy()), y.numpy()
    scores = []
    for s in range(splits):
        x1, x2, y1, y2 = train_test_split(rows, y, train_size=0.1, random_state=100 * seed + s)
        probe = OneVsRestClassifier(LogisticRegression(solver="liblinear"))
        grid = GridSearchCV(probe, {"estimator__C": [2.0**k for k in range(-10, 10)]}, cv=5)
        scores.append(grid.fit(x1, y1).score(x2, y2))
    return sum(scores) / splits


def accuracy_cell(dataset, variant, seed, args):
    """One training run, on both protocols."""
    data = gcl.load(dataset, args.root)
    method, split, seconds = trained(data, variant, configuration(dataset, args), seed)
    h = method.embed(data)
    accuracy = gcl.eval.linear_probe(h, data.y, split)["accuracy"]
    return [{"accuracy": accuracy, "accuracy_10_90": ten_ninety(h, data.y, seed), "cpu_s_per_step": seconds}]


# -- robustness

POISONS = {"random": gcl.eval.random_flips, "DICE": gcl.eval.dice_attack, "gradient": gcl.eval.gradient_flips}


def robustness_cell(dataset, poison, rate, seed, args):
    """GRACE, ARIEL and the baselines on one poisoned graph."""
    data, settings, scores = gcl.load(dataset, args.root), configuration(dataset, args), {}
    if poison in POISONS:
        data = POISONS[poison](data, rate, generator=torch.Generator().manual_seed(seed))
    for name in ("GRACE", "ARIEL"):
        method, split, _ = trained(data, name, settings, seed)
        scores[name] = gcl.eval.linear_probe(method.embed(data), data.y, split)["accuracy"]
    torch.manual_seed(seed)
    table = gcl.eval.baselines(data, split, encoders(settings, data.num_features)[0])
    return [scores | {BASELINES[name]: row["accuracy"] for name, row in table.items()}]


# -- cells


def configuration(dataset, args):
    """The published one, with the number of steps and the learning rate asked for."""
    return settings_of("ARIEL", dataset, "published", epochs=args.epochs, lr=args.lr)


def summary(rows, by, columns, baseline=None):
    """Means and deviations over the seeds; and of the differences to the baseline, with their standard error."""
    groups = {}
    for row in rows:
        groups.setdefault(tuple(row[key] for key in by), {})[row["seed"]] = row

    def cell(group, column):
        value = {seed: 100 * float(row[column]) for seed, row in groups[group].items()}
        base = groups.get((*group[:-1], baseline), {})
        gain = [value[seed] - 100 * float(base[seed][column]) for seed in value if seed in base]
        paired = group[-1] != baseline and len(gain) > 1
        change = f" ({statistics.mean(gain):+.2f}, s.e. {standard_error(gain):.2f})" if paired else ""
        return spread(list(value.values())) + change

    print_table([*by, *columns], ([*group, *(cell(group, column) for column in columns)] for group in groups))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("cost", "accuracy", "robustness"))
    parser.add_argument("--datasets", nargs="+", default=["Cora"], help="default: Cora")
    parser.add_argument("--variants", nargs="+", help="of accuracy (default: all)")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, help="steps (default: as published)")
    parser.add_argument("--lr", type=float, help="learning rate (default: as published)")
    parser.add_argument("--rates", type=float, nargs="+", default=[0.05, 0.1, 0.2], help="flips for each edge")
    parser.add_argument("--sizes", type=int, nargs="+", default=[500, 1000, 2000, 4000])
    parser.add_argument("--root", help="folder of the data sets (default: $GCL_DATA, else data)")
    parser.add_argument("--out", type=Path, help="CSV of the finished cells (default: runs/ariel-WHAT.csv)")
    args = parser.parse_args()
    torch.set_num_threads(1)
    args.out = args.out or Path("runs", f"ariel-{args.what}.csv")
    if args.what == "cost":
        return cost(args)
    seeds = range(args.seeds)
    if args.what == "robustness":
        poisoned = [("clean", 0.0), *((poison, rate) for poison in POISONS for rate in args.rates)]
        cells = [
            {"dataset": d, "poison": poison, "rate": rate, "seed": seed}
            for d in args.datasets for seed in seeds for poison, rate in poisoned
        ]  # fmt: skip
        rows = run_cells(args.out, cells, partial(robustness_cell, args=args))
        return summary(rows, ("dataset", "poison", "rate"), [key for key in rows[0] if key not in cells[0]])
    names = args.variants or list(variants(settings_of("ARIEL", "Cora", "published")))
    cells = [{"dataset": d, "variant": name, "seed": seed} for d in args.datasets for seed in seeds for name in names]
    rows = run_cells(args.out, cells, partial(accuracy_cell, args=args))
    return summary(rows, ("dataset", "variant"), ["accuracy", "accuracy_10_90"], "GRACE")


if __name__ == "__main__":
    main()
