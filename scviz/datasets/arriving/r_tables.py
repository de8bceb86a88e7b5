"""Tables of R: `data.frame` and the `DataFrame` of Bioconductor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.arriving.r_values import RValue

if TYPE_CHECKING:
    import pandas as pd

NA = -(2**31)
"""What R writes for a missing integer or truth value."""
UNITS: dict[str, Literal["D", "s"]] = {"Date": "D", "POSIXct": "s"}


def is_table(value: RValue) -> bool:
    """Tell whether a value is a table of either kind."""
    return "data.frame" in value.classes or {"listData", "nrows"} <= set(value.attributes)


def column_values(table: RValue) -> dict[str, RValue]:
    """Return the columns of a table by name, as R stores them."""
    inner = table.get("listData")
    return (table if inner is None else inner).items()


def row_names(table: RValue) -> list[str]:
    """Return the names of the rows; empty where they have none but their numbers."""
    names = table.get("rownames") or table.get("row.names")
    return [] if names is None else names.strings


def to_frame(table: RValue | None, names: list[str]) -> tuple[pd.DataFrame, list[str]]:
    """Read a table of R.

    Parameters
    ----------
    table
        N rows, or None for a table without columns.
    names
        (N,) names of the rows of the result. Where the rows of the table have names of their own, they are
        looked up by them, and rows that are not there stay empty.

    Returns
    -------
    (N, ...) the table, and the names of columns that are no lists of numbers, texts or categories.
    """
    import pandas as pd

    if table is None:
        return pd.DataFrame(index=pd.Index(names, dtype=object)), []
    own = row_names(table)
    columns, left_out = {}, []
    n = len(own) or len(names)
    for name, value in column_values(table).items():
        column = _column(value)
        if column is None or len(column) != n:
            left_out.append(name)
        else:
            columns[name] = column
    frame = pd.DataFrame(columns, index=pd.RangeIndex(n))
    if own and own != names:
        at = {one: i for i, one in reversed(list(enumerate(own)))}
        frame = frame.reindex([at.get(one, -1) for one in names])
    frame.index = pd.Index(names, dtype=object)
    return frame, left_out


def _column(value: RValue) -> Any:
    """Turn a column into what pandas makes of it; None where it is no list of simple values."""
    import pandas as pd

    if value.get("dim") is not None:
        return None
    if {"values", "lengths"} <= set(value.attributes):
        return _runs(value)
    if value.kind == "strings":
        return pd.Series(value.values, dtype=object)
    if value.kind not in ("real", "integer", "logical"):
        return None
    levels = value.get("levels")
    if levels is not None and value.kind == "integer":
        return _factor(native(value.values).astype(np.int64), levels.strings)
    unit = next((UNITS[one] for one in value.classes if one in UNITS), None)
    return pd.Series(_dates(numbers(value), unit), dtype=object) if unit else pd.Series(numbers(value))


def numbers(value: RValue) -> NDArray[Any]:
    """Return numbers or truth values (n,) in the order of bytes of this machine; NaN where R has NA."""
    values = native(value.values)
    if value.kind == "real":
        return values
    missing = values == NA
    if missing.any():
        return np.where(missing, np.nan, values.astype(np.float64))
    return values != 0 if value.kind == "logical" else values


def native(values: NDArray[Any]) -> NDArray[Any]:
    """Return numbers (n,) in the order of bytes of this machine."""
    return np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("="))


def _factor(codes: NDArray[np.int64], levels: list[str]) -> Any:
    import pandas as pd

    codes = np.where((codes < 1) | (codes > len(levels)), 0, codes) - 1
    names = list(dict.fromkeys(levels))
    at = {name: i for i, name in enumerate(names)}
    renamed = np.array([*(at[name] for name in levels), -1], dtype=np.int64)  # the last one is for -1
    return pd.Series(pd.Categorical.from_codes(renamed[codes], categories=names))


def _dates(values: NDArray[np.float64], unit: Literal["D", "s"]) -> list[str | None]:
    stamps = np.where(np.isfinite(values) & (np.abs(values) < 1e11), values, np.nan)
    return [None if np.isnan(one) else str(np.datetime64(int(one), unit)) for one in stamps]


def _runs(value: RValue) -> Any:
    """Write out a column that is stored as values and how often each is repeated."""
    inner, lengths = value.attributes["values"], value.attributes["lengths"]
    column = _column(inner)
    times = native(lengths.values).astype(np.int64) if lengths.kind == "integer" else np.empty(0, np.int64)
    if column is None or len(column) != len(times) or (times < 0).any() or times.sum() > 10**8:
        return None
    return column.repeat(times).reset_index(drop=True)
