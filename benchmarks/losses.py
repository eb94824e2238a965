"""Time and peak memory of `info_nce`, forward and backward, against the dense formula and the field's packages.

    python -m benchmarks.losses
    python -m benchmarks.losses --device cuda --dtype bfloat16 --sizes 19717 169343

Each figure comes from a process of its own: the median of the repeats after a warm-up, and the growth of the peak
memory over what the process held before. The floor is 16 N^2 D operations (the products that the symmetric scheme
needs) at the rate of torch's own product of large square matrices, measured in the same run. PyGCL and
pytorch-metric-learning are compared when they are installed. Writes a log-log plot beside the table with `--plot`.
"""

import argparse
import importlib.util
import sys
import time
from functools import partial
from unittest.mock import MagicMock

import torch

from benchmarks.processes import peak_mb, run_alone
from benchmarks.tables import print_table
from gcl.losses import info_nce
from gcl.losses._similarity import stack_unit_rows
from gcl.pairwise import sym_lse
from gcl.pairwise._numerics import log1p_exp

TEMPERATURE = 0.4


def dense(z1, z2, temperature=TEMPERATURE):
    """GRACE's loss as its authors write it, with log-sum-exp."""
    z1, z2 = (torch.nn.functional.normalize(z) for z in (z1, z2))

    def one_direction(a, b):
        inter, intra = a @ b.T / temperature, a @ a.T / temperature
        intra.fill_diagonal_(float("-inf"))
        return torch.cat([inter, intra], dim=1).logsumexp(1) - inter.diagonal()

    return (one_direction(z1, z2) + one_direction(z2, z1)).mean() / 2


def pygcl(z1, z2):
    """PyGCL's InfoNCE with intra-view negatives; it imports packages that this loss does not use."""
    for name in ("dgl", "torch_scatter", "torch_sparse"):
        if name not in sys.modules and importlib.util.find_spec(name) is None:
            sys.modules[name] = MagicMock()
    from GCL.losses import InfoNCE
    from GCL.models import DualBranchContrast

    return DualBranchContrast(InfoNCE(tau=TEMPERATURE), mode="L2L", intraview_negs=True).to(z1.device)(z1, z2)


def metric_learning(z1, z2):
    """pytorch-metric-learning's NT-Xent."""
    from pytorch_metric_learning.losses import NTXentLoss

    return NTXentLoss(TEMPERATURE)(torch.cat([z1, z2]), torch.arange(len(z1), device=z1.device).repeat(2))


def triton(z1, z2):
    """Ours, with the Triton backend under it."""
    x, positive = stack_unit_rows(z1, z2, TEMPERATURE)
    negatives = sym_lse(x.to(z1.dtype), len(z1), bound=1 / TEMPERATURE, backend="triton")
    return log1p_exp(negatives - positive).mean()


VARIANTS = {
    "ours": partial(info_nce, temperature=TEMPERATURE),
    "ours, triton": triton,
    "dense": dense,
    "PyGCL": pygcl,
    "pytorch-metric-learning": metric_learning,
}
PACKAGE = {"PyGCL": "GCL", "pytorch-metric-learning": "pytorch_metric_learning"}


def measure(function, device, repeats):
    """Median seconds and growth of the peak memory in MB."""
    cuda = device == "cuda"

    def peak():
        return torch.cuda.max_memory_allocated() / 2**20 if cuda else peak_mb()

    def synchronize():
        if cuda:
            torch.cuda.synchronize()

    before, seconds = peak(), []
    for _ in range(repeats + 1):
        synchronize()
        start = time.perf_counter()
        function()
        synchronize()
        seconds.append(time.perf_counter() - start)
    return {"seconds": sorted(seconds[1:])[repeats // 2], "mb": peak() - before}


def cell(variant, n, args):
    """One figure."""
    torch.set_num_threads(args.threads)
    torch.backends.cuda.matmul.allow_tf32 = args.tf32
    torch.manual_seed(0)
    dtype = getattr(torch, args.dtype)
    if variant == "floor":
        side = 2048 if args.device == "cpu" else 8192
        a, b, out = torch.randn(3, side, side, device=args.device).to(dtype)
        seconds = measure(lambda: torch.mm(a, b, out=out), args.device, 9)["seconds"]
        return {"seconds": 8 * n**2 * args.dim / side**3 * seconds}
    z1, z2 = (torch.randn(n, args.dim, device=args.device).to(dtype).requires_grad_() for _ in range(2))
    VARIANTS[variant](z1[:64], z2[:64]).backward()  # what is loaded once does not count
    z1.grad, z2.grad = torch.zeros_like(z1), torch.zeros_like(z2)
    return measure(lambda: VARIANTS[variant](z1, z2).backward(), args.device, args.repeats)


def rows(args, figures):
    """The rows of the table; ``figures`` gathers the measured ones."""
    for n in args.sizes:
        floor, ours = run_alone(cell, "floor", n, args), None
        figures.append((n, "floor", floor))
        for variant in VARIANTS:
            ours_too = variant.startswith("ours")
            if (variant == "ours, triton" and args.device == "cpu") or (n > args.largest and not ours_too):
                continue
            if variant in PACKAGE and importlib.util.find_spec(PACKAGE[variant]) is None:
                yield [f"{n:,}", variant, "not installed", *[""] * 4]
                continue
            try:
                row = run_alone(cell, variant, n, args)
            except Exception as error:  # such as out of memory, which may kill the process
                yield [f"{n:,}", variant, f"failed: {error}"[:68], *[""] * 4]
                continue
            figures.append((n, variant, row))
            ours = row if variant == "ours" else ours
            ratios = [f"{row[key] / ours[key]:.1f}x" if ours else "" for key in ("seconds", "mb")]
            share = f"{floor['seconds'] / row['seconds']:.0%}"
            yield [f"{n:,}", variant, f"{row['seconds']:.3f}", f"{row['mb']:,.0f}", *ratios, share]


def plot(rows, path):
    """Seconds and MB over N."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    for axis, key, label in zip(axes, ("seconds", "mb"), ("seconds", "MB of peak memory"), strict=True):
        for variant in dict.fromkeys(variant for _, variant, _ in rows):
            points = [(n, row[key]) for n, name, row in rows if name == variant and key in row and row[key] > 0]
            style = {"linestyle": ":", "color": "gray"} if variant == "floor" else {"marker": "o"}
            if points:
                axis.loglog(*zip(*points, strict=True), label=variant, **style)
        axis.set(xlabel="N", ylabel=label)
        axis.grid(alpha=0.3)
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].legend(frameon=False)
    figure.savefig(path, dpi=110)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 2708, 10000])
    parser.add_argument("--dim", type=int, default=128)
    parser.add_argument("--dtype", default="float32", choices=["float32", "bfloat16", "float64"])
    parser.add_argument("--tf32", action="store_true", help="allow tf32 products on CUDA")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--largest", type=int, default=10000, help="the largest N that the others are tried with")
    parser.add_argument("--plot", help="file of a plot")
    args = parser.parse_args()

    figures = []
    print(f"torch {torch.__version__}, {args.device}, {args.threads} threads, D = {args.dim}, {args.dtype}\n")
    head = ["N", "variant", "seconds", "MB", "ours is faster", "ours is leaner", "floor / seconds"]
    print_table(head, rows(args, figures))
    if args.plot:
        plot(figures, args.plot)


if __name__ == "__main__":
    main()
