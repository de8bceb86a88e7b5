"""Sentences of the card of a file: what was found, why it matters, what can be done."""

from __future__ import annotations

from collections.abc import Sequence

import h5py

from scviz.datasets import tables
from scviz.datasets.choosing import against_counts
from scviz.datasets.counts import RELATIVE
from scviz.datasets.features import features_of, kinds_column
from scviz.datasets.gene_kinds import n_spike_ins
from scviz.datasets.matrices import encoding_of, genes_of, matrix_at, shape_of
from scviz.datasets.recovery import WAYS_OUT
from scviz.datasets.reports import Finding, GeneReport, MatrixReport
from scviz.workspace import ColumnInfo


def turn_findings(why: str, *, turned: bool) -> list[Finding]:
    """Say which way round the file lies, where its names leave a doubt."""
    if turned and why:
        text = f"Rows and columns are swapped: {why}"
        return [
            Finding(
                level="fix", text=text, hint="Rows are read as genes and columns as cells.", action="turn"
            )
        ]
    if turned or why:
        text = "Rows are read as genes, as was chosen." if turned else f"Rows and columns look swapped: {why}"
        return [Finding(level="ask", text=text, action="turn")]
    return []


def feature_findings(table: tables.Node) -> list[Finding]:
    """Name the features that are no genes."""
    column, names = kinds_column(tables.column_names(table)), tables.row_names(table)
    found = features_of(names, None if column is None else tables.read_column(table, column).strings())
    spike_ins = n_spike_ins(names)
    text = (
        f"{spike_ins:,} spike-ins stand among the genes and are kept there; they are no genes of the cells."
    )
    known = [Finding(level="note", text=text)] * bool(spike_ins)
    if not found.kinds:
        return known
    listed = ", ".join(f"{count:,} {name}" for name, count in found.kinds.items())
    if not found.genes.any():
        text, hint = f"The matrix holds no genes, but {listed}.", "Open the file with the gene expression."
        return [Finding(level="stop", text=text, hint=hint)]
    text = f"Beside {int(found.genes.sum()):,} genes there are {listed}."
    hint = "They are left out of the counts" + (
        "; guides become a column of cells." if found.guides.any() else "."
    )
    return [Finding(level="fix", text=text, hint=hint), *known]


def size_findings(
    file: h5py.File, matrices: Sequence[MatrixReport], n_cells: int, *, turned: bool
) -> list[Finding]:
    """Say where a matrix does not fit the names."""
    found = (
        []
        if n_cells
        else [Finding(level="stop", text="The file holds no cells.", hint="Choose another file.")]
    )
    for matrix in matrices:
        shape = shape_of(matrix_at(file, matrix.location))
        expected = (n_cells, tables.n_rows(genes_of(file, matrix.location)))
        if shape != expected:
            text = f"{matrix.location} is {shape[0]:,} x {shape[1]:,}, "
            what = ("rows", "columns") if turned else ("cells", "genes")
            text += f"but there are names for {expected[0]:,} {what[0]} and {expected[1]:,} {what[1]}."
            found.append(Finding(level="stop", text=text, hint="Write the file anew with AnnData."))
    return found


def counts_findings(file: h5py.File, matrices: Sequence[MatrixReport], counts: str | None) -> list[Finding]:
    """Say where the counts are, or what there is instead."""
    if counts is None:
        return [_no_counts(file, matrices)]
    matrix = next(one for one in matrices if one.location == counts)
    if against_counts(counts):
        text = f"Only {counts} holds whole numbers, which are a part of the counts at best. {matrix.evidence}"
        return [
            Finding(
                level="ask", text=text, hint="Open the file with all counts if there is one.", action="counts"
            )
        ]
    if matrix.kind == "counts":
        return [Finding(level="note", text=f"Raw counts are in {counts}. {matrix.evidence}")]
    if matrix.kind == "counts with decimals":
        text, hint = (
            f"The counts in {counts} have decimals. {matrix.evidence}",
            "They are rounded on opening.",
        )
        return [Finding(level="fix", text=text, hint=hint)]
    what = "logarithms of normalized counts" if matrix.transform.base else "normalized counts"
    text = f"{counts} holds {what}. {matrix.evidence}"
    return [
        Finding(level="fix", text=text, hint="The counts are recovered exactly on opening, or not at all.")
    ]


