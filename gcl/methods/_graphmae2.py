"""GraphMAE2."""

from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch_geometric.data import Data

from augmentors._checks import check_at_least, check_not_negative, check_probability
from augmentors._random import uniform
from gcl.losses import scaled_cosine_error
from gcl.methods._graphmae import GraphMAE
from gcl.nn import encode, make_target, move_target


class GraphMAE2(GraphMAE):
    r"""GraphMAE with several random re-masks, which also predicts the embeddings that a moving target sees unmasked.

    .. math:: \sum_{k=1}^K \frac{1}{|M|} \sum_{i \in M} \left( 1 - \cos(\hat x_i^k, x_i) \right)^\gamma
              + \frac{\lambda}{N} \sum_i \left( 1 - \cos(q(p(h_i)), p'(h'_i)) \right)

    where each :math:`\hat X^k` is decoded with other random rows of :math:`H W` set to a learned vector, p and q are
    perceptrons, and :math:`h'`, p' those of the target on the unmasked graph.

    Args:
        encoder, dim: as for :class:`gcl.methods.GRACE`.
        remask: probability of re-masking a node, masked or not.
        num_remasks: K, at least 1.
        latent_weight: :math:`\lambda`, at least 0.
        hidden: hidden width of p.
        momentum: of the target, in [0, 1]; the target moves after each optimizer step.
        **graphmae: passed to :class:`gcl.methods.GraphMAE` (``num_features``, ``decoder``, ``mask``, ``gamma``,
            ``readout``); none of its nodes gets another's features.

    Raises:
        ValueError: as for :class:`gcl.methods.GraphMAE`, or an argument is out of range.
        TypeError: (by ``loss``) ``data.x`` is not floating-point.

    **Source:** GraphMAE2: A Decoding-Enhanced Masked Self-Supervised Graph Learner (arXiv 2304.04779) and the authors'
    code. **Differs:** as GraphMAE; the learned vectors start at 0, the target moves after each step instead of before.
    On Cora, CiteSeer and PubMed the authors re-mask once, the masked nodes, which is GraphMAE's reconstruction.

    Example:
        >>> from gcl.nn import gcn
        >>> method = GraphMAE2(gcn(4, 8), num_remasks=2)
        >>> data = Data(x=torch.eye(4), edge_index=torch.tensor([[0, 1, 2, 3], [1, 0, 3, 2]]))
        >>> 0 <= method.loss(data, generator=torch.Generator().manual_seed(0)) <= 2 * 8 + 2
        tensor(True)
    """

    def __init__(
        self,
        encoder: nn.Module,
        dim: int | None = None,
        *,
        remask: float = 0.5,
        num_remasks: int = 3,
        latent_weight: float = 1.0,
        hidden: int = 256,
        momentum: float = 0.996,
        **graphmae: Any,
    ) -> None:
        super().__init__(encoder, dim, replace=0.0, **graphmae)
        self.remask = check_probability("remask", remask)
        self.num_remasks = check_at_least("num_remasks", num_remasks, 1)
        self.latent_weight = check_not_negative("latent_weight", latent_weight)
        self.momentum = check_probability("momentum", momentum)
        width = self.to_decoder.in_features
        self.remask_token = nn.Parameter(torch.zeros(width))
        self.projector = nn.Sequential(nn.Linear(width, hidden), nn.PReLU(), nn.Linear(hidden, width))
        self.predictor = nn.Sequential(nn.PReLU(), nn.Linear(width, width))
        self.target, self.target_projector = make_target(encoder), make_target(self.projector)

    def loss(self, data: Data, *, generator: Generator | None = None) -> Tensor:
        """Mask nodes, reconstruct their features after each re-mask, and predict the target's embeddings."""
        masked, hidden = self.hide(data, generator=generator)
        h = encode(self.encoder, hidden)
        code, loss = self.to_decoder(h), self.latent_weight * self.latent_error(data, h)
        for _ in range(self.num_remasks):
            remasked = uniform(len(code), code.device, generator) < self.remask
            loss = loss + self.error(data, torch.where(remasked[:, None], self.remask_token, code), masked)
        return loss

    def latent_error(self, data: Data, h: Tensor) -> Tensor:
        """The cosine distance of the seeds' predicted embeddings to the target's."""
        with torch.no_grad():
            target = self.target_projector(encode(self.target, data))
        return scaled_cosine_error(self.predictor(self.projector(h[: len(target)])), target, gamma=1.0)

    def after_step(self) -> None:
        """Move the target towards the encoder and its projector."""
        move_target(self.target, self.encoder, self.momentum)
        move_target(self.target_projector, self.projector, self.momentum)
