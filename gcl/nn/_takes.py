"""What an encoder takes, read from its signature."""

from collections.abc import Callable
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from torch import Tensor, nn
from torch.fx import GraphModule
from torch.nn.parallel import DistributedDataParallel
from torch_geometric.nn import GPSConv, Sequential
from torch_geometric.nn.conv import MessagePassing
from torch_geometric.nn.models.basic_gnn import BasicGNN

from augmentors._signatures import parameters_of

Encoder = nn.Module | Callable[..., Tensor]
LABELS = frozenset({"y", "train_mask", "val_mask", "test_mask"})
MAY_BE_NONE = frozenset({"edge_weight", "edge_attr", "batch"})  # PyG's convention


class Takes(NamedTuple):
    """What an encoder takes besides ``x``: the edges by position, and attributes of the graph by name.

    ``mixes`` is a layer over all nodes of a graph that is not told which graph of a batch a node is in.
    """

    edge_index: bool
    names: tuple[str, ...]
    required: frozenset[str]
    mixes: str | None


_TAKES: WeakKeyDictionary[Any, Takes] = WeakKeyDictionary()


def takes_of(encoder: Encoder) -> Takes:
    """What the encoder takes, read once from its signature."""
    encoder = unwrap(encoder)
    if encoder not in _TAKES:
        _TAKES[encoder] = _read(encoder)
    return _TAKES[encoder]


def takes_edge_weight(encoder: Encoder) -> bool:
    """Whether the encoder uses the weights of edges."""
    return "edge_weight" in takes_of(encoder).names and getattr(unwrap(encoder), "supports_edge_weight", True)


def takes_edge_attr(encoder: Encoder) -> bool:
    """Whether PyG's layers were built for features of edges: some without ``edge_dim`` fail on them, some ignore them.

    The first layer speaks for a model; of what ``to_hetero`` makes, any.
    """
    model = unwrap(encoder)
    layers = [model.convs[0]] if isinstance(model, BasicGNN) else [model]
    if isinstance(model, GraphModule):
        layers = [module for module in model.modules() if "edge_attr" in _named_by_layer(module)]
    built_without = [isinstance(one, MessagePassing) and not all(_widths_of_edges(one)) for one in layers]
    return getattr(model, "supports_edge_attr", True) and not (built_without and all(built_without))


def _widths_of_edges(layer: MessagePassing) -> list[Any]:
    return [getattr(layer, name, True) for name in ("edge_dim", "in_edge_channels", "dim")]


def check_takes_edge_weight(name: str, encoder: Encoder) -> None:
    """Raise unless the encoder uses the weights of edges."""
    if not takes_edge_weight(encoder):
        raise ValueError(
            f"{name} must take edge weights, got {name_of(encoder)}, which does not: use gcl.nn.gcn or gin"
        )


def unwrap(encoder: Any) -> Any:
    """The module inside ``DistributedDataParallel`` and ``torch.compile``."""
    while True:
        if isinstance(encoder, DistributedDataParallel):
            encoder = encoder.module
        elif hasattr(encoder, "_orig_mod"):
            encoder = encoder._orig_mod
        else:
            return encoder


def _read(encoder: Any) -> Takes:
    if isinstance(encoder, Sequential):
        names, required = list(encoder.signature.param_dict), set(encoder.signature.param_dict)
    else:
        try:
            parameters = parameters_of(encoder)
        except ValueError as error:
            wrap = "wrap it in a function of x, edge_index and what else it takes"
            raise TypeError(f"encoder must have a signature, got {name_of(encoder)}: {wrap}") from error
        names = list(parameters)
        required = {name for name, p in parameters.items() if p.default is p.empty}
        if getattr(encoder, "num_relations", 1) > 1:  # RGCNConv, whose signature has a default that it refuses
            required.add("edge_type")
    if names[:1] == ["data"]:
        raise TypeError(f"{name_of(encoder)} must take x and edge_index, not data: labels must not reach an encoder")
    elsewhere = any(name.endswith("edge_index") for name in names) and names[1:2] != ["edge_index"]
    has_edges = len(names) > 1 and names[1] not in (*MAY_BE_NONE, "batch_size") and not elsewhere
    names = names[2:] if has_edges else names[1:]
    if isinstance(encoder, GraphModule) and (layers := [*encoder.modules()][1:]):
        named = set().union(*map(parameters_of, layers))  # what to_hetero makes keeps names that its layers do not take
        names = [name for name in names if name in named] if named else names
    names += [name for name in getattr(encoder, "takes", ()) if name not in names]
    return Takes(has_edges, tuple(names), frozenset(required), _mixes(encoder, names))


def _mixes(encoder: Any, names: list[str]) -> str | None:
    modules = list(encoder.modules()) if isinstance(encoder, nn.Module) else []
    if {"batch", "batch_dict"} & {*names}:  # PyG's models pass it on to their norms, not into their layers' perceptrons
        layers = [m for m in modules if isinstance(m, MessagePassing) and "batch" not in parameters_of(m)]
        modules = [module for layer in layers for module in layer.modules()]
    return next((type(module).__name__ for module in modules if _is_over_graphs(module)), None)


def _is_over_graphs(module: nn.Module) -> bool:
    """Whether it is a norm or attention over the nodes of a graph."""
    is_norm = type(module).__module__.startswith("torch_geometric.nn.norm") and "batch" in parameters_of(module)
    return isinstance(module, GPSConv) or (is_norm and getattr(module, "mode", "graph") == "graph")


def _named_by_layer(module: nn.Module) -> set[str]:
    return set(parameters_of(module)) if isinstance(module, MessagePassing) else set()


def name_of(encoder: Any) -> str:
    return type(encoder).__name__ if isinstance(encoder, nn.Module) else getattr(encoder, "__name__", repr(encoder))
