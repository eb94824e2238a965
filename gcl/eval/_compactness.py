"""Node compactness as a diagnostic: how far dropped edges can move each node's embedding."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import Module
from torch_geometric.data import Data

from gcl._checks import check_graph, check_own_degrees
from gcl.eval._baselines import copy_of
from gcl.nn import encode
from gcl.regularizers import compactness_bound, contrast_directions
from gcl.regularizers.pot._bounds import Mode


def node_compactness(encoder: Module, data: Data, drop_rate: float | Tensor, *, mode: Mode = "worst_tight") -> Tensor:
    r"""Lower bound of each node's compactness over all views that lost edges.

    .. math:: \min_A\; c_i \cdot z_i(A)

    where c_i is the node's own direction in the undropped graph minus the mean of the others'. Where the bound is above
    0, dropping edges as allowed cannot make the node resemble the average other node as much as itself.

    Args:
        encoder: as for :func:`gcl.regularizers.compactness_bound`, which defines the allowed views and the modes; a
            copy is evaluated in evaluation mode and float64.
        data: the graph, ``x`` ``[N, F]``, N >= 2, without edge weights.
        drop_rate: in [0, 1], or one for each edge ``[E]``.
        mode: ``"worst"`` and ``"worst_tight"`` are certificates; ``"reference"`` and ``"linear"`` are taken at the
            undropped graph and certify nothing.

    Returns:
        ``[N]``, float64.

    Raises:
        TypeError, ValueError: the encoder is not covered, or the graph is not valid, has edge weights or is a batch of
            :func:`gcl.data.neighbor_loader`.

    **Source:** POT (arXiv 2309.13944), section 4. **Differs:** the bound holds (the published score is above the
    compactness of most nodes), and the direction comes from the undropped graph.

    Example:
        >>> from gcl.nn import gcn
        >>> encoder, data = gcn(2, 8, 2, 4), Data(x=torch.eye(2), edge_index=torch.tensor([[0, 1], [1, 0]]))
        >>> bool((node_compactness(encoder, data, 0.5) <= node_compactness(encoder, data, 0.0)).all())
        True
    """
    check_graph(data)
    check_own_degrees("node_compactness", data)
    if data.get("edge_weight") is not None:
        raise ValueError("data must have no edge_weight: the bounds hold for edges that are kept or dropped")
    if data.num_nodes < 2:
        raise ValueError(f"data must have at least two nodes, got {data.num_nodes}")
    encoder, exact = copy_of(encoder).double().eval(), Data(x=data.x.double(), edge_index=data.edge_index)
    with torch.no_grad():
        contrast = contrast_directions(encode(encoder, exact))
        return compactness_bound(encoder, exact.x, exact.edge_index, contrast, drop_rate, mode=mode)


def certified_fraction(
    encoder: Module, data: Data, drop_rates: Sequence[float], *, mode: Mode = "worst_tight"
) -> list[float]:
    """For each drop rate the fraction of nodes, in [0, 1], whose compactness is certified to be above 0.

    Args:
        encoder, data, mode: as for :func:`node_compactness`.
        drop_rates: each in [0, 1].

    Raises:
        TypeError, ValueError: as for :func:`node_compactness`, or the mode is no certificate.

    Example:
        >>> from gcl.nn import gcn
        >>> data = Data(x=torch.eye(4), edge_index=torch.empty(2, 0).long())
        >>> certified_fraction(gcn(4, 8, 2, 4, final_activation=False), data, [0.0])
        [1.0]
    """
    if mode not in ("worst", "worst_tight"):
        raise ValueError(f"mode must be a certificate, worst or worst_tight, got {mode!r}")
    bounds = (node_compactness(encoder, data, rate, mode=mode) for rate in drop_rates)
    return [float((bound > 0).double().mean()) for bound in bounds]
