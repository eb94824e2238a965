"""Mini-batches of 1,024 seeds a second on a graph of ogbn-arxiv's size: `python -m benchmarks.sampling`.

169,343 nodes, 1.17M undirected edges, 128 features, [10, 10] neighbors. Beside `gcl.data.neighbor_loader`: its sampler
alone, `random.sample` over lists of neighbors, PyG's `k_hop_subgraph` (all neighbors, each hop a pass over all
edges), and PyG's `NeighborLoader` where pyg-lib is installed. CPU is this process's time, which a busy machine
lengthens less; that of workers is not in it.

Two more tables, on 100,000 nodes of mean degree 14: training steps (forward and backward) with trimmed layers against
untrimmed ones in turn, median CPU time, and how far the embeddings of sampled neighborhoods are from the whole graph's.
"""

import argparse
import copy
import random
import statistics
import time

import torch
from torch_geometric.data import Data
from torch_geometric.loader import NeighborLoader
from torch_geometric.nn import GAT, GIN, GraphSAGE
from torch_geometric.typing import WITH_PYG_LIB
from torch_geometric.utils import k_hop_subgraph

from benchmarks.tables import print_table
from gcl.data import NeighborSampler, cluster_loader, neighbor_loader
from gcl.nn import encode, gcn, sage

NEIGHBORS, SEEDS, NODES, EDGES, FEATURES = [10, 10], 1024, 169_343, 1_166_243, 128


ENCODERS = {
    "gcl.nn.gcn": lambda: gcn(FEATURES, FEATURES),
    "gcl.nn.sage": lambda: sage(FEATURES, FEATURES),
    "PyG's GraphSAGE": lambda: GraphSAGE(FEATURES, FEATURES, 2),
    "PyG's GIN": lambda: GIN(FEATURES, FEATURES, 2),
    "PyG's GAT": lambda: GAT(FEATURES, FEATURES, 2),
}


def graph(nodes=NODES, edges=EDGES):
    """Random edges, more of them at the nodes of low numbers."""
    generator = torch.Generator().manual_seed(0)
    half = (nodes * torch.rand(2, edges, generator=generator, dtype=torch.double).square()).long()
    x = torch.randn(nodes, FEATURES, generator=generator)
    return Data(x=x, edge_index=torch.cat([half, half.flip(0)], dim=1))


def by_lists(data):
    """A function of seeds: Python's own sampling, node by node."""
    neighbors = [[] for _ in range(data.num_nodes)]
    for source, target in data.edge_index.T.tolist():
        neighbors[target].append(source)

    def sample(seeds):
        place, frontier, edges = {node: i for i, node in enumerate(seeds)}, seeds, []
        for k in NEIGHBORS:
            found = []
            for node in frontier:
                near = neighbors[node]
                for source in near if len(near) <= k else random.sample(near, k):
                    if source not in place:
                        place[source] = len(place)
                        found.append(source)
                    edges.append((place[source], place[node]))
            frontier = found
        node = torch.tensor(list(place))
        return Data(x=data.x[node], edge_index=torch.tensor(edges).T, n_id=node)

    return sample


def measure(name, batches):
    """The mean milliseconds of a batch, without the first, which starts the workers: a row of the table."""
    batches = iter(batches)
    next(batches)
    wall, cpu = time.perf_counter(), time.process_time()
    count = sum(1 for _ in batches)
    wall, cpu = (time.perf_counter() - wall) / count, (time.process_time() - cpu) / count
    return [name, f"{1e3 * wall:,.0f}", f"{1e3 * cpu:,.0f}", f"{1 / wall:.1f}"]


