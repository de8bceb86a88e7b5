"""Counts of cells on disk, of which any range of cells can be read; joined, summed and put in another order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, vstack

BLOCK = 4_000_000
"""Values that are in memory at once."""
BLOCK_CELLS = 500_000
"""Cells that are in memory at once, should most be empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """A matrix of N cells and G genes that is read by ranges of cells."""

    sizes: NDArray[np.int64]
    """(N,) values of each cell, or more: by these it is cut into blocks."""
    n_genes: int
    kind: np.dtype[Any]
    """Type of the values."""
    read: Callable[[int, int], csr_matrix]
    """From the first cell to the one after the last: (n, G), genes of a cell in order and once each."""

    def blocks(self) -> Iterator[csr_matrix]:
        """Give all cells in order, (n, G) at a time."""
        for start, stop in spans(self.sizes):
            yield self.read(start, stop)


def spans(sizes: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Cut cells into ranges that hold at most `BLOCK` values, or one cell.

    Parameters
    ----------
    sizes
        (N,) values of each cell.
    """
    ends = np.cumsum(sizes, dtype=np.int64)
    start = 0
    while start < len(sizes):
        before = int(ends[start - 1]) if start else 0
        stop = int(np.searchsorted(ends, before + BLOCK, side="right"))
        stop = min(max(stop, start + 1), start + BLOCK_CELLS)
        yield start, stop
        start = stop


def summed(parts: Sequence[Rows]) -> Rows:
    """Add matrices of the same cells and genes."""

    def read(start: int, stop: int) -> csr_matrix:
        total = parts[0].read(start, stop)
        for part in parts[1:]:
            total = total + part.read(start, stop)
        return csr_matrix(total)

    sizes = sum((part.sizes for part in parts[1:]), start=parts[0].sizes)
    kind = np.result_type(*(part.kind for part in parts))
    return Rows(sizes=sizes, n_genes=parts[0].n_genes, kind=kind, read=read)


def some_genes(rows: Rows, columns: slice | NDArray[np.intp]) -> Rows:
    """Keep some genes of a matrix.

    Parameters
    ----------
    rows
        The whole of it, G genes.
    columns
        (K,) which genes are kept, or a slice of them.
    """

    def read(start: int, stop: int) -> csr_matrix:
        return csr_matrix(rows.read(start, stop)[:, columns])

    n_genes = len(np.arange(rows.n_genes)[columns])
    return Rows(sizes=rows.sizes, n_genes=n_genes, kind=rows.kind, read=read)


def at_genes(rows: Rows, places: NDArray[np.intp], n_genes: int) -> Rows:
    """Put the genes of a matrix at other places of a longer list.

    Parameters
    ----------
    rows
        G genes.
    places
        (G,) where each gene lies in the longer list.
    n_genes
        Length of that list; genes that the matrix lacks are 0.
    """
    same = n_genes == rows.n_genes and bool((places == np.arange(n_genes)).all())
    if same:
        return rows

    def read(start: int, stop: int) -> csr_matrix:
        block = rows.read(start, stop)
        columns = places[block.indices].astype(np.int32)
        moved = csr_matrix((block.data, columns, block.indptr), shape=(block.shape[0], n_genes))
        moved.sort_indices()
        return moved

    return Rows(sizes=rows.sizes, n_genes=n_genes, kind=rows.kind, read=read)


def at_cells(rows: Rows, places: NDArray[np.intp]) -> Rows:
    """Put the cells of a matrix in another order.

    Parameters
    ----------
    rows
        N cells.
    places
        (M,) which cell stands at each place; -1 for one that the matrix lacks, whose values are 0.
    """
    if len(places) == len(rows.sizes) and bool((places == np.arange(len(places))).all()):
        return rows

    def run(first: int, n: int) -> csr_matrix:
        if first < 0:
            return csr_matrix((n, rows.n_genes), dtype=rows.kind)
        return rows.read(first, first + n)

    def read(start: int, stop: int) -> csr_matrix:
        wanted = places[start:stop]
        together = (np.diff(wanted) == 1) & (wanted[1:] > 0) | (wanted[1:] < 0) & (wanted[:-1] < 0)
        cuts = [0, *(np.flatnonzero(~together) + 1), len(wanted)]
        parts = [run(int(wanted[a]), int(b - a)) for a, b in pairwise(cuts)]
        return csr_matrix(vstack(parts, format="csr", dtype=rows.kind))

    sizes = np.where(places < 0, 0, rows.sizes[np.maximum(places, 0)]) if len(rows.sizes) else places * 0
    return Rows(sizes=sizes, n_genes=rows.n_genes, kind=rows.kind, read=read)


def one_below_another(parts: Sequence[Rows]) -> Callable[[], Iterator[csr_matrix]]:
    """Give the cells of several matrices of the same genes, (n, G) at a time, all of one type."""
    kind = np.result_type(*(part.kind for part in parts))

    def blocks() -> Iterator[csr_matrix]:
        for part in parts:
            for block in part.blocks():
                yield block if block.dtype == kind else block.astype(kind)

    return blocks
