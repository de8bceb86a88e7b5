"""Matrices that are too large to hold: written and read by cell, some cells at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import h5py
import numpy as np
from scipy.sparse import csr_matrix

LAYERS = "layers.h5"
"""File in the result folder of a run that holds layers, genes as in the counts of the dataset."""

CELLS_AT_A_TIME = 1024


def write_blocks(parent: h5py.Group, name: str, blocks: Iterable[csr_matrix], *, n_genes: int) -> None:
    """Write blocks of cells below each other as one sparse matrix, in the layout of AnnData.

    Parameters
    ----------
    blocks
        (n, n_genes) each, in the order of the cells.
    """
    node = parent.create_group(name)
    for part, kind in {"data": np.float32, "indices": np.int32}.items():
        node.create_dataset(
            part, (0,), kind, maxshape=(None,), chunks=(65_536,), compression="gzip", compression_opts=1
        )
    ends = [np.zeros(1, dtype=np.int64)]
    for block in blocks:
        start, end = len(node["data"]), len(node["data"]) + block.nnz
        for part in ("data", "indices"):
            node[part].resize(end, axis=0)
            node[part][start:end] = getattr(block, part)
        ends.append(block.indptr[1:].astype(np.int64) + start)
    node["indptr"] = np.concatenate(ends)
    shape = np.array([len(node["indptr"]) - 1, n_genes])
    node.attrs.update({"encoding-type": "csr_matrix", "encoding-version": "0.1.0", "shape": shape})


def read_blocks(node: h5py.Group, n_cells: int = CELLS_AT_A_TIME) -> Iterator[csr_matrix]:
    """Read what `write_blocks` wrote, (n_cells, n_genes) at a time; the last block may be smaller."""
    ends, n_genes = node["indptr"][:], int(node.attrs["shape"][1])
    for start in range(0, len(ends) - 1, n_cells):
        bounds = ends[start : start + n_cells + 1]
        part = slice(bounds[0], bounds[-1])
        arrays = (node["data"][part], node["indices"][part], bounds - bounds[0])
        yield csr_matrix(arrays, shape=(len(bounds) - 1, n_genes))


def layer_names(path: Path) -> tuple[str, ...]:
    """Return the names of the matrices of a file; none where there is no file."""
    if not path.is_file():
        return ()
    with h5py.File(path, "r") as file:
        return tuple(file)
