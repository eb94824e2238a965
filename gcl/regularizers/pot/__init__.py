"""POT: bounds of node compactness over all allowed edge drops, and the regularizer that raises them."""

from gcl.regularizers.pot._bounds import compactness_bound, contrast_directions
from gcl.regularizers.pot._layers import layer
from gcl.regularizers.pot._pot import POT, pot_loss

__all__ = ["POT", "compactness_bound", "contrast_directions", "layer", "pot_loss"]
