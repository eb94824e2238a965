"""Hop contrast: views of a graph's filter bank instead of its edges."""

import copy
from functools import partial

from torch import Generator, nn
from torch_geometric.data import Data

from augmentors import Augmentor, Compose, FeatureMask
from augmentors._checks import check_probability
from augmentors._graphs import device_of
from augmentors._random import uniform
from gcl.losses import cca_ssg
from gcl.methods._two_view import TwoView
from gcl.nn._hops import NUM_FILTERS, Hops, filter_lengths
from gcl.nn._takes import name_of, unwrap


class HopContrast(TwoView):
    r"""CCA-SSG on the filter bank: views drop whole filters and feature columns, and no edges.

    The encoder is :func:`gcl.nn.hops`, an MLP on X, AX, A\ :sup:`2`\ X, PX and P\ :sup:`2`\ X. What it learns is meant
    to stand beside the bank: ``torch.cat([unit rows of h, gcl.eval.filter_bank(data)], dim=1)``.

    For a graph that does not fit, train on batches of rows of its filter bank: ``Data(x=bank[rows], edge_index=none)``.

    Args:
        encoder: :func:`gcl.nn.hops`.
        filter_drop: probability of dropping a filter from a view; one is always kept.
        feature_mask: probability of masking a feature column.
        decorrelation_weight: as for :class:`gcl.methods.CCASSG`.

    Raises:
        TypeError: the encoder is another one.
        ValueError: a probability is outside [0, 1].

    **Source:** ours; the objective is that of CCA-SSG (arXiv 2106.12484), the encoder that of SIGN (arXiv 2004.11198).
    **Differs:** nothing.

    Example:
        >>> import torch
        >>> from gcl.nn import hops
        >>> data = Data(x=torch.eye(4), edge_index=torch.tensor([[0, 1, 2, 3], [1, 0, 3, 2]]))
        >>> method = HopContrast(hops(4, 8))
        >>> method.loss(method.prepare(data), generator=torch.Generator().manual_seed(0)).shape
        torch.Size([])
    """

    hetero = False

    def __init__(
        self,
        encoder: nn.Module,
        *,
        filter_drop: float = 0.3,
        feature_mask: float = 0.3,
        decorrelation_weight: float = 1e-3,
    ) -> None:
        if not isinstance(unwrap(encoder), Hops):
            raise TypeError(f"encoder must be gcl.nn.hops(...), whose filters the views drop, got {name_of(encoder)}")
        view = Compose([FilterDrop(filter_drop), FeatureMask(feature_mask)])
        objective = partial(cca_ssg, decorrelation_weight=decorrelation_weight)
        super().__init__(encoder, nn.Identity(), view, view, objective)

    def prepare(self, data: Data) -> Data:
        """Store the lengths of the filters' rows, so that views keep those of the features without a mask."""
        data = copy.copy(super().prepare(data))
        if "filter_length" not in data and data.x.size(1) == unwrap(self.encoder).num_features:
            data.filter_length = filter_lengths(data.x, data.edge_index, data.get("edge_weight"))
        return data


class FilterDrop(Augmentor):
    """Drops filters of :func:`gcl.nn.hops` with probability ``p``: sets the ``filter_gate`` ``[5]`` of the whole batch.

    The gate is 0 for a dropped filter and 5 / kept for the others, so that the sum stays; one is always kept.
    """

    def __init__(self, p: float) -> None:
        self.p = check_probability("filter_drop", p)

    def forward(self, data: Data, *, generator: Generator | None = None) -> Data:
        """Draw the gates."""
        number = uniform(NUM_FILTERS, device_of(data._store), generator)
        keep = ((number >= self.p) | (number == number.max())).float()
        data.filter_gate = keep * (NUM_FILTERS / keep.sum())
        return data
