"""Data files that torch_geometric unpickles: they are read without running code before it sees them."""

import io
import pickle
from pathlib import Path
from typing import Any

import torch

_HARMLESS = {"numpy.dtype", "numpy.ndarray", "builtins.list", "__builtin__.list", "collections.defaultdict"}
_HARMLESS |= {"numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct"}
_HARMLESS |= {"collections.OrderedDict", "torch._utils._rebuild_tensor_v2"}
_HARMLESS |= {"scipy.sparse.csr.csr_matrix", "scipy.sparse._csr.csr_matrix"}


class _Unpickler(pickle.Unpickler):
    """An unpickler of lists, dictionaries, arrays, tensors and CSR matrices: Planetoid's and ZINC's files."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("torch.storage", "_load_from_bytes"):  # a file of torch.save within
            return lambda content: torch.load(io.BytesIO(content), weights_only=True)
        if (full := f"{module}.{name}") not in _HARMLESS:
            raise pickle.UnpicklingError(f"{full} is not allowed in a data file, as it could run code")
        if name != "csr_matrix":
            return super().find_class(module, name)
        from scipy.sparse import csr_matrix

        return csr_matrix


def check_pickle(path: str | Path) -> None:
    """Raise ``UnpicklingError`` if a raw file of PyG holds other than lists, dictionaries, arrays and matrices."""
    with open(path, "rb") as file:
        _Unpickler(file, encoding="latin1").load()


def check_tensors(path: str | Path) -> None:
    """Raise ``UnpicklingError`` if a file of ``torch.save`` holds other than tensors, numbers and PyG's graphs."""
    try:
        torch.load(path, map_location="cpu", mmap=True, weights_only=True)
    except pickle.UnpicklingError as error:
        raise pickle.UnpicklingError(f"{path} holds objects that could run code") from error
