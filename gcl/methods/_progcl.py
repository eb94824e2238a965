"""ProGCL."""

from functools import partial

from torch import Generator, Tensor, nn

from augmentors import degree_centrality
from augmentors._adaptive import Centrality
from augmentors._checks import check_at_least, check_positive
from gcl._pair import Pair
from gcl.losses import info_nce, progcl
from gcl.methods._base import width_of
from gcl.methods._gca import adaptive_augmentors
from gcl.methods._grace import Rates
from gcl.methods._two_view import TwoView
from gcl.nn import projection_head


class ProGCL(TwoView):
    """GCA with negatives weighted by hardness and by the probability of being true, after a warm-up.

    Args:
        encoder, dim, proj_dim, edge_drop, feature_mask, centrality, threshold, temperature: as for
            :class:`gcl.methods.GCA`.
        fit_after: number of steps with GCA's loss before :func:`gcl.losses.progcl` takes over, at least 0: similarity
            separates true from false negatives only once the embeddings mean something.

    Raises:
        ValueError: a probability is outside [0, 1], the temperature is not above 0, or ``fit_after`` is below 0; (by
            ``loss``) there is one node only.

    **Source:** ProGCL (arXiv 2110.02027), its weighting form (ProGCL-weight). **Differs:** see
    :func:`gcl.losses.progcl` and :class:`gcl.methods.GCA`; the authors' default centrality is
    :func:`augmentors.eigenvector_centrality`.

    Example:
        >>> from gcl.nn import gcn
        >>> ProGCL(gcn(8, 16, 2, 4), fit_after=100).objective.keywords
        {'temperature': 0.5}
    """

    def __init__(
        self,
        encoder: nn.Module,
        dim: int | None = None,
        *,
        proj_dim: int | None = None,
        edge_drop: Rates = (0.3, 0.4),
        feature_mask: Rates = (0.1, 0.0),
        centrality: Centrality = degree_centrality,
        threshold: float = 0.7,
        temperature: float = 0.5,
        fit_after: int = 400,
    ) -> None:
        check_positive("temperature", temperature)
        check_at_least("fit_after", fit_after, 0)
        dim = width_of(encoder, dim)
        augmentors = adaptive_augmentors(edge_drop, feature_mask, centrality, threshold)
        projector = projection_head(dim, proj_dim or dim, dim)
        super().__init__(encoder, projector, *augmentors, partial(progcl, temperature=temperature))
        self.warm_up = partial(info_nce, temperature=temperature)
        self.fit_after = fit_after
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
