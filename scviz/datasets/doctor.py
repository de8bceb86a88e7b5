"""What is in a file, and what is wrong with it: all at once, from samples, before anything is opened."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import h5py
import numpy as np

from scviz.datasets import genes, tables
from scviz.datasets.counts import READABLE, WAYS_OUT, Kind, scale_of
from scviz.datasets.formats import damage_in_words, refuse_other
from scviz.datasets.matrices import Layout, genes_of, layout_of, locations, matrix_at, sample_rows, shape_of
from scviz.datasets.roles import as_category, describe, sorted_columns
from scviz.datasets.safety import UNPACK_LIMIT, inspect_h5
from scviz.errors import DataError
from scviz.workspace import ColumnInfo, CountsSource

MANY_CELLS = 200_000
"""From here on, texts and numbers are judged by the first cells only."""
FIRST_CELLS = 50_000
PARTIAL = ("spliced", "unspliced", "ambiguous", "matrix")
"""Layers of whole numbers that hold a part of the counts; taken only when nothing else is there."""
COLOR = re.compile(r"#[0-9a-fA-F]{6}([0-9a-fA-F]{2})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixReport:
    """What one matrix of the file holds."""

    location: str
    """`X`, `raw/X` or `layers/<name>`."""
    kind: Kind
    layout: Layout
    """Stored by cell (csr), by gene (csc) or with all zeros (dense)."""
    n_genes: int
    evidence: str
    """A sentence with the numbers that led to the kind."""
    low: float
    high: float
    n_sampled: int
    """Cells that were looked at."""
    base: float
    """Base of the logarithm, for log values."""
    target: float
    """Sum to which the cells were normalized; 0 when not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneReport:
    """How the genes are named."""

    kind: genes.Kind
    """Kind of the names themselves."""
    ensembl_share: float
    """Share of the names that are Ensembl ids, from 0 to 1."""
    examples: tuple[str, ...]
    has_ensembl: bool
    """Whether Ensembl ids are known, be it from another column."""
    has_symbols: bool
    n_versioned: int
    """Ensembl ids with a version."""
    n_duplicated: int
    """Names that occur more than once."""
    species: genes.Species
    species_evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of the card."""

    level: Literal["ok", "fix", "stop"]
    """As it should be; mended on opening; in the way of opening."""
    text: str
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReport:
    """The card of a file."""

    name: str
    n_cells: int
    n_genes: int
    """Genes of the matrix that holds the counts, of `X` when none does."""
    matrices: tuple[MatrixReport, ...]
    counts: CountsSource | None
    genes: GeneReport
    columns: tuple[ColumnInfo, ...]
    """Columns that describe cells, likely cell types first, then batches."""
    embeddings: tuple[str, ...]
    """Keys of `obsm`."""
    old_writer: bool
    """Whether the file was written before 2020."""
    findings: tuple[Finding, ...]
    """All that is worth saying, problems first."""

    @property
    def can_open(self) -> bool:
        """Whether nothing is in the way."""
        return all(finding.level != "stop" for finding in self.findings)


def check_file(path: Path, *, limit: int = UNPACK_LIMIT) -> FileReport:
    """Look a file through and report everything at once.

    Parameters
    ----------
    path
        A file that its user may open; see `safety.allowed`.
    limit
        Bytes that it may unpack to.

    Raises
    ------
    UnreadableFileError
        If it is no h5ad file, with what it is and what would work.
    UnsafeFileError
        If it points outside itself or unpacks to too much.
    """
    refuse_other(path)
    inspect_h5(path, limit)
    with damage_in_words(path.name), h5py.File(path, "r") as file:
        return _report(file, path.name)


def choose_counts(matrices: Sequence[MatrixReport]) -> CountsSource | None:
    """Choose the matrix with raw counts: stored ones before recovered ones, then the most genes, then X."""
    for kind in READABLE:
        fitting = [matrix for matrix in matrices if matrix.kind == kind]
        if fitting:
            best = min(fitting, key=lambda matrix: (_is_partial(matrix), -matrix.n_genes))
            return counts_source(best)
    return None


def counts_source(matrix: MatrixReport) -> CountsSource:
    """Say where the counts come from."""
    stored = matrix.kind == "counts"
    how: Literal["as stored", "recovered from log values"] = (
        "as stored" if stored else "recovered from log values"
    )
    return CountsSource(location=matrix.location, how=how, evidence=matrix.evidence)


def genes_report(table: tables.Node) -> GeneReport:
    """Look at the names of the genes."""
    names = tables.row_names(table)
    frame, _ = tables.read_table(table, only=_identifier_columns(table))
    ids = genes.identifiers(frame)
    species = genes.guess_species(ids)
    return GeneReport(
        kind=genes.kind_of(names),
        ensembl_share=genes.ensembl_share(names),
        examples=tuple(names[:: max(len(names) // 4, 1)][:4]),
        has_ensembl=ids.has("ensembl"),
        has_symbols=ids.has("symbol"),
        n_versioned=genes.n_versioned(names),
        n_duplicated=genes.n_repeated(names),
        species=species.species,
        species_evidence=species.evidence,
    )


def column_infos(file: h5py.File, *, sampled: bool = True) -> tuple[tuple[ColumnInfo, ...], tuple[str, ...]]:
    """Describe the columns of cells.

    Returns
    -------
    The columns, likely cell types first; and the names of those that are stored in a way that is not known.
    """
    table, columns, infos, unknown = file["obs"], [], [], []
    many = sampled and tables.n_rows(table) > MANY_CELLS
    for name in tables.column_names(table):
        partly = many and not tables.is_coded(table, name)
        try:
            column = as_category(tables.read_column(table, name, rows=slice(FIRST_CELLS if partly else None)))
        except DataError:
            unknown.append(name)
            continue
        info = describe(column, _in_order(column, _colors(file, name)))
        if partly:
            info = dataclasses.replace(info, reason=f"{info.reason}, from the first {FIRST_CELLS:,} cells")
        columns.append(column)
        infos.append(info)
    return sorted_columns(columns, infos), tuple(unknown)


def _report(file: h5py.File, name: str) -> FileReport:
    matrices = tuple(_matrix_report(file, location) for location in locations(file))
    counts = choose_counts(matrices)
    place = counts.location if counts else "X"
    gene_table = genes_of(file, place)
    gene_report = genes_report(gene_table)
    columns, unknown = column_infos(file)
    cells = tables.row_names(file["obs"])
    old = tables.is_old(file["obs"])
    findings = (
        *_size_findings(file, matrices, len(cells)),
        *_counts_findings(matrices, counts),
        *_gene_findings(gene_report),
        *_cell_findings(columns, unknown, genes.n_repeated(cells)),
        *(
            [Finding(level="ok", text="Written by an AnnData from before 2020; it is read all the same.")]
            * old
        ),
    )
    order = ("stop", "fix", "ok")
    return FileReport(
        name=name,
        n_cells=len(cells),
        n_genes=tables.n_rows(gene_table),
        matrices=matrices,
        counts=counts,
        genes=gene_report,
        columns=columns,
        embeddings=embeddings(file),
        old_writer=old,
        findings=tuple(sorted(findings, key=lambda finding: order.index(finding.level))),
    )


def embeddings(file: h5py.File) -> tuple[str, ...]:
    """Return the keys of `obsm`."""
    node = file.get("obsm")
    return tuple(node.dtype.names or ()) if isinstance(node, h5py.Dataset) else tuple(node or ())


def _matrix_report(file: h5py.File, location: str) -> MatrixReport:
    node = matrix_at(file, location)
    rows = sample_rows(node)
    scale = scale_of(rows, base=log_base(file))
    return MatrixReport(
        location=location,
        kind=scale.kind,
        layout=layout_of(node),
        n_genes=shape_of(node)[1],
        evidence=scale.evidence,
        low=scale.low,
        high=scale.high,
        n_sampled=rows.n_cells if rows.whole else 0,
        base=scale.base,
        target=scale.target,
    )


def log_base(file: h5py.File) -> float | None:
    """Return the base of the logarithm that the file names, if it names one."""
    node = file.get("uns/log1p/base")
    if not isinstance(node, h5py.Dataset) or node.size != 1 or node.dtype.kind not in "iuf":
        return None
    base = float(np.asarray(node[()]).reshape(-1)[0])
    return base if base > 1 else None


def _is_partial(matrix: MatrixReport) -> bool:
    return matrix.location.removeprefix("layers/") in PARTIAL


def _identifier_columns(table: tables.Node) -> list[str]:
    wanted = {*genes.ENSEMBL_COLUMNS, *genes.SYMBOL_COLUMNS}
    return [name for name in tables.column_names(table) if name.lower() in wanted]


def _colors(file: h5py.File, column: str) -> dict[str, str]:
    """Return the color that the file gives to each category of a column."""
    node = file.get(f"uns/{column}_colors")
    if not isinstance(node, h5py.Dataset) or node.ndim != 1 or node.dtype.kind not in "SO":
        return {}
    colors = [
        value.decode("ascii", "replace") if isinstance(value, bytes) else str(value) for value in node[:]
    ]
    names = tables.categories_of(file["obs"], column)
    if len(colors) < len(names) or not all(COLOR.fullmatch(color) for color in colors):
        return {}
    return dict(zip(names, colors, strict=False))


def _in_order(column: tables.Column, colors: dict[str, str]) -> tuple[str, ...]:
    names = column.categories or ()
    return tuple(colors[name] for name in names) if colors and set(names) <= set(colors) else ()


def _size_findings(file: h5py.File, matrices: Sequence[MatrixReport], n_cells: int) -> list[Finding]:
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
            text += f"but there are names for {expected[0]:,} cells and {expected[1]:,} genes."
            found.append(Finding(level="stop", text=text, hint="Write the file anew with AnnData."))
    return found


def _counts_findings(matrices: Sequence[MatrixReport], counts: CountsSource | None) -> list[Finding]:
    if counts is None:
        there = " ".join(f"{matrix.location}: {matrix.kind}. {matrix.evidence}" for matrix in matrices)
        text = (
            f"No matrix holds raw counts. {there}"
            if there
            else "The file holds no matrix of cells and genes."
        )
        return [Finding(level="stop", text=text, hint=WAYS_OUT)]
    if counts.how == "as stored":
        return [Finding(level="ok", text=f"Raw counts are in {counts.location}. {counts.evidence}")]
    text = f"{counts.location} holds logarithms of normalized counts. {counts.evidence}"
    return [Finding(level="fix", text=text, hint="The counts are recovered exactly on opening.")]


def _gene_findings(report: GeneReport) -> list[Finding]:
    words = {"symbol": "symbols", "ensembl": "Ensembl ids", "mixed": "a blend of symbols and Ensembl ids"}
    found = []
    if report.kind == "unknown" and not (report.has_ensembl or report.has_symbols):
        text = f"The genes have no names that are known, but {', '.join(report.examples)}."
        hint = "Put symbols or Ensembl ids into adata.var_names; without them no model knows the genes."
        found.append(Finding(level="fix", text=text, hint=hint))
    else:
        text = f"Genes are named by {words.get(report.kind, 'numbers')}: {', '.join(report.examples)}."
        found.append(Finding(level="ok", text=text))
    if report.n_versioned:
        text = f"{report.n_versioned:,} Ensembl ids carry a version."
        found.append(Finding(level="fix", text=text, hint="Models are asked without the version."))
    if report.n_duplicated:
        text = f"{report.n_duplicated:,} gene names occur more than once."
        found.append(Finding(level="fix", text=text, hint="Later ones get -1, -2, ... appended on opening."))
    if report.species == "mouse":
        text = f"These look like mouse genes. {report.species_evidence}"
        hint = "The models read human genes: replace the names by those of the human orthologs first."
        found.append(Finding(level="fix", text=text, hint=hint))
    return found


def _gap_findings(columns: Sequence[ColumnInfo]) -> list[Finding]:
    gaps = [column for column in columns if column.n_missing and column.kind != "number"]
    listed = ", ".join(f"{column.name} ({column.n_missing:,} cells)" for column in gaps)
    text, hint = f"Values are missing in: {listed}.", 'They are filled with "unknown" on opening.'
    return [Finding(level="fix", text=text, hint=hint)] if gaps else []


def _cell_findings(columns: Sequence[ColumnInfo], unknown: Sequence[str], n_duplicated: int) -> list[Finding]:
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
    found.append(Finding(level="ok", text=text))
    return found
