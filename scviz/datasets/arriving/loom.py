"""Loom files: genes x cells, with attributes of either."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
from numpy.typing import NDArray

from scviz.datasets.arriving.contract import Arrival, Choices, Incoming
from scviz.datasets.arriving.gene_columns import renamed
from scviz.datasets.orientation import share_of_genes
from scviz.datasets.packing import opened_part
from scviz.datasets.safety import inspect_h5
from scviz.errors import UnreadableFileError
from scviz.progress import Progress, Report

if TYPE_CHECKING:
    import pandas as pd
    from scipy.sparse import csr_matrix

GENE_NAMES = (
    "Gene",
    "gene",
    "GeneName",
    "gene_name",
    "Symbol",
    "symbol",
    "var_names",
    "gene_symbols",
    "gene_short_name",
    "Name",
    "index",
    "Accession",
    "GeneID",
    "gene_id",
    "gene_ids",
    "ensembl_id",
    "feature_name",
    "ID",
)
CELL_NAMES = (
    "CellID",
    "cell_id",
    "CellId",
    "Cell",
    "cell",
    "obs_names",
    "cell_names",
    "Barcode",
    "barcode",
    "barcodes",
    "cell_barcode",
    "CellBarcode",
    "cellid",
    "index",
    "ID",
)
"""What tools call the names, the likelier first."""
AXES = (
    ("X", "Y"),
    ("_X", "_Y"),
    ("UMAP1", "UMAP2"),
    ("UMAP_1", "UMAP_2"),
    ("tSNE1", "tSNE2"),
    ("tSNE_1", "tSNE_2"),
    ("_tSNE1", "_tSNE2"),
    ("PC1", "PC2"),
)
"""Pairs of attributes that are coordinates of cells."""
MOSTLY_GENES = 0.3
"""Share of names of genes from which an attribute is one of them, whatever it is called."""
BLOCK_BYTES = 64_000_000
MOST_AXES = 1_000
"""Widest table of coordinates."""


def read_loom(path: Path, choices: Choices, *, limit: int, report: Report) -> Incoming:  # noqa: ARG001
    """Read a loom file: its main matrix is X, its layers keep their names.

    Parameters
    ----------
    path
        An HDF5 file with `matrix`, `row_attrs` and `col_attrs`.
    choices
        Not used: rows of a loom file are genes.
    limit
        Bytes that it may unpack to, at most.
    report
        Told how many cells were read.

    Raises
    ------
    UnreadableFileError
        If it has no matrix, or parts that do not fit it.
    UnsafeFileError
        If it unpacks to too much or leads outside itself.
    """
    inspect_h5(path, limit)
    notes: list[str] = []
    with opened_part(path, "a loom file") as file:
        matrix = file.get("matrix")
        if not _is_matrix(matrix):
            raise UnreadableFileError(
                f"{path.name} is a loom file without its matrix.",
                hint="Copy or download it again, and compare its size with the original.",
            )
        n_genes, n_cells = matrix.shape
        genes, _ = _attributes(file["row_attrs"], n_genes, GENE_NAMES, what="gene", notes=notes)
        cells, embeddings = _attributes(file["col_attrs"], n_cells, CELL_NAMES, what="cell", notes=notes)
        layers = file.get("layers", {})
        fitting = [name for name, one in layers.items() if _is_matrix(one) and one.shape == matrix.shape]
        places = {"X": "matrix", **{f"layers/{name}": f"layers/{name}" for name in fitting}}
        if others := sorted(set(layers) - set(fitting)):
            notes.append(
                f"Layers that are no matrix of these genes and cells were left out: {', '.join(others)}."
            )
        graphs = [*file.get("col_graphs", {}), *file.get("row_graphs", {})]
        version = _version(file)
    if graphs:
        notes.append(f"Graphs were left out: {', '.join(graphs)}.")
    return Incoming(
        arrival=Arrival(format=f"a loom file{version}", notes=tuple(notes)),
        matrices={name: _blocks(path, place, report) for name, place in places.items()},
        cells=cells,
        genes=renamed(genes),
        embeddings=embeddings,
    )


def _is_matrix(item: object) -> bool:
    return isinstance(item, h5py.Dataset) and item.ndim == 2 and item.dtype.kind in "iufb"


def sparse_rows(columns: NDArray[Any]) -> csr_matrix:
    """Turn a dense block of genes x cells (G, n) into sparse cells x genes (n, G)."""
    from scipy.sparse import csr_matrix

    n_genes, n_cells = columns.shape
    rows = np.ascontiguousarray(columns.T)  # (n, G)
    flat = rows.reshape(-1)
    places = np.flatnonzero(flat)
    ends = np.searchsorted(places, np.arange(n_cells + 1, dtype=np.int64) * n_genes)
    indices = (places - np.repeat(np.arange(n_cells, dtype=np.int64) * n_genes, np.diff(ends))).astype(
        np.int32
    )
    return csr_matrix((flat[places], indices, ends), shape=(n_cells, n_genes))


def _blocks(path: Path, place: str, report: Report) -> Callable[[], Iterator[csr_matrix]]:
    def blocks() -> Iterator[csr_matrix]:
        with opened_part(path, "a loom file") as file:
            matrix = file[place]
            n_genes, n_cells = matrix.shape
            width = matrix.chunks[1] if matrix.chunks else 1
            most = BLOCK_BYTES // max(n_genes * matrix.dtype.itemsize, 1)
            step = max(most // width * width, min(width, 4 * most), 1)
            for first in range(0, n_cells, step):
                yield sparse_rows(matrix[:, first : first + step])
                report(Progress(stage="Reading cells", done=min(first + step, n_cells), total=n_cells))

    return blocks


def _version(file: h5py.File) -> str:
    value = file.attrs.get("LOOM_SPEC_VERSION")
    inner = file.get("attrs/LOOM_SPEC_VERSION")
    value = inner[()] if value is None and isinstance(inner, h5py.Dataset) else value
    return f" (version {_text(value)})" if value is not None else ""


def _attributes(
    group: h5py.Group, n: int, wanted: tuple[str, ...], *, what: str, notes: list[str]
) -> tuple[pd.DataFrame, dict[str, NDArray[np.floating]]]:
    """Read attributes of rows or columns: lists become columns, tables of numbers coordinates."""
    import pandas as pd

    read = _fitting(group, n, what=what, notes=notes)
    tables = {_key(name): np.asarray(one) for name, one in read.items() if _is_table(one)}
    columns = {name: one for name, one in read.items() if not _is_table(one)}
    names = _take_names(columns, n, wanted, what=what, notes=notes)
    if what == "cell":
        tables |= _pairs(columns)
    frame = pd.DataFrame(columns, index=range(n))
    frame.index = pd.Index(names, dtype=object)
    return frame, tables


def _fitting(
    group: h5py.Group, n: int, *, what: str, notes: list[str]
) -> dict[str, list[str] | NDArray[Any]]:
    """Read the attributes that have a value for each row or column; say which have not."""
    found = {name: _values(item, n) for name, item in group.items()}
    left_out = [name for name, values in found.items() if values is None]
    if left_out:
        notes.append(f"Attributes that do not fit the {what}s were left out: {', '.join(left_out)}.")
    return {name: one for name, one in found.items() if one is not None}


def _is_table(values: list[str] | NDArray[Any]) -> bool:
    return isinstance(values, np.ndarray) and values.ndim == 2


def _key(name: str) -> str:
    return name if name.startswith("X_") else f"X_{name.lower()}"


def _take_names(
    columns: dict[str, list[str] | NDArray[Any]],
    n: int,
    wanted: tuple[str, ...],
    *,
    what: str,
    notes: list[str],
) -> list[str]:
    """Take the names out of the columns, or number what has none."""
    named = next((one for one in wanted if one in columns), None) or _likely(columns, what)
    if named is None:
        notes.append(f"The file does not name its {what}s; they were numbered.")
        return [f"{what} {i + 1}" for i in range(n)]
    if named != wanted[0]:
        notes.append(f"The {what}s are named by the attribute {named}.")
    return [str(one) for one in columns.pop(named)]


def _likely(columns: dict[str, list[str] | NDArray[Any]], what: str) -> str | None:
    """Return the attribute whose values are names of genes, else one of texts of which none is there twice."""
    texts = {
        name: one for name, one in columns.items() if isinstance(one, list) and 2 * len(set(one)) > len(one)
    }
    shares = {name: share_of_genes(one) for name, one in texts.items()} if what == "gene" else {}
    best = max(shares, key=lambda name: shares[name], default=None)
    if best is not None and shares[best] > MOSTLY_GENES:
        return best
    return next((name for name, one in texts.items() if len(set(one)) == len(one) > 1), None)


def _pairs(columns: dict[str, list[str] | NDArray[Any]]) -> dict[str, NDArray[np.floating]]:
    """Take coordinates out of the columns."""
    found: dict[str, NDArray[np.floating]] = {}
    for pair in AXES:
        values = [columns.get(one) for one in pair]
        if all(isinstance(one, np.ndarray) and one.dtype.kind in "iuf" for one in values):
            key = "X_" + (pair[0].strip("_").lower().rstrip("1").rstrip("_") or "x")
            found["X_embedding" if key == "X_x" else key] = np.stack(values, axis=1).astype(np.float64)  # type: ignore[arg-type]  # (N, 2)
            for one in pair:
                del columns[one]
    return found


def _values(item: h5py.Group | h5py.Dataset, n: int) -> list[str] | NDArray[Any] | None:
    """Read an attribute with a value for each row; None where it has another form."""
    if not isinstance(item, h5py.Dataset) or not item.shape or item.shape[0] != n or item.ndim > 2:
        return None
    if item.ndim == 2 and item.shape[1] > 1:
        few = item.dtype.kind in "iuf" and item.shape[1] <= MOST_AXES
        return np.asarray(item[:], dtype=np.float64) if few else None
    return _one_column(item[:].reshape(-1))


def _one_column(values: NDArray[Any]) -> list[str] | NDArray[Any] | None:
    if values.dtype.kind in "iufb":
        return values
    return [_text(one) for one in values.tolist()] if values.dtype.kind in "SO" else None


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
