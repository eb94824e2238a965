"""ProGCL."""

from functools import partial
from typing import Any

from torch import Generator, Tensor, nn

from augmentors._checks import check_at_least
from gcl._pair import Pair
from gcl.losses import progcl
from gcl.methods._gca import GCA
from gcl.methods._grace import Rates
from gcl.methods._two_view import TwoView


class ProGCL(TwoView):
    """GCA with negatives weighted by hardness and by the probability of being true, after a warm-up.

    Args:
        encoder, dim, edge_drop, feature_mask, temperature: as for :class:`gcl.methods.GCA`.
        fit_after: number of steps with GCA's loss before :func:`gcl.losses.progcl` takes over, at least 0: similarity
            separates true from false negatives only once the embeddings mean something.
        **gca: passed to :class:`gcl.methods.GCA` (``proj_dim``, ``centrality``, ``threshold``, ``binary``).

    Raises:
        ValueError: a probability is outside [0, 1], the temperature is not above 0, or ``fit_after`` is below 0; (by
            ``loss``) there is one node only.

    **Source:** ProGCL (arXiv 2110.02027), its weighting form (ProGCL-weight). **Differs:** the
    weights are normalized over the negatives of both views together, where the authors' code normalizes those of each
    view; see :func:`gcl.losses.progcl` and :class:`gcl.methods.GCA`; the authors' default centrality is
    :func:`augmentors.eigenvector_centrality`.

    Example:
        >>> from gcl.nn import gcn
        >>> ProGCL(gcn(8, 16, 2, 4), fit_after=100).objective.keywords
        {'temperature': 0.5}
    """

    hetero = False

    def __init__(
        self,
        encoder: nn.Module,
        dim: int | None = None,
        *,
        edge_drop: Rates = (0.3, 0.4),
        feature_mask: Rates = (0.1, 0.0),
        temperature: float = 0.5,
        fit_after: int = 400,
        **gca: Any,
    ) -> None:
        parts = GCA(encoder, dim, edge_drop=edge_drop, feature_mask=feature_mask, temperature=temperature, **gca)
        objective = partial(progcl, temperature=temperature)
        super().__init__(encoder, parts.projector, parts.augmentor1, parts.augmentor2, objective)
        self.warm_up = parts.objective
        self.fit_after = check_at_least("fit_after", fit_after, 0)
        self.steps = 0

    def loss_of(self, pair: Pair, *, generator: Generator | None = None) -> Tensor:
        """GCA's loss in the first ``fit_after`` steps, ProGCL's afterwards."""
        objective = self.warm_up if self.steps < self.fit_after else self.objective
        return objective(pair.z1, pair.z2)

    def after_step(self) -> None:
        """Count the steps."""
        self.steps += 1

    def get_extra_state(self) -> int:
        """The steps done, which ``state_dict`` holds too."""
        return self.steps

    def set_extra_state(self, state: int) -> None:
        """Go on from there."""
        self.steps = state
