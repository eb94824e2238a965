"""Mini-batches of 1,024 seeds a second on a graph of ogbn-arxiv's size: `python -m benchmarks.sampling`.

169,343 nodes, 1.17M undirected edges, 128 features, fan-out [10, 10]. Beside `gcl.data.neighbor_loader`: its sampler
alone, `random.sample` over lists of neighbors, PyG's `k_hop_subgraph` (all neighbors, each hop a pass over all
edges), and PyG's `NeighborLoader` where pyg-lib is installed. CPU is this process's time, which a busy machine
lengthens less; that of workers is not in it.
"""

import argparse
import random
import time

import torch
from torch_geometric.data import Data
from torch_geometric.loader import NeighborLoader
from torch_geometric.typing import WITH_PYG_LIB
from torch_geometric.utils import k_hop_subgraph

from gcl.data import NeighborSampler, cluster_loader, neighbor_loader

FAN_OUT, SEEDS, NODES, EDGES, FEATURES = [10, 10], 1024, 169_343, 1_166_243, 128


def graph():
    """Random edges, more of them at the nodes of low numbers."""
    generator = torch.Generator().manual_seed(0)
    half = (NODES * torch.rand(2, EDGES, generator=generator, dtype=torch.double).square()).long()
    x = torch.randn(NODES, FEATURES, generator=generator)
    return Data(x=x, edge_index=torch.cat([half, half.flip(0)], dim=1))


def by_lists(data):
    """A function of seeds: Python's own sampling, node by node."""
    neighbors = [[] for _ in range(data.num_nodes)]
    for source, target in data.edge_index.T.tolist():
        neighbors[target].append(source)

    def sample(seeds):
        place, frontier, edges = {node: i for i, node in enumerate(seeds)}, seeds, []
        for k in FAN_OUT:
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
    """Print the mean milliseconds of a batch, without the first, which starts the workers."""
    batches = iter(batches)
    next(batches)
    wall, cpu, count = time.perf_counter(), time.process_time(), 0
    for _ in batches:
        count += 1
    wall, cpu = ((now - then) / count for now, then in ((time.perf_counter(), wall), (time.process_time(), cpu)))
    print(f"| {name} | {1e3 * wall:,.0f} | {1e3 * cpu:,.0f} | {1 / wall:.1f} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batches", type=int, default=30, help="to time for each form")
    count = parser.parse_args().batches + 1
    data, generator = graph(), torch.Generator().manual_seed(1)
    seeds = torch.randperm(data.num_nodes, generator=generator)[: count * SEEDS]
    start = time.perf_counter()
    sampler = NeighborSampler(data, FAN_OUT)
    print(f"The sampler is made once, in {time.perf_counter() - start:.2f} s.\n")
    print("| | ms a batch | CPU ms | batches a second |\n|---|---|---|---|")
    measure("sampler alone", (sampler.sample(part, generator=generator) for part in seeds.split(SEEDS)))
    for workers in (0, 2):
        loader = neighbor_loader(data, FAN_OUT, SEEDS, input_nodes=seeds, generator=generator, num_workers=workers)
        measure(f"neighbor_loader, {workers} workers", loader)
    cluster = torch.arange(data.num_nodes) * 100 // data.num_nodes
    measure("cluster_loader, 10 of 100 parts", (b for _ in range(4) for b in cluster_loader(data, cluster, 10)))
    lists = by_lists(data)
    measure("random.sample over lists", (lists(part.tolist()) for part in seeds[: 4 * SEEDS].split(SEEDS)))
    hops = (k_hop_subgraph(part, 2, data.edge_index, relabel_nodes=True) for part in seeds[: 4 * SEEDS].split(SEEDS))
    measure("k_hop_subgraph, no features", hops)
    if WITH_PYG_LIB:
        measure("NeighborLoader", NeighborLoader(data, FAN_OUT, batch_size=SEEDS, input_nodes=seeds))


if __name__ == "__main__":
    main()
