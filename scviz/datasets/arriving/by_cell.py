"""Entries of a matrix in whichever order they come, kept by cell in temporary files."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, csr_matrix

from scviz.datasets.arriving.rows import BLOCK, Rows, spans
from scviz.datasets.arriving.unpacking import scratch_of


@dataclass(slots=True, weakref_slot=True, eq=False)
class Kept:
    """Entries that were read so far, in temporary files, and what was seen of their order."""

    n_cells: int
    n_genes: int
    kind: np.dtype[Any]
    """Type of the values."""
    folder: Path = field(init=False)
    """It goes when nothing needs it."""
    sizes: NDArray[np.int64] = field(init=False)
    """(N,) values of each cell."""
    n: int = 0
    last: tuple[int, int] = (-1, -1)
    """Cell and gene of the entry before."""
    in_order: bool = True
    """Whether cells follow one another, and genes within each, none twice."""
    by_cell: bool = True
    """Whether cells follow one another."""
    exact: bool = True
    """Whether all values are exact in single precision."""

    def __post_init__(self) -> None:
        self.folder = scratch_of(self)
        self.sizes = np.zeros(self.n_cells, dtype=np.int64)

    def add(self, cells: NDArray[np.int32], genes: NDArray[np.int32], values: NDArray[Any]) -> None:
        """Keep some entries, (n,) each."""
        if not len(cells):
            return
        step = np.diff(cells, prepend=np.int32(self.last[0]))
        if self.by_cell and step.min() < 0:
            self.by_cell = self.in_order = False
        if self.in_order:
            next_gene = np.diff(genes, prepend=np.int32(self.last[1])) > 0
            self.in_order = bool((next_gene | (step > 0)).all())
        self.last = int(cells[-1]), int(genes[-1])
        low = int(cells.min())
        found = np.bincount(cells - low)
        self.sizes[low : low + len(found)] += found
        if self.kind == np.float64 and self.exact:
            self.exact = bool((values.astype(np.float32) == values).all())
        self.n += len(cells)
        for name, part in (
            ("cells", cells),
            ("genes", genes),
            ("values", values.astype(self.kind, copy=False)),
        ):
            with (self.folder / name).open("ab") as file:
                part.tofile(file)


def ordered(kept: Kept) -> tuple[Rows, int]:
    """Bring the entries into the order of cells, if they are not, and add up those that are there twice.

    Returns
    -------
    The matrix, and how many entries were added to another one.
    """
    if kept.in_order:
        return _rows(kept, ""), 0
    n_before = kept.n
    if not kept.by_cell:
        _sort_into_blocks(kept)
    starts = np.concatenate([[0], np.cumsum(kept.sizes)])
    sizes = np.zeros_like(kept.sizes)
    with (kept.folder / "genes_once").open("wb") as genes, (kept.folder / "values_once").open("wb") as values:
        for start, stop in spans(kept.sizes):
            cells, *entries = _load(kept, int(starts[start]), int(starts[stop]))
            shape = (stop - start, kept.n_genes)
            block = coo_matrix((entries[1], (cells - np.int32(start), entries[0])), shape=shape).tocsr()
            block.sum_duplicates()
            block.indices.astype(np.int32, copy=False).tofile(genes)
            block.data.tofile(values)
            sizes[start:stop] = np.diff(block.indptr)
    for name in ("cells", "genes", "values"):
        (kept.folder / name).unlink()
    kept.sizes = sizes
    twice = n_before - int(sizes.sum())
    return _rows(kept, "_once"), twice


def _rows(kept: Kept, suffix: str) -> Rows:
    starts = np.concatenate([[0], np.cumsum(kept.sizes)]).astype(np.int64)
    kind = np.dtype(np.float32) if kept.kind == np.float64 and kept.exact else kept.kind

    def read(start: int, stop: int) -> csr_matrix:
        first, n = int(starts[start]), int(starts[stop] - starts[start])
        genes, values = (
            _slice(kept.folder / f"{name}{suffix}", dtype, first=first, n=n)
            for name, dtype in (("genes", np.dtype(np.int32)), ("values", kept.kind))
        )
        indptr = starts[start : stop + 1] - first
        return csr_matrix(
            (values.astype(kind, copy=False), genes, indptr), shape=(stop - start, kept.n_genes)
        )

    return Rows(sizes=kept.sizes, n_genes=kept.n_genes, kind=kind, read=read)


def _load(kept: Kept, first: int, last: int) -> list[NDArray[Any]]:
    """Read cells, genes and values of some entries."""
    kinds = {"cells": np.dtype(np.int32), "genes": np.dtype(np.int32), "values": kept.kind}
    return [_slice(kept.folder / name, kind, first=first, n=last - first) for name, kind in kinds.items()]


def _slice(path: Path, kind: np.dtype[Any], *, first: int, n: int) -> NDArray[Any]:
    if not n:
        return np.empty(0, dtype=kind)
    return np.fromfile(path, kind, n, offset=first * kind.itemsize)


def _sort_into_blocks(kept: Kept) -> None:
    """Move each entry to the block of its cell, reading and writing every file once."""
    stops = np.array([stop for _, stop in spans(kept.sizes)], dtype=np.int64)
    ends = np.cumsum(kept.sizes)[stops - 1]
    places = np.concatenate([[0], ends[:-1]])
    files: dict[str, IO[bytes]] = {}
    try:
        for name in ("cells", "genes", "values"):
            files[name] = (kept.folder / f"{name}_sorted").open("w+b")
        for first in range(0, kept.n, BLOCK):
            entries = _load(kept, first, min(first + BLOCK, kept.n))
            block_of = np.searchsorted(stops, entries[0], side="right")
            order = np.argsort(block_of, kind="stable")
            found = np.bincount(block_of, minlength=len(stops))
            cuts = np.concatenate([[0], np.cumsum(found)])
            for file, part in zip(files.values(), entries, strict=True):
                part = part[order]
                for block in np.flatnonzero(found):
                    file.seek(int(places[block]) * part.itemsize)
                    part[cuts[block] : cuts[block + 1]].tofile(file)
            places += found
    finally:
        for file in files.values():
            file.close()
    for name in files:
        (kept.folder / f"{name}_sorted").replace(kept.folder / name)
