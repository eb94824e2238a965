"""The loop, and checkpoints that survive a kill."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch_geometric.data import Data
from torch_geometric.loader import DataLoader

from gcl.methods import GRACE, GraphCL, Method
from gcl.nn import gcn
from gcl.train import epochs, fit, load_checkpoint, save_checkpoint


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
    log = [(epoch, loss.item()) for epoch, loss in epochs(method, one(4), optimizer, 3)]
    assert log == [(1, 16.0), (2, 4.0), (3, 1.0)]
    assert method.w.item() == 3.5
    assert method.steps == 3


def test_the_epochs_loss_is_the_mean_over_batches():
    method = Quadratic()
    optimizer = torch.optim.SGD([method.w], lr=0.0)
    loader = DataLoader([one(1), one(3)], batch_size=1)
    assert [loss.item() for _, loss in epochs(method, loader, optimizer, 1)] == [5.0]


def test_fit_returns_the_losses_of_a_graph_a_list_or_a_loader(square, capsys):
    for data in (one(4), [one(4)], DataLoader([one(4)], batch_size=1)):
        method = Quadratic()
        optimizer = torch.optim.SGD([method.w], lr=0.25)
        assert fit(method, data, optimizer, 3, progress=False) == [16.0, 4.0, 1.0]
    assert capsys.readouterr().err == ""
    fit(method, one(4), optimizer, 3)
    assert "3/3" in capsys.readouterr().err
    assert fit(method, one(4), optimizer, 0, progress=False) == []


def test_what_is_no_graph_is_refused(square):
    method = GRACE(gcn(4, 8))
    optimizer = torch.optim.Adam(method.parameters())
    for data, error, message in (
        ("karate", TypeError, "data must be a graph .*, a list of graphs or a loader, got 'karate'"),
        (torch.eye(3), TypeError, "data must be a graph"),
        (iter([square]), TypeError, "give a list or a loader, not an iterator"),
        ([square, "x"], TypeError, "data must be a torch_geometric Data or Batch, got str"),
    ):
        with pytest.raises(error, match=message):
            fit(method, data, optimizer, 1, progress=False)
    with pytest.raises(TypeError, match="method must be a gcl.methods.Method, got Linear"):
        fit(torch.nn.Linear(4, 8), square, optimizer, 1, progress=False)


def test_a_last_batch_of_one_graph_names_drop_last(square):
    method = GraphCL(gcn(4, 8))
    optimizer = torch.optim.Adam(method.parameters())
    loader = DataLoader([square] * 3, batch_size=2)
    with pytest.raises(ValueError, match=r"at least two graphs for GraphCL, which compares graphs, .* drop_last=True"):
        fit(method, loader, optimizer, 1, progress=False)


def test_what_a_method_prepares_is_prepared_once(square):
    class Counts(Quadratic):
        prepared = 0

        def prepare(self, data):
            self.prepared += 1
            return data

    method = Counts()
    fit(method, [square, square], torch.optim.SGD([method.w], lr=0.1), 5, progress=False)
    assert method.prepared == 2


def test_accumulated_gradients_are_the_mean_of_the_batches():
    method = Quadratic()
    optimizer = torch.optim.SGD([method.w], lr=0.25)
    batches = [one(1), one(3), one(5)]  # a step to half of the mean 2, a step half of the way from there to 5
    [(_, loss)] = epochs(method, batches, optimizer, 1, accumulate=2)
    assert method.w.item() == 3.0
    assert method.steps == 2
    assert loss.item() == pytest.approx((1 + 9 + 16) / 3)
    with pytest.raises(ValueError, match="accumulate must be at least 1, got 0"):
        next(epochs(method, batches, optimizer, 1, accumulate=0))


def test_bad_graphs_are_refused_before_training(square):
    method = GRACE(gcn(4, 8, 2, 8), dim=8)
    before = [p.clone() for p in method.parameters()]

    def train(**changes):
        data = square.clone().update(changes)
        fit(method, data, torch.optim.Adam(method.parameters()), epochs=1)

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
    with pytest.raises(ValueError, match=r"data.edge_weight must have shape \[8\], got \(3,\)"):
        train(edge_weight=torch.ones(3))
    with pytest.raises(ValueError, match=r"data.edge_weight must be finite, got inf"):
        train(edge_weight=torch.full((8,), float("inf")))
    with pytest.raises(TypeError, match=r"data must be a torch_geometric Data or Batch, got tuple"):
        fit(method, [(1, 2)], torch.optim.Adam(method.parameters()), epochs=1)
    with pytest.raises(ValueError, match=r"at least one graph, got none"):
        fit(method, [], torch.optim.Adam(method.parameters()), epochs=1)
    assert all(torch.equal(p, q) for p, q in zip(before, method.parameters(), strict=True))


def test_a_loss_that_is_not_finite_stops_the_run():
    method = Quadratic()
    optimizer = torch.optim.SGD([method.w], lr=1e30)
    losses = []
    with pytest.raises(FloatingPointError, match=r"the mean loss of epoch \d is (inf|nan)"):
        losses.extend(loss for _, loss in epochs(method, one(4), optimizer, 9))
    assert all(loss.isfinite() for loss in losses)  # no checkpoint is saved of the epoch that failed


def test_stopping_and_going_on_changes_nothing(square, tmp_path):
    def start():
        torch.manual_seed(0)
        method = GRACE(gcn(4, 8, 2, 8, dropout=0.5), dim=8)  # dropout draws from torch's global seed
        optimizer = torch.optim.Adam(method.parameters(), lr=0.01)
        scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=2)
        generator = torch.Generator().manual_seed(1)
        return {"method": method, "optimizer": optimizer, "scheduler": scheduler, "generator": generator}

    def train(parts, last, start=0):
        for _ in epochs(parts["method"], square, parts["optimizer"], last, start=start, generator=parts["generator"]):
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


def trained(width=4, dtype=torch.float32, optimizer=torch.optim.Adam):
    torch.manual_seed(0)
    method = GRACE(gcn(4, width)).to(dtype)
    return {"method": method, "optimizer": optimizer(method.parameters(), lr=0.01)}


def state(parts):
    return [value.clone() for value in parts["method"].state_dict().values()]


def test_no_flipped_bit_is_loaded(tmp_path):
    path, parts = tmp_path / "run.ckpt", trained()
    save_checkpoint(path, 3, **parts)
    content, before = path.read_bytes(), state(parts)
    places = torch.randint(8 * len(content), (1000,)).tolist()
    for place in [*places, *range(0, 8 * 80, 7)]:
        damaged = bytearray(content)
        damaged[place // 8] ^= 1 << place % 8
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match="run.ckpt is no checkpoint .* or it is damaged"):
            load_checkpoint(path, **parts)
    assert all(torch.equal(*pair) for pair in zip(before, state(parts), strict=True))


@pytest.mark.parametrize(
    ("saved", "message"),
    [
        ({"width": 5}, r"method does not fit .*: encoder.convs.0.bias is torch.float32 \(4,\), in the file .* \(5,\)"),
        ({"dtype": torch.float64}, "method does not fit .* torch.float32 .*, in the file torch.float64"),
        ({"optimizer": torch.optim.SGD}, "optimizer does not fit its saved state"),
    ],
)
def test_what_does_not_fit_changes_nothing(tmp_path, square, saved, message):
    path, other, parts = tmp_path / "run.ckpt", trained(**saved), trained()
    other["method"](square.update({"x": square.x.to(saved.get("dtype", torch.float32))})).backward()
    other["optimizer"].step()
    other["scheduler"] = torch.optim.lr_scheduler.StepLR(other["optimizer"], 1)
    parts["scheduler"] = torch.optim.lr_scheduler.StepLR(parts["optimizer"], 1)
    if "optimizer" in saved:
        with torch.no_grad():
            for p in other["method"].parameters():
                p.add_(1.0)
        other["optimizer"].add_param_group({"params": [torch.zeros(1)]})
    save_checkpoint(path, 3, **other)
    before = state(parts)
    random = torch.get_rng_state()
    with pytest.raises(ValueError, match=message):
        load_checkpoint(path, **parts)
    assert all(torch.equal(*pair) for pair in zip(before, state(parts), strict=True))
    assert torch.equal(torch.get_rng_state(), random)


def test_some_parts_will_do_and_leave_the_random_state(tmp_path):
    path, parts, other = tmp_path / "run.ckpt", trained(), trained()
    with torch.no_grad():
        parts["method"].encoder.convs[0].bias += 1
    save_checkpoint(path, 3, **parts)
    torch.rand(3)
    random = torch.get_rng_state()
    assert load_checkpoint(path, method=other["method"]) == 3
    assert all(torch.equal(*pair) for pair in zip(state(parts), state(other), strict=True))
    assert torch.equal(torch.get_rng_state(), random)


def test_files_that_cannot_be_read_and_parts_without_a_state_say_so(tmp_path):
    path = tmp_path / "run.ckpt"
    with pytest.raises(TypeError, match="data must have a state_dict or be a torch.Generator, got int"):
        save_checkpoint(path, 1, data=3)
    torch.save({"epoch": 1}, path)
    with pytest.raises(ValueError, match="run.ckpt is no checkpoint"):
        load_checkpoint(path, method=torch.nn.Linear(1, 1))
    with pytest.raises(IsADirectoryError):
        load_checkpoint(tmp_path, method=torch.nn.Linear(1, 1))


def test_a_links_target_is_replaced_and_old_drafts_are_removed(tmp_path):
    real, link = tmp_path / "disk" / "run.ckpt", tmp_path / "run.ckpt"
    real.parent.mkdir()
    link.symlink_to(real)
    old, young = (real.with_name(f"run.ckpt.{name}.part") for name in ("old", "young"))
    for draft, age in ((old, 7200), (young, 0)):
        draft.write_bytes(b"half")
        os.utime(draft, (time.time() - age,) * 2)
    save_checkpoint(link, 2, method=torch.nn.Linear(1, 1))
    assert link.is_symlink()
    assert load_checkpoint(link, method=torch.nn.Linear(1, 1)) == 2
    assert sorted(file.name for file in real.parent.iterdir()) == ["run.ckpt", young.name]


def test_threads_that_save_to_one_file_do_not_collide(tmp_path):
    path = tmp_path / "run.ckpt"
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda epoch: save_checkpoint(path, epoch, method=torch.nn.Linear(40, 40)), range(40)))
    assert load_checkpoint(path, method=torch.nn.Linear(40, 40)) in range(40)
    assert [file.name for file in tmp_path.iterdir()] == ["run.ckpt"]


def test_parameters_that_are_not_finite_are_never_handed_out():
    class Overshoots(Quadratic):
        def loss(self, data, *, generator=None):
            return super().loss(data) if self.w.abs() < 1e6 else self.w * 0

    method = Overshoots()
    seen = []
    run = epochs(method, one(4), torch.optim.SGD([method.w], lr=float("inf")), 3)
    with pytest.raises(FloatingPointError, match=r"parameter w is not finite after epoch 1: try a lower learning rate"):
        seen.extend(run)
    assert seen == []
    method = Quadratic()
    with torch.no_grad():
        method.w.fill_(float("nan"))
    with pytest.raises(FloatingPointError, match="the mean loss of epoch 1 is nan: look at the data and the encoder"):
        fit(method, one(4), torch.optim.SGD([method.w], lr=0.1), 3, progress=False)


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
for epoch, loss in gcl.train.epochs(method, data, optimizer, 300, start=start, generator=generator):
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