def rows(data, sampler, seeds, generator):
    """All rows of the table; the slow forms get four batches."""
    yield measure("sampler alone", (sampler.sample(part, generator=generator) for part in seeds.split(SEEDS)))
    for workers in (0, 2):
        loader = neighbor_loader(data, NEIGHBORS, SEEDS, input_nodes=seeds, generator=generator, num_workers=workers)
        yield measure(f"neighbor_loader, {workers} workers", loader)
    cluster = torch.arange(data.num_nodes) * 100 // data.num_nodes
    yield measure(
        "cluster_loader, 10 of 100 clusters", (b for _ in range(4) for b in cluster_loader(data, cluster, 10))
    )
    few, lists = seeds[: 4 * SEEDS].split(SEEDS), by_lists(data)
    yield measure("random.sample over lists", (lists(part.tolist()) for part in few))
    hops = (k_hop_subgraph(part, 2, data.edge_index, relabel_nodes=True) for part in few)
    yield measure("k_hop_subgraph, no features", hops)
    if WITH_PYG_LIB:
        yield measure("NeighborLoader", NeighborLoader(data, NEIGHBORS, batch_size=SEEDS, input_nodes=seeds))


def without(batch, name):
    """The batch without an attribute."""
    batch = copy.copy(batch)
    del batch[name]
    return batch


def step(encoder, batch):
    """Forward and backward: the CPU seconds and the embeddings."""
    start = time.process_time()
    h = encode(encoder, batch)
    h.square().sum().backward()
    return time.process_time() - start, h.detach()


def trimmed_rows(data, repeats):
    """Milliseconds of a step with trimmed layers and without, in turn on the same batches."""
    batches = list(neighbor_loader(data, NEIGHBORS, SEEDS, generator=torch.Generator().manual_seed(2)))[:repeats]
    for name, build in ENCODERS.items():
        torch.manual_seed(0)
        encoder, times, difference = build(), [], 0.0
        for batch in batches:
            (fast, h), (slow, expected) = step(encoder, batch), step(encoder, without(batch, "node_hop"))
            times.append((fast, slow))
            difference = max(difference, float((h - expected).abs().max()))
        fast, slow = (statistics.median(part) for part in zip(*times[1:], strict=True))
        yield [name, f"{1e3 * fast:,.0f}", f"{1e3 * slow:,.0f}", f"{slow / fast:.1f}", f"{difference:.0e}"]


@torch.no_grad()
def error_rows(data):
    """How far, over the norm of the embedding, GCN embeddings of sampled neighborhoods are from the whole graph's."""
    torch.manual_seed(0)
    encoder = gcn(FEATURES, FEATURES)
    whole, seeds = encode(encoder, data), torch.randperm(data.num_nodes)[: 4 * SEEDS]
    for name, neighbors in {"10, 10": [10, 10], "25, 25": [25, 25], "all, 2 hops": [-1, -1]}.items():
        errors = []
        for known in (False, True):
            loader = neighbor_loader(
                data, neighbors, SEEDS, input_nodes=seeds, generator=torch.Generator().manual_seed(3)
            )
            parts = [(b if known else without(b, "node_degree"), seeds[b.input_id]) for b in loader]
            off = torch.cat([encode(encoder, batch) - whole[node] for batch, node in parts])
            errors.append(float(off.norm() / torch.cat([whole[node] for _, node in parts]).norm()))
        yield [name, *(f"{error:.1e}" for error in errors)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batches", type=int, default=30, help="to time for each form")
    count = parser.parse_args().batches + 1
    data, generator = graph(), torch.Generator().manual_seed(1)
    seeds = torch.randperm(data.num_nodes, generator=generator)[: count * SEEDS]
    start = time.perf_counter()
    sampler = NeighborSampler(data, NEIGHBORS)
    print(f"The sampler is made once, in {time.perf_counter() - start:.2f} s.\n")
    print_table(["", "ms a batch", "CPU ms", "batches a second"], rows(data, sampler, seeds, generator))
    data = graph(100_000, 700_000)
    print("\nA step: CPU ms, their ratio and the largest difference of the embeddings.\n")
    print_table(["", "trimmed", "untrimmed", "ratio", "difference"], trimmed_rows(data, count))
    print("\nRelative error of gcl.nn.gcn by the neighbors drawn.\n")
    print_table(["", "degrees of the batch", "node_degree"], error_rows(data))


if __name__ == "__main__":
    main()
