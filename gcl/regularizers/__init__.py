"""Terms added to a method's loss: callables ``(encoder, pair) -> scalar``."""

from gcl.regularizers.information import Information

__all__ = ["Information"]
