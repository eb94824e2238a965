"""Node embeddings of OGB's sets without labels: `python -m benchmarks.ogb_node --dataset ogbn-arxiv --root data`.

A batch is the whole graph or, with `--batch-size 1024`, the sampled neighborhoods of 1,024 nodes, or with
`--structcomp` the clusters of a partition; ogbn-products, 2.4 million nodes, is never one batch: without `--batch-size`
it is compressed. Under `torchrun` each process takes its share of the nodes, and compares them with those of all
(README.md). What an epoch draws follows from seed, epoch and rank: a stopped run goes on exactly.
"""

import argparse
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data.distributed import DistributedSampler
from torch_geometric.data import Data

import gcl
from benchmarks.tables import BASELINES, print_table
from benchmarks.watch import watched
from gcl.methods import BGRL, CCASSG, GRACE, Regularized, StructComp
from gcl.regularizers import POT

CHUNK = 50_000  # nodes that are embedded at a time
DEFAULTS = {"ogbn-arxiv": {"method": "GRACE", "epochs": 100}, "ogbn-products": {"method": "CCASSG", "epochs": 20}}


def parse(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dataset", default="ogbn-arxiv", choices=DEFAULTS)
    parser.add_argument("--root", help="folder of the data sets (default: $GCL_DATA, else data)")
    parser.add_argument("--method", choices=["GRACE", "BGRL", "CCASSG"], help="default: GRACE (products: CCASSG)")
    parser.add_argument("--dim", type=int, default=128, help="width of the embeddings, half of the hidden one")
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--epochs", type=int, help="default: 100 (products: 20)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--batch-size", type=int, help="nodes of a batch, in each process (default: the whole graph)")
    parser.add_argument("--num-neighbors", type=int, nargs="+", default=[10, 10], help="neighbors drawn at each hop")
    parser.add_argument("--accumulate", type=int, default=1, metavar="K", help="batches to an optimizer step")
    parser.add_argument("--structcomp", action="store_true", help="train on a partition, nine nodes to a cluster")
    parser.add_argument("--pot", type=float, default=0.0, metavar="WEIGHT", help="of the POT regularizer of GRACE")
    parser.add_argument("--amp", action="store_true", help="encode in bfloat16 (autocast)")
    parser.add_argument("--compile", action="store_true", help="torch.compile the encoder")
    parser.add_argument("--labels", type=int, default=20_000, help="rows that train the linear probe (default: 20,000)")
    parser.add_argument("--checkpoint", type=Path, help="file to save the run in, and to go on from")
    parser.add_argument("--track", type=Path, help="folder for TensorBoard (torch-gcl[track])")
    parser.add_argument("--export", type=Path, help="file for the embeddings h and their nodes n_id (.npz)")
    args = parser.parse_args(argv)
    vars(args).update({key: value for key, value in DEFAULTS[args.dataset].items() if getattr(args, key) is None})
    args.structcomp |= args.dataset == "ogbn-products" and not args.batch_size
    if args.structcomp and (args.batch_size or args.pot):
        parser.error("--structcomp trains without a graph: it goes with neither --batch-size nor --pot")
    if args.pot and (args.method != "GRACE" or args.batch_size or torch.distributed.is_torchelastic_launched()):
        parser.error("--pot goes with --method GRACE, the whole graph and one process")
    return args


def build(args, num_features, world_size):
    """The method; in several processes its loss is over the rows of all (BGRL's, a mean of rows, by DDP's average)."""
    encoder = gcl.nn.gcn(num_features, 2 * args.dim, 2, args.dim, final_activation=args.method != "CCASSG")
    if args.method == "BGRL":
        return BGRL(encoder)
    method = CCASSG(encoder) if args.method == "CCASSG" else GRACE(encoder, temperature=0.4)
    if world_size > 1:
        shared = partial(gcl.distributed.sharded_info_nce, temperature=0.4)
        method.objective = shared if args.method == "GRACE" else gcl.distributed.with_all_ranks(method.objective)
    if args.pot:
        method = Regularized(method, POT((0.2, 0.4), target_batch=1024), args.pot)
    return method


def share(args, data, generator, sampler, rank, world_size):
    """The batches of this process: its share of the clusters, of the seeds, or of the rows that are compared."""
    if args.structcomp:
        cache = args.checkpoint and args.checkpoint.parent
        with gcl.distributed.local_rank_zero_first():
            cluster = gcl.data.partition(data, data.num_nodes // 9, "matching", seed=args.seed, cache=cache)
        own = cluster % world_size == rank  # clusters are rows of their own: they need no edges
        return [Data(x=data.x[own], edge_index=data.edge_index[:, :0], cluster=cluster[own] // world_size)]
    if args.batch_size:
        options = {"generator": generator, "shuffle": False, "sampler": sampler}
        return gcl.data.neighbor_loader(data, args.num_neighbors, args.batch_size, **options)
    own = torch.arange(data.num_nodes) % world_size == rank
    batch = data.subgraph(torch.cat([own.nonzero(), (~own).nonzero()]).squeeze(1))
    batch.batch_size = int(own.sum())
    return [batch]


def train(args, data, process):
    """Train on this process's share, and return the method."""
    torch.manual_seed(args.seed)
    generator, (rank, world_size, device) = torch.Generator(), process
    sampler = DistributedSampler(data.x, world_size, rank, seed=args.seed, drop_last=True)  # shares of equal size

    def draw(epoch):
        gcl.distributed.reseed(generator, args.seed, epoch, rank)
        sampler.set_epoch(epoch)

    batches = share(args, data, generator, sampler, rank, world_size)
    method = build(args, data.num_features, world_size)
    if args.structcomp:
        method = StructComp(method, batches[0].cluster.to(device))
    method.to(device)
    optimizer = torch.optim.Adam(method.parameters(), lr=args.lr)
    parts = {"method": method, "optimizer": optimizer}
    start = gcl.train.load_checkpoint(args.checkpoint, **parts) if args.checkpoint and args.checkpoint.exists() else 0
    if args.amp:
        method.encoder.forward = torch.autocast(device.type, torch.bfloat16)(method.encoder.forward)
    if args.compile:
        method.encoder.compile(dynamic=True)
    model = DistributedDataParallel(method) if world_size > 1 else method
    options = {"generator": generator, "start": start, "accumulate": args.accumulate}
    epochs = gcl.train.epochs(model, batches, optimizer, args.epochs, **options)
    draw(start + 1)
    for epoch in watched(epochs, args, args.method, start, args.checkpoint, rank, **parts):
        draw(epoch + 1)
    return method.cpu()


def evaluate(args, data, method):
    """Print the linear probe of the method beside the baselines, on the official split, and export the embeddings."""
    split = gcl.eval.split_from_masks(data)
    rows = torch.randperm(len(split.train), generator=torch.Generator().manual_seed(args.seed))[: args.labels]
    split = split._replace(train=split.train[rows])
    torch.manual_seed(args.seed)
    untrained = build(args, data.num_features, 1)
    h = method.embed(data, chunk=CHUNK)
    features = {"raw": data.x, "propagated": gcl.nn.propagate(data, hops=2)}
    features |= {"untrained": untrained.embed(data, chunk=CHUNK), args.method: h}
    name = args.dataset + " (SYNTHETIC, benchmarks/make_ogb_like.py)" * ("synthetic" in data)
    print(f"\n{name}, official split, linear probe trained on {len(rows)} rows")
    accuracies = ((row, gcl.eval.linear_probe(z, data.y, split)["accuracy"]) for row, z in features.items())
    print_table(["", "accuracy %"], ([BASELINES.get(row, row), f"{100 * value:.1f}"] for row, value in accuracies))
    if args.export:
        np.savez(args.export, n_id=np.arange(len(h)), h=h.numpy())


def main():
    """Train, in one process or several, and evaluate once."""
    args = parse()
    with gcl.distributed.process_group() as process:
        with gcl.distributed.local_rank_zero_first():
            data = gcl.load(args.dataset, args.root)
        method = train(args, data, process)
    if process.rank == 0:
        evaluate(args, data, method)


if __name__ == "__main__":
    main()
