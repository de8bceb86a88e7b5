"""Read what a page shows of an opened dataset: one gene, one column, some names; milliseconds each."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.codecs import BloscCodec

from scviz.datasets import tables
from scviz.datasets.genes import GeneIdentifiers, strip_version
from scviz.datasets.tables import Column
from scviz.errors import DataError, MissingColumnError
from scviz.progress import Progress, Report, silent
from scviz.workspace.plain_json import read_plain

if TYPE_CHECKING:
    from scipy.sparse import csc_matrix, csr_matrix

SOURCE, COUNTS, GENES, GENE_VALUES = "source.h5ad", "counts.h5ad", "genes.json", "genes.csc.zarr"
NAME_IN_FILE = "name_in_file"
"""Column of genes with the names of the file, where genes were renamed."""
BLOCK_VALUES = 2_000_000
"""Values of genes that are read at a time."""
PACKING = BloscCodec(cname="lz4", clevel=3, shuffle="bitshuffle", typesize=4)
"""As small as zstd, packed in a quarter and read in half of its time."""


def gene_names(folder: Path) -> tuple[str, ...]:
    """Return the names of the G genes, each different."""
    return _genes(folder)[0]


def gene_identifiers(folder: Path) -> GeneIdentifiers:
    """Return the Ensembl ids and symbols of the G genes."""
    return _genes(folder)[1]


@lru_cache(maxsize=16)
def names_in_file(folder: Path) -> tuple[str, ...]:
    """Return the names, (G,), that the genes had before they were renamed; those of today where none was."""
    with h5py.File(folder / COUNTS, "r") as file:
        if NAME_IN_FILE in tables.column_names(file["var"]):
            return tuple(tables.read_column(file["var"], NAME_IN_FILE).strings())
    return gene_names(folder)


def gene_values(folder: Path, gene: str) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return the expression of a gene.

    Returns
    -------
    (K,) rows of the cells in which it was seen, ascending, and (K,) log1p of its counts in each of them, scaled by
    `expression.depth_of`.

    Raises
    ------
    DataError
        If the dataset has no such gene.
    """
    position = _positions(folder).get(gene)
    if position is None:
        near = ", ".join(gene_matches(folder, gene, limit=5)) or "none with such a name"
        raise DataError(f"The dataset has no gene {gene!r}.", hint=f"Genes like it: {near}.")
    store = zarr.open_group(folder / GENE_VALUES, mode="r")
    low, high = _array(store, "bounds")[position : position + 2]
    return _frozen(_array(store, "rows")[low:high]), _frozen(_array(store, "values")[low:high])


def values_of_genes(
    folder: Path, places: Iterable[int]
) -> Iterator[tuple[NDArray[np.int32], NDArray[np.float32]]]:
    """Read several genes, given by their places, as `gene_values` reads one: (K,) rows and (K,) values of each."""
    store = zarr.open_group(folder / GENE_VALUES, mode="r")
    bounds, rows, values = _array(store, "bounds")[:], _array(store, "rows"), _array(store, "values")
    for place in places:
        part = slice(int(bounds[place]), int(bounds[place + 1]))
        yield rows[part], values[part]


def gene_blocks(folder: Path, n_cells: int) -> Iterator[csc_matrix]:
    """Read the expression of all genes in their order, (N, g) at a time, as `gene_values` gives that of one.

    A block holds some millions of values, however many genes that are, or one gene.
    """
    from scipy.sparse import csc_matrix

    store = zarr.open_group(folder / GENE_VALUES, mode="r")
    bounds, start = _array(store, "bounds")[:], 0
    while start < len(bounds) - 1:
        stop = int(np.searchsorted(bounds, bounds[start] + BLOCK_VALUES, side="right")) - 1
        stop = min(max(stop, start + 1), len(bounds) - 1)
        part = slice(int(bounds[start]), int(bounds[stop]))
        ends = bounds[start : stop + 1] - bounds[start]
        values, rows = (_array(store, name)[part] for name in ("values", "rows"))
        yield csc_matrix((values, rows, ends), shape=(n_cells, stop - start), copy=False)
        start = stop


def n_cells_with(folder: Path, rows: NDArray[np.integer], n_cells: int) -> NDArray[np.int64]:
    """Count for each gene the cells among `rows` in which it was seen, (G,)."""
    store = zarr.open_group(folder / GENE_VALUES, mode="r")
    wanted = np.zeros(n_cells, dtype=bool)
    wanted[rows] = True
    before = np.concatenate(([0], np.cumsum(wanted[_array(store, "rows")[:]])))
    return np.asarray(np.diff(before[_array(store, "bounds")[:]]), dtype=np.int64)


