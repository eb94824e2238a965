"""StructComp: train on a compressed graph, embed the whole one."""

import torch
from torch import Generator, Tensor, nn
from torch_geometric.data import Data

from augmentors import Compress, DropMember, ViewPool
from augmentors._checks import check_not_negative
from augmentors._random import call
from augmentors._signatures import parameters_of
from gcl._pair import Pair
from gcl.methods._base import check_no_seeds, evaluating
from gcl.methods._two_view import Transform, TwoView, Wrapper
from gcl.nn import batch_statistics, encode


class StructComp(Wrapper):
    r"""Trains a two-view method on the clusters of a partition, without message passing.

    The first view is :class:`augmentors.Compress`, the second :class:`augmentors.DropMember`: K rows each and no edges,
    on which a GCN is the MLP of the same weights. ``embed`` runs the encoder on the whole graph, after the statistics
    of its BatchNorm layers have been taken there. With ``batch``, the compressed loss regularizes the method's own

    .. math:: L(\text{subgraph}) + \mu L(\text{compressed views})

    Args:
        method: one that compares two views of nodes, such as GRACE, CCASSG, GBT, BGRL; its networks are shared.
        cluster: long ``[N]``, the cluster of each node, such as by :func:`gcl.data.partition`.
        p: share of the members of a cluster that the second view leaves out, in [0, 1].
        weighted: each cluster weighs as many rows as it has members, which matters where sizes differ much: the
            method's objective must take ``row_weight`` (``info_nce``, ``cca_ssg``, ``barlow_twins``).
        batch: an augmentor that draws the subgraph of each step, such as ``RandomWalkSubgraph`` or ``Identity()`` for
            the graph that is given; ``None``: the compressed loss alone.
        compressed_weight: :math:`\mu`, of the compressed loss where there is a batch, at least 0.

    Raises:
        TypeError: the method does not compare two views.
        ValueError: the method has a readout, looks at edges (ARIEL, POT), or has no objective for weights; (by
            ``loss``) the encoder is none that can be trained so, see :func:`check_compressible`.

    **Source:** StructComp (ICLR 2024). **Differs:** any two-view method; DropMember works for clusters of one node; the
    weights and the regularization are derived, the paper has no code for them.

    Example:
        >>> from gcl.methods import CCASSG
        >>> from gcl.nn import gcn
        >>> data = Data(x=torch.eye(4), edge_index=torch.tensor([[0, 1, 2, 3], [1, 0, 3, 2]]))
        >>> method = StructComp(CCASSG(gcn(4, 8)), cluster=torch.tensor([0, 0, 1, 1]))
        >>> method.loss(data, generator=torch.Generator().manual_seed(0)).shape, method.embed(data).shape
        (torch.Size([]), torch.Size([4, 8]))
    """

    def __init__(
        self,
        method: TwoView,
        cluster: Tensor,
        p: float = 0.5,
        *,
        weighted: bool = False,
        batch: Transform | None = None,
        compressed_weight: float = 1.0,
    ) -> None:
        super().__init__(method)
        if method.readout is not None:
            raise ValueError(f"method must compare nodes, got {type(method).__name__} with a readout")
        if method.needs_edges:
            raise ValueError(
                f"method must not look at edges, which compressed graphs lack, got {type(method).__name__}"
            )
        if weighted and "row_weight" not in parameters_of(method.objective):
            raise ValueError(f"weighted=True needs an objective that takes row_weight, got {method.objective}")
        self.drops_edges, self.hetero = True, False
        self.compress, self.drop = Compress(cluster), DropMember(cluster, p)
        self.row_weight = cluster.bincount() if weighted else None
        self.batch = batch
        self.compressed_weight = check_not_negative("compressed_weight", compressed_weight)
        self._checked = False

    def predraw(self, data: Data, num_views: int, *, generator: Generator | None = None) -> None:
        """Draw ``num_views`` second views now, to choose from later: a step's cost then does not depend on N."""
        first = self.compress(data)
        self.drop = ViewPool([self.drop(data, generator=generator) for _ in range(num_views)])
        self.compress = ViewPool([first])

    def pair(self, data: Data, *, generator: Generator | None = None) -> Pair:
        """Compress the graph twice; the first view stands for the graph itself."""
        graph = call(self.compress, data, generator=generator)
        pair = self.method.compare(graph, graph, call(self.drop, data, generator=generator), generator=generator)
        return pair._replace(row_weight=self.row_weight)

    def loss(self, data: Data, *, generator: Generator | None = None) -> Tensor:
        """The method's loss on compressed views, and with ``batch`` its own loss too."""
        self.check_kind(data)
        check_no_seeds("StructComp", data, "its clusters are those of the whole graph, and cost no message passing")
        if not self._checked:
            check_compressible(self.encoder, data.num_features)
            self._checked = True
        loss = super().loss(data, generator=generator)
        if self.batch is None:
            return loss
        subgraph = call(self.batch, data, generator=generator)
        return self.method.loss(subgraph, generator=generator) + self.compressed_weight * loss

    def embed(self, data: Data, *, chunk: int | None = None) -> Tensor:
        """Node embeddings ``[N, D]`` of the whole graph, whose statistics stay in the BatchNorm layers."""
        with evaluating(self), torch.no_grad(), batch_statistics(self.encoder) as norms:
            if norms:
                check_no_seeds("StructComp with BatchNorm", data, "the statistics are those of the whole graph")
                encode(self.encoder, data, chunk=chunk)
        return super().embed(data, chunk=chunk)


