"""Names of the rows and columns of a matrix, and which of them are genes: told by how many there are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from scviz.datasets.arriving.families import MatrixFiles
from scviz.datasets.arriving.market import Header
from scviz.datasets.arriving.names import cells_of_names, fits, genes_of_names, read_names
from scviz.errors import UnreadableFileError
from scviz.metrics.evidence import counted

CELLS_IN_ROWS = (
    "cells_x_genes",
    "quants_mat",
    "count_matrix",
    "dge",
    "spliced",
    "mature",
    "nascent",
    "unspliced",
)
"""Names of matrices, in small letters, whose writers put cells in rows."""
WANTED = "Choose the folder, or all three files: matrix.mtx, barcodes.tsv and features.tsv (or genes.tsv)."


@dataclass(frozen=True, slots=True, kw_only=True)
class Lists:
    """Names that belong to a matrix, and which way round it lies."""

    cells: pd.DataFrame
    """(N, ...) what is known of each cell, by name."""
    genes: pd.DataFrame
    """(G, ...) what is known of each gene, by name."""
    genes_in_rows: bool
    certain: bool
    """Whether the lengths of the lists leave no doubt."""
    notes: tuple[str, ...]
    """What is to be said of them."""
    usa: bool
    """Whether there are three columns for each gene."""


def lists_of(files: MatrixFiles, header: Header, *, turned: bool | None, limit: int) -> Lists:
    """Read the names of cells and genes, and tell by their numbers which way round the matrix lies.

    Parameters
    ----------
    files
        The matrix and its lists.
    header
        How many rows and columns the matrix has.
    turned
        Whether rows are genes, for a square matrix; None takes the way of its writer.
    limit
        Bytes that each list may unpack to.

    Raises
    ------
    UnreadableFileError
        If a list is missing, or names more or fewer than the matrix has.
    """
    cells, genes = _named(files, limit)
    sizes = header.n_rows, header.n_columns
    n_named = len(genes) // 3 if _has_usa_names(genes) else len(genes)
    genes = genes.iloc[:n_named]
    ways = [way for way in (True, False) if _fit(cells, genes, sizes if way else sizes[::-1])]
    if not ways:
        raise _misfit(files, header, n_cells=len(cells), n_genes=n_named)
    way = ways[0] if len(ways) == 1 else _guess(files, turned=turned)
    n_genes, n_cells = sizes if way else sizes[::-1]
    usa = 3 * n_named == n_genes
    table, gene_notes = _with_symbols(
        genes_of_names(genes, n_named if usa else n_genes), files.symbols, limit
    )
    about, cell_notes = _with_about(cells_of_names(cells, n_cells), files.about, limit)
    doubt = () if len(ways) == 1 else (_doubt(files.matrix.name, genes_in_rows=way),)
    return Lists(
        cells=about,
        genes=table,
        genes_in_rows=way,
        certain=len(ways) == 1,
        notes=(*doubt, *gene_notes, *cell_notes),
        usa=usa,
    )


def _fit(cells: pd.DataFrame, genes: pd.DataFrame, sizes: tuple[int, int]) -> bool:
    """Tell whether these lists name so many genes (or a third of them) and cells."""
    n_genes, n_cells = sizes
    return fits(cells, n_cells) and (fits(genes, n_genes) or 3 * len(genes) == n_genes)


def _guess(files: MatrixFiles, *, turned: bool | None) -> bool:
    name = files.matrix.name.lower()
    return not any(word in name for word in CELLS_IN_ROWS) if turned is None else turned


def _doubt(name: str, *, genes_in_rows: bool) -> str:
    way = "rows were taken for genes" if genes_in_rows else "rows were taken for cells"
    return f"{name} is square, so its sizes do not tell genes from cells: {way}."


def _named(files: MatrixFiles, limit: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read both lists of names, or say which is missing."""
    if files.cells is None or files.genes is None:
        lists = {"cells (barcodes.tsv)": files.cells, "genes (features.tsv or genes.tsv)": files.genes}
        missing = " and of the ".join(what for what, path in lists.items() if path is None)
        raise UnreadableFileError(
            f"No list with the names of the {missing} lies beside {files.matrix.name}.", hint=WANTED
        )
    return read_names(files.cells, limit), read_names(files.genes, limit)


def _has_usa_names(genes: pd.DataFrame) -> bool:
    """Tell whether a list names each gene three times, as G, G-U and G-A."""
    n = len(genes) // 3
    if not n or len(genes) % 3:
        return False
    first, second, third = (genes[0].iloc[i * n : (i + 1) * n].to_numpy(dtype=object) for i in range(3))
    return bool((first + "-U" == second).all() and (first + "-A" == third).all())


def _misfit(files: MatrixFiles, header: Header, *, n_cells: int, n_genes: int) -> UnreadableFileError:
    sizes = header.n_rows, header.n_columns
    as_rows = abs(n_genes - sizes[0]) + abs(n_cells - sizes[1])
    turned = abs(n_genes - sizes[1]) + abs(n_cells - sizes[0]) < as_rows
    wanted_genes, wanted_cells = sizes[::-1] if turned else sizes
    faults = []
    for path, n, wanted in ((files.genes, n_genes, wanted_genes), (files.cells, n_cells, wanted_cells)):
        if n != wanted and path is not None:
            gap = f"{wanted - n:,} are missing" if n < wanted else f"{n - wanted:,} are too many"
            faults.append(f"{path.name} has {counted(n, 'name')} and should have {wanted:,}: {gap}")
    return UnreadableFileError(
        f"{files.matrix.name} has {sizes[0]:,} rows and {counted(sizes[1], 'column')}, but {'; '.join(faults)}.",
        hint="The lists belong to another matrix or were cut off: copy all three files again, from the same folder.",
    )


def _with_symbols(genes: pd.DataFrame, path: Path | None, limit: int) -> tuple[pd.DataFrame, list[str]]:
    """Add the symbols of a second list, if it names as many genes."""
    if path is None or "gene_symbols" in genes.columns:
        return genes, []
    table = read_names(path, limit)
    if len(table) != len(genes):
        return genes, [
            f"{path.name} was left out: it names {counted(len(table), 'gene')} and not {len(genes):,}."
        ]
    return genes.assign(gene_symbols=table.iloc[:, -1].to_numpy(dtype=object)), []


def _with_about(cells: pd.DataFrame, path: Path | None, limit: int) -> tuple[pd.DataFrame, list[str]]:
    """Add what a table beside the matrix says of each cell, if it names all of them."""
    if path is None:
        return cells, []
    table = read_names(path, limit)
    about = cells_of_names(table, len(table) - 1)
    if not about.index.is_unique or not cells.index.isin(about.index).all():
        return cells, [f"{path.name} was left out, since it does not name each cell of the matrix once."]
    about = about.reindex(cells.index)
    new = [name for name in about.columns if name not in cells.columns]
    joined_columns = pd.concat([cells, about[new]], axis=1)
    return joined_columns, [f"{counted(len(new), 'column')} of {path.name} describe the cells."]
