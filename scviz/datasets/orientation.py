"""Which way round a matrix lies: whether its rows are cells, as AnnData has them, or genes."""

from __future__ import annotations

import re
from collections.abc import Sequence

from scviz.datasets import genes

BARCODE = re.compile(r".*[ACGT]{12,}.*")
MOST = 5_000
"""Names that are looked at, spread over the list."""


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
