"""An encoder of OGB's molecules, whose atoms and bonds are integers."""

from typing import Any

import torch
from torch import Tensor, nn
from torch_geometric.typing import OptTensor

from augmentors._checks import check_at_least, check_numbers, check_tensor
from gcl.nn._gine import GINE, WeightedGINEConv

ATOM = (119, 5, 12, 12, 10, 6, 6, 2, 2)  # values of each column of a molecule's x: element, chirality, degree, ...
BOND = (5, 6, 2)  # and of its edge_attr: type, stereo, conjugated


def molecule_encoder(
    hidden_channels: int, num_layers: int = 5, out_channels: int | None = None, **options: Any
) -> nn.Module:
    r"""A graph isomorphism network for OGB's molecules: embeds the integers of atoms and bonds, then :func:`gine`.

    .. math:: x_i = \sum_c A_c[a_{ic}], \qquad W e_{ij} + b = \sum_c B_c[b_{ijc}]

    a is ``x`` ``[n, 9]`` and b is ``edge_attr`` ``[E, 3]``, as ``gcl.load("ogbg-molhiv")`` gives them. Each column has
    a table of its own, and each layer its own tables B in the place of the linear map of :func:`gine`. The value -1,
    which :class:`augmentors.FeatureMask` and :class:`augmentors.EdgeAttrMask` set, has a row in each table: "masked".

    Args:
        hidden_channels: width of the atoms' embeddings and of the hidden layers, at least 1.
        num_layers, out_channels: as for :func:`gcn`.
        **options: as for :func:`gin`; OGB's model has ``norm="batch_norm"``, ``final_activation=False`` and
            ``train_eps=True``.

    Raises:
        TypeError, ValueError: as for :func:`gcn`; (by the call) ``x`` or ``edge_attr`` is missing, holds no integers,
            has another number of columns, or a value below -1 or not of OGB's.

    **Source:** OGB (arXiv 2005.00687), the GIN of its examples, with ``AtomEncoder`` once and ``BondEncoder`` in each
    layer; the masks of arXiv 1905.12265. **Differs:** the layers' perceptrons are as wide as the embeddings, where
    OGB's are twice as wide inside; no norm behind the last layer; the masks.

    Example:
        >>> encoder = molecule_encoder(16, 2)
        >>> ethane = torch.tensor([[5, 0, 4, 5, 3, 0, 2, 0, 0]] * 2)
        >>> encoder(ethane, torch.tensor([[0, 1], [1, 0]]), edge_attr=torch.zeros(2, 3).long()).shape
        torch.Size([2, 16])
    """
    check_at_least("hidden_channels", hidden_channels, 1)
    return _MoleculeEncoder(hidden_channels, num_layers, out_channels, **options)


class _MoleculeEncoder(nn.Module):
    def __init__(self, hidden_channels: int, num_layers: int, out_channels: int | None, **options: Any) -> None:
        super().__init__()
        self.atoms = CategoryEmbedding("data.x", ATOM, hidden_channels)
        self.gnn = _BondGINE(hidden_channels, hidden_channels, num_layers, out_channels, **options)
        self.out_channels = self.gnn.out_channels

    def forward(
        self,
        x: Tensor,
        edge_index: Tensor,
        edge_weight: OptTensor = None,
        edge_attr: OptTensor = None,
        batch: OptTensor = None,
        batch_size: int | None = None,
    ) -> Tensor:
        """The embeddings of the atoms ``[n, D]``."""
        return self.gnn(self.atoms(x), edge_index, edge_weight, edge_attr, batch, batch_size)


class _BondGINE(GINE):
    def init_conv(self, in_channels: int, out_channels: int, **options: Any) -> WeightedGINEConv:
        conv = super().init_conv(in_channels, out_channels, edge_dim=len(BOND), **options)
        conv.lin = CategoryEmbedding("data.edge_attr", BOND, in_channels)
        return conv


class CategoryEmbedding(nn.Module):
    """The sum of an embedding for each integer column ``[N, C]``; -1 is a category of its own.

    The tables stand below each other in one, for one look-up; they start as those of ogb's encoders.
    """

    first: Tensor

    def __init__(self, name: str, sizes: tuple[int, ...], dim: int) -> None:
        super().__init__()
        self.name, self.sizes = name, sizes
        rows = torch.tensor(sizes) + 1
        self.table = nn.EmbeddingBag(int(rows.sum()), dim, mode="sum")
        self.register_buffer("first", rows.cumsum(0) - rows + 1, persistent=False)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        for table in self.table.weight.detach().split([size + 1 for size in self.sizes]):
            nn.init.xavier_uniform_(table)

    def forward(self, values: Tensor) -> Tensor:
        if not torch.jit.is_scripting():
            self._check(values)
        return self.table(values + self.first)

    @torch.jit.unused
    def _check(self, values: Any) -> None:
        """Integers in range; their values are read on a CPU only, and not where a graph is recorded."""
        shape = f"[N, {len(self.sizes)}]"
        check_tensor(self.name, values, f"a tensor of integers {shape}", lambda v: v.dtype in (torch.int, torch.long))
        if values.dim() != 2 or values.size(1) != len(self.sizes):
            raise ValueError(f"{self.name} must have shape {shape}, got {tuple(values.shape)}")
        recorded = torch.compiler.is_compiling() or torch.jit.is_tracing()
        if values.device.type == "cpu" and not recorded:
            for column, size in enumerate(self.sizes):
                check_numbers(f"{self.name}[:, {column}]", values[:, column], "category", size, least=-1)
