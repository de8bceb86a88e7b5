"""What is in a file, and what is wrong with it: all at once, from samples, before anything is opened."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np

from scviz.datasets import genes, tables
from scviz.datasets.cell_columns import column_infos, embeddings
from scviz.datasets.choosing import choose_counts
from scviz.datasets.counts import scale_of
from scviz.datasets.findings import (
    cell_findings,
    counts_findings,
    feature_findings,
    gene_findings,
    size_findings,
    turn_findings,
)
from scviz.datasets.formats import damage_in_words, refuse_other
from scviz.datasets.matrices import genes_of, layout_of, locations, matrix_at, sample_rows, shape_of
from scviz.datasets.orientation import turned_by_names
from scviz.datasets.packing import load_filters, refuse_packed
from scviz.datasets.renaming import known_as
from scviz.datasets.reports import FileReport, Finding, GeneReport, MatrixReport
from scviz.datasets.rows import Rows
from scviz.datasets.safety import UNPACK_LIMIT, inspect_h5


def check_file(
    path: Path, *, limit: int = UNPACK_LIMIT, turned: bool | None = None, counted: bool = False
) -> FileReport:
    """Look an h5ad file through and report everything at once.

    Parameters
    ----------
    path
        A file that its user may open; see `safety.allowed`.
    limit
        Bytes that it may unpack to.
    turned
        Whether rows of the file are genes; None takes what the names speak for.
    counted
        Whether it came in a format of counts, so that zeros and ones alone are counts, too.

    Raises
    ------
    UnreadableFileError
        If it is no h5ad file, with what it is and what would work.
    UnsafeFileError
        If it points outside itself or unpacks to too much.
    """
    refuse_other(path)
    inspect_h5(path, limit)
    load_filters()
    with damage_in_words(path.name), h5py.File(path, "r") as file:
        refuse_packed(file)
        return _report(file, path.name, turned=turned, counted=counted)


def genes_report(table: tables.Node) -> GeneReport:
    """Look at the names of the genes."""
    names = tables.row_names(table)
    frame, _ = tables.read_table(table, only=identifier_columns(table))
    ids = genes.identifiers(frame)
    species = genes.guess_species(ids)
    return GeneReport(
        kind=genes.kind_of(names),
        ensembl_share=genes.ensembl_share(names),
        examples=tuple(names[:: max(len(names) // 4, 1)][:4]),
        has_ensembl=ids.has("ensembl"),
        has_symbols=ids.has("symbol"),
        changes=known_as(names, species.species, ensembl=ids.ensembl).notes,
        n_duplicated=genes.n_repeated(names),
        species=species.species,
        species_evidence=species.evidence,
        called=species.called,
    )


def _report(file: h5py.File, name: str, *, turned: bool | None, counted: bool) -> FileReport:
    rows, columns = tables.row_names(file["obs"]), tables.row_names(file["var"])
    why = turned_by_names(rows, columns)
    turn = bool(why) if turned is None else turned
    matrices = tuple(
        _matrix_report(file, location, turned=turn, counted=counted)
        for location in _readable(file, turned=turn)
    )
    counts = choose_counts(matrices)
    gene_table = file["obs"] if turn else genes_of(file, counts or "X")
    gene_report = genes_report(gene_table)
    infos, unknown = column_infos(file, turned=turn)
    cells = columns if turn else rows
    old = tables.is_old(file["obs"])
    findings = (
        *turn_findings(why, turned=turn),
        *size_findings(file, matrices, len(rows), turned=turn),
        *counts_findings(file, matrices, counts),
        *feature_findings(gene_table),
        *gene_findings(gene_report),
        *cell_findings(infos, unknown, genes.n_repeated(cells)),
        *(
            [Finding(level="note", text="Written by an AnnData from before 2020; it is read all the same.")]
            * old
        ),
    )
    order = ("stop", "ask", "fix", "note")
    return FileReport(
        name=name,
        n_cells=len(cells),
        n_genes=tables.n_rows(gene_table),
        matrices=matrices,
        counts=counts,
        genes=gene_report,
        columns=infos,
        embeddings=() if turn else embeddings(file),
        turned=turn,
        old_writer=old,
        findings=tuple(sorted(findings, key=lambda finding: order.index(finding.level))),
    )


def _readable(file: h5py.File, *, turned: bool) -> tuple[str, ...]:
    """Return the places of matrices; of a file that lies the other way round, not those with genes of their own."""
    return tuple(place for place in locations(file) if not (turned and place == "raw/X"))


def _matrix_report(file: h5py.File, location: str, *, turned: bool, counted: bool) -> MatrixReport:
    node = matrix_at(file, location)
    rows = sample_rows(node, turned=turned)
    scale = scale_of(rows, base=log_base(file))
    if counted and scale.kind == "whole numbers, no counts" and scale.high < 2:
        scale = replace(scale, kind="counts", evidence="Zeros and ones, in a format that holds counts.")
    return MatrixReport(
        location=location,
        kind=scale.kind,
        layout=layout_of(node),
        n_genes=shape_of(node)[0 if turned else 1],
        n_values=_n_values(node, rows),
        evidence=scale.evidence,
        low=scale.low,
        high=scale.high,
        n_sampled=rows.n_cells if rows.whole else 0,
        transform=scale.transform,
        target=scale.target,
    )


def _n_values(node: h5py.Group | h5py.Dataset, rows: Rows) -> int:
    if isinstance(node, h5py.Group):
        return int(node["data"].shape[0])
    return int(len(rows.values) / max(rows.n_cells, 1) * node.shape[0]) if rows.whole else int(node.size)


def log_base(file: h5py.File) -> float | None:
    """Return the base of the logarithm that the file names, if it names one."""
    node = file.get("uns/log1p/base")
    if not isinstance(node, h5py.Dataset) or node.size != 1 or node.dtype.kind not in "iuf":
        return None
    base = float(np.asarray(node[()]).reshape(-1)[0])
    return base if base > 1 else None


def identifier_columns(table: tables.Node) -> list[str]:
    """List the columns of genes that may name them."""
    wanted = {*genes.ENSEMBL_COLUMNS, *genes.SYMBOL_COLUMNS}
    return [name for name in tables.column_names(table) if name.lower() in wanted]
