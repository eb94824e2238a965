"""An encoder that keeps a node, its neighborhood and its neighbors apart: an MLP on the filter bank."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch_geometric.nn.conv.gcn_conv import gcn_norm
from torch_geometric.typing import OptTensor

from augmentors._checks import check_at_least
from gcl.nn._convs import sum_neighbors
from gcl.nn._features import features_product

NUM_FILTERS, COLUMNS = 5, 1024


def hops(in_channels: int, hidden_channels: int, out_channels: int | None = None) -> nn.Module:
    r"""An MLP on the blocks of :func:`gcl.eval.filter_bank`, which are never built.

    .. math:: H = \mathrm{PReLU}\Big(\mathrm{BN}\Big(\sum_k g_k D_k^{-1} M_k X W_k\Big)\Big) W + b,
        \qquad M_k \in \{I, \hat A, \hat A^2, P, P^2\}

    with :math:`\hat A` the matrix of a GCN layer, P the mean over the neighbors and :math:`D_k` the lengths of the rows
    of :math:`M_k X`. A node, its neighborhood and its neighbors keep weights of their own, so that one encoder serves
    graphs whose neighbors are alike and graphs whose neighbors differ. Features are multiplied by the weights first:
    on bags of words nothing dense of their width is held.

    Two attributes of the graph are optional: ``filter_length`` ``[N, 5]``, the :math:`D_k` (else those of ``x`` are
    computed at each call), and ``filter_gate`` ``[5]``, the :math:`g_k` (else 1): see
    :class:`gcl.methods.HopContrast`. For graphs that do not fit, ``x`` may be rows of the filter bank
    ``[N, 5 in_channels]``, in memory or on disk; edges are then not looked at.

    Args:
        in_channels: F, the number of features, at least 1.
        hidden_channels: width of the hidden layer, at least 1.
        out_channels: width of the embeddings, at least 1; ``None``: ``hidden_channels``.

    Raises:
        TypeError, ValueError: a width is no int, or below 1.

    **Source:** SIGN (arXiv 2004.11198). **Differs:** rows of unit length for each filter; the filters' terms are summed
    in front of the activation, where SIGN puts them side by side behind it; both filters at once.

    Example:
        >>> encoder = hops(8, 16, 4)
        >>> encoder(torch.randn(3, 8), torch.tensor([[0, 1], [1, 2]])).shape
        torch.Size([3, 4])
    """
    return Hops(in_channels, hidden_channels, out_channels)


class Hops(nn.Module):
    """See :func:`hops`."""

    def __init__(self, in_channels: int, hidden_channels: int, out_channels: int | None = None) -> None:
        super().__init__()
        self.num_features = check_at_least("in_channels", in_channels, 1)
        hidden = check_at_least("hidden_channels", hidden_channels, 1)
        self.out_channels = hidden if out_channels is None else check_at_least("out_channels", out_channels, 1)
        bound = (6 / (in_channels + hidden)) ** 0.5
        self.weight = nn.Parameter(torch.empty(NUM_FILTERS, in_channels, hidden).uniform_(-bound, bound))
        self.norm = nn.BatchNorm1d(hidden)
        self.act = nn.PReLU(hidden)
        self.lin = nn.Linear(hidden, self.out_channels)

    def forward(
        self,
        x: Tensor,
        edge_index: Tensor,
        edge_weight: OptTensor = None,
        filter_length: OptTensor = None,
        filter_gate: OptTensor = None,
    ) -> Tensor:
        """Embeddings ``[N, out_channels]``."""
        rows_of_bank = NUM_FILTERS * self.num_features
        if x.size(1) not in (self.num_features, rows_of_bank):
            raise ValueError(f"x must have {self.num_features} columns, or {rows_of_bank} of its bank, got {x.size(1)}")
        if self.training and len(x) < 2:
            raise ValueError(f"x must have at least two rows in training, where BatchNorm compares them, got {len(x)}")
        gate = x.new_ones(NUM_FILTERS) if filter_gate is None else filter_gate.to(x.dtype)
        if x.size(1) == rows_of_bank:
            total = x @ (self.weight * gate[:, None, None]).flatten(0, 1)
        else:
            if filter_length is None:
                filter_length = filter_lengths(x, edge_index, edge_weight)
            scale = torch.where(filter_length > 0, gate / filter_length.to(x.dtype), 0.0)
            product = features_product(x, self.weight.transpose(0, 1).flatten(1))
            blocks = filtered(product.chunk(NUM_FILTERS, dim=1), edge_index, edge_weight)
            total = torch.stack([scale[:, k, None] * block for k, block in enumerate(blocks)]).sum(0)
        return self.lin(self.act(self.norm(total)))


def filtered(blocks: tuple[Tensor, ...], edge_index: Tensor, edge_weight: OptTensor) -> list[Tensor]:
    """Each block ``[N, D]`` through its filter: I, A, A^2, P, P^2."""
    same, *others = blocks
    done = [same]
    for (once, twice), edges in zip((others[:2], others[2:]), filter_edges(same, edge_index, edge_weight), strict=True):
        once, twice = sum_neighbors(torch.cat([once, twice], dim=1), *edges).chunk(2, dim=1)
        done += [once, sum_neighbors(twice, *edges)]
    return done


def filter_edges(x: Tensor, edge_index: Tensor, edge_weight: OptTensor) -> list[tuple[Tensor, Tensor]]:
    """The edges of a GCN layer, with their weights, and those of the mean over neighbors without self-loops."""
    source, end = edge_index
    weight = x.new_ones(len(source)) if edge_weight is None else edge_weight.to(x.dtype)
    means = mean_weights(weight * (source != end), end, len(x))
    return [gcn_norm(edge_index, weight, len(x), dtype=x.dtype), (edge_index, means)]


def mean_weights(edge_weight: Tensor, end: Tensor, num_nodes: int) -> Tensor:
    """Each edge's part ``[E]`` of the weight that enters its end; 0 where none enters."""
    total = edge_weight.new_zeros(num_nodes).index_add_(0, end, edge_weight)
    return edge_weight / total.masked_fill(total == 0, 1)[end]


def smoothed(x: Tensor, edge_index: Tensor, edge_weight: OptTensor = None) -> Iterator[Tensor]:
    """X, A X, A^2 X, P X and P^2 X, each ``[N, F]``."""
    yield x
    for edges in filter_edges(x, edge_index, edge_weight):
        smooth = x
        for _ in range(2):
            smooth = sum_neighbors(smooth, *edges)
            yield smooth


def filter_lengths(x: Tensor, edge_index: Tensor, edge_weight: OptTensor = None) -> Tensor:
    """The lengths of the smoothed features' rows ``[N, 5]``, without a gradient; 1,024 columns at a time."""
    with torch.no_grad():
        squares = x.new_zeros(len(x), NUM_FILTERS, dtype=torch.double)
        for part in x.split(COLUMNS, dim=1):
            blocks = smoothed(part, edge_index, edge_weight)
            squares += torch.stack([block.double().square().sum(1) for block in blocks], dim=1)
        return squares.sqrt().to(x.dtype)
