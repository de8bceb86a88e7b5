"""Cells for which an expression holds, over log expression of genes and columns that describe cells."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.cell_query import Both, Comparison, Not, Query, names_in, read_query
from scviz.datasets.columns import cell_column, column_names, gene_identifiers, gene_names, gene_values
from scviz.datasets.genes import strip_version
from scviz.datasets.labels import labels_of
from scviz.datasets.tables import Column
from scviz.errors import RequestError
from scviz.metrics.evidence import counted

COMPARE: Mapping[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
NEAR = 5
"""Names that are offered in place of an unknown one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """For which of N cells something holds; where a value is missing nobody knows."""

    yes: NDArray[np.bool_]
    """(N,) where it holds."""
    no: NDArray[np.bool_]
    """(N,) where it does not hold; a cell whose value is missing, or a word for that (`labels.NO_LABEL`) which was not
    asked for, is in neither."""


def cells_where(folder: Path, text: str, n_cells: int) -> Truth:
    """Find the cells for which an expression holds.

    Parameters
    ----------
    folder
        Folder of the dataset.
    text
        As `cell_query` has it. A gene stands for its log expression, by symbol or Ensembl id; `gene:` or `column:`
        before a name says which it is, where it could be both.

    Raises
    ------
    RequestError
        If it cannot be read, or names no gene, column or value of the dataset.
    """
    return _truth(read_query(text), folder, n_cells)


def genes_in(folder: Path, text: str) -> tuple[str, ...]:
    """Name the genes that an expression compares, as the dataset calls them.

    Raises
    ------
    RequestError
        As `cells_where`.
    """
    found = (_named(name, folder)[0] for name in names_in(read_query(text)))
    return tuple(gene for gene in found if gene)


def _truth(query: Query, folder: Path, n_cells: int) -> Truth:
    if isinstance(query, Comparison):
        return _compared(query, folder, n_cells)
    if isinstance(query, Not):
        part = _truth(query.part, folder, n_cells)
        return Truth(yes=part.no, no=part.yes)
    parts = [_truth(part, folder, n_cells) for part in query.parts]
    both, either = np.logical_and.reduce, np.logical_or.reduce
    if not isinstance(query, Both):
        both, either = either, both
    return Truth(yes=both([part.yes for part in parts]), no=either([part.no for part in parts]))


def _compared(one: Comparison, folder: Path, n_cells: int) -> Truth:
    gene, column = _named(one.name, folder)
    if gene:
        values = np.zeros(n_cells, dtype=np.float32)
        rows, found = gene_values(folder, gene)
        values[rows] = found
        return _by_number(one, values, f"{one.name} is a gene")
    described = cell_column(folder, column)
    if described.categories is None:
        return _by_number(one, described.values, f"The column {column} holds numbers")
    return _by_word(one, described)


def _by_number(one: Comparison, values: NDArray[np.floating], what: str) -> Truth:
    try:
        number = float(one.value)
    except ValueError:
        raise RequestError(
            f"{what}, and {one.value!r} is no number.", hint=f"Write it such as {one.name} > 1.5."
        ) from None
    known, holds = ~np.isnan(values), COMPARE[one.sign](values, number)
    return Truth(yes=holds & known, no=~holds & known)


def _by_word(one: Comparison, column: Column) -> Truth:
    labels = labels_of(column, asked=(one.value,))
    if one.sign not in ("==", "!="):
        raise RequestError(
            f"The column {column.name} names groups of cells, which have no order.",
            hint=f'Write {one.name} == "{labels.names[0]}".' if labels.names else "Choose another column.",
        )
    if one.value not in labels.names:
        raise RequestError(
            f"The column {column.name} has no value {one.value!r}.",
            hint=f"Its values: {', '.join(_near(one.value, labels.names) or labels.names[:NEAR])}.",
        )
    equal = labels.codes == labels.names.index(one.value)
    other = (labels.codes >= 0) & ~equal
    return Truth(yes=equal, no=other) if one.sign == "==" else Truth(yes=other, no=equal)


def _named(name: str, folder: Path) -> tuple[str, str]:
    """Return the gene or the column that a name means, the other empty."""
    kind, wanted = _kind(name)
    gene = "" if kind == "column" else _gene(wanted, folder)
    column = wanted if kind != "gene" and wanted in column_names(folder) else ""
    if gene and column:
        raise RequestError(
            f"{name} is a gene and a column of this dataset.", hint=f"Write gene:{name} or column:{name}."
        )
    if not gene and not column:
        raise _unknown(wanted, kind or "gene or column", folder)
    return gene, column


def _kind(name: str) -> tuple[str, str]:
    """Part `gene:` or `column:` from a name; empty where it says neither."""
    kind, sign, rest = name.partition(":")
    return (kind, rest) if sign and kind in ("gene", "column") else ("", name)


def _unknown(name: str, what: str, folder: Path) -> RequestError:
    columns = column_names(folder)
    near = _near(name, [*columns, *gene_names(folder)]) or columns[:NEAR]
    return RequestError(f"The dataset has no {what} {name!r}.", hint=f"Near it: {', '.join(near)}.")


def _gene(name: str, folder: Path) -> str:
    """Find a gene by its name, else by symbol or Ensembl id in any case where that is one gene; else empty."""
    names = gene_names(folder)
    if name in names:
        return name
    ids, wanted = gene_identifiers(folder), strip_version(name).lower()
    hits = {
        names[i]
        for words in (names, ids.symbol, ids.ensembl)
        for i, word in enumerate(words or ())
        if word.lower() == wanted
    }
    if len(hits) > 1:
        raise RequestError(
            f"{name!r} could be {counted(len(hits), 'gene')}.",
            hint=f"Name one of {', '.join(sorted(hits)[:NEAR])}.",
        )
    return hits.pop() if hits else ""


def _near(name: str, known: Iterable[str]) -> list[str]:
    """Return names that are written much alike, in any case, the nearest first."""
    by_letters = {word.upper(): word for word in known}
    return [by_letters[word] for word in get_close_matches(name.upper(), by_letters, n=NEAR)]
