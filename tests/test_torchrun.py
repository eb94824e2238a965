"""The driver for OGB's node sets: several processes train as one, and a killed or stopped run ends as any other."""

import gc
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch.nn.modules.module import register_module_forward_hook
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data.distributed import DistributedSampler

from benchmarks import ogb_node
from gcl.data import csbm
from gcl.distributed import Process, reseed
from gcl.losses import byol
from gcl.methods import BGRL, StructComp
from gcl.nn import encode

ROOT = Path(__file__).parents[1]
RUNS = {
    "GRACE, mini-batches": ["--batch-size", "6", "--num-neighbors", "4", "4"],
    "CCASSG, mini-batches": ["--method", "CCASSG", "--batch-size", "6", "--num-neighbors", "4", "4"],
    "BGRL, mini-batches": ["--method", "BGRL", "--batch-size", "6", "--num-neighbors", "4", "4"],
    "GRACE, full graph": [],
    "CCASSG, StructComp": ["--method", "CCASSG", "--structcomp"],
}


def arguments(*words):
    return ogb_node.parse(["--dim", "8", "--lr", "0.01", "--epochs", "2", *words])


def graph():
    """75 nodes: neither two nor four processes share them evenly."""
    data = csbm((25, 25, 25), 150, num_words=12, class_words=3, generator=torch.Generator().manual_seed(0))
    return data.update({"x": data.x.double()})


def shared(rank, world_size, words):
    """This rank's loss of each step, and the embeddings in the end."""
    curve = []

    def watch(module, inputs, loss):
        if isinstance(module, DistributedDataParallel):
            curve.append(loss.detach())

    hook = register_module_forward_hook(watch)
    method = ogb_node.train(arguments(*words), graph(), Process(rank, world_size, torch.device("cpu")))
    hook.remove()
    return torch.stack(curve), method.embed(graph())


def worker(rank, folder):
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    for world_size in range(2, 5, 2):
        if rank < world_size:
            store = dist.FileStore(f"{folder}/store-{world_size}", world_size)
            timeout = timedelta(minutes=20)
            dist.init_process_group("gloo", store=store, rank=rank, world_size=world_size, timeout=timeout)
            results = {name: shared(rank, world_size, words) for name, words in RUNS.items()}
            torch.save(results, f"{folder}/{world_size}-{rank}.pt")
            gc.collect()
            dist.destroy_process_group()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ranks")
    multiprocessing.set_forkserver_preload(["gcl"])  # imported once for all processes
    mp.start_processes(worker, (str(folder),), nprocs=4, start_method="forkserver")
    return folder


@pytest.fixture
def _float64():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def compared(method, batch, generator):
    """The rows of a batch that the loss compares."""
    if not isinstance(method, BGRL):
        pair = method.pair(batch, generator=generator)
        return pair.z1, pair.z2
    views = method.augmentor1(batch, generator=generator), method.augmentor2(batch, generator=generator)
    with torch.no_grad():
        targets = [encode(method.target, view) for view in views]
    return *(method.projector(encode(method.encoder, view)) for view in views), *targets


def loss_of(method, rows):
    if not isinstance(method, BGRL):
        return method.objective(*rows)
    p1, p2, t1, t2 = rows
    return (byol(p1, t2) + byol(p2, t1)) / 2


def alone(world_size, words):
    """One process draws what each rank draws, by the rank's generator, and takes one step on the loss of all rows."""
    args, data, curve = arguments(*words), graph(), []
    generators = [torch.Generator() for _ in range(world_size)]
    samplers = [DistributedSampler(data.x, world_size, rank, seed=0, drop_last=True) for rank in range(world_size)]
    shares = [ogb_node.share(args, data, generators[r], samplers[r], r, world_size) for r in range(world_size)]
    torch.manual_seed(0)
    method = ogb_node.build(args, data.num_features, 1)
    optimizer = torch.optim.Adam(method.parameters(), lr=args.lr)
    for epoch in range(1, args.epochs + 1):
        for rank in range(world_size):
            reseed(generators[rank], 0, epoch, rank)
            samplers[rank].set_epoch(epoch)
        for batches in zip(*shares, strict=True):
            views = [StructComp(method, batch.cluster) if args.structcomp else method for batch in batches]
            rows = [compared(*drawn) for drawn in zip(views, batches, generators, strict=True)]
            loss = loss_of(method, [torch.cat(part) for part in zip(*rows, strict=True)])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            method.after_step()
            curve.append(loss.detach())
    return torch.stack(curve), method.embed(data)


@pytest.mark.usefixtures("_float64")
@pytest.mark.parametrize("world_size", [2, 4])
@pytest.mark.parametrize("name", RUNS)
def test_several_processes_train_as_one(folder, name, world_size):
    curve, h = alone(world_size, RUNS[name])
    ranks = [torch.load(folder / f"{world_size}-{rank}.pt")[name] for rank in range(world_size)]
    assert len(curve) > 2 or "mini" not in name
    assert (torch.stack([losses for losses, _ in ranks]).mean(0) - curve).abs().max() < 1e-8
    for _, rank_h in ranks:
        assert (rank_h - h).abs().max() < 1e-8


@pytest.mark.parametrize("words", [RUNS["GRACE, mini-batches"], RUNS["BGRL, mini-batches"], ["--pot", "0.3"]], ids=str)
def test_a_run_that_was_stopped_goes_on_exactly(tmp_path, words):
    data, alone = graph().update({"x": graph().x.float()}), Process(0, 1, torch.device("cpu"))
    whole = ogb_node.train(arguments("--epochs", "4", *words), data, alone).embed(data)
    words = [*words, "--checkpoint", str(tmp_path / "run.ckpt")]
    ogb_node.train(arguments("--epochs", "1", *words), data, alone)
    torch.rand(7)  # other work in the new process
    assert torch.equal(ogb_node.train(arguments("--epochs", "4", *words), data, alone).embed(data), whole)


def children(pid):
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="no /proc, by which the test finds the ranks")
def test_a_run_of_which_a_rank_was_killed_ends_as_any_other(tmp_path):
    pytest.importorskip("ogb")
    small = [sys.executable, "-m", "benchmarks.make_ogb_like", "ogbn-arxiv", str(tmp_path), "--nodes", "400"]
    subprocess.run(small, cwd=ROOT, check=True, capture_output=True)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command += ["--max-restarts", "1", "-m", "benchmarks.ogb_node"]
    command += ["--root", str(tmp_path), "--dim", "8", "--epochs", "3", "--batch-size", "4"]

    def files(name):
        return ["--checkpoint", str(tmp_path / f"{name}.ckpt"), "--export", str(tmp_path / f"{name}.npz")]

    subprocess.run([*command, *files("whole")], cwd=ROOT, check=True, capture_output=True)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen([*command, *files("killed")], cwd=ROOT, **pipes) as process:
        while not (tmp_path / "killed.ckpt").exists():
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.01)
        time.sleep(0.1)  # in the middle of the second epoch
        os.kill(children(process.pid)[0], signal.SIGKILL)
        stderr = process.communicate()[1].decode()
    assert process.returncode == 0, stderr
    assert "failed (exitcode:" in stderr  # the agent has seen it
    with np.load(tmp_path / "whole.npz") as whole, np.load(tmp_path / "killed.npz") as killed:
        assert np.array_equal(whole["h"], killed["h"])
