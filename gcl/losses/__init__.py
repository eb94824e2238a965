"""Contrastive losses: pure functions of embeddings, minimised, exact, in O(N) memory."""

from gcl.losses.contrastive import info_nce

__all__ = ["info_nce"]
