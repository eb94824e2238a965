"""Graphs by name, and from networkx."""

from gcl.data.convert import from_networkx
from gcl.data.embedded import atlas, csbm
from gcl.data.load import load

__all__ = ["atlas", "csbm", "from_networkx", "load"]
