"""Seurat objects of versions 2 to 5."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.arriving.r_matrices import Piece, RMatrix, shape_of
from scviz.datasets.arriving.r_objects import (
    RCells,
    aligned,
    in_order,
    readable,
    say_left_out,
    with_all_cells,
)
from scviz.datasets.arriving.r_tables import native, row_names, to_frame
from scviz.datasets.arriving.r_values import NULL, RValue
from scviz.errors import UnreadableFileError
from scviz.metrics.evidence import counted

if TYPE_CHECKING:
    import pandas as pd

FIRST_ASSAYS = ("RNA", "originalexp", "Gene Expression", "Spatial", "SCT")
"""Assays that are taken before others, in this order."""
SCALED = "scale.data"


def is_seurat(value: RValue) -> bool:
    """Tell whether a value is a Seurat object of version 2 to 5."""
    return bool({"assays", "raw.data"} & set(value.attributes)) and value.get("meta.data") is not None


def seurat(value: RValue, part: str) -> RCells:
    """Read one assay of a Seurat object.

    Raises
    ------
    UnreadableFileError
        If no assay holds counts or expression in the file itself.
    """
    found = value.get("assays")
    assays = {"RNA": value} if found is None else found.items()
    active = value.get("active.assay")
    parts = in_order(assays, part, (*FIRST_ASSAYS, *(active or NULL).strings))
    notes: list[str] = []
    assay = assays[parts[0]] if parts else value
    layers, cell_names, gene_names = _layers(assay, value, notes)
    cells, left_out = to_frame(value.get("meta.data"), cell_names)
    _add_idents(cells, value)
    genes, more = to_frame(None if found is None else _about_genes(assay), gene_names)
    say_left_out([*left_out, *more], notes)
    reductions = (value.get("reductions") or value.get("dr") or NULL).items()
    embeddings = {key: one.get("cell.embeddings") or NULL for key, one in reductions.items()}
    return RCells(
        kind=_name(value),
        parts=parts if len(parts) > 1 else (),
        layers=layers,
        cells=cells,
        genes=genes,
        embeddings=aligned(embeddings, cell_names, notes),
        notes=notes,
    )


def _about_genes(assay: RValue) -> RValue | None:
    """Return the table of genes; in Seurat 2 the slot `meta.data` is of cells."""
    return assay.get("meta.features") or assay.get("meta.data")


def _name(value: RValue) -> str:
    version = value.get("version")
    numbers = [] if version is None or not version.values else list(version.values[0].values)
    return f"a Seurat object (SeuratObject {'.'.join(map(str, numbers))})" if numbers else "a Seurat object"


def _layers(
    assay: RValue, holder: RValue, notes: list[str]
) -> tuple[Mapping[str, list[Piece]], list[str], list[str]]:
    """Return the layers of an assay, the names of its cells and those of its genes."""
    if assay.get("layers") is not None:
        return _layers_of_5(assay, notes)
    slots = {"counts": "counts", "raw.data": "counts", "data": "data"}
    found = {name: assay.attributes[slot] for slot, name in slots.items() if slot in assay.attributes}
    scaled = assay.get("scale.data", "dim")
    if scaled is not None and any(scaled.values):
        notes.append("Scaled values (scale.data) were left out: they can be made anew.")
    matrices = readable(found, notes)
    named = row_names(holder.get("meta.data") or NULL)
    widest = max(matrices.values(), key=lambda one: one.shape[0])
    present = set(widest.column_names)
    cell_names = [one for one in named if one in present] or list(widest.column_names)
    gene_names = list(widest.row_names)
    layers = _by_name(matrices, cell_names, gene_names, notes=notes)
    return layers, cell_names, gene_names


def _layers_of_5(assay: RValue, notes: list[str]) -> tuple[Mapping[str, list[Piece]], list[str], list[str]]:
    """Return the layers of an Assay5: parts of one layer (counts.1, counts.2) are joined."""
    cells, genes = assay.attributes["cells"], assay.attributes["features"]
    cell_names, gene_names = _axis(cells), _axis(genes)
    found = {k: v for k, v in assay.attributes["layers"].items().items() if not k.startswith(SCALED)}
    if len(found) < len(assay.attributes["layers"].items()):
        notes.append("Scaled values (scale.data) were left out: they can be made anew.")
    matrices = readable(found, notes)
    layers: dict[str, list[Piece]] = {}
    for name, matrix in matrices.items():
        piece = Piece(matrix=matrix, cells=_members(cells, name), genes=_members(genes, name))
        if matrix.shape != (len(piece.genes), len(piece.cells)):
            raise UnreadableFileError(f"The layer {name} of the Seurat object does not fit its names.")
        stem = next((one for one in ("counts", "data") if name.startswith(f"{one}.")), name)
        layers.setdefault(stem, []).append(piece)
    for name, pieces in layers.items():
        if len(pieces) > 1:
            notes.append(
                f"{counted(len(pieces), 'layer')} {name}.* were joined: each holds some of the cells."
            )
    return with_all_cells(layers, len(cell_names), notes), cell_names, gene_names


def _axis(members: RValue) -> list[str]:
    names = members.get("dimnames")
    if names is None or not names.values:
        raise UnreadableFileError("A layer of the Seurat object does not name its cells or genes.")
    own: list[str] = names.values[0].strings
    return own


def _members(members: RValue, layer: str) -> NDArray[np.int64]:
    """Return which rows of a table of truth values belong to a layer."""
    n, _ = shape_of(members.attributes["dim"])
    names = members.attributes["dimnames"].values[1].strings
    if layer not in names:
        return np.arange(n)
    at = names.index(layer)
    return np.flatnonzero(native(members.values[at * n : (at + 1) * n]) == 1)


def _by_name(
    matrices: Mapping[str, RMatrix], cells: list[str], genes: list[str], *, notes: list[str]
) -> dict[str, list[Piece]]:
    """Put the rows and columns of matrices where their names belong."""
    layers = {}
    for name, matrix in matrices.items():
        rows = np.arange(len(genes)) if list(matrix.row_names) == genes else _places(matrix.row_names, genes)
        columns = _places(matrix.column_names, cells)
        if matrix.shape == (len(rows), len(columns)) and (rows >= 0).all():
            layers[name] = [Piece(matrix=matrix, cells=columns, genes=rows)]
        else:
            notes.append(f"The layer {name} was left out: its genes are not those of the counts.")
    return with_all_cells(layers, len(cells), notes)


def _places(names: Sequence[str], among: list[str]) -> NDArray[np.int64]:
    """Return where each name (n,) stands among others; -1 where it does not."""
    at = {name: i for i, name in enumerate(among)}
    return np.array([at.get(name, -1) for name in names], dtype=np.int64)


def _add_idents(cells: pd.DataFrame, value: RValue) -> None:
    """Keep the active identity of cells where no column says the same."""
    idents = value.get("active.ident") or value.get("ident")
    if idents is None:
        return
    table = RValue("list", [idents], {"names": RValue("strings", ["active.ident"])})
    if idents.get("names") is not None:
        table.attributes["row.names"] = idents.attributes["names"]
    frame, _ = to_frame(table, list(cells.index))
    if "active.ident" in frame and "active.ident" not in cells:
        column = frame["active.ident"].astype(object)
        if not any(cells[one].astype(object).equals(column) for one in cells):
            cells["active.ident"] = frame["active.ident"]
