"""Graphs by name, and from networkx."""

from gcl.data.convert import from_networkx
from gcl.data.embedded import csbm
from gcl.data.load import load

__all__ = ["csbm", "from_networkx", "load"]
