"""Which way round a matrix lies: whether its rows are cells or genes, told by names, else by its shape."""

from __future__ import annotations

import re
from collections.abc import Sequence

from scviz.datasets import genes
from scviz.datasets.gene_table import folded
from scviz.datasets.genes import ENSEMBL
from scviz.metrics.evidence import counted

BARCODE = re.compile(r".*[ACGT]{12,}.*")
MOST = 5_000
"""Names that are looked at, spread over the list."""
NUMBERED = re.compile(r"GENE[ _.-]?\d+|GM\d+|LINC\d+|A[CLP]\d{6}\.\d+|RP\d+-\d+\w+\.\d+|\d{7}\w\d\dRIK")
"""Names of genes that no table lists, in capital letters."""
CELL = re.compile(
    r".*[ACGTN]{10,}([-_.].*|$)|[A-P]\d{1,2}|"
    r"(CELL|BARCODE|SRR|ERR|GSM|SAMPLE|PLATE|WELL|DONOR|PATIENT|BC)\w*[ _.-]?\d.*"
)
LOOKED_AT = 50_000
"""Names of each side that are looked at."""
GENES = (8_000, 80_000)
"""How many genes an annotation has."""


def turned_by_names(cell_names: Sequence[str], gene_names: Sequence[str]) -> str:
    """Say why what stands for cells are genes; empty where nothing speaks for it.

    Parameters
    ----------
    cell_names, gene_names
        Names as the file has them: of its rows, and of its columns.
    """
    rows, columns = _some(cell_names), _some(gene_names)
    if _are_genes(columns) or not _are_genes(rows):
        return ""
    barcodes = sum(BARCODE.fullmatch(name) is not None for name in columns)
    known = f"{barcodes:,} of {len(columns):,} names of genes are barcodes, and " if barcodes else ""
    return f"{known}the names of cells are names of genes, such as {', '.join(rows[:3])}."


def _are_genes(names: Sequence[str]) -> bool:
    ids = genes.GeneIdentifiers(
        ensembl=tuple(n if genes.ENSEMBL.fullmatch(n) else "" for n in names),
        symbol=tuple("" if genes.ENSEMBL.fullmatch(n) or BARCODE.fullmatch(n) else n for n in names),
        given=tuple(names),
    )
    return genes.guess_species(ids).species != "unknown"


def _some(names: Sequence[str]) -> Sequence[str]:
    return names[:: max(len(names) // MOST, 1)]


def genes_are_rows(
    rows: Sequence[str], columns: Sequence[str], *, turned: bool | None = None
) -> tuple[bool, str]:
    """Tell whether rows are genes, and why, in a sentence.

    Parameters
    ----------
    rows
        (R,) names of rows.
    columns
        (K,) names of columns.
    turned
        Whether rows are genes, where the user said so: it goes before any guess.

    Examples
    --------
    >>> genes_are_rows(["CD3E", "ACTB"], ["AAACCTGAGAAACCAT-1"])
    (True, 'Rows were taken for genes: 2 of 2 names of rows are those of genes, 0 of 1 of columns.')
    """
    if turned is not None:
        side, other = ("genes", "cells") if turned else ("cells", "genes")
        return turned, f"Rows were taken for {side} and columns for {other}, as you chose."
    n_rows, n_columns = min(len(rows), LOOKED_AT), min(len(columns), LOOKED_AT)
    for what, count in (("genes", _n_genes), ("cells", _n_cells)):
        in_rows, in_columns = count(rows[:LOOKED_AT]), count(columns[:LOOKED_AT])
        share_rows, share_columns = in_rows / max(n_rows, 1), in_columns / max(n_columns, 1)
        if (
            abs(share_rows - share_columns) > 0.02
            or min(share_rows, share_columns) == 0 < in_rows + in_columns
        ):
            rows_are_genes = (share_rows > share_columns) == (what == "genes")
            side = "genes" if rows_are_genes else "cells"
            return rows_are_genes, (
                f"Rows were taken for {side}: {in_rows:,} of {n_rows:,} names of rows are those of {what}, "
                f"{in_columns:,} of {n_columns:,} of columns."
            )
    rows_are_genes = not (GENES[0] <= len(columns) <= GENES[1] and not GENES[0] <= len(rows) <= GENES[1])
    side = "genes" if rows_are_genes else "cells"
    return rows_are_genes, (
        f"Rows were taken for {side} by the shape, {len(rows):,} rows x {counted(len(columns), 'column')}, "
        "since no name "
        "of either is known; turn it if this is wrong."
    )


def _n_genes(names: Sequence[str]) -> int:
    known = folded("human") | folded("mouse")
    return sum(
        bool(name in known or NUMBERED.fullmatch(name) or ENSEMBL.match(name))
        for name in (one.strip().upper() for one in names)
    )


def _n_cells(names: Sequence[str]) -> int:
    return sum(CELL.fullmatch(name.strip().upper()) is not None for name in names)


def share_of_genes(names: Sequence[str]) -> float:
    """Return the share of names that are known as those of genes, from 0 to 1."""
    return _n_genes(names[:LOOKED_AT]) / max(len(names[:LOOKED_AT]), 1)
