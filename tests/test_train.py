"""The loop, and checkpoints that survive a kill."""

import os
import signal
import subprocess
import sys
import time

import pytest
import torch
from torch_geometric.data import Data
from torch_geometric.loader import DataLoader

from gcl.methods import GRACE, Method
from gcl.nn import gcn
from gcl.train import fit, load_checkpoint, save_checkpoint


class Quadratic(Method):
    """Loss (w - x)^2 with one weight: gradient descent is known in closed form."""

    def __init__(self):
        super().__init__(torch.nn.Linear(1, 1))
        self.w = torch.nn.Parameter(torch.zeros(()))
        self.steps = 0

    def loss(self, data, *, generator=None):
        return (self.w - data.x.mean()).square()

    def after_step(self):
        self.steps += 1


def one(value):
    return Data(x=torch.tensor([[float(value)]]), edge_index=torch.empty(2, 0).long())


def test_the_loop_is_gradient_descent():
    method = Quadratic()
    optimizer = torch.optim.SGD([method.w], lr=0.25)
    log = [(epoch, loss.item()) for epoch, loss in fit(method, [one(4)], optimizer, epochs=3)]
    assert log == [(1, 16.0), (2, 4.0), (3, 1.0)]
    assert method.w.item() == 3.5
    assert method.steps == 3


def test_the_epochs_loss_is_the_mean_over_batches():
    method = Quadratic()
    optimizer = torch.optim.SGD([method.w], lr=0.0)
    loader = DataLoader([one(1), one(3)], batch_size=1)
    assert [loss.item() for _, loss in fit(method, loader, optimizer, epochs=1)] == [5.0]


def test_accumulated_gradients_are_the_mean_of_the_batches():
    method = Quadratic()
    optimizer = torch.optim.SGD([method.w], lr=0.25)
    batches = [one(1), one(3), one(5)]  # a step to half of the mean 2, a step half of the way from there to 5
    [(_, loss)] = fit(method, batches, optimizer, epochs=1, accumulate=2)
    assert method.w.item() == 3.0
    assert method.steps == 2
    assert loss.item() == pytest.approx((1 + 9 + 16) / 3)
    with pytest.raises(ValueError, match="accumulate must be at least 1, got 0"):
        next(fit(method, batches, optimizer, epochs=1, accumulate=0))


def test_bad_graphs_are_refused_before_training(square):
    method = GRACE(gcn(4, 8, 2, 8), dim=8)
    before = [p.clone() for p in method.parameters()]

    def train(**changes):
        data = square.clone().update(changes)
        next(fit(method, [data], torch.optim.Adam(method.parameters()), epochs=1))

    x = square.x.clone()
    x[2, 1] = float("nan")
    with pytest.raises(ValueError, match=r"data.x must be finite, got nan at \(2, 1\)"):
        train(x=x)
    with pytest.raises(ValueError, match=r"data.edge_index must hold node numbers in \[0, 4\), got 4"):
        train(edge_index=torch.tensor([[0], [4]]))
    with pytest.raises(ValueError, match=r"\[0, 4\), got -1"):
        train(edge_index=torch.tensor([[-1], [2]]))
    with pytest.raises(TypeError, match="data.edge_index must be a long tensor, got torch.float32"):
        train(edge_index=torch.zeros(2, 3))
    with pytest.raises(ValueError, match=r"data.edge_index must have shape \[2, E\], got \(3, 2\)"):
        train(edge_index=torch.zeros(3, 2).long())
    with pytest.raises(ValueError, match=r"at least one node, got an empty graph"):
        train(x=torch.empty(0, 4), edge_index=torch.empty(2, 0).long())
    with pytest.raises(ValueError, match=r"data.x is missing"):
        train(x=None)
    with pytest.raises(TypeError, match=r"data.x must be a floating-point tensor"):
        train(x=torch.eye(4).long())
    with pytest.raises(ValueError, match=r"one entry for each of the 8 edges, got 3"):
        train(edge_weight=torch.ones(3))
    with pytest.raises(ValueError, match=r"data.edge_weight must be finite, got inf"):
        train(edge_weight=torch.full((8,), float("inf")))
    with pytest.raises(TypeError, match=r"data must be a torch_geometric Data or Batch, got tuple"):
        next(fit(method, [(1, 2)], torch.optim.Adam(method.parameters()), epochs=1))
    with pytest.raises(ValueError, match=r"at least one graph, got none"):
        next(fit(method, [], torch.optim.Adam(method.parameters()), epochs=1))
    assert all(torch.equal(p, q) for p, q in zip(before, method.parameters(), strict=True))


