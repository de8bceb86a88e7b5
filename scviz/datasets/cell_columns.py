"""What the columns of a file say of its cells, and which colors it gives them."""

from __future__ import annotations

import dataclasses
import re

import h5py

from scviz.datasets import tables
from scviz.datasets.roles import as_category, describe, sorted_columns
from scviz.errors import DataError
from scviz.workspace import ColumnInfo

MANY_CELLS = 200_000
"""From here on, texts and numbers are judged by the first cells only."""
FIRST_CELLS = 50_000
COLOR = re.compile(r"#[0-9a-fA-F]{6}([0-9a-fA-F]{2})?")


def column_infos(
    file: h5py.File, *, sampled: bool = True, turned: bool = False
) -> tuple[tuple[ColumnInfo, ...], tuple[str, ...]]:
    """Describe the columns of cells.

    Parameters
    ----------
    sampled
        Whether the first cells of many may stand for all.
    turned
        Whether rows of the file are genes.

    Returns
    -------
    The columns, likely cell types first; and the names of those that are stored in a way that is not known.
    """
    table, columns, infos, unknown = file["var" if turned else "obs"], [], [], []
    many = sampled and tables.n_rows(table) > MANY_CELLS
    for name in tables.column_names(table):
        partly = many and not tables.is_coded(table, name)
        try:
            column = as_category(
                tables.read_column(table, name, rows=slice(FIRST_CELLS))
                if partly
                else tables.whole_column(table, name)
            )
        except DataError:
            unknown.append(name)
            continue
        info = describe(column, _in_order(column, colors_of(file, table, name)))
        if partly:
            info = dataclasses.replace(info, reason=f"{info.reason}, from the first {FIRST_CELLS:,} cells")
        columns.append(column)
        infos.append(info)
    return sorted_columns(columns, infos), tuple(unknown)


def embeddings(file: h5py.File) -> tuple[str, ...]:
    """Return the keys of `obsm`."""
    node = file.get("obsm")
    return tuple(node.dtype.names or ()) if isinstance(node, h5py.Dataset) else tuple(node or ())


def colors_of(file: h5py.File, table: tables.Node, column: str) -> dict[str, str]:
    """Return the color that the file gives to each category of a column."""
    node = file.get(f"uns/{column}_colors")
    if not isinstance(node, h5py.Dataset) or node.ndim != 1 or node.dtype.kind not in "SO":
        return {}
    colors = [
        value.decode("ascii", "replace") if isinstance(value, bytes) else str(value) for value in node[:]
    ]
    names = tables.categories_of(table, column)
    if len(colors) < len(names) or not all(COLOR.fullmatch(color) for color in colors):
        return {}
    return dict(zip(names, colors, strict=False))


def _in_order(column: tables.Column, colors: dict[str, str]) -> tuple[str, ...]:
    names = column.categories or ()
    return tuple(colors[name] for name in names) if colors and set(names) <= set(colors) else ()
