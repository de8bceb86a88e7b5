"""Seurat objects in HDF5, as SeuratDisk and its followers write them: genes x cells by column, tables as groups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from scviz.datasets.arriving.contract import Arrival, Choices, Incoming
from scviz.datasets.arriving.gene_columns import renamed
from scviz.datasets.arriving.r_objects import in_order
from scviz.datasets.arriving.r_seurat import FIRST_ASSAYS, SCALED
from scviz.datasets.arriving.rows import Rows
from scviz.datasets.packing import opened_part
from scviz.datasets.safety import inspect_h5
from scviz.errors import UnreadableFileError
from scviz.progress import Progress, Report

AGAIN = "Copy or download it again, and compare its size with the original."
NO_NUMBER = np.iinfo(np.int32).min
"""What R writes where a whole number, or the level of a factor, is missing."""
TRUTH = "logical"
"""Class of columns of truth values, which are written as 0, 1 and 2 for a missing one."""
FEATURES = ("features", "meta.features", "meta.data")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layer:
    """Where a matrix of G genes and N cells lies."""

    place: str
    starts: NDArray[np.int64] | None
    """(N + 1,) where each cell begins; None for a dense matrix, which is stored cells x genes."""
    kind: np.dtype[Any]


def read_h5seurat(path: Path, choices: Choices, *, limit: int, report: Report) -> Incoming:
    """Read one assay of a Seurat object in HDF5.

    Parameters
    ----------
    path
        An HDF5 file with `assays`, `cell.names` and `meta.data`.
    choices
        `part` is an assay; rows of an assay are genes, so nothing is to be turned.
    limit
        Bytes that it may unpack to, at most.
    report
        Told how many cells were read.

    Raises
    ------
    UnreadableFileError
        If no assay holds counts or expression, or its parts do not go together.
    UnsafeFileError
        If it unpacks to too much or leads outside itself.
    """
    inspect_h5(path, limit)
    notes: list[str] = []
    with opened_part(path, "a Seurat object in HDF5") as file:
        parts = _assays(file, choices.part)
        assay = file["assays"][parts[0]]
        cell_names, gene_names = _texts(file["cell.names"]), _gene_names(assay)
        shape = len(cell_names), len(gene_names)
        layers = _layers(assay, shape, notes)
        if not layers:
            raise UnreadableFileError(
                f"{path.name} has no counts or expression of {shape[0]:,} cells and {shape[1]:,} genes in its assay "
                f"{parts[0]}.",
                hint=AGAIN,
            )
        cells = _table(file.get("meta.data"), cell_names, notes)
        genes = _table(assay.get("meta.features", assay.get("meta.data")), gene_names, notes)
        embeddings = _embeddings(file.get("reductions", {}), shape[0], notes)
        version = _text(file.attrs.get("version", ""))
    names = sorted(layers, key=lambda name: (name != "counts", name != "data", name))
    if len(names) > 1 or names[0] != "counts":
        notes.insert(0, f"X holds {names[0]}; the other layers are {', '.join(names[1:]) or 'none'}.")
    matrices = {
        "X" if name == names[0] else f"layers/{name.replace('/', '_')}": _rows(
            path, layers[name], shape=shape, report=report
        )
        for name in names
    }
    return Incoming(
        arrival=Arrival(
            format=f"a Seurat object in HDF5{f' (Seurat {version})' if version else ''}",
            parts=parts if len(parts) > 1 else (),
            notes=tuple(notes),
        ),
        matrices={name: rows.blocks for name, rows in matrices.items()},
        cells=cells,
        genes=renamed(genes),
        embeddings=embeddings,
    )


def _assays(file: h5py.File, part: str) -> tuple[str, ...]:
    """Return the names of assays, the one that is taken first."""
    found = [name for name, one in file["assays"].items() if isinstance(one, h5py.Group)]
    parts = in_order(found, part, (*FIRST_ASSAYS, _text(file.attrs.get("active.assay", ""))))
    if not parts:
        raise UnreadableFileError(f"{Path(file.filename).name} has no assay.", hint=AGAIN)
    return parts


def _gene_names(assay: h5py.Group) -> list[str]:
    """Return the names of the genes of an assay."""
    named = assay.get("features")
    if isinstance(named, h5py.Dataset):
        return _texts(named)
    table = assay["meta.features"] if "meta.features" in assay else assay["meta.data"]
    return _texts(table[_text(table.attrs.get("_index", "_index"))])


def _layers(assay: h5py.Group, shape: tuple[int, int], notes: list[str]) -> dict[str, _Layer]:
    """Find the matrices of an assay that have all its cells and genes; say which are left out."""
    inner = assay.get("layers")
    holders: list[h5py.Group] = [assay, inner] if isinstance(inner, h5py.Group) else [assay]
    found: dict[str, _Layer] = {}
    for holder in holders:
        for name in sorted(
            set(holder) - {"layers", *FEATURES, "scaled.features", "variable.features", "misc"}
        ):
            if name.startswith(SCALED):
                notes.append("Scaled values (scale.data) were left out: they can be made anew.")
                continue
            layer = _layer(holder[name], shape)
            if layer is not None:
                found.setdefault(name, layer)
            elif name in ("counts", "data"):
                notes.append(f"The layer {name} was left out: it does not have all cells and genes.")
    return found


def _layer(node: h5py.Group | h5py.Dataset, shape: tuple[int, int]) -> _Layer | None:
    """Return where a matrix lies; None for what is none of this shape."""
    if isinstance(node, h5py.Dataset):
        fits = node.shape == shape and node.dtype.kind in "iuf"
        return _Layer(place=node.name, starts=None, kind=node.dtype.newbyteorder("=")) if fits else None
    if not {"data", "indices", "indptr"} <= set(node):
        return None
    starts = node["indptr"][:].astype(np.int64)
    n_values = min(node["data"].size, node["indices"].size)
    if len(starts) != shape[0] + 1 or starts[0] != 0 or (np.diff(starts) < 0).any() or starts[-1] > n_values:
        return None
    return _Layer(place=node.name, starts=starts, kind=node["data"].dtype.newbyteorder("="))


def _rows(path: Path, layer: _Layer, *, shape: tuple[int, int], report: Report) -> Rows:
    n_cells, n_genes = shape

    def read(start: int, stop: int) -> csr_matrix:
        with opened_part(path, "a Seurat object in HDF5") as file:
            block = _block(file[layer.place], layer, slice(start, stop), n_genes=n_genes)
        report(Progress(stage="Reading cells", done=stop, total=n_cells))
        return block

    sizes = np.full(n_cells, n_genes) if layer.starts is None else np.diff(layer.starts)
    return Rows(sizes=sizes, n_genes=n_genes, kind=layer.kind, read=read)


def _block(node: Any, layer: _Layer, cells: slice, *, n_genes: int) -> csr_matrix:
    """Read a range of cells, (n, G)."""
    start, stop = cells.start, cells.stop
    if layer.starts is None:
        return csr_matrix(node[start:stop].astype(layer.kind, copy=False))
    first, last = int(layer.starts[start]), int(layer.starts[stop])
    genes = node["indices"][first:last]
    if len(genes) and not (genes.min() >= 0 and genes.max() < n_genes):
        raise ValueError(f"it holds values of gene {int(genes.max()) + 1:,}, but names {n_genes:,}")
    values = node["data"][first:last].astype(layer.kind, copy=False)
    block = csr_matrix(
        (values, genes.astype(np.int32), layer.starts[start : stop + 1] - first),
        shape=(stop - start, n_genes),
    )
    block.sum_duplicates()
    return block


def _table(node: h5py.Group | h5py.Dataset | None, names: list[str], notes: list[str]) -> pd.DataFrame:
    """Read a table with a row for each name; columns that do not fit are left out and named."""
    frame = pd.DataFrame(index=pd.Index(names, dtype=object))
    left_out: list[str] = []
    for name, values in _columns(node).items():
        if values is None or len(values) != len(names):
            left_out.append(name)
        else:
            frame[name] = values
    if left_out:
        notes.append(f"Columns that do not fit were left out: {', '.join(left_out)}.")
    return frame


def _columns(node: h5py.Group | h5py.Dataset | None) -> Mapping[str, Any]:
    """Read the columns of a table, in its order; None for those of another form."""
    if node is None:
        return {}
    if isinstance(node, h5py.Dataset):  # a table without factors may be one compound dataset
        rows = node[:]
        return {name: _plain(rows[name]) for name in rows.dtype.names or ()}
    index, truths = _text(node.attrs.get("_index", "_index")), _listed(node, "logicals")
    named = [name for name in dict.fromkeys([*_listed(node, "colnames"), *node]) if name in node]
    return {name: _column(node[name], truth=name in truths) for name in named if name != index}


def _listed(node: h5py.Group, attribute: str) -> list[str]:
    return [_text(one) for one in np.ravel(node.attrs.get(attribute, []))]


def _column(node: h5py.Group | h5py.Dataset, *, truth: bool) -> Any:
    """Read a column: a factor is a group of levels and whole numbers from 1."""
    if isinstance(node, h5py.Group):
        if not {"levels", "values"} <= set(node):
            return None
        levels, codes = _texts(node["levels"]), node["values"][:].astype(np.int64) - 1
        known = (codes >= 0) & (codes < len(levels))
        named = np.array([*levels, None], dtype=object)[np.where(known, codes, len(levels))]
        return pd.Categorical(named, categories=list(dict.fromkeys(levels)))
    if node.ndim != 1:
        return None
    values = node[:]
    if truth or _text(node.attrs.get("s3class", "")) == TRUTH:
        return pd.array(
            [None if one not in (0, 1) else bool(one) for one in values.tolist()], dtype="boolean"
        )
    return _plain(values)


def _plain(values: NDArray[Any]) -> Any:
    """Return numbers, missing whole numbers as NaN, or texts."""
    if values.dtype.kind == "f":
        return values
    if values.dtype.kind in "iu":
        missing = values == NO_NUMBER
        return np.where(missing, np.nan, values) if missing.any() else values
    return np.array([_text(one) for one in values.tolist()], dtype=object)


def _embeddings(group: Any, n_cells: int, notes: list[str]) -> dict[str, NDArray[np.floating]]:
    """Read coordinates of cells, (N, D) each; R keeps them column by column, (D, N)."""
    found: dict[str, NDArray[np.floating]] = {}
    for name, one in group.items():
        values = one.get("cell.embeddings") if isinstance(one, h5py.Group) else None
        if not isinstance(values, h5py.Dataset) or values.ndim != 2 or values.dtype.kind not in "iuf":
            continue
        if values.shape[1] == n_cells:
            found[f"X_{name.lower()}"] = np.asarray(values[:], dtype=np.float64).T  # (N, D)
        elif values.shape[0] == n_cells:
            found[f"X_{name.lower()}"] = np.asarray(values[:], dtype=np.float64)
        else:
            notes.append(f"The coordinates {name} were left out: they are not of these {n_cells:,} cells.")
    return found


def _texts(node: h5py.Dataset) -> list[str]:
    return [_text(one) for one in node[:].ravel().tolist()]


def _text(value: object) -> str:
    """Return the text of an attribute or a value; R writes one text as a list of one."""
    if isinstance(value, np.ndarray):
        value = value.ravel()[0] if value.size else ""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
