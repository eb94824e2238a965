"""Rows of nodes, with or without their ids: arrays, mappings, pandas tables and files of these."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy import ndarray
from torch import Tensor

from gcl.data._ids import as_ids, check_unique

if TYPE_CHECKING:
    import pandas as pd


def is_pandas(value: object) -> bool:
    """``value`` is a ``DataFrame`` or a ``Series``."""
    return hasattr(value, "iloc")


def read_table(name: str, path: str | Path) -> pd.DataFrame:
    """The table in a .csv or .parquet file."""
    if not str(path).endswith((".csv", ".csv.gz", ".parquet")):
        raise ValueError(f"{name} must be a file that ends in .csv, .csv.gz or .parquet, got {str(path)!r}")
    try:
        import pandas as pd

        table = pd.read_parquet(path) if str(path).endswith(".parquet") else pd.read_csv(path, low_memory=False)
    except ImportError as error:
        raise ImportError(f"{name} in a file needs pandas and pyarrow: pip install 'torch-gcl[tables]'") from error
    except ValueError as error:
        raise ValueError(f"{name} must be a table, but {path} could not be read: {error}") from error
    if all(str(column).lstrip("-").isdigit() for column in table.columns):
        raise ValueError(f"{name} must start with a line that names the columns, got {[*table.columns]} in {path}")
    return table


def read_rows(name: str, value: Any) -> Any:
    """``value``, or the table in the file that it names; the column ``id``, else a file's first, as its index."""
    table = read_table(name, value) if isinstance(value, (str, Path)) else value
    if is_pandas(table) and table.ndim == 2 and "id" in table:
        return table.set_index("id")
    return table if table is value else table.set_index(table.columns[0])


def with_ids(name: str, value: Any) -> tuple[ndarray | None, Any]:
    """The ids of the rows, where there are any, and the rows."""
    if not is_pandas(value) and not isinstance(value, Mapping):
        return None, value
    ids = as_ids(f"{name} (ids)", value.index if is_pandas(value) else [*value])
    if ids.ndim != 1:
        raise TypeError(f"{name} (ids) must have one dimension, got {ids.shape}")
    check_unique(name, ids)
    return ids, value if is_pandas(value) else [*value.values()]


def numbers(name: str, rows: Any) -> ndarray:
    """Finite numbers ``[N, F]`` as float32."""
    if is_pandas(rows):
        rows = rows.to_frame() if rows.ndim == 1 else rows
        if words := [column for column in rows if rows[column].dtype.kind not in "biuf"]:
            raise TypeError(f"{name} must have columns of numbers, got others: {words}")
        rows = rows.to_numpy(np.float32, na_value=np.nan)
    try:
        real = isinstance(rows, Tensor) and not rows.is_complex()
        array = rows.detach().cpu().to_dense().float().numpy() if real else np.asarray(rows)
    except ValueError as error:
        raise ValueError(f"{name} must have rows of one length") from error
    if array.dtype.kind not in "biuf" or array.ndim not in (1, 2):
        raise TypeError(f"{name} must be numbers [N, F], got {array.dtype} {array.shape}")
    array = (array[:, None] if array.ndim == 1 else array).astype(np.float32)
    if not np.isfinite(array).all():
        row, column = np.argwhere(~np.isfinite(array))[0]
        raise ValueError(f"{name} must be finite, got {array[row, column]} in row {row}, column {column}")
    return array


def column(name: str, rows: Any) -> ndarray:
    """One column ``[N]`` of any values; a missing one is ``None``."""
    if is_pandas(rows):
        array = rows.astype(object).where(rows.notna(), None).to_numpy()
    else:
        array = np.array(rows.tolist() if isinstance(rows, Tensor) else rows, dtype=object)
        array[array != array] = None
    array = array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array
    if array.ndim != 1:
        raise ValueError(f"{name} must have one value for each node, got {array.shape}")
    return array
