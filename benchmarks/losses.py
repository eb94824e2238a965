"""Time and peak memory of `info_nce`, forward and backward, against the dense formula: `python benchmarks/losses.py`.

Each figure comes from a process of its own: the median of the repeats after a warm-up, and the growth of the peak
memory over what the process held before. The floor is 16 N^2 D operations at the rate of torch's own product of large
square matrices.
"""

import argparse
import json
import resource
import subprocess
import sys
import time

import torch

from gcl.losses import info_nce

TEMPERATURE = 0.4


def dense(z1, z2):
    """GRACE's loss as its authors write it, with log-sum-exp."""
    z1, z2 = (torch.nn.functional.normalize(z) for z in (z1, z2))

    def one_direction(a, b):
        inter, intra = a @ b.T / TEMPERATURE, a @ a.T / TEMPERATURE
        intra.fill_diagonal_(float("-inf"))
        return torch.cat([inter, intra], dim=1).logsumexp(1) - inter.diagonal()

    return (one_direction(z1, z2) + one_direction(z2, z1)).mean() / 2


def tiles(z1, z2):
    """Ours."""
    return info_nce(z1, z2, TEMPERATURE)


VARIANTS = {"tiles": tiles, "dense": dense}


def measure(function, device, repeats):
    """Median seconds and growth of the peak memory in MB."""
    cuda = device == "cuda"

    def peak():
        if cuda:
            return torch.cuda.max_memory_allocated() / 2**20
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10

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
    return sorted(seconds[1:])[repeats // 2], peak() - before


def cell(variant, n, d, device, repeats):
    """One figure, printed as JSON."""
    torch.manual_seed(0)
    if variant == "floor":
        side = 2048 if device == "cpu" else 8192
        a, b, out = torch.randn(3, side, side, device=device)
        seconds, _ = measure(lambda: torch.mm(a, b, out=out), device, 5)
        rate = 2 * side**3 / seconds
        return print(json.dumps({"seconds": 16 * n**2 * d / rate, "mb": 0.0}))
    z1, z2 = (torch.randn(n, d, device=device, requires_grad=True) for _ in range(2))
    VARIANTS[variant](z1[:64], z2[:64]).backward()  # what is loaded once does not count
    z1.grad, z2.grad = torch.zeros_like(z1), torch.zeros_like(z2)
    seconds, mb = measure(lambda: VARIANTS[variant](z1, z2).backward(), device, repeats)
    return print(json.dumps({"seconds": seconds, "mb": mb}))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 2708, 10000])
    parser.add_argument("--dim", type=int, default=128)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--max-dense", type=int, default=10000, help="larger N are not tried densely")
    parser.add_argument("--cell", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    if args.cell:
        return cell(args.cell[0], int(args.cell[1]), args.dim, args.device, args.repeats)

    def run(variant, n):
        done = subprocess.run([sys.executable, *sys.argv, "--cell", variant, str(n)], capture_output=True, text=True)
        return json.loads(done.stdout) if done.returncode == 0 else None

    print(f"torch {torch.__version__}, {args.device}, {args.threads} threads, D = {args.dim}, float32\n")
    print("| N | variant | seconds | MB | times faster | times leaner | share of the floor's rate |")
    print("|---|---|---|---|---|---|---|")
    for n in args.sizes:
        floor = run("floor", n)["seconds"]
        rows = {name: run(name, n) for name in VARIANTS if name != "dense" or n <= args.max_dense}
        reference = rows.get("dense")
        for name, row in rows.items():
            if row is None:
                print(f"| {n:,} | {name} | out of memory | | | | |")
                continue
            cells = [f"{row['seconds']:.3f}", f"{row['mb']:,.0f}"]
            ratios = [f"{reference[key] / row[key]:.1f}" if reference else "" for key in ("seconds", "mb")]
            print("|", " | ".join([f"{n:,}", name, *cells, *ratios, f"{floor / row['seconds']:.0%}"]), "|", flush=True)
    return None


if __name__ == "__main__":
    main()
