"""ProGCL."""

from functools import partial

from torch import Tensor, nn

from augmentors import degree_centrality
from augmentors.adaptive import Centrality
from gcl.checks import check_positive
from gcl.losses import info_nce, progcl
from gcl.methods.gca import adaptive_augmentors
from gcl.methods.two_view import Pair, TwoView
from gcl.nn import projection_head


class ProGCL(TwoView):
    """GCA that learns, after a time, most from the negatives that are hard and probably true ones.

    Args:
        encoder, dim, proj_dim, edge_drop, feature_mask, centrality, threshold, temperature: as for
            :class:`gcl.methods.GCA`.
        fit_after: number of steps with GCA's loss before :func:`gcl.losses.progcl` takes over, at least 0: similarity
            tells true negatives from false ones only where the embeddings mean something.

    Raises:
        ValueError: a probability is outside [0, 1], the temperature is not above 0, or ``fit_after`` is below 0; (by
            ``loss``) there is one node only.

    **Source:** ProGCL (arXiv 2110.02027), its weighting form (ProGCL-weight). **Differs:** see
    :func:`gcl.losses.progcl` and :class:`gcl.methods.GCA`; the authors' default centrality is
    :func:`augmentors.eigenvector_centrality`.

    Example:
        >>> from gcl.nn import gcn
        >>> ProGCL(gcn(8, 16, 4), dim=4, fit_after=100).objective.keywords
        {'temperature': 0.5}
    """

    def __init__(
        self,
        encoder: nn.Module,
        dim: int,
        *,
        proj_dim: int | None = None,
        edge_drop: tuple[float, float] = (0.3, 0.4),
        feature_mask: tuple[float, float] = (0.1, 0.0),
        centrality: Centrality = degree_centrality,
        threshold: float = 0.7,
        temperature: float = 0.5,
        fit_after: int = 400,
    ) -> None:
        check_positive("temperature", temperature)
        if fit_after < 0:
            raise ValueError(f"fit_after must be at least 0, got {fit_after}")
        augmentors = adaptive_augmentors(edge_drop, feature_mask, centrality, threshold)
        projector = projection_head(dim, proj_dim or dim, dim)
        super().__init__(encoder, projector, *augmentors, partial(progcl, temperature=temperature))
        self.warm_up = partial(info_nce, temperature=temperature)
        self.fit_after = fit_after
        self.steps = 0

    def loss_of(self, pair: Pair) -> Tensor:
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
