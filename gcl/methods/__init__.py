"""Self-supervised methods: each owns its loss; all train by :func:`gcl.train.fit` and embed by ``embed``."""

from gcl.methods.base import Method
from gcl.methods.grace import GRACE
from gcl.methods.two_view import Pair, TwoView

__all__ = ["GRACE", "Method", "Pair", "TwoView"]
