"""Self-supervised methods: each owns its loss; all train by :func:`gcl.train.fit` and embed by ``embed``."""

from gcl.methods.adgcl import ADGCL
from gcl.methods.ariel import ARIEL, ARIELGraph
from gcl.methods.base import Method
from gcl.methods.bgrl import BGRL
from gcl.methods.cca_ssg import CCASSG
from gcl.methods.coles import COLES
from gcl.methods.costa import COSTA
from gcl.methods.dgi import DGI
from gcl.methods.gbt import GBT
from gcl.methods.gca import GCA
from gcl.methods.ggd import GGD
from gcl.methods.grace import GRACE
from gcl.methods.graphcl import GraphCL
from gcl.methods.infograph import InfoGraph
from gcl.methods.mvgrl import MVGRL, MVGRLGraph
from gcl.methods.progcl import ProGCL
from gcl.methods.regularized import Regularized
from gcl.methods.sce import SCE
from gcl.methods.simgrace import SimGRACE
from gcl.methods.structcomp import StructComp, check_compressible
from gcl.methods.two_view import Pair, TwoView

__all__ = [
    "ADGCL",
    "ARIEL",
    "BGRL",
    "CCASSG",
    "COLES",
    "COSTA",
    "DGI",
    "GBT",
    "GCA",
    "GGD",
    "GRACE",
    "MVGRL",
    "SCE",
    "ARIELGraph",
    "GraphCL",
    "InfoGraph",
    "MVGRLGraph",
    "Method",
    "Pair",
    "ProGCL",
    "Regularized",
    "SimGRACE",
    "StructComp",
    "TwoView",
    "check_compressible",
]