def _no_counts(file: h5py.File, matrices: Sequence[MatrixReport]) -> Finding:
    """Say what there is instead of counts, and what can be done."""
    if not matrices:
        encoding = encoding_of(file, "X")
        text = "The file holds no matrix of cells and genes."
        if encoding:
            text = f"X is stored as {encoding!r}, which is newer than what is known here, or no matrix."
        return Finding(level="stop", text=text, hint=WAYS_OUT)
    there = " ".join(f"{matrix.location}: {matrix.kind}. {matrix.evidence}" for matrix in matrices)
    text = f"No matrix holds raw counts. {there}"
    if any(matrix.kind in RELATIVE for matrix in matrices):
        hint = f"{WAYS_OUT} Or open it as relative expression, for what needs no counts."
        return Finding(level="stop", text=text, hint=hint, action="relative")
    whole = any(matrix.kind == "whole numbers, no counts" for matrix in matrices)
    hint = f"{WAYS_OUT} If these are counts all the same, choose the matrix yourself." if whole else WAYS_OUT
    return Finding(level="stop", text=text, hint=hint, action="counts")


def gene_findings(report: GeneReport) -> list[Finding]:
    """Say how genes are named."""
    words = {"symbol": "symbols", "ensembl": "Ensembl ids", "mixed": "a blend of symbols and Ensembl ids"}
    found = []
    if report.kind == "unknown" and not (report.has_ensembl or report.has_symbols):
        text = f"The genes have no names that are known, but {', '.join(report.examples)}."
        hint = "No model knows such genes: ask whoever made the file for their symbols or Ensembl ids."
        found.append(Finding(level="ask", text=text, hint=hint))
    else:
        text = f"Genes are named by {words.get(report.kind, 'numbers')}: {', '.join(report.examples)}."
        found.append(Finding(level="note", text=text))
    found += [
        Finding(level="fix", text=text, hint="Genes get the names of today on opening.")
        for text in report.changes
    ]
    if report.n_duplicated:
        text = f"{report.n_duplicated:,} gene names occur more than once."
        found.append(Finding(level="fix", text=text, hint="Later ones get -1, -2, ... appended on opening."))
    if report.called not in ("", "human"):
        found.append(_of_another_species(report))
    return found


def _gap_findings(columns: Sequence[ColumnInfo]) -> list[Finding]:
    gaps = [column for column in columns if column.n_missing and column.kind != "number"]
    listed = ", ".join(f"{column.name} ({column.n_missing:,} cells)" for column in gaps)
    text, hint = f"Values are missing in: {listed}.", 'They are filled with "unknown" on opening.'
    return [Finding(level="fix", text=text, hint=hint)] if gaps else []


def _of_another_species(report: GeneReport) -> Finding:
    text = f"These are genes of {report.called}. {report.species_evidence}"
    if report.species == "mouse":
        hint = "The models read human genes: once it is open, mouse genes can be replaced by their human counterparts."
    else:
        hint = "The models read human genes, and counterparts are known here for mouse alone: no model can read these."
    return Finding(level="ask", text=text, hint=hint)


def cell_findings(columns: Sequence[ColumnInfo], unknown: Sequence[str], n_duplicated: int) -> list[Finding]:
    """Say what the columns of cells lack, and what they are good for."""
    found = []
    if n_duplicated:
        text = f"{n_duplicated:,} cell names occur more than once."
        found.append(Finding(level="fix", text=text, hint="Later ones get -1, -2, ... appended on opening."))
    found += _gap_findings(columns)
    if unknown:
        text = f"Columns stored in a way that is not known here: {', '.join(unknown)}."
        found.append(Finding(level="fix", text=text, hint="They are left out; the rest is read."))
    labels = [column.name for column in columns if column.kind == "label"]
    text = (
        f"Known cell types may be in: {', '.join(labels)}." if labels else "No column looks like cell types."
    )
    found.append(Finding(level="note", text=text))
    return found
