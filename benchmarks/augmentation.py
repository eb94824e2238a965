"""Time of every augmentor beside one pass over the tensors it must copy: `python -m benchmarks.augmentation`.

A random undirected graph of 100k nodes, 1M edges and 128 features; medians of the repeats after a warm-up, copy and
augmentor in turn. The copy is `clone()` of the tensors that the augmentor writes anew. Diffusion replaces edges, so
that there is nothing to copy: its table gives seconds and the growth of the peak memory, each in a process of its own.
"""

import argparse
import time

import torch
from torch_geometric.data import Data

import augmentors as A
from benchmarks.processes import peak_mb, run_alone
from benchmarks.tables import print_table

X, EDGES, BOTH = ("x",), ("edge_index",), ("x", "edge_index")
CASES = [  # augmentor, what it must copy, why it takes longer than two copies where it does
    (A.EdgeDrop(0.3), EDGES, "a hash for each edge, then compaction"),
    (A.EdgeDrop(0.3, undirected=False), EDGES, "a random number for each edge, then compaction"),
    (A.EdgeDrop(0.3, as_weight=True), ("edge_weight",), "a hash for each edge, for 4 bytes"),
    (A.EdgeAdd(0.3), EDGES, "a hash for each edge, then a gather"),
    (A.EdgeRewire(0.3), EDGES, "a hash for each edge, two more for the moved"),
    (A.EdgeAttrMask(0.3), ("edge_attr",), ""),
    (A.FeatureMask(0.3), X, ""),
    (A.FeatureDropout(0.3), X, "a random number for each entry"),
    (A.FeatureNoise(0.1), X, "a normal number for each entry"),
    (A.NodeDrop(0.3), BOTH, "both ends of each edge are looked up, twice"),
    (A.NodeShuffle(), X, ""),
    (A.UniformSubgraph(50_000), BOTH, "as NodeDrop"),
    (A.EgoSubgraph(4), BOTH, "all edges are looked up at each hop"),
    (A.RandomWalkSubgraph(10, num_walks=1000), BOTH, "edges are sorted where they are not yet"),
    (A.AdaptiveEdgeDrop(0.3), EDGES, "centrality, logarithms and a hash for each edge"),
    (A.AdaptiveEdgeDrop(0.3, A.pagerank), EDGES, "each iteration visits all edges"),
    (A.AdaptiveFeatureMask(0.3), X, "x is read and summed first"),
    (A.Compose([A.EdgeDrop(0.3), A.FeatureMask(0.3)]), BOTH, "as EdgeDrop"),
]
DIFFUSIONS = [A.PPRDiffusion(), A.PPRDiffusion(top_k=None), A.HeatDiffusion()]


def random_graph(num_nodes, num_edges, dim):
    """A random undirected graph; ``dim`` = 0 for edges only."""
    torch.manual_seed(0)
    half = torch.randint(num_nodes, (2, num_edges // 2))
    data = Data(edge_index=torch.cat([half, half.flip(0)], dim=1), num_nodes=num_nodes)
    if dim:
        data.x = torch.randn(num_nodes, dim)
    return data


def median_ms(functions, repeats):
    """Median milliseconds of each function, all of them in turn."""
    times = []
    for _ in range(repeats + 1):
        row = []
        for function in functions:
            start = time.perf_counter()
            function()
            row.append(1e3 * (time.perf_counter() - start))
        times.append(row)
    return [sorted(column)[repeats // 2] for column in zip(*times[1:], strict=True)]


def diffusion(index, num_nodes, threads):
    """Seconds, growth of the peak memory and number of edges of one diffusion."""
    torch.set_num_threads(threads)
    DIFFUSIONS[index](random_graph(100, 1000, 0))  # what is loaded once does not count
    data = random_graph(num_nodes, 10 * num_nodes, 0)
    before, start = peak_mb(), time.perf_counter()
    view = DIFFUSIONS[index](data)
    return {"seconds": time.perf_counter() - start, "mb": peak_mb() - before, "edges": view.num_edges}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nodes", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--diffusion-sizes", type=int, nargs="*", default=[10_000, 100_000])
    args = parser.parse_args()
    torch.set_num_threads(args.threads)

    print(f"torch {torch.__version__}, CPU, {args.threads} threads\n")
    sizes = ((augmentor, i, n) for n in args.diffusion_sizes for i, augmentor in enumerate(DIFFUSIONS))
    costs = ((augmentor, n, run_alone(diffusion, i, n, args.threads)) for augmentor, i, n in sizes)
    print_table(
        ["diffusion", "nodes", "edges", "seconds", "MB", "edges after"],
        (
            [augmentor, f"{n:,}", f"{10 * n:,}", f"{one['seconds']:.2f}", f"{one['mb']:,.0f}", f"{one['edges']:,}"]
            for augmentor, n, one in costs
        ),
    )

    data = random_graph(args.nodes, 10 * args.nodes, 128)
    print(f"\n{args.nodes:,} nodes, {data.num_edges:,} edges, {data.num_features} features\n")
    extra = {"edge_attr": torch.randn(data.num_edges, 16), "edge_weight": torch.ones(data.num_edges)}

    def row(augmentor, copied, why):
        case = data.clone()
        case.update({key: extra[key] for key in copied if key in extra})
        tensors = [case[key] for key in copied]
        ms, copy = median_ms([lambda: augmentor(case), lambda: [x.clone() for x in tensors]], args.repeats)
        return [augmentor, f"{ms:.1f}", f"{copy:.1f}", f"{ms / copy:.1f}", why if ms > 2 * copy else ""]

    print_table(["augmentor", "ms", "ms of the copy", "ratio", "why above 2"], (row(*case) for case in CASES))


if __name__ == "__main__":
    main()
