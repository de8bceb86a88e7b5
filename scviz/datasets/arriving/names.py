"""Lists of names beside a matrix: of genes and of cells, with or without a header, numbers or quotes."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import pandas as pd

from scviz.datasets.arriving.unpacking import pieces
from scviz.errors import UnreadableFileError

NAMES_LIMIT = 10**9
"""Bytes that one list of names may unpack to: it is held in memory."""
ENSEMBL = re.compile(r"(?:[\w.-]*_)?(?:ENS[A-Z]{0,6}G\d{6,}|FBgn\d{7}|WBGene\d{8})")
KINDS = {
    "gene expression",
    "antibody capture",
    "crispr guide capture",
    "multiplexing capture",
    "custom",
    "peaks",
    "antigen capture",
    "vdj",
}
"""What 10x Genomics calls the kinds of features, in small letters."""
KNOWN_COLUMNS = {
    "gene_name": "gene_symbols",
    "gene_names": "gene_symbols",
    "gene_symbol": "gene_symbols",
    "symbol": "gene_symbols",
    "gene_id": "gene_ids",
    "ensembl_id": "gene_ids",
    "feature_type": "feature_types",
}
"""Names of columns in files with a header, and what they are called here."""


def read_names(path: Path, limit: int) -> pd.DataFrame:
    """Read a list of names: all columns as text, numbered from 0, a header (if any) as its first row.

    Raises
    ------
    UnreadableFileError
        If it is empty, a web page or no table of text.
    UnsafeFileError
        If it unpacks to more than the limit.
    """
    content = b"".join(pieces(path, min(limit, NAMES_LIMIT)))
    if not content.strip():
        raise UnreadableFileError(
            f"{path.name} is empty.", hint="The copy or download has failed: repeat it."
        )
    if content.lstrip()[:1] == b"<":
        raise UnreadableFileError(
            f"{path.name} is a web page and no list of names.",
            hint="The download gave a page (often one that asks to log in): download it again.",
        )
    if b"\x00" in content[:4096]:
        raise UnreadableFileError(f"{path.name} is no text, but should list names.", hint="Copy it again.")
    text = content.decode("utf-8-sig", "replace")
    first = text[: 1 << 16].splitlines()[:50]
    mark = _mark(first)
    quoting: Literal[0, 3] = (
        csv.QUOTE_MINIMAL if first[0].lstrip().startswith('"') or mark == "," else csv.QUOTE_NONE
    )
    width = max(len(row) for row in csv.reader(first, delimiter=mark, quoting=quoting))
    try:
        table = pd.read_csv(
            io.StringIO(text),
            sep=mark,
            header=None,
            names=range(width),
            dtype=str,
            keep_default_na=False,
            quoting=quoting,
            skipinitialspace=True,
            index_col=False,
        )
    except (ValueError, pd.errors.ParserError) as error:
        raise UnreadableFileError(
            f"{path.name} is no table: {str(error).strip()}.", hint="Copy or download it again."
        ) from error
    return _without_header_shift(table.fillna(""))


def _mark(lines: Sequence[str]) -> str:
    """Return what stands between columns: a tab, else a comma that all lines have alike."""
    if any("\t" in line for line in lines):
        return "\t"
    for mark in (",", ";"):
        found = [len(row) for row in csv.reader(lines, delimiter=mark)]
        if min(found) > 1 and len(set(found[1:])) <= 1:
            return mark
    return "\t"


def _without_header_shift(table: pd.DataFrame) -> pd.DataFrame:
    """Move a header of R, which has no name above the names of rows, one column to the right."""
    if table.shape[1] < 2 or len(table) < 2 or table.iloc[0, -1] != "" or (table.iloc[1:, -1] == "").any():
        return table
    table.iloc[0] = ["", *table.iloc[0, :-1]]
    return table


def fits(table: pd.DataFrame, n: int) -> bool:
    """Tell whether a list names n things, with or without a header."""
    return len(table) in (n, n + 1)


def without_header(table: pd.DataFrame, n: int) -> tuple[pd.DataFrame, list[str]]:
    """Return the n rows of names, and the header if there is one row more; numbers of rows are left out."""
    header: list[str] = []
    if len(table) == n + 1:
        header = [str(name).strip() for name in table.iloc[0]]
        table = table.iloc[1:].reset_index(drop=True)
    if table.shape[1] > 1 and _counts_up(table[0]):
        table, header = table.iloc[:, 1:], header[1:]
        table.columns = pd.RangeIndex(table.shape[1])
    return table, header


def _counts_up(column: pd.Series[str]) -> bool:
    """Tell whether a column numbers the rows, from 0 or from 1."""
    first = column.iloc[:1].tolist()
    if first not in (["0"], ["1"]) or len(column) < 2:
        return False
    start = int(first[0])
    return bool((column == pd.Series(range(start, start + len(column))).astype(str)).all())


def genes_of_names(table: pd.DataFrame, n: int) -> pd.DataFrame:
    """Return the genes of a list: index the names of the first column, the symbols beside them, kinds of features."""
    table, header = without_header(table, n)
    columns = [KNOWN_COLUMNS.get(name.lower(), name) for name in header] or _gene_columns(table)
    return _framed(table, columns)


def cells_of_names(table: pd.DataFrame, n: int) -> pd.DataFrame:
    """Return the cells of a list: index the names of the first column, and what else is said of them."""
    table, header = without_header(table, n)
    cells = _framed(table, header or [f"column_{i + 1}" for i in range(table.shape[1])])
    for name in cells.columns:
        numbers = pd.to_numeric(cells[name], errors="coerce")
        if numbers.notna().all():
            cells[name] = numbers
    return cells


def _framed(table: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    names = table[0].str.strip().to_numpy(dtype=object)
    frame = pd.DataFrame(index=pd.Index(names, dtype=object))
    for i, name in enumerate(columns):
        if i == 0:
            continue
        values = table[i].to_numpy(dtype=object)
        if name == "gene_symbols" and (values == names).all():
            continue
        name = name or f"column_{i + 1}"
        while name in frame.columns:
            name = f"{name}_{i + 1}"
        frame[name] = values
    return frame


def _gene_columns(table: pd.DataFrame) -> list[str]:
    """Name the columns of a list of genes that has no header, by what stands in them."""
    columns = ["names"]
    for i in range(1, table.shape[1]):
        values = table[i]
        if set(values.iloc[:1000].str.lower()) <= KINDS:
            columns.append("feature_types")
        elif i == 1:
            columns.append("gene_ids" if _are_ids(values) and not _are_ids(table[0]) else "gene_symbols")
        else:
            columns.append(_further(i, table.shape[1]))
    return columns


def _further(i: int, width: int) -> str:
    """Name a column as Cell Ranger ARC lays it out, else by its number."""
    places = {3: "chromosome", 4: "start", 5: "end"}
    return places[i] if width == 6 and i in places else f"column_{i + 1}"


def _are_ids(values: pd.Series[str]) -> bool:
    first = values.iloc[:1000]
    return bool(first.str.match(ENSEMBL).mean() > 0.5)
