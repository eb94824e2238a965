"""Terms added to a method's loss: callables ``(encoder, pair) -> scalar``."""

from gcl.regularizers.bounds import compactness_bound, contrast_directions
from gcl.regularizers.information import Information
from gcl.regularizers.layers import layer
from gcl.regularizers.pot import POT, pot_loss

__all__ = ["POT", "Information", "compactness_bound", "contrast_directions", "layer", "pot_loss"]
