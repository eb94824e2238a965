"""The weights, biases and activations of an encoder's graph convolutions, for bound propagation."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from torch import Tensor, nn
from torch_geometric.nn import GCN, GCNConv

from gcl.nn._convs import SparseGCNConv
from gcl.nn._encoders import SparseGCN
from gcl.nn._takes import unwrap
from gcl.regularizers.pot._activations import RelaxedActivation, relaxed


class Layer(NamedTuple):
    """One graph convolution: ``x -> activation(A x weight + bias)``."""

    weight: Tensor  # [in, out]
    bias: Tensor  # [out]
    activation: RelaxedActivation


def layer(conv: GCNConv, activation: Callable[[Tensor], Tensor] | None) -> Layer:
    """A graph convolution and the activation after it, for encoders other than PyG's ``GCN``.

    Args:
        conv: symmetric normalization with self-loops, as PyG's defaults are.
        activation: identity (``None``), ReLU, LeakyReLU, PReLU or ELU (a module, or ``torch.relu``).

    Raises:
        TypeError, ValueError: another convolution or activation, other settings, or a slope outside the range covered.

    Example:
        >>> from torch_geometric.nn import GCNConv
        >>> layer(GCNConv(8, 4), nn.ReLU()).weight.shape
        torch.Size([8, 4])
    """
    if type(conv) not in (GCNConv, SparseGCNConv):
        raise TypeError(f"encoder must consist of GCNConv layers, whose propagation is linear, got {conv!r}")
    wanted: dict[str, bool | str] = {"normalize": True, "add_self_loops": True, "improved": False, "cached": False}
    wanted |= {"aggr": "add", "flow": "source_to_target"}
    for name, value in wanted.items():
        if getattr(conv, name) != value:
            raise ValueError(f"encoder's GCNConv must have {name}={value!r}, got {getattr(conv, name)!r}")
    weight = conv.lin.weight.T
    return Layer(weight, weight.new_zeros(weight.size(1)) if conv.bias is None else conv.bias, relaxed(activation))


def layers_of(encoder: nn.Module | Sequence[Layer]) -> list[Layer]:
    """The layers of PyG's ``GCN`` (no activation after the last), of :func:`gcl.nn.gcn`, or of a sequence of layers.

    The encoder may be wrapped in ``DistributedDataParallel`` or ``torch.compile``.

    Raises:
        TypeError, ValueError: the encoder is of another kind, a layer or activation is not covered, or it normalizes or
            drops out between the layers, or has jumping knowledge or fewer than two layers.
    """
    if isinstance(encoder, nn.Module):
        layers = _layers_of_gcn(unwrap(encoder))
    elif isinstance(encoder, Sequence) and all(isinstance(one, Layer) for one in encoder):
        layers = list(encoder)
    else:
        raise TypeError(f"encoder must be a GCN or a sequence of gcl.regularizers.layer(...), got {encoder!r}")
    if len(layers) < 2:
        raise ValueError(f"encoder must have at least two layers, got {len(layers)}")
    return layers


def _layers_of_gcn(gnn: nn.Module) -> list[Layer]:
    if type(gnn) not in (GCN, SparseGCN):
        raise TypeError(f"encoder must be PyG's GCN or gcl.nn.gcn, whose propagation is linear, got {gnn!r}")
    if gnn.jk_mode is not None:
        raise ValueError(f"encoder must have no jumping knowledge, got jk={gnn.jk_mode!r}")
    if norms := [norm for norm in gnn.norms if not isinstance(norm, nn.Identity)]:
        raise ValueError(f"encoder must not normalize between its layers, got {norms[0]!r}")
    if gnn.dropout.p > 0 and gnn.dropout.training:
        raise ValueError(f"encoder must not drop out between its layers in training, got dropout={gnn.dropout.p}")
    last = gnn.act if getattr(gnn, "final_activation", False) else None
    return [layer(conv, gnn.act if i + 1 < len(gnn.convs) else last) for i, conv in enumerate(gnn.convs)]
