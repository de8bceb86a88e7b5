"""Tables of cells and genes inside an h5ad file, as every generation of writers has stored them.

Since 2020 a table is a group with one array for each column; a column of categories is a group of its own,
before that an array of codes whose categories lie in `__categories`. Until 2019 a table was one compound
array, and the categories lay in `uns` as `<column>_categories`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import h5py
import numpy as np
from numpy.typing import NDArray

from scviz.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

Node: TypeAlias = h5py.Group | h5py.Dataset

MOST_WHOLE = 1e15
"""Larger numbers do not have all their digits."""
BLOCK = 200_000
"""Strings that are read at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a table; texts and truth values are categories, too."""

    name: str
    values: NDArray[Any]
    """(N,) codes, -1 where missing (int32), or numbers, NaN where missing (float64)."""
    categories: tuple[str, ...] | None
    """The name of each code; None for numbers."""

    @property
    def n_missing(self) -> int:
        """How many cells or genes have no value."""
        return int(np.sum(self.values < 0 if self.categories is not None else np.isnan(self.values)))

    def strings(self, missing: str = "") -> list[str]:
        """Return the value of each row as text."""
        if self.categories is None:
            return [missing if np.isnan(value) else number_text(float(value)) for value in self.values]
        names = np.array([*self.categories, missing], dtype=object)
        return list(names[self.values])


def number_text(value: float) -> str:
    """Write a number as a name: whole ones with all their digits and without a point.

    Examples
    --------
    >>> number_text(7.0), number_text(1234567.0), number_text(0.5)
    ('7', '1234567', '0.5')
    """
    return f"{int(value)}" if value.is_integer() and abs(value) < MOST_WHOLE else f"{value:g}"


def as_names(column: Column) -> Column:
    """Take numbers as names; a column of names stays as it is, and NaN is no name.

    Parameters
    ----------
    column
        (N,) codes with categories, or numbers.
    """
    if column.categories is not None:
        return column
    values = np.asarray(column.values, dtype=np.float64)
    known, codes = np.unique(values, return_inverse=True)  # (K,), (N,)
    words = [number_text(value) for value in known[~np.isnan(known)].tolist()]
    place = {word: at for at, word in enumerate(dict.fromkeys(words))}
    places = np.array([*(place[word] for word in words), -1], dtype=np.int64)
    places = places[np.where(np.isnan(values), len(words), codes)]
    return Column(name=column.name, values=places, categories=tuple(place))


def n_rows(table: Node) -> int:
    """Return the number of rows."""
    return int(table.shape[0]) if isinstance(table, h5py.Dataset) else _length(table[_index_name(table)])


def is_old(table: Node) -> bool:
    """Tell whether the writer was older than the encodings in use since 2020."""
    return isinstance(table, h5py.Dataset) or "__categories" in table or "encoding-type" not in table.attrs


def row_names(table: Node) -> list[str]:
    """Return the name of each row: the cells or genes."""
    name = _index_name(table)
    if isinstance(table, h5py.Dataset):
        return _texts(_field(table, name))
    if isinstance(table[name], h5py.Group):
        return _group_column(name, table[name], slice(None)).strings(missing="")
    return _texts(table[name])


def column_names(table: Node) -> tuple[str, ...]:
    """Return the names of the columns in the order of the file, the row names not among them."""
    index = _index_name(table)
    if isinstance(table, h5py.Dataset):
        return tuple(name for name in table.dtype.names if name != index)
    order = [_text(name) for name in table.attrs.get("column-order", ())]
    rest = sorted(name for name in table if name not in {index, "__categories", *order})
    return tuple(name for name in (*order, *rest) if name in table)


def read_column(table: Node, name: str, *, rows: slice = slice(None)) -> Column:
    """Read a column, or some rows of it.

    Raises
    ------
    DataError
        If there is no such column, or it is stored in a way that is not known.
    """
    if name not in column_names(table):
        raise DataError(f"There is no column {name!r}.", hint=f"There are: {', '.join(column_names(table))}.")
    if isinstance(table, h5py.Dataset):
        values = _field(table, name, rows)
        uns = table.parent.get("uns") if table.parent.name == "/" else None
        categories = None if uns is None else uns.get(f"{name}_categories")
        return _coded(name, values, categories) if categories is not None else _plain(name, values)
    item = table[name]
    if isinstance(item, h5py.Group):
        return _group_column(name, item, rows)
    old = table.get("__categories")
    if old is not None and name in old:
        return _coded(name, item[rows], old[name])
    if item.ndim != 1:
        raise DataError(f"The column {name!r} is no list of values.")
    return _plain(name, item, rows)


def whole_column(table: Node, name: str) -> Column:
    """Read a column that has a value for each row.

    Raises
    ------
    DataError
        If it has more or fewer, or cannot be read.
    """
    column = read_column(table, name)
    if len(column.values) != n_rows(table):
        raise DataError(
            f"The column {name!r} has {len(column.values):,} values for {n_rows(table):,} rows.",
            hint="Write the file anew with AnnData.",
        )
    return column


def categories_of(table: Node, name: str) -> tuple[str, ...]:
    """Return the categories of a column in the order of the file; empty where it has none."""
    return read_column(table, name, rows=slice(0)).categories or ()


def is_coded(table: Node, name: str) -> bool:
    """Tell whether a column is stored as codes of categories, which are quick to read."""
    if isinstance(table, h5py.Dataset):
        return bool(table.dtype[name].kind in "iu")
    return isinstance(table[name], h5py.Group) or name in table.get("__categories", ())


def read_table(table: Node, only: Iterable[str] | None = None) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Read a table, or those columns of it that are asked for.

    Returns
    -------
    The table, and the names of the columns that are stored in a way that is not known.
    """
    import pandas as pd

    columns, unknown = {}, []
    for name in column_names(table) if only is None else only:
        try:
            column = whole_column(table, name)
        except DataError:
            unknown.append(name)
            continue
        if column.categories is None:
            columns[name] = pd.Series(column.values)
        else:
            columns[name] = pd.Series(pd.Categorical.from_codes(column.values, categories=column.categories))
    frame = pd.DataFrame(columns, index=range(n_rows(table)), columns=list(columns))
    frame.index = pd.Index(row_names(table), dtype=object)
    return frame, tuple(unknown)


