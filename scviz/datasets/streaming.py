"""Matrices of any size, read some cells at a time as they are stored."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from scviz.datasets.matrices import layout_of, matrix_at, shape_of
from scviz.datasets.turning import turn
from scviz.errors import DataError

BLOCK_VALUES = 4_000_000
"""Stored values that are in memory at a time."""
BLOCK_BYTES = 64_000_000
"""Bytes of a dense matrix that are in memory at a time."""


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
