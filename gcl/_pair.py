"""What a method with two views hands to its objective and to regularizers."""

from collections.abc import Callable
from typing import Any, NamedTuple

from torch import Tensor, nn
from torch_geometric.data import Data

Objective = Callable[..., Tensor]


class Pair(NamedTuple):
    """Two views of a graph and their embeddings.

    Attributes:
        data: the graph that the views were made from.
        view1, view2: the views.
        h1, h2: their embeddings ``[N, D]``, of nodes or, with a readout, of graphs.
        z1, z2: what the objective compares: the projections of these.
        row_weight: ``[N]``, how many nodes each row stands for; ``None``: one each.
    """

    data: Data
    view1: Data
    view2: Data
    h1: Tensor
    h2: Tensor
    z1: Tensor
    z2: Tensor
    row_weight: Tensor | None = None


Regularizer = Callable[[nn.Module, Pair], Any]