def test_a_loss_that_is_not_finite_stops_the_run():
    method = Quadratic()
    optimizer = torch.optim.SGD([method.w], lr=1e30)
    losses = []
    with pytest.raises(FloatingPointError, match=r"the mean loss of epoch \d is (inf|nan)"):
        losses.extend(loss for _, loss in fit(method, [one(4)], optimizer, epochs=9))
    assert all(loss.isfinite() for loss in losses)  # no checkpoint is saved of the epoch that failed


def test_stopping_and_going_on_changes_nothing(square, tmp_path):
    def start():
        torch.manual_seed(0)
        method = GRACE(gcn(4, 8, 2, 8, dropout=0.5), dim=8)  # dropout draws from torch's global seed
        optimizer = torch.optim.Adam(method.parameters(), lr=0.01)
        scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=2)
        generator = torch.Generator().manual_seed(1)
        return {"method": method, "optimizer": optimizer, "scheduler": scheduler, "generator": generator}

    def train(parts, epochs, start=0):
        run = fit(parts["method"], [square], parts["optimizer"], epochs, generator=parts["generator"], start=start)
        for _ in run:
            parts["scheduler"].step()
        return parts["method"].embed(square)

    whole = train(start(), 9)
    path = tmp_path / "deep" / "run.ckpt"
    parts = start()
    train(parts, 5)
    save_checkpoint(path, 5, **parts)
    again = start()
    torch.rand(7)  # other work in the new process
    assert load_checkpoint(path, **again) == 5
    assert torch.equal(train(again, 9, start=5), whole)
    assert [file.name for file in path.parent.iterdir()] == ["run.ckpt"]


def test_checkpoint_errors(tmp_path):
    path = tmp_path / "run.ckpt"
    linear = torch.nn.Linear(2, 2)
    with pytest.raises(FileNotFoundError, match=r"no checkpoint at .*run.ckpt"):
        load_checkpoint(path, method=linear)
    save_checkpoint(path, 1, method=linear)
    with pytest.raises(ValueError, match=r"holds the parts \['method'\], got \['generator', 'method'\]"):
        load_checkpoint(path, method=linear, generator=torch.Generator())
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ValueError, match=r"run.ckpt is no checkpoint .* or it is damaged"):
        load_checkpoint(path, method=linear)


def test_a_failed_write_leaves_the_previous_checkpoint(tmp_path, monkeypatch):
    path = tmp_path / "run.ckpt"
    linear = torch.nn.Linear(2, 2)
    save_checkpoint(path, 1, method=linear)

    def half(state, file):
        file.write(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(torch, "save", half)
    with pytest.raises(OSError, match="disk full"):
        save_checkpoint(path, 2, method=linear)
    assert load_checkpoint(path, method=linear) == 1
    assert [file.name for file in tmp_path.iterdir()] == ["run.ckpt"]


SCRIPT = """
import sys
from pathlib import Path
import torch
import gcl
folder = Path(sys.argv[1])
torch.set_num_threads(1)
torch.manual_seed(0)
data = gcl.data.load("karate")
generator = torch.Generator().manual_seed(0)
method = gcl.methods.GRACE(gcl.nn.gcn(34, 16, 2, 8), dim=8)
optimizer = torch.optim.Adam(method.parameters(), lr=0.01)
parts = dict(method=method, optimizer=optimizer, generator=generator)
path = folder / "run.ckpt"
start = gcl.train.load_checkpoint(path, **parts) if path.exists() else 0
for epoch, loss in gcl.train.fit(method, [data], optimizer, 300, generator=generator, start=start):
    gcl.train.save_checkpoint(path, epoch, **parts)
    print(epoch, flush=True)
torch.save(method.embed(data), folder / "h.pt")
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")
def test_a_killed_run_ends_as_if_it_had_not_been_killed(tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    whole.mkdir()
    killed.mkdir()
    command = [sys.executable, "-c", SCRIPT]
    subprocess.run([*command, str(whole)], check=True, capture_output=True)
    for seconds in (0.05, 0.4):
        with subprocess.Popen([*command, str(killed)], stdout=subprocess.PIPE) as process:
            process.stdout.readline()  # one epoch done: now at a random point of another one
            time.sleep(seconds)
            os.kill(process.pid, signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL
        assert not (killed / "h.pt").exists()
    subprocess.run([*command, str(killed)], check=True, capture_output=True)
    assert torch.equal(torch.load(whole / "h.pt"), torch.load(killed / "h.pt"))
