"""Tables of a file made fit to work with: no gap, no repeated name, every change with its sentence."""

from __future__ import annotations

from typing import Any

import h5py
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from scviz.datasets import genes, tables
from scviz.datasets.cell_columns import column_infos
from scviz.datasets.columns import NAME_IN_FILE
from scviz.datasets.matrices import genes_of
from scviz.datasets.renaming import known_as
from scviz.datasets.roles import as_category
from scviz.errors import DataError

UNKNOWN = "unknown"
GREY = "#bdbdbd"
RESERVED = ("_index", "index")
"""Names that columns cannot have in an h5ad file."""


def cell_table(
    file: h5py.File, history: list[str], *, turned: bool = False
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Read `obs` with every gap filled, and the colors of its categories."""
    table = file["var" if turned else "obs"]
    columns, colors = {}, {}
    left_out = []
    infos = {info.name: info for info in column_infos(file, sampled=False, turned=turned)[0]}
    for name in tables.column_names(table):
        try:
            column = tables.whole_column(table, name)
        except DataError:
            left_out.append(name)
            continue
        named = as_category(column)
        if named is not column:
            history.append(f"The numbers in {name} were taken for names of groups.")
        columns[name] = _series(named, history)
        by_name = dict(zip(infos[name].values, infos[name].colors, strict=False))
        if by_name:
            colors[f"{name}_colors"] = np.array([by_name.get(c, GREY) for c in columns[name].cat.categories])
    if left_out:
        listed = ", ".join(left_out)
        history.append(
            f"Columns of another length or stored in a way that is not known were left out: {listed}."
        )
    obs = pd.DataFrame(columns, index=range(tables.n_rows(table)), columns=list(columns))
    obs.index = unique_index(tables.row_names(table), "cell", history)
    return _without_reserved(obs, "cells", history), colors


def _series(column: tables.Column, history: list[str]) -> pd.Series:
    """Turn a column into a series; categories without a value become "unknown"."""
    if column.categories is None:
        return pd.Series(column.values)
    codes, names = column.values, list(column.categories)
    missing = codes < 0
    if missing.any():
        if UNKNOWN not in names:
            names.append(UNKNOWN)
        codes = np.where(missing, names.index(UNKNOWN), codes)
        history.append(f'{missing.sum():,} missing values of {column.name} were filled with "{UNKNOWN}".')
    return pd.Series(pd.Categorical.from_codes(codes, categories=names))


def gene_table(file: h5py.File, location: str, history: list[str], *, turned: bool = False) -> pd.DataFrame:
    """Read what is known of the genes of a matrix, with a name for each that no other has."""
    var, left_out = tables.read_table(file["obs"] if turned else genes_of(file, location))
    if left_out:
        history.append(f"Columns of genes that could not be read were left out: {', '.join(left_out)}.")
    var.index = unique_index(var.index.tolist(), "gene", history)
    return _without_reserved(var, "genes", history)


def names_of_today(var: pd.DataFrame, history: list[str]) -> pd.DataFrame:
    """Give genes the names they have today, and keep those of the file in a column where any changes."""
    ids = genes.identifiers(var)
    given = [str(name) for name in var.index]
    names = _instead_of_numbers(given, ids)
    if names != given:
        history.append("Genes that the file numbers were called by their symbols or Ensembl ids.")
    today = known_as(names, genes.guess_species(ids).species, ensembl=ids.ensembl)
    unique = genes.unique_names(today.names)
    if unique == given:
        return var
    history.extend(today.notes)
    renamed = var.assign(**{NAME_IN_FILE: given})
    renamed.index = pd.Index(unique, dtype=object)
    return renamed


def _instead_of_numbers(given: list[str], ids: genes.GeneIdentifiers) -> list[str]:
    """Call genes by what a column names them, where most have numbers for names; (G,) names."""
    if genes.kind_of(given) != "unknown":
        return given
    empty = [""] * len(given)
    columns = zip(given, ids.symbol or empty, ids.ensembl or empty, strict=True)
    return [
        symbol or ensembl or name if genes.NUMBER.fullmatch(name) else name
        for name, symbol, ensembl in columns
    ]


def unique_index(names: list[str], what: str, history: list[str]) -> pd.Index:
    """Make each name different, and say how many were not."""
    n_repeated = genes.n_repeated(names)
    if n_repeated:
        history.append(
            f"{n_repeated:,} {what} names occurred more than once; later ones got -1, -2, ... appended."
        )
    return pd.Index(genes.unique_names(names), dtype=object)


def _without_reserved(table: pd.DataFrame, what: str, history: list[str]) -> pd.DataFrame:
    """Rename columns whose names h5ad keeps for itself."""
    taken = [name for name in RESERVED if name in table.columns]
    if taken:
        history.append(f"Columns of {what} named {', '.join(taken)} got an underscore appended.")
    return table.rename(columns={name: f"{name}_" for name in taken})


def embedding_tables(file: h5py.File, n_cells: int, history: list[str]) -> dict[str, NDArray[np.floating]]:
    """Read coordinates of cells, (N, D) each; what is no table of numbers is left out."""
    node = file.get("obsm", {})
    keys = node.dtype.names or () if isinstance(node, h5py.Dataset) else tuple(node)
    found, left_out = {}, []
    for key in keys:
        item = node.fields(key) if isinstance(node, h5py.Dataset) else node[key]
        values = item[:] if not isinstance(item, h5py.Group) else np.empty(0)
        if values.ndim == 2 and len(values) == n_cells and values.dtype.kind in "iuf":
            found[key] = values
        else:
            left_out.append(key)
    if left_out:
        history.append(f"Entries of obsm that are no coordinates were left out: {', '.join(left_out)}.")
    return found
