"""One random call of a random public function, and what became of it."""

import copy
import importlib
import inspect
import random
import traceback
import warnings
from pathlib import Path

import torch
from torch_geometric.data.data import BaseData

import augmentors
import gcl
from augmentors import Augmentor
from tests.fuzz.inputs import NO_METHODS, RIGHT, WRONG, WRONG_NUMBERS, Inputs, build_method

ROOT = Path(__file__).parents[2]
MODULES = (
    "augmentors",
    "gcl.losses",
    "gcl.pairwise",
    "gcl.nn",
    "gcl.data",
    "gcl.eval",
    "gcl.eval.plot",
    "gcl.regularizers",
)
LEFT_OUT = {
    "Augmentor": "the base class",
    "AttackResult": "a tuple",
    "Split": "a tuple, checked where it is used",
    "Report": "a tuple, which report returns",
    "report": "trains; tested by its own cases",
    "Information": "called with a method's own pair",
    "layer": "reads a layer of PyG",
    "batch_statistics": "a context",
    "atlas": "no arguments",
    "csbm": "tested by its own laws; slow",
    "load": "reads files",
    "save_embeddings": "writes files",
    "evaluator": "ogb's own",
    "molecule_features": "integers of OGB",
    "pot_loss": "called through POT",
    "POT": "called through Regularized",
    "NeighborSampler": "called through neighbor_loader",
    "AdversarialView": "called through ARIEL",
    "Compose": "called with the others",
    "RandomChoice": "called with the others",
    "ViewPool": "holds graphs, which it does not read",
    "Compress": "called with DropMember",
    "make_target": "copies a network",
    "move_target": "two equal networks",
}
OF_TENSORS = (
    "gcl.losses",
    "gcl.pairwise",
    "gcl.regularizers",
    "gcl.nn.encode",
    "augmentors",
)  # which do not read values back: infinite of infinite
MAY_BE_INFINITE = {"sym_lse", "cross_lse", "row_sum"}  # a row with nothing to sum, exponentials of large products
PUBLIC = [
    (f"{module}.{name}", getattr(importlib.import_module(module), name))
    for module in MODULES
    for name in importlib.import_module(module).__all__
    if name not in LEFT_OUT and callable(getattr(importlib.import_module(module), name))
]
METHODS = [name for name in gcl.methods.__all__ if name not in NO_METHODS]


class Unexplained(AssertionError):
    """A call that broke the invariant."""


def call(seed):
    """Make the call of this seed; return its name and "ok" or "refused", or raise ``Unexplained``."""
    rng, inputs = random.Random(seed), Inputs(seed)
    torch.manual_seed(seed)
    if rng.random() < 0.25:
        name = rng.choice(METHODS)
        return name, _watched(name, _call_method, name, inputs)
    name, function = rng.choice(PUBLIC)
    if inspect.isclass(function) and issubclass(function, Augmentor):
        return name, _watched(name, _call_augmentor, function, inputs)
    return name, _watched(name, _call_function, function, inputs)


def _call_method(name, inputs, record):
    method = build_method(name, inputs)
    graphs = method.readout is not None
    data = inputs.damaged_graph() if inputs.chance(0.4) else inputs.batch() if graphs else inputs.single_graph()
    record(data=data)
    action = inputs.rng.randrange(3)
    if action == 0:
        return method.embed(data)
    if action == 1:
        optimizer = torch.optim.Adam(method.parameters(), lr=1e-3)
        return torch.tensor(gcl.fit(method, data, optimizer, 1, progress=False, generator=inputs.generator))
    return method.embed(data, chunk=3)


def _call_augmentor(kind, inputs, record):
    arguments = _arguments(kind, inputs)
    record(**arguments)
    augmentor = kind(**arguments)
    draw = inputs.rng.choice((inputs.single_graph, inputs.batch, inputs.hetero, inputs.damaged_graph))
    data = draw()
    record(data=data)
    return augmentor(data, generator=inputs.generator)


def _call_function(function, inputs, record):
    arguments = _arguments(function, inputs)
    record(**arguments)
    return function(**arguments)


