"""Self-supervised methods: each owns its loss; all train by :func:`gcl.fit` and embed by ``embed``."""

from gcl._pair import Pair
from gcl.methods._adgcl import ADGCL
from gcl.methods._ariel import ARIEL, ARIELGraph
from gcl.methods._base import Method
from gcl.methods._bgrl import BGRL
from gcl.methods._cca_ssg import CCASSG
from gcl.methods._coles import COLES
from gcl.methods._costa import COSTA
from gcl.methods._dgi import DGI
from gcl.methods._gbt import GBT
from gcl.methods._gca import GCA
from gcl.methods._ggd import GGD
from gcl.methods._grace import GRACE
from gcl.methods._graphcl import GraphCL
from gcl.methods._graphmae import GraphMAE
from gcl.methods._graphmae2 import GraphMAE2
from gcl.methods._hop_contrast import HopContrast
from gcl.methods._infograph import InfoGraph
from gcl.methods._mvgrl import MVGRL, MVGRLGraph
from gcl.methods._progcl import ProGCL
from gcl.methods._regularized import Regularized
from gcl.methods._sce import SCE
from gcl.methods._simgrace import SimGRACE
from gcl.methods._ssge import SSGE
from gcl.methods._structcomp import StructComp, check_compressible
from gcl.methods._two_view import TwoView

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
    "SSGE",
    "ARIELGraph",
    "GraphCL",
    "GraphMAE",
    "GraphMAE2",
    "HopContrast",
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
