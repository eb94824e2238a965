"""The one training loop, and checkpoints that lose nothing."""

from gcl.train._checkpoints import load_checkpoint, save_checkpoint
from gcl.train._loop import epochs, fit

__all__ = ["epochs", "fit", "load_checkpoint", "save_checkpoint"]