def _arguments(function, inputs):
    parameters = [
        p for p in inspect.signature(function).parameters.values() if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
    ]
    wrong = inputs.rng.choice(parameters).name if parameters and inputs.chance(0.5) else None
    arguments = {}
    for p in parameters:
        damaged = WRONG.get(f"{function.__name__}.{p.name}", WRONG.get(p.name))
        if p.name == wrong and damaged:
            arguments[p.name] = damaged(inputs)
        elif p.name == wrong and isinstance(p.default, (int, float)) and not isinstance(p.default, bool):
            arguments[p.name] = inputs.rng.choice(WRONG_NUMBERS)
        elif right := RIGHT.get(f"{function.__name__}.{p.name}", RIGHT.get(p.name)):
            arguments[p.name] = right(inputs)
        elif p.default is not p.empty:
            arguments[p.name] = p.default
        elif p.annotation in (float, "float", int, "int") or p.name in ("p", "num_nodes", "num_hops", "walk_length"):
            arguments[p.name] = inputs.rng.choice(WRONG_NUMBERS) if p.name == wrong else inputs.rng.choice((1, 2))
        else:
            raise LookupError(f"{function.__name__}: name random values for {p.name!r} in tests/fuzz/inputs.py")
    return arguments


def _watched(name, run, target, inputs):
    seen, before = {}, {}

    def record(**arguments):
        seen.update(arguments)
        before.update({key: copy.deepcopy(value) for key, value in arguments.items() if _is_value(value)})

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", RuntimeWarning)
            result = run(target, inputs, record)
        outcome = "ok"
        may_be_infinite = name.rsplit(".", 1)[-1] in MAY_BE_INFINITE or (
            name.startswith(OF_TENSORS) and not _is_finite(seen)
        )
        if not may_be_infinite and not _is_finite(result):
            raise Unexplained(f"{name}: a result that is not finite, of {_describe(seen)}")
    except (Unexplained, LookupError, ImportError) as error:
        if type(error) in (IndexError, KeyError):
            raise Unexplained(_report(name, error, seen)) from error
        raise
    except (ValueError, TypeError, FloatingPointError) as error:
        if not _explains(error, target, seen):
            raise Unexplained(_report(name, error, seen)) from error
        outcome = "refused"
    except Exception as error:
        raise Unexplained(_report(name, error, seen)) from error
    for key, value in before.items():
        if not _same(value, seen[key]):
            raise Unexplained(f"{name}: {key} was changed, of {_describe(seen)}")
    return outcome


def _explains(error, target, seen):
    """The error was raised by this package and names an argument, or a part of one."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    own = any(Path(frame.filename).is_relative_to(ROOT / package) for package in ("gcl", "augmentors"))
    words = str(error).split()
    named = any(word.strip("`'\".,:()").split(".")[0].split("[")[0] in _names(target, seen) for word in words)
    return own and (named or isinstance(error, FloatingPointError))


def _names(target, seen):
    names = {
        *seen,
        "y",
        "data",
        "encoder",
        "batch",
        "g",
        "z1",
        "z",
        "x",
        "edge_weight",
        "readout",
        "view",
        "objective",
        "num_nodes",
    }
    return names | (set() if isinstance(target, str) else set(inspect.signature(target).parameters))


def _report(name, error, seen):
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{Path(frame.filename).name}:{frame.lineno}"
    message = next(iter(str(error).splitlines()), "")[:150]
    return f"{name}: {type(error).__name__} at {place}: {message} | {_describe(seen)}"


def _describe(arguments):
    def short(value):
        if isinstance(value, torch.Tensor):
            return f"{str(value.dtype)[6:]}{list(value.shape)}"
        return repr(value)[:60].replace("\n", " ")

    return ", ".join(f"{key}={short(value)}" for key, value in arguments.items())


def _is_value(value):
    return isinstance(value, (torch.Tensor, BaseData, list, tuple, dict)) and not isinstance(value, torch.nn.Module)


def _same(a, b):
    if isinstance(a, torch.Tensor):
        same = isinstance(b, torch.Tensor) and a.shape == b.shape and a.dtype == b.dtype and a.layout == b.layout
        return same and torch.equal(
            *(t.to_dense().nan_to_num(7.0) if t.is_floating_point() else t.to_dense() for t in (a, b))
        )
    if isinstance(a, BaseData):
        return type(a) is type(b) and _same(a.to_dict(), b.to_dict())
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(_same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(_same, a, b))
    return type(a) is type(b)


def _is_finite(result):
    if isinstance(result, torch.Tensor):
        return not result.is_floating_point() or bool(result.to_dense().isfinite().all())
    if isinstance(result, BaseData):
        return all(_is_finite(value) for store in result.stores for value in store.values())
    if isinstance(result, dict):
        return all(map(_is_finite, result.values()))
    if isinstance(result, (list, tuple)):
        return all(map(_is_finite, result))
    return not isinstance(result, float) or result == result


assert augmentors  # imported for its modules