def check_compressible(encoder: nn.Module, num_features: int) -> None:
    """Raise unless training ``encoder`` on a graph without edges trains it for the graph that has them.

    It must give a constant signal on a regular graph the value that it has without edges, since propagation is to be an
    average with self-loops (which GIN's sum, and GraphSAGE's and GraphConv's separate weight for the neighbors, are
    not), and every parameter must have a gradient without edges (GAT's attention has none).

    Raises:
        ValueError: one of the two does not hold, or a layer remembers the first graph (``cached=True``).

    Example:
        >>> from torch_geometric.nn import GIN
        >>> check_compressible(GIN(4, 8, 2), num_features=4)
        Traceback (most recent call last):
        ...
        ValueError: encoder must give a constant signal on a ring ...
    """
    if any(getattr(module, "cached", False) for module in encoder.modules()):
        raise ValueError("encoder must not have layers with cached=True: they would take the whole graph for the parts")
    with evaluating(encoder):
        parameters = {name: p for name, p in encoder.named_parameters() if p.requires_grad}
        like = next(iter(parameters.values()))
        x = torch.randn(64, num_features, generator=torch.Generator().manual_seed(0)).to(like)
        node = torch.arange(64, device=like.device)
        ring = torch.stack([torch.cat([node, node.roll(1)]), torch.cat([node.roll(1), node])])
        nothing = ring[:, :0]
        constant = x[:1].expand_as(x)
        with torch.no_grad():
            difference = (encoder(constant, ring) - encoder(constant, nothing)).abs().max()
        with torch.enable_grad():
            output = encoder(x, nothing)
            gradients = torch.autograd.grad(output.square().sum(), list(parameters.values()), allow_unused=True)
    if difference > 1e-4 * output.abs().max():
        raise ValueError(
            "encoder must give a constant signal on a ring the value that it has without edges, as GCN, SGC and APPNP "
            f"do, got a difference of {difference:.2g}: it cannot be trained on a graph without edges"
        )
    largest = [0.0 if gradient is None else float(gradient.abs().max()) for gradient in gradients]
    if dead := [name for name, value in zip(parameters, largest, strict=True) if value <= 1e-6 * max(largest)]:
        raise ValueError(f"encoder must learn all parameters on a graph without edges, got no gradient for {dead}")
