"""Write what a reader gives as an h5ad file, some cells at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
from anndata.io import write_elem
from scipy.sparse import csr_matrix

from scviz.datasets.arriving.contract import Arrival, Incoming
from scviz.errors import DataError
from scviz.progress import Progress, Report, silent

CHUNK = 1 << 17
"""Values of a matrix that lie together in the file."""
GROUPS = ("obsm", "varm", "obsp", "varp", "layers", "uns")


def write_incoming(incoming: Incoming, target: Path, report: Report = silent) -> Arrival:
    """Write an h5ad file; matrices go through memory block by block.

    Returns
    -------
    What is to be said of the file, with what had to be renamed.

    Raises
    ------
    DataError
        If a matrix does not have a row for each cell and a column for each gene.
    """
    cells, renamed_cells = _plain_names(incoming.cells, "cells")
    genes, renamed_genes = _plain_names(incoming.genes, "genes")
    with h5py.File(target, "w") as file:
        file.attrs.update({"encoding-type": "anndata", "encoding-version": "0.1.0"})
        write_elem(file, "obs", cells)
        write_elem(file, "var", genes)
        for name in GROUPS:
            write_elem(file, name, {})
        for key, values in incoming.embeddings.items():
            write_elem(file["obsm"], key, np.asarray(values))
        for location, blocks in incoming.matrices.items():
            _write_matrix(file, location, blocks(), shape=(len(cells), len(genes)), report=report)
    notes = (*incoming.arrival.notes, *renamed_cells, *renamed_genes)
    return replace(incoming.arrival, notes=notes)


def append_csr(node: h5py.Group, block: csr_matrix) -> None:
    """Add cells, (n, G), below those that `start_csr` and earlier calls wrote."""
    start = node["data"].shape[0]
    for part in ("data", "indices"):
        node[part].resize(start + block.nnz, axis=0)
        node[part][start:] = getattr(block, part)
    done = node["indptr"].shape[0]
    node["indptr"].resize(done + block.shape[0], axis=0)
    node["indptr"][done:] = block.indptr[1:].astype(np.int64) + start
    node.attrs["shape"] = np.array([done - 1 + block.shape[0], block.shape[1]])


def start_csr(parent: h5py.Group, name: str, n_genes: int, *, kind: np.dtype[Any]) -> h5py.Group:
    """Make an empty sparse matrix of the layout of AnnData, to which `append_csr` adds cells."""
    node = parent.create_group(name)
    node.attrs.update({"encoding-type": "csr_matrix", "encoding-version": "0.1.0"})
    node.attrs["shape"] = np.array([0, n_genes])
    for part, dtype in (("data", kind), ("indices", np.dtype(np.int32)), ("indptr", np.dtype(np.int64))):
        node.create_dataset(part, (0,), dtype, maxshape=(None,), chunks=(CHUNK,))
    node["indptr"].resize(1, axis=0)
    return node


def end_csr(node: h5py.Group) -> None:
    """Store places of one width, as readers of h5ad expect them, where the number of values allows it."""
    ends = node["indptr"][:]
    if ends[-1] <= np.iinfo(np.int32).max:
        del node["indptr"]
        node["indptr"] = ends.astype(np.int32)


def _write_matrix(
    file: h5py.File, location: str, blocks: Iterator[csr_matrix], *, shape: tuple[int, int], report: Report
) -> None:
    node: h5py.Group | None = None
    done = 0
    for block in blocks:
        if node is None:
            node = start_csr(file, location, shape[1], kind=block.dtype)
        append_csr(node, block)
        done += block.shape[0]
        report(Progress(stage="Reading cells", done=done, total=max(shape[0], done)))
    if node is None:
        node = start_csr(file, location, shape[1], kind=np.dtype(np.float32))
    end_csr(node)
    found = tuple(int(n) for n in node.attrs["shape"])
    if found != shape:
        raise DataError(
            f"{location} is {found[0]:,} x {found[1]:,}, "
            f"but there are names for {shape[0]:,} cells and {shape[1]:,} genes.",
            hint="The file and its lists of names do not belong together: copy them again.",
        )


def _plain_names(table: pd.DataFrame, what: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Make names of columns that h5ad can hold, and name those that were changed."""
    names: dict[str, str] = {}
    for name in map(str, table.columns):
        names[name] = _plain_name(name, set(names.values()))
    changed = [f"{old!r} as {new!r}" for old, new in names.items() if old != new]
    note = (f"Columns of {what} were renamed: {', '.join(changed)}.",) if changed else ()
    renamed = table.copy(deep=False)
    renamed.columns = pd.Index([names[str(name)] for name in table.columns], dtype=object)
    renamed.index = pd.Index([str(name) for name in table.index], dtype=object)
    for name in renamed.columns:
        renamed[name] = _storable(renamed[name])
    return renamed, note


def _plain_name(name: str, taken: set[str]) -> str:
    plain = name.replace("/", "_").strip() or "unnamed"
    while plain in ("_index", "index") or plain in taken:
        plain = f"{plain}_"
    return plain


def _storable(column: pd.Series[Any]) -> pd.Series[Any]:
    """Give numbers, truth values and categories as they are, anything else as text; gaps stay gaps."""
    if isinstance(column.dtype, pd.CategoricalDtype) or column.dtype.kind in "iufb":
        return column
    texts = column.astype(object).where(column.notna(), None)
    return texts.map(lambda value: None if value is None else str(value)).astype("category")
