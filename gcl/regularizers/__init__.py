"""Terms added to a two-view method's loss: callables ``(encoder, pair) -> scalar``."""

from gcl.regularizers import pot
from gcl.regularizers._information import Information
from gcl.regularizers.pot import POT, compactness_bound, contrast_directions, layer, pot_loss

__all__ = ["POT", "Information", "compactness_bound", "contrast_directions", "layer", "pot", "pot_loss"]