def _index_name(table: Node) -> str:
    if isinstance(table, h5py.Dataset):
        names = table.dtype.names or ()
        texts = (name for name in names if table.dtype[name].kind in "SO")
        return next((name for name in ("index", "_index") if name in names), None) or next(texts, "")
    name = _text(table.attrs.get("_index", "_index"))
    if name not in table:
        raise DataError(f"The table {table.name} does not name its rows.", hint="Write it anew with AnnData.")
    return name


def _length(item: Node) -> int:
    """Return the number of values, also of those that lie in a group with what is missing or with their categories."""
    if isinstance(item, h5py.Dataset):
        return int(item.shape[0])
    return int(item["codes" if "codes" in item else "values"].shape[0])


def _field(table: h5py.Dataset, name: str, rows: slice = slice(None)) -> NDArray[Any]:
    values: NDArray[Any] = table.fields(name)[rows]
    return values


def _group_column(name: str, item: h5py.Group, rows: slice) -> Column:
    kind = _text(item.attrs.get("encoding-type", ""))
    if kind == "categorical":
        return _coded(name, item["codes"][rows], item["categories"])
    if kind.startswith("nullable-"):
        column, missing = _plain(name, item["values"], rows), np.asarray(item["mask"][rows], dtype=bool)
        values = np.where(missing, -1 if column.categories is not None else np.nan, column.values)
        return Column(name=name, values=values, categories=column.categories)
    raise DataError(f"The column {name!r} is stored as {kind or 'something'} that is not known here.")


def _coded(name: str, codes: NDArray[Any], categories: h5py.Dataset | h5py.Group) -> Column:
    if isinstance(categories, h5py.Group):
        categories = categories["values"]
    texts = _texts(categories)
    codes = np.asarray(codes).astype(np.int32)
    if len(codes) and codes.max() >= len(texts):
        raise DataError(f"The column {name!r} has codes without a category.")
    names, renamed = _distinct(texts)
    codes = np.where(codes < 0, -1, renamed[np.maximum(codes, 0)] if len(names) else -1)
    return Column(name=name, values=codes.astype(np.int32), categories=names)


def _distinct(names: Sequence[str]) -> tuple[tuple[str, ...], NDArray[np.int32]]:
    """Merge categories of equal name; also return the new code of each."""
    at = {name: i for i, name in enumerate(dict.fromkeys(names))}
    return tuple(at), np.array([at[name] for name in names], dtype=np.int32)


def _plain(name: str, values: h5py.Dataset | NDArray[Any], rows: slice = slice(None)) -> Column:
    """Read numbers as numbers, truth values and texts as categories."""
    kind = values.dtype.kind
    if h5py.check_enum_dtype(values.dtype) == {"FALSE": 0, "TRUE": 1} or kind == "b":
        return Column(
            name=name, values=np.asarray(values[rows]).astype(np.int32), categories=("False", "True")
        )
    if kind in "iuf":
        return Column(name=name, values=np.asarray(values[rows]).astype(np.float64), categories=None)
    if kind not in "SO":
        raise DataError(f"The column {name!r} holds values of the type {values.dtype}.")
    import pandas as pd

    texts = [None if text in ("", "nan") else text for text in _texts(values, rows)]
    codes, names = pd.factorize(np.array(texts, dtype=object))
    return Column(name=name, values=codes.astype(np.int32), categories=tuple(names))


def _texts(values: h5py.Dataset | NDArray[Any], rows: slice = slice(None)) -> list[str]:
    """Return strings whatever their type; numbers as they are written."""
    if values.dtype.kind not in "SO":
        numbers = np.asarray(values[rows])
        if h5py.check_enum_dtype(values.dtype) == {"FALSE": 0, "TRUE": 1}:
            numbers = numbers.astype(bool)
        return [str(value) for value in numbers.tolist()]
    result: list[str] = []
    start, stop, _ = rows.indices(values.shape[0])
    for first in range(start, stop, BLOCK):
        block = values[first : min(first + BLOCK, stop)]
        result.extend(_text(value) for value in block.tolist())
    return result


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
