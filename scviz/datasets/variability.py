"""How much each gene of a file varies, from some of its cells, before anything is opened."""

from __future__ import annotations

import h5py
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_matrix, csr_matrix, vstack

from scviz.datasets.matrices import SAMPLE, SAMPLE_VALUES, layout_of, shape_of, stretches

SCALE = 10_000
"""Sum that cells are scaled to."""


def variability(node: h5py.Group | h5py.Dataset, *, turned: bool = False) -> NDArray[np.float64]:
    """Return the variance (G,) of the log1p of scaled values over some cells; NaN where reading would take too long.

    Parameters
    ----------
    node
        A matrix of cells and genes.
    turned
        Whether rows of the file are genes.
    """
    n_genes = shape_of(node)[0 if turned else 1]
    cells = _some_cells(node, turned=turned)
    if cells is None or not cells.shape[0]:
        return np.full(n_genes, np.nan)
    values = np.clip(np.nan_to_num(cells.data), 0, None)
    row = np.repeat(np.arange(cells.shape[0]), np.diff(cells.indptr))
    sums = np.bincount(row, weights=values, minlength=cells.shape[0])
    scaled = np.log1p(values * (SCALE / np.maximum(sums, 1e-9))[row])
    mean = np.bincount(cells.indices, weights=scaled, minlength=n_genes) / cells.shape[0]
    square = np.bincount(cells.indices, weights=scaled**2, minlength=n_genes) / cells.shape[0]
    return np.asarray(square - mean**2)


def _some_cells(node: h5py.Group | h5py.Dataset, *, turned: bool) -> csr_matrix | None:
    """Read cells, spread over the file where whole cells lie together (n, G)."""
    if isinstance(node, h5py.Dataset):
        return _of_dense(node, turned=turned)
    if (layout_of(node) == "csr") != turned:
        n_genes = shape_of(node)[0 if turned else 1]
        return csr_matrix(vstack([_lines(node, part, n_genes) for part in stretches(_n_lines(node), SAMPLE)]))
    if node["data"].shape[0] > SAMPLE_VALUES:
        return None
    shape = shape_of(node)[::-1] if turned else shape_of(node)
    return csr_matrix(
        csc_matrix((node["data"][:].astype(np.float64), node["indices"][:], node["indptr"][:]), shape=shape)
    )


def _n_lines(node: h5py.Group) -> int:
    return len(node["indptr"]) - 1


def _lines(node: h5py.Group, part: slice, width: int) -> csr_matrix:
    """Read lines that lie together, fewer where they hold very many values."""
    bounds = node["indptr"][part.start : part.stop + 1].astype(np.int64)
    bounds = bounds[: max(np.searchsorted(bounds, bounds[0] + SAMPLE_VALUES // 4, side="right"), 1)]
    part = slice(bounds[0], bounds[-1])
    entries = (node["data"][part].astype(np.float64), node["indices"][part], bounds - bounds[0])
    return csr_matrix(entries, shape=(len(bounds) - 1, width))


def _of_dense(node: h5py.Dataset, *, turned: bool) -> csr_matrix | None:
    n_cells, n_genes = node.shape[::-1] if turned else node.shape
    wanted = max(min(SAMPLE, SAMPLE_VALUES // max(n_genes, 1)), 1)
    height = (node.chunks or (1, 1))[1 if turned else 0]
    if min(height, n_cells) * n_genes > 4 * SAMPLE_VALUES:
        return None
    step = height if n_cells > wanted else 1
    parts = stretches(n_cells, max(wanted, step), step)
    found = np.concatenate([node[:, one].T if turned else node[one] for one in parts])
    return csr_matrix(found.astype(np.float64))
