"""Matrices of an h5ad file, cells x genes: where they are, some of their cells, all of their cells."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import h5py
import numpy as np
from numpy.typing import NDArray

from scviz.datasets.rows import Rows
from scviz.errors import DataError

Layout = Literal["csr", "csc", "dense"]

SAMPLE = 2_000
"""Cells that are looked at to tell what a matrix holds."""
N_BLOCKS = 20
"""Places of the file from which they come."""
SAMPLE_VALUES = 4_000_000
"""Most values that are read for a sample."""
STRIPE_BYTES = 256_000_000
"""Most bytes that are unpacked for a sample of a dense matrix."""
SUM = "layers/spliced + layers/unspliced"
"""Both parts of RNA velocity together, which are the counts where nothing else is."""


def locations(file: h5py.File) -> tuple[str, ...]:
    """Return where matrices are: X, the layers, and the raw matrix with its own genes."""
    layers = [f"layers/{name}" for name in file.get("layers", {})]
    found = tuple(place for place in ("X", *layers, "raw/X") if matrix_at(file, place) is not None)
    return (*found, SUM) if set(SUM.split(" + ")) <= set(found) else found


def encoding_of(file: h5py.File, location: str) -> str:
    """Return how something is stored that is no matrix known here; empty where there is nothing."""
    node = file.get(location)
    kind = "" if node is None else node.attrs.get("encoding-type", "")
    return kind.decode() if isinstance(kind, bytes) else str(kind)


def matrix_at(file: h5py.File, location: str) -> h5py.Group | h5py.Dataset | None:
    """Return the node of a matrix, or None; `raw/X` is also found where old writers put it.

    Of a sum it is the first part.
    """
    location = location.split(" + ")[0]
    node = file.get(location)
    if node is None and location == "raw/X":
        node = file.get("raw.X")
    if isinstance(node, h5py.Dataset):
        return node if node.ndim == 2 and node.dtype.kind in "iufb" else None
    return node if node is not None and _sparse_format(node) in ("csr", "csc") else None


def genes_of(file: h5py.File, location: str) -> h5py.Group | h5py.Dataset:
    """Return the table of the genes of a matrix."""
    if location != "raw/X":
        return file["var"]
    return file["raw/var"] if "raw/var" in file else file["raw.var"]


def layout_of(node: h5py.Group | h5py.Dataset) -> Layout:
    """Tell how a matrix is stored: by cell, by gene, or with all its zeros."""
    if isinstance(node, h5py.Dataset):
        return "dense"
    return "csr" if _sparse_format(node) == "csr" else "csc"


def shape_of(node: h5py.Group | h5py.Dataset) -> tuple[int, int]:
    """Return the number of cells and of genes.

    Raises
    ------
    DataError
        If the matrix does not state its size.
    """
    shape = (
        node.shape
        if isinstance(node, h5py.Dataset)
        else node.attrs.get("shape", node.attrs.get("h5sparse_shape"))
    )
    if shape is None or len(shape) != 2:
        raise DataError(
            f"The matrix {node.name} does not state its size.", hint="Write it anew with AnnData."
        )
    return int(shape[0]), int(shape[1])


def sample_rows(node: h5py.Group | h5py.Dataset, *, turned: bool = False) -> Rows:
    """Read some cells, spread over the file; pieces of the matrix where whole cells would take too long.

    Parameters
    ----------
    turned
        Whether rows of the file are genes.
    """
    if isinstance(node, h5py.Dataset):
        return _sample_turned(node) if turned else _sample_dense(node)
    by_cell = (layout_of(node) == "csr") != turned
    if not by_cell and node["data"].shape[0] <= SAMPLE_VALUES:
        return _by_cell(node, shape_of(node)[1 if turned else 0])
    n_lines = len(node["indptr"]) - 1
    values, lengths, budget = [], [], SAMPLE_VALUES // N_BLOCKS
    for block in stretches(n_lines, SAMPLE):
        bounds = node["indptr"][block.start : block.stop + 1].astype(np.int64)
        bounds = bounds[: max(np.searchsorted(bounds, bounds[0] + budget, side="right"), 1)]
        values.append(node["data"][bounds[0] : bounds[-1]])
        lengths.append(np.diff(bounds))
    return _rows(np.concatenate(values), np.concatenate(lengths), whole=by_cell)


def _sparse_format(node: h5py.Group) -> str:
    kind = node.attrs.get("encoding-type", node.attrs.get("h5sparse_format", ""))
    kind = kind.decode() if isinstance(kind, bytes) else str(kind)
    return kind.removesuffix("_matrix") if {"data", "indices", "indptr"} <= set(node) else ""


def stretches(n_lines: int, wanted: int, step: int = 1) -> Iterator[slice]:
    """Yield evenly spread stretches of lines, `wanted` in all, each beginning at a multiple of `step`."""
    n_blocks = max(min(N_BLOCKS, wanted // max(step, 1), n_lines // max(step, 1)), 1)
    size = -(-min(wanted, n_lines) // n_blocks)
    last = -1
    for i in range(n_blocks):
        start = max(int(i * n_lines / n_blocks) // step * step, last)
        last = min(start + size, n_lines)
        yield slice(start, last)


def _sample_dense(node: h5py.Dataset) -> Rows:
    """Read stretches of cells; a corner when chunks are so tall that whole cells cost too much."""
    n_cells, n_genes = node.shape
    height, width = node.chunks or (1, n_genes)
    stripe = max(height * n_genes * node.dtype.itemsize, 1)
    wanted = max(min(SAMPLE, SAMPLE_VALUES * 4 // max(n_genes, 1)), 1)
    if stripe > STRIPE_BYTES:
        part = node[: min(height, SAMPLE), : min(width, n_genes)]
        return _dense_rows(part, whole=False)
    step = height if n_cells > wanted else 1
    most = max(STRIPE_BYTES // stripe, 1) * height
    parts = [node[block] for block in stretches(n_cells, min(wanted, most), step)]
    return _dense_rows(np.concatenate(parts), whole=True)


def _dense_rows(part: NDArray[np.number], *, whole: bool) -> Rows:
    return _rows(part[part != 0], np.count_nonzero(part, axis=1), whole=whole)


def _sample_turned(node: h5py.Dataset) -> Rows:
    """Read the first cells of a dense matrix whose rows are genes."""
    wanted = max(min(SAMPLE, SAMPLE_VALUES * 4 // max(node.shape[0], 1)), 1)
    return _dense_rows(node[:, :wanted].T, whole=True)


def _by_cell(node: h5py.Group, n_cells: int) -> Rows:
    """Turn a small matrix that is stored by gene into cells."""
    cells = node["indices"][:]
    order = np.argsort(cells, kind="stable")
    return _rows(node["data"][:][order], np.bincount(cells, minlength=n_cells), whole=True)


def _rows(values: NDArray[np.number], lengths: NDArray[np.integer], *, whole: bool) -> Rows:
    """Put values and the number of them in each cell together, without stored zeros."""
    kept = values != 0
    if not kept.all():
        cell = np.repeat(np.arange(len(lengths)), lengths)
        values, lengths = values[kept], np.bincount(cell[kept], minlength=len(lengths))
    bounds = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return Rows(values=values, bounds=bounds, whole=whole)
