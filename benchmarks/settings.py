"""The settings of all benchmarks, from settings.json, and the methods that they describe.

By source:

- "tables": what benchmarks/results was measured with: the papers' where a run fits two CPU cores, else smaller ones;
- "published": the authors' of GRACE (on Cora and CiteSeer; elsewhere GCA's, with GRACE's plain views) and of ARIEL;
- "pot", "structcomp": those of the code of these papers;
- "heterophilous": ours, the same for each data set but for the epochs, which fit one CPU core.
"""

import json
import time
from functools import partial
from pathlib import Path

import torch
import torch_geometric
from torch_geometric.transforms import NormalizeFeatures
from tqdm import tqdm

import gcl
from augmentors import AdversarialView

SETTINGS = json.loads(Path(__file__).with_name("settings.json").read_text())


def settings_of(method, dataset, source="tables", **overrides):
    """The settings of a method on a data set, else on its first one; an override that is not ``None`` goes first."""
    sets = SETTINGS[source][method]
    settings = sets.get(dataset, next(iter(sets.values())))
    return settings | {key: value for key, value in overrides.items() if value is not None}


def encoders(settings, num_features):
    """The encoder, untrained; MVGRL and AD-GCL have two."""
    return [
        (getattr(gcl.nn, name, None) or getattr(torch_geometric.nn, name))(num_features, **options)
        for name, options in settings["encoders"]
    ]


def build(method, settings, num_features, **overrides):
    """The method; "GraphCL, macl" is GraphCL with another objective."""
    options = dict(settings["method"])
    if "objective" in options:
        loss, keywords = options["objective"]
        options["objective"] = partial(getattr(gcl.losses, loss), **keywords)
    if "attack" in options:
        options["attack"] = partial(AdversarialView, **options["attack"])
    return getattr(gcl.methods, method.split(",")[0])(*encoders(settings, num_features), **options | overrides)


def normalized(data, settings):
    """``data``, each node's features divided by their sum where the settings say so."""
    return NormalizeFeatures()(data) if settings.get("normalize") else data


def optimizer_of(method, settings):
    """Adam on the method."""
    return torch.optim.Adam(method.parameters(), lr=settings["lr"], weight_decay=settings["weight_decay"])


def train(method, data, settings, generator):
    """Train; return the CPU seconds of each epoch."""
    epochs, optimizer = settings["epochs"], optimizer_of(method, settings)
    seconds, start = [], time.process_time()
    run = gcl.train.epochs(method, data, optimizer, epochs, generator=generator)
    for _ in tqdm(run, total=epochs, unit="epoch", leave=False, mininterval=1):
        seconds.append(time.process_time() - start)
        start = time.process_time()
    return seconds
