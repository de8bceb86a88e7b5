"""Tables of text (csv, tsv, txt), either way round, in blocks of lines."""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from scviz.datasets.arriving.contract import Arrival, Choices, Incoming
from scviz.datasets.arriving.gene_columns import renamed
from scviz.datasets.arriving.kept_rows import KeptRows
from scviz.datasets.arriving.table_layout import Layout, layout_of
from scviz.datasets.arriving.table_values import Reading
from scviz.datasets.arriving.text_lines import line_blocks
from scviz.datasets.orientation import genes_are_rows
from scviz.errors import UnreadableFileError
from scviz.metrics.evidence import counted
from scviz.progress import Progress, Report

if TYPE_CHECKING:
    import pandas as pd

MARKS = {"\t": "tabs", ",": "commas", ";": "semicolons", " ": "blanks", "|": "bars"}
FIRST_ROWS = 200
"""Rows whose names are looked at to guess which side the genes are."""


def read_table(path: Path, choices: Choices, *, limit: int, report: Report) -> Incoming:
    """Read a table of numbers with names of genes on one side and of cells on the other.

    Parameters
    ----------
    path
        A file of text, compressed or not.
    choices
        `turned` says that rows are genes.
    limit
        Bytes that it may unpack to, at most.
    report
        Told how far it is.

    Raises
    ------
    UnreadableFileError
        If it is no table, is cut off, or holds text where numbers are expected.
    UnsafeFileError
        If it unpacks to too much.
    """
    blocks = line_blocks(path, limit)
    first = next(blocks, [])
    while len(first) < FIRST_ROWS and (more := next(blocks, [])):
        first = [*first, *more]
    if not first:
        raise UnreadableFileError(
            f"{path.name} is empty.", hint="The copy or download has failed: copy it again."
        )
    layout = layout_of(first[:FIRST_ROWS], path.name)
    reading = Reading(layout=layout, name=path.name)
    beginning = reading.rows(first[layout.n_skipped :][:FIRST_ROWS])
    turned, why = genes_are_rows(_row_names(reading), layout.names, turned=choices.turned)
    kept = KeptRows(len(layout.names), by_column=turned)
    kept.add(beginning)
    for lines in chain([first[layout.n_skipped + FIRST_ROWS :]], blocks):
        if lines:
            kept.add(reading.rows(lines))
            report(Progress(stage="Reading rows of the table", done=len(reading.lead)))
    of_rows, of_columns = _rows_table(reading), _columns_table(layout)
    genes, cells = (of_rows, of_columns) if turned else (of_columns, of_rows)
    return Incoming(
        arrival=Arrival(
            format=f"a table of text with {MARKS[layout.mark]} between its fields",
            turned=turned,
            notes=(why, *_notes(reading)),
        ),
        matrices={"X": kept.blocks(report)},
        cells=cells,
        genes=renamed(genes),
    )


def _row_names(reading: Reading) -> list[str]:
    if reading.layout.has_names:
        return [row[0] for row in reading.lead]
    return [f"row {i + 1}" for i in range(len(reading.lead))]


def _rows_table(reading: Reading) -> pd.DataFrame:
    """Return what is known of rows: the fields before and after their values."""
    import pandas as pd

    layout, first = reading.layout, int(reading.layout.has_names)
    columns = {
        (name or f"column {i + 1}"): _values([row[i] for row in reading.lead])
        for i, name in enumerate(layout.lead)
        if i >= first
    }
    columns |= {name: _values([row[i] for row in reading.trail]) for i, name in enumerate(layout.trail)}
    frame = pd.DataFrame(columns, index=range(len(reading.lead)))
    frame.index = pd.Index(_row_names(reading), dtype=object)
    return frame


def _columns_table(layout: Layout) -> pd.DataFrame:
    import pandas as pd

    columns = {name: _values(list(values)) for name, values in layout.of_columns.items()}
    frame = pd.DataFrame(columns, index=range(len(layout.names)))
    frame.index = pd.Index(layout.names, dtype=object)
    return frame


def _values(texts: list[str]) -> pd.Series:
    """Read a column as numbers if all of it are, else as text."""
    import pandas as pd

    column = pd.Series(texts, dtype=object)
    numbers = pd.to_numeric(column.replace({"NA": None, "": None}), errors="coerce")
    return numbers if numbers.notna().sum() == (~column.isin(["NA", ""])).sum() > 0 else column


def _notes(reading: Reading) -> list[str]:
    layout, notes = reading.layout, []
    if not layout.has_names:
        notes.append("Rows have no names in the file; they were numbered.")
    if not layout.has_header:
        notes.append("Columns have no names in the file; they were numbered.")
    if layout.n_comments:
        notes.append(
            f"{counted(layout.n_comments, 'line')} at the top were passed over as comments or a title."
        )
    about = [name or "(no name)" for name in (*layout.lead[int(layout.has_names) :], *layout.trail)]
    if about:
        notes.append(f"Columns that describe rows were kept beside the values: {', '.join(about)}.")
    if layout.of_columns:
        notes.append(
            f"Rows that describe columns were kept beside the values: {', '.join(layout.of_columns)}."
        )
    if reading.n_missing:
        notes.append(f"{counted(reading.n_missing, 'field')} without a value (empty, NA) were read as 0.")
    return notes
