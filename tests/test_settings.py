"""The settings of the benchmarks: each has a source and builds its method; their schedule is BGRL's."""

import math

import pytest
import torch
from torch_geometric.data import Data

from benchmarks import node
from benchmarks.protocol import adam_probe
from benchmarks.settings import SETTINGS, build, optimizer_of
from gcl.eval import random_split
from tests.inputs import ring, seeded

TABLES = [(method, name, entry) for method, sets in SETTINGS["tables"].items() for name, entry in sets.items()]


@pytest.mark.parametrize(
    ("method", "name", "settings"), TABLES, ids=[f"{method}, {name}" for method, name, _ in TABLES]
)
def test_an_entry_says_where_it_is_from_and_builds_its_method(method, name, settings):
    assert settings["source"].startswith(("github.com/", "ours", "the settings of "))
    data = Data(x=torch.rand(12, 9), edge_index=ring(12).edge_index)
    h = build(method, settings, 9).embed(data)
    assert h.size(0) == (12 if method in node.METHODS else 1)


def steps(count, state=None):
    """The rate and the momentum of ``count`` steps of ten, after those of a checkpoint."""
    settings = {"lr": 0.1, "weight_decay": 0, "epochs": 10, "warmup": 4, "optimizer": "AdamW", "method": {}}
    settings["encoders"] = [["gcn", {"hidden_channels": 4}]]
    torch.manual_seed(0)
    method = build("BGRL", settings, 4)
    optimizer, seen = optimizer_of(method, settings), []
    if state:
        optimizer.load_state_dict(state)
    for _ in range(count):
        method.loss(ring(), generator=seeded()).backward()
        optimizer.step()
        seen.append((optimizer.param_groups[0]["lr"], method.momentum))
    return seen, optimizer


def test_the_schedule_is_bgrls_and_goes_on_from_a_checkpoint():
    rates = [0.1 * t / 4 if t < 4 else 0.05 * (1 + math.cos(math.pi * (t - 4) / 6)) for t in range(10)]
    momenta = [1 - 0.005 * (1 + math.cos(math.pi * t / 10)) for t in range(10)]
    seen, optimizer = steps(10)
    assert type(optimizer) is torch.optim.AdamW
    torch.testing.assert_close(seen, list(zip(rates, momenta, strict=True)))
    first, optimizer = steps(6)
    assert first + steps(4, optimizer.state_dict())[0] == seen


def test_the_authors_probe_reports_the_step_that_validation_names():
    y = torch.arange(90) % 3
    train, val, test = random_split(90, train=0.3, val=0.3, generator=seeded())
    h = torch.eye(3)[y] + torch.randn(90, 3, generator=seeded())

    def probe(*split, steps):
        torch.manual_seed(0)
        return adam_probe(h, y, split, steps=steps)

    on_test = [probe(train, val, test, steps=count)["last"] for count in range(1, 41)]
    on_val = [probe(train, test, val, steps=count)["last"] for count in range(1, 41)]
    whole = probe(train, val, test, steps=40)
    assert whole == {"last": on_test[-1], "best_val": on_test[on_val.index(max(on_val))], "best_test": max(on_test)}
    assert whole["best_val"] < whole["best_test"]
