"""Two and four gloo processes give every parameter the gradient of one process."""

import gc
import multiprocessing
from datetime import timedelta
from functools import partial

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch.nn.parallel import DistributedDataParallel

from gcl import distributed, losses

CASES = {
    "info_nce, shared work": (distributed.sharded_info_nce, losses.info_nce, {"temperature": 0.3}),
    "info_nce, shared work, low temperature": (distributed.sharded_info_nce, losses.info_nce, {"temperature": 0.01}),
    **{
        name: (distributed.with_all_ranks(getattr(losses, name)), getattr(losses, name), options)
        for name, options in {
            "info_nce": {"intraview": False},
            "decoupled": {},
            "hard_negative": {},
            "macl": {},
            "barlow_twins": {},
            "vicreg": {},
            "cca_ssg": {},
            "ssge": {},
            "siglip": {},
        }.items()
    },
}
SHARDS = [(8, 8), (3, 13), (1, 7, 2, 6)]


def network():
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(6, 9), torch.nn.ELU(), torch.nn.Linear(9, 5)).double()


def batch():
    torch.manual_seed(1)
    return torch.randn(2, 16, 6, dtype=torch.double)


def gradients(rank, sizes, name):
    """One rank's loss of a case, and the gradients that DDP averages."""
    objective, _, options = CASES[name]
    model = DistributedDataParallel(network())
    own = slice(sum(sizes[:rank]), sum(sizes[: rank + 1]))
    x1, x2 = (x[own] for x in batch())
    z1, z2 = model(torch.cat([x1, x2])).chunk(2)
    loss = objective(z1, z2, **options)
    loss.backward()
    return [loss.detach(), *(p.grad for p in model.parameters())]


def worker(rank, sizes, folder):
    torch.set_num_threads(1)
    store = dist.FileStore(f"{folder}/store", len(sizes))
    dist.init_process_group("gloo", store=store, rank=rank, world_size=len(sizes), timeout=timedelta(minutes=20))
    results = {name: gradients(rank, sizes, name) for name in CASES}
    torch.save(results, f"{folder}/{rank}.pt")
    gc.collect()  # no DDP model may outlive the group: its destructor holds the GIL that gloo's threads wait for
    dist.destroy_process_group()


@pytest.fixture(scope="module", params=SHARDS, ids=str)
def ranks(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("ranks")
    multiprocessing.set_forkserver_preload(["gcl"])  # imported once for all processes
    processes = {"nprocs": len(request.param), "start_method": "forkserver"}
    mp.start_processes(worker, (request.param, str(folder)), **processes)
    return [torch.load(folder / f"{rank}.pt") for rank in range(len(request.param))]


@pytest.mark.parametrize("name", CASES)
def test_the_gradient_is_that_of_one_process(ranks, name):
    _, objective, options = CASES[name]
    model = network()
    loss = partial(objective, **options)(*(model(x) for x in batch()))
    loss.backward()
    expected = [loss.detach(), *(p.grad for p in model.parameters())]
    for results in ranks:
        for got, one in zip(results[name], expected, strict=True):
            assert (got - one).abs().max() < 1e-12 * max(1.0, float(one.abs().max()))
