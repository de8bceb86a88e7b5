"""Matrices of any size, some cells at a time: read as stored, turned, and written gene by gene."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csr_matrix

from scviz.datasets.matrices import layout_of, matrix_at, shape_of
from scviz.errors import DataError

BLOCK_VALUES = 4_000_000
"""Stored values that are in memory at a time."""
BLOCK_BYTES = 64_000_000
"""Bytes of a dense matrix that are in memory at a time."""
BUCKET_VALUES = 16_000_000
"""Values that are sorted in memory at a time when a matrix is turned."""


def blocks_of(node: h5py.Group | h5py.Dataset, folder: Path, *, turned: bool = False) -> Iterator[csr_matrix]:
    """Read a matrix by cell, (n, G) at a time, values as stored but in a type that can be computed with.

    Parameters
    ----------
    folder
        Where files may wait while a matrix that is stored by gene is turned; nothing is left there.
    turned
        Whether rows of the file are genes.

    Raises
    ------
    DataError
        If the matrix is damaged.
    """
    if isinstance(node, h5py.Dataset):
        yield from _dense_blocks(node, turned=turned)
        return
    lines = _line_blocks(node)
    by_cell = (layout_of(node) == "csr") != turned
    n_cells = shape_of(node)[1 if turned else 0]
    yield from lines if by_cell else turn(lines, n_cells, n_values=node["data"].shape[0], folder=folder)


def turn(
    blocks: Iterator[csr_matrix],
    n_columns: int,
    *,
    n_values: int,
    folder: Path,
    spread: NDArray[np.int64] | None = None,
) -> Iterator[csr_matrix]:
    """Give a matrix by its columns: columns become rows, in blocks that hold about as many values each.

    What does not fit into memory waits in files.

    Parameters
    ----------
    blocks
        (n, n_columns) each, below each other.
    n_values
        How many values there are in all, at most.
    folder
        Where files may wait; nothing is left there.
    spread
        (n_columns,) values of each column, where they are known.
    """
    n_buckets = min(-(-n_values // BUCKET_VALUES), max(n_columns, 1)) or 1
    starts = _starts(n_columns, n_buckets, spread)  # (n_buckets + 1,)
    with tempfile.TemporaryDirectory(dir=folder) as waiting:
        buckets = [_Bucket(Path(waiting) / str(i) if n_buckets > 1 else None) for i in range(n_buckets)]
        n_rows = 0
        for block in blocks:
            for bucket, low, high in zip(buckets, starts[:-1], starts[1:], strict=True):
                bucket.add(block[:, low:high] if n_buckets > 1 else block, n_rows)
            n_rows += block.shape[0]
        for bucket, low, high in zip(buckets, starts[:-1], starts[1:], strict=True):
            yield bucket.turned(int(high - low), n_rows)


ENTRY = np.dtype([("line", np.int32), ("place", np.int32), ("value", np.float32)])
"""What waits of a value: its column, which becomes a line, and its row."""


@dataclass(slots=True)
class _Bucket:
    """Entries of some columns, in memory or in a file."""

    path: Path | None
    parts: list[NDArray[np.void]] = field(default_factory=list)
    entry: np.dtype[np.void] = ENTRY

    def add(self, block: csr_matrix, first_row: int) -> None:
        self.entry = np.dtype([("line", np.int32), ("place", np.int32), ("value", block.data.dtype)])
        entries = np.empty(block.nnz, dtype=self.entry)
        entries["line"] = block.indices
        entries["place"] = np.repeat(np.arange(block.shape[0]), np.diff(block.indptr)) + first_row
        entries["value"] = block.data
        if self.path is None:
            self.parts.append(entries)
            return
        with self.path.open("ab") as file:
            entries.tofile(file)

    def turned(self, n_columns: int, n_rows: int) -> csr_matrix:
        parts, self.parts = self.parts, []
        if self.path is not None and self.path.exists():
            parts = [np.fromfile(self.path, dtype=self.entry)]
            self.path.unlink()
        entries = np.concatenate([np.empty(0, dtype=self.entry), *parts])
        at = (entries["line"], entries["place"])
        return sparse.coo_matrix((entries["value"], at), shape=(n_columns, n_rows)).tocsr()


def _starts(n_columns: int, n_buckets: int, spread: NDArray[np.int64] | None) -> NDArray[np.int64]:
    """Return where each bucket begins, and the end: as many columns each, or as many values where they are known."""
    if spread is None or not spread.sum():
        return np.linspace(0, n_columns, n_buckets + 1).astype(np.int64)
    before = np.concatenate([[0], np.cumsum(spread)])
    inner = np.searchsorted(before, before[-1] * np.arange(1, n_buckets) / n_buckets)
    return np.array([0, *inner, n_columns], dtype=np.int64)


def _line_blocks(node: h5py.Group) -> Iterator[csr_matrix]:
    """Read the lines of a sparse matrix, whether they are cells or genes."""
    shape = shape_of(node)
    width = shape[1] if layout_of(node) == "csr" else shape[0]
    bounds = node["indptr"][:].astype(np.int64)
    _check_bounds(node, bounds, n_lines=shape[0] if layout_of(node) == "csr" else shape[1])
    start = 0
    while start < len(bounds) - 1:
        stop = int(np.searchsorted(bounds, bounds[start] + BLOCK_VALUES, side="right")) - 1
        stop = min(max(stop, start + 1), len(bounds) - 1)
        part = slice(int(bounds[start]), int(bounds[stop]))
        values, places = _native(node["data"][part]), node["indices"][part].astype(np.int64)
        if len(places) and not (places.min() >= 0 and places.max() < width):
            raise _damaged(node, "an index lies outside the matrix")
        ends = bounds[start : stop + 1] - bounds[start]
        block = csr_matrix((values, places.astype(np.int32), ends), shape=(stop - start, width))
        block.sum_duplicates()
        block.eliminate_zeros()
        yield block
        start = stop


def _check_bounds(node: h5py.Group, bounds: NDArray[np.int64], *, n_lines: int) -> None:
    fits = len(bounds) == n_lines + 1 and node["data"].shape == node["indices"].shape
    if not (fits and bounds[0] == 0 and bounds[-1] == node["data"].shape[0] and np.all(np.diff(bounds) >= 0)):
        raise _damaged(node, "its index does not fit its values")


def _damaged(node: h5py.Group, why: str) -> DataError:
    return DataError(f"The matrix {node.name} is damaged: {why}.", hint="Write it anew with AnnData.")


def _dense_blocks(node: h5py.Dataset, *, turned: bool) -> Iterator[csr_matrix]:
    n_cells, n_genes = node.shape[::-1] if turned else node.shape
    step = max(BLOCK_BYTES // max(n_genes * node.dtype.itemsize, 1), 1)
    height = (node.chunks or (1, 1))[1 if turned else 0]
    step = max(step // height, 1) * height if height < n_cells else max(step, 1)
    for start in range(0, n_cells, step):
        part = slice(start, start + step)
        yield csr_matrix(_native(node[:, part].T if turned else node[part]))


def _native(values: NDArray[np.generic]) -> NDArray[np.generic]:
    """Return values in a type that scipy knows: half precision as single, foreign byte order as one's own."""
    if values.dtype.kind == "f" and values.dtype.itemsize == 2:
        return values.astype(np.float32)
    if values.dtype.kind == "b":
        return values.astype(np.uint8)
    return values.astype(values.dtype.newbyteorder("="), copy=False)


def matrix_blocks(
    file: h5py.File, location: str, folder: Path, *, turned: bool = False
) -> Iterator[csr_matrix]:
    """Read the matrix at a place of a file, or the sum of two (`a + b`), by cell, (n, G) at a time; see `blocks_of`."""
    first, *rest = (
        blocks_of(matrix_at(file, place), folder, turned=turned) for place in location.split(" + ")
    )
    for other in rest:
        first = _sum(first, other)
    return first


def _sum(first: Iterator[csr_matrix], second: Iterator[csr_matrix]) -> Iterator[csr_matrix]:
    """Add two matrices whose blocks end at different cells."""
    left, right = next(first, None), next(second, None)
    while left is not None and right is not None:
        n = min(left.shape[0], right.shape[0])
        yield csr_matrix(left[:n] + right[:n])
        left = left[n:] if left.shape[0] > n else next(first, None)
        right = right[n:] if right.shape[0] > n else next(second, None)
