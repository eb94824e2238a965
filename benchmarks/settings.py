"""The settings of all benchmarks, from settings.json, and the methods that they describe.

By source:

- "tables": what benchmarks/results was measured with, each with its "source" and what differs from it, so that a run
  fits one CPU core;
- "published": the authors' of GRACE (on Cora and CiteSeer; elsewhere GCA's, with GRACE's plain views) and of ARIEL;
- "pot", "structcomp": those of the code of these papers.
"""

import json
import math
import time
from functools import partial
from pathlib import Path

import torch
import torch_geometric
from torch_geometric.transforms import NormalizeFeatures
from tqdm import tqdm

import gcl
from augmentors import AdversarialView

ENCODERS = {"GCN": "gcn", "GraphSAGE": "sage"}
SETTINGS = json.loads(Path(__file__).with_name("settings.json").read_text())


def settings_of(method, dataset, source="tables", **overrides):
    """The settings of a method on a data set, else on its first one; an override that is not ``None`` goes first.

    "CCASSG, GraphSAGE" is CCASSG with that encoder in the place of its own.
    """
    name, _, variant = method.partition(", ")
    sets = SETTINGS[source][name if variant in ENCODERS else method]
    settings = sets.get(dataset, next(iter(sets.values())))
    if variant in ENCODERS:
        settings = settings | {"encoders": [(ENCODERS[variant], options) for _, options in settings["encoders"]]}
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
    """Adam, or the settings' optimizer, on the method; with "warmup", a number of steps, it keeps BGRL's schedule."""
    kind = getattr(torch.optim, settings.get("optimizer", "Adam"))
    optimizer = kind(method.parameters(), lr=settings["lr"], weight_decay=settings["weight_decay"])
    if "warmup" in settings:
        optimizer.register_step_pre_hook(partial(keep_schedule, method, settings))
    return optimizer


def keep_schedule(method, settings, optimizer, *_):
    """The rate of the next step: linear up to "lr", then a cosine to 0; BGRL's momentum goes to 1 by a cosine.

    The steps done are the optimizer's own count, which a checkpoint holds: a stopped run goes on where it was.
    """
    done, warmup, steps = steps_done(optimizer), settings["warmup"], settings["epochs"]
    rate = done / warmup if done < warmup else cosine((done - warmup) / (steps - warmup))
    for group in optimizer.param_groups:
        group["lr"] = settings["lr"] * rate
    if isinstance(method, gcl.methods.BGRL):
        method.momentum = 1 - (1 - settings["method"].get("momentum", 0.99)) * cosine(done / steps)


def steps_done(optimizer):
    """How many steps Adam has made."""
    return int(next(iter(optimizer.state.values()), {"step": 0})["step"])


def cosine(part):
    """From 1 to 0 as ``part`` goes from 0 to 1."""
    return (1 + math.cos(math.pi * part)) / 2


def train(method, data, settings, generator):
    """Train; return the CPU seconds of each epoch."""
    epochs, optimizer = settings["epochs"], optimizer_of(method, settings)
    seconds, start = [], time.process_time()
    run = gcl.train.epochs(method, data, optimizer, epochs, generator=generator)
    for _ in tqdm(run, total=epochs, unit="epoch", leave=False, mininterval=1):
        seconds.append(time.process_time() - start)
        start = time.process_time()
    return seconds
