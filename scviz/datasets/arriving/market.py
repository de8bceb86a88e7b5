"""Matrix Market: coordinates as text, read in pieces and kept by cell in temporary files."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import scipy.io
from numpy.typing import NDArray
from scipy.sparse import coo_matrix

from scviz.datasets.arriving.by_cell import Kept, ordered
from scviz.datasets.arriving.rows import Rows
from scviz.datasets.arriving.unpacking import pieces
from scviz.errors import UnreadableFileError
from scviz.metrics.evidence import counted
from scviz.progress import Progress, Report

MAGIC = b"%%matrixmarket"
FIELDS = {"integer": np.int32, "real": np.float64}
PATTERN = "pattern"
"""The kind of a file that tells where values are and not which."""
WIDTH = 3
"""Words of an entry: row, column, value."""
HEADER = 1 << 20
"""Bytes within which the sizes must stand."""
LARGEST = 2**31 - 1
"""Largest whole number that is taken for a count."""
FROM_1 = "A program has counted from 0: write the file anew, with 1 added to rows and columns."
AGAIN = "Copy or download it again, and compare its size with the original."


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The first lines of a Matrix Market file."""

    n_rows: int
    n_columns: int
    n_values: int
    field: str
    """`integer` or `real`."""
    dense: bool
    """Whether all values stand there, column by column, zeros too."""
    length: int
    """Bytes of these lines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """A Matrix Market file that was read."""

    rows: Rows
    notes: tuple[str, ...]
    """What was mended: unordered or repeated entries."""


def read_header(path: Path) -> Header:
    """Read the type and the sizes of a Matrix Market file.

    Raises
    ------
    UnreadableFileError
        If it is no Matrix Market file, or one whose type holds no counts.
    """
    start = _beginning(path)
    lines = re.match(rb"[^\n]*\n(?:[ \t]*(?:%[^\n]*)?\r?\n)*", start)
    if not start[: len(MAGIC)].lower() == MAGIC or lines is None:
        raise UnreadableFileError(
            f"{path.name} does not begin with %%MatrixMarket, as a Matrix Market file does.", hint=AGAIN
        )
    dense, kind = _kind(path.name, start.split(b"\n", 1)[0].decode("latin-1").lower().split())
    line = start[lines.end() :].split(b"\n", 1)[0]
    sizes = line.split()
    if len(sizes) != (2 if dense else 3) or not all(one.isdigit() for one in sizes):
        raise UnreadableFileError(
            f"{path.name} does not say how many rows, columns and values it holds.", hint=AGAIN
        )
    n_rows, n_columns, *rest = map(int, sizes)
    return Header(
        n_rows=n_rows,
        n_columns=n_columns,
        n_values=rest[0] if rest else n_rows * n_columns,
        field=kind,
        dense=dense,
        length=min(lines.end() + len(line) + 1, len(start)),
    )


def _beginning(path: Path) -> bytes:
    """Read how a matrix begins, and refuse what is no matrix at all."""
    start = next(pieces(path, 1 << 62, size=HEADER), b"")
    if not start:
        raise UnreadableFileError(
            f"{path.name} is empty.", hint="The copy or download has failed: repeat it."
        )
    if start.lstrip()[:1] == b"<":
        raise UnreadableFileError(
            f"{path.name} is a web page and no matrix.",
            hint="The download gave a page (often one that asks to log in): download it again.",
        )
    return start


def _kind(name: str, words: list[str]) -> tuple[bool, str]:
    """Tell whether all zeros are stored, and the type of the values."""
    _, thing, layout, kind, symmetry, *_ = [*words, "", "", "", "", ""]
    kind = "real" if kind == "double" else kind
    if thing != "matrix" or layout not in ("coordinate", "array") or kind not in (*FIELDS, PATTERN):
        raise UnreadableFileError(
            f"{name} is a Matrix Market file of a kind that holds no counts ({' '.join(words[1:])}).",
            hint="Write the counts as `matrix coordinate integer general`, as scipy.io.mmwrite does.",
        )
    if kind == PATTERN:
        raise UnreadableFileError(
            f"{name} is a Matrix Market file of the kind pattern: it says which genes were seen, not how often.",
            hint="Write the counts as `matrix coordinate integer general`, as scipy.io.mmwrite does.",
        )
    if symmetry not in ("general", ""):
        raise UnreadableFileError(
            f"{name} holds a {symmetry} matrix: distances between cells or genes, not counts.",
            hint="Choose the file with the counts.",
        )
    return layout == "array", kind


def read_market(path: Path, header: Header, *, genes_in_rows: bool, limit: int, report: Report) -> Market:
    """Read a Matrix Market file into temporary files that hold it by cell.

    Memory does not grow with the number of entries, in whichever order they stand.

    Parameters
    ----------
    path
        A Matrix Market file, compressed or not.
    header
        Its first lines.
    genes_in_rows
        Whether its rows are genes and its columns cells.
    limit
        Bytes that it may unpack to.
    report
        Told how far it is, in cells.

    Raises
    ------
    UnreadableFileError
        If it is cut off or damaged, holds more or fewer entries than it says, or one outside its sizes.
    UnsafeFileError
        If it unpacks to more than the limit.
    """
    try:
        return _read(path, header, genes_in_rows=genes_in_rows, limit=limit, report=report)
    except _DecimalsError:
        real = replace(header, field="real")
        read = _read(path, real, genes_in_rows=genes_in_rows, limit=limit, report=report)
    note = (
        f"{path.name} says that its values are whole numbers and holds decimals; they were kept as they are."
    )
    return replace(read, notes=(note, *read.notes))


def _read(path: Path, header: Header, *, genes_in_rows: bool, limit: int, report: Report) -> Market:
    shape = (header.n_rows, header.n_columns)
    n_genes, n_cells = shape if genes_in_rows else shape[::-1]
    kept = Kept(n_cells=n_cells, n_genes=n_genes, kind=np.dtype(FIELDS[header.field]))
    n_read = 0
    for at_rows, at_columns, values in _entries(path, header, limit):
        n_read += len(values)
        if n_read > header.n_values:
            break
        if header.dense:
            there = values != 0
            at_rows, at_columns, values = at_rows[there], at_columns[there], values[there]
        cells, genes = (at_columns, at_rows) if genes_in_rows else (at_rows, at_columns)
        kept.add(cells, genes, values)
        done = n_cells * n_read // max(header.n_values, 1)
        report(Progress(stage="Reading cells", done=done, total=n_cells))
    if n_read != header.n_values:
        more = n_read > header.n_values
        raise UnreadableFileError(
            f"{path.name} says that it holds {counted(header.n_values, 'value')}, "
            + ("but more follow." if more else f"but {n_read:,} are there: its end is missing."),
            hint=AGAIN,
        )
    rows, n_twice = ordered(kept)
    note = f"{n_twice:,} values stood for a cell and gene that had one already: they were added up."
    return Market(rows=rows, notes=(note,) if n_twice else ())


class _DecimalsError(Exception):
    """A file that says `integer` holds other values."""


def _entries(
    path: Path, header: Header, limit: int
) -> Iterator[tuple[NDArray[np.int32], NDArray[np.int32], NDArray[Any]]]:
    """Give rows and columns, counted from 0, and values of the entries, (n,) each, piece by piece."""
    place = 0
    for text in _whole_lines(path, header.length, limit):
        if header.dense:
            values = _numbers(path.name, text)
            at = np.arange(place, place + len(values), dtype=np.int64)
            yield (at % header.n_rows).astype(np.int32), (at // header.n_rows).astype(np.int32), values
            place += len(values)
            continue
        read = _parsed(path.name, text, header, before=place)
        place += read.nnz
        yield read.row, read.col, read.data


def _whole_lines(path: Path, skip: int, limit: int) -> Iterator[bytes]:
    """Give the text below the header in pieces that end with a line; no comments, no empty lines."""
    rest = b""
    for piece in pieces(path, limit):
        piece = rest + piece
        if skip >= len(piece):
            skip -= len(piece)
            rest = b""
            continue
        end = piece.rfind(b"\n") + 1
        if end > skip:
            yield _plain(piece[skip:end])
            skip = 0
        rest = piece[max(end, skip) :]
        skip = 0
    if rest.strip():
        yield _plain(rest.rstrip() + b"\n")


def _plain(text: bytes) -> bytes:
    if b"\r" in text:
        text = text.replace(b"\r", b"")
    if b"%" in text or b"\n\n" in text or text[:1] == b"\n":
        text = re.sub(rb"(?m)^[ \t]*(?:%[^\n]*)?\n", b"", text)
    return text


def _numbers(name: str, text: bytes) -> NDArray[np.float64]:
    try:
        return np.array(text.split(), dtype=np.float64)
    except ValueError as error:
        raise UnreadableFileError(
            f"{name} holds something that is no number: {error}.", hint=AGAIN
        ) from error


def _parsed(name: str, text: bytes, header: Header, *, before: int) -> coo_matrix:
    """Read entries with the reader of scipy, which is handed each piece as a small file of its own."""
    n = text.count(b"\n")
    # The reader takes 2.5 for 2 where whole numbers are promised, and leaves out what follows on the line.
    if header.field == "integer" and any(mark in text for mark in (b".", b"e", b"E")):
        raise _DecimalsError
    if text.count(b" ") + text.count(b"\t") != WIDTH * n - n and _is_ragged(text, WIDTH):
        raise _bad_line(name, text, header, before=before)
    sizes = f"{header.n_rows} {header.n_columns} {n}"
    start = f"%%MatrixMarket matrix coordinate {header.field} general\n{sizes}\n"
    try:
        read = scipy.io.mmread(io.BytesIO(start.encode() + text), spmatrix=True)
    except (ValueError, OverflowError) as error:
        raise _bad_line(name, text, header, before=before) from error
    if read.data.dtype.kind == "i" and n and max(read.data.max(), -read.data.min()) > LARGEST:
        raise _bad_line(name, text, header, before=before)
    return read


def _is_ragged(text: bytes, width: int) -> bool:
    words = rb"[ \t]+".join([rb"[^ \t\n]+"] * width)
    return re.fullmatch(rb"(?:[ \t]*+" + words + rb"[ \t]*+\n)*+", text) is None


def _bad_line(name: str, text: bytes, header: Header, *, before: int) -> UnreadableFileError:
    """Find the first entry that cannot be read, and say what is wrong with it."""
    for i, line in enumerate(text.splitlines()):
        fault, hint = _fault(line.split(), header)
        if fault:
            shown = line[:60].decode("utf-8", "replace").strip()
            return UnreadableFileError(f"Entry {before + i + 1:,} of {name} ({shown!r}) {fault}.", hint=hint)
    return UnreadableFileError(f"Entries of {name} from {before + 1:,} on cannot be read.", hint=AGAIN)


def _fault(words: list[bytes], header: Header) -> tuple[str, str]:
    """Say what is wrong with an entry, and what to do."""
    if len(words) != WIDTH or not all(word.isdigit() for word in words[:2]):
        return "is no row, column and value", AGAIN
    for word, size, what in zip(words, (header.n_rows, header.n_columns), ("row", "column"), strict=False):
        if int(word) == 0:
            return f"names {what} 0, but Matrix Market counts from 1", FROM_1
        if int(word) > size:
            return f"names {what} {int(word):,} of {size:,}", AGAIN
    try:
        too_large = len(words) > 2 and abs(float(words[2])) > LARGEST
    except ValueError:
        return "has a value that is no number", AGAIN
    return ("has a value that is too large for a count", AGAIN) if too_large else ("", "")
