"""Files of embeddings."""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy import ndarray
from torch import Tensor

from gcl._checks import check_embedding
from gcl.data._ids import as_ids, check_unique


def save_embeddings(path: str | Path, h: Tensor, ids: Any = None) -> None:
    """Save embeddings with the ids of their rows, for other programs; the file is replaced as a whole or not at all.

    In Python, ``pandas.DataFrame(h.numpy(), index=ids)`` needs no file.

    Args:
        path: ends in .npz (arrays ``id`` ``[N]`` and ``embedding`` ``[N, D]``, read without pickle) or in .parquet
            (columns ``id`` and ``embedding``, a list of D numbers); its folder is made if there is none.
        h: embeddings ``[N, D]``, such as of ``method.embed``; bfloat16 is saved as float32.
        ids: N different integers or strings: an array, tensor or list, such as of :func:`gcl.data.from_edge_list`.
            ``None``: 0, ..., N - 1.

    Raises:
        TypeError, ValueError: ``h`` is no finite matrix, or ``ids`` or the ending are not as above.
        ImportError: .parquet without pyarrow: install ``torch-gcl[tables]``.

    Example:
        >>> path = Path(tempfile.mkdtemp(), "embeddings.npz")
        >>> save_embeddings(path, torch.eye(2), ["ann", "bob"])
        >>> saved = np.load(path, allow_pickle=False)
        >>> dict(zip(saved["id"].tolist(), saved["embedding"].tolist()))
        {'ann': [1.0, 0.0], 'bob': [0.0, 1.0]}
    """
    path = Path(path)
    if path.suffix not in _WRITERS:
        raise ValueError(f"path must end in .npz or .parquet, got {str(path)!r}")
    check_embedding("h", h)
    ids = np.arange(len(h)) if ids is None else as_ids("ids", ids)
    if ids.shape != (len(h),):
        raise ValueError(f"ids must have shape [{len(h)}], one for each row of h, got {ids.shape}")
    check_unique("ids", ids)
    embedding = h.detach().cpu().to(torch.float32 if h.dtype == torch.bfloat16 else h.dtype).numpy()
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        draft = Path(folder, path.name)
        _WRITERS[path.suffix](draft, ids, embedding)
        draft.replace(path)


def _write_npz(path: Path, ids: ndarray, embedding: ndarray) -> None:
    np.savez(path, id=ids, embedding=embedding)


def _write_parquet(path: Path, ids: ndarray, embedding: ndarray) -> None:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise ImportError(".parquet files need pyarrow: pip install 'torch-gcl[tables]'") from error
    rows = pa.FixedSizeListArray.from_arrays(pa.array(embedding.ravel()), embedding.shape[1])
    pq.write_table(pa.table({"id": pa.array(ids), "embedding": rows}), path)


_WRITERS = {".npz": _write_npz, ".parquet": _write_parquet}