def n_cells_seen(folder: Path) -> NDArray[np.int64]:
    """Count for each gene the cells in which it was seen, (G,)."""
    store = zarr.open_group(folder / GENE_VALUES, mode="r")
    return np.asarray(np.diff(_array(store, "bounds")[:]), dtype=np.int64)


def gene_matches(folder: Path, text: str, limit: int | None = 50) -> list[str]:
    """Search genes by name, symbol or Ensembl id, in any case.

    Parameters
    ----------
    folder
        Folder of the dataset.
    text
        What was typed.
    limit
        Most names to return; None for all.

    Returns
    -------
    Names of genes: the name that is written so, then exact hits in any case, then those that begin with the text,
    then those that contain it; short names before long ones.
    """
    typed = text.strip()
    wanted = strip_version(typed).lower()
    if not wanted:
        return []
    names = gene_names(folder)
    best: dict[int, int] = {}
    for words in _search_words(folder):
        for position, word in enumerate(words):
            if wanted in word:
                rank = 0 if word == wanted else 1 if word.startswith(wanted) else 2
                best[position] = min(rank, best.get(position, rank))
    order = sorted(
        best,
        key=lambda position: (
            names[position] != typed,
            best[position],
            len(names[position]),
            names[position],
        ),
    )
    return [names[position] for position in order[:limit]]


def cell_names(folder: Path) -> tuple[str, ...]:
    """Return the names of the N cells, each different."""
    with h5py.File(folder / COUNTS, "r") as file:
        return tuple(tables.row_names(file["obs"]))


def column_names(folder: Path) -> tuple[str, ...]:
    """Return the names of the columns that describe cells."""
    with h5py.File(folder / COUNTS, "r") as file:
        return tables.column_names(file["obs"])


def cell_column(folder: Path, name: str) -> Column:
    """Return a column that describes cells: codes with categories, or numbers.

    Raises
    ------
    MissingColumnError
        If the dataset has no such column.
    """
    with h5py.File(folder / COUNTS, "r") as file:
        known = tables.column_names(file["obs"])
        if name not in known:
            raise MissingColumnError(
                f"The dataset has no column {name!r}.", hint=f"Its columns are: {', '.join(known)}."
            )
        column = tables.read_column(file["obs"], name)
    column.values.flags.writeable = False
    return column


def write_genes(folder: Path, names: list[str], ids: GeneIdentifiers) -> None:
    """Write the names of genes for quick reading."""
    content = {"names": names, "ensembl": ids.ensembl, "symbol": ids.symbol}
    (folder / GENES).write_text(json.dumps(content), encoding="utf-8")


def write_gene_values(
    folder: Path, parts: Iterable[csr_matrix], *, spread: NDArray[np.int64], report: Report = silent
) -> None:
    """Write expression gene by gene.

    Parameters
    ----------
    folder
        Folder of the dataset.
    parts
        (g, N) log1p of scaled counts of some genes each, in the order of the genes, zeros left out.
    spread
        (G,) number of cells in which each gene was seen.
    report
        Told how far it is.
    """
    n_values = int(spread.sum())
    store = zarr.open_group(folder / GENE_VALUES, mode="w")
    bounds = np.concatenate([[0], np.cumsum(spread)]).astype(np.int64)
    chunks = (min(max(n_values, 1), 1 << 17),)
    values = store.create_array(
        "values", shape=(n_values,), dtype=np.float32, chunks=chunks, compressors=PACKING
    )
    rows = store.create_array("rows", shape=(n_values,), dtype=np.int32, chunks=chunks, compressors=PACKING)
    store.create_array("bounds", shape=bounds.shape, dtype=np.int64, chunks=bounds.shape)[:] = bounds
    at = 0
    for part in parts:
        part.sort_indices()
        place = slice(at, at + part.nnz)
        values[place], rows[place] = part.data, part.indices
        at += part.nnz
        report(Progress(stage="Writing genes", done=at, total=n_values))


@lru_cache(maxsize=16)
def _genes(folder: Path) -> tuple[tuple[str, ...], GeneIdentifiers]:
    content = read_plain(folder / GENES)
    ensembl, symbol = (content[key] and tuple(content[key]) for key in ("ensembl", "symbol"))
    names = tuple(content["names"])
    return names, GeneIdentifiers(ensembl=ensembl, symbol=symbol, given=names)


@lru_cache(maxsize=16)
def _positions(folder: Path) -> dict[str, int]:
    return {name: position for position, name in enumerate(gene_names(folder))}


@lru_cache(maxsize=16)
def _search_words(folder: Path) -> tuple[tuple[str, ...], ...]:
    ids = gene_identifiers(folder)
    kinds = (gene_names(folder), ids.symbol, ids.ensembl)
    return tuple(tuple(word.lower() for word in words) for words in kinds if words is not None)


def _array(store: zarr.Group, name: str) -> Any:
    return store[name]


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    array.flags.writeable = False
    return array
