"""What is found in an object of R, and what its kinds have in common."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.arriving.r_matrices import Piece, RMatrix, lies_elsewhere, matrix_of
from scviz.datasets.arriving.r_tables import native
from scviz.datasets.arriving.r_values import RValue
from scviz.errors import UnreadableFileError
from scviz.metrics.evidence import counted

if TYPE_CHECKING:
    import pandas as pd


@dataclass(slots=True, kw_only=True)
class RCells:
    """What was found: one assay of N cells and G genes."""

    kind: str
    """What the object is, in words."""
    parts: tuple[str, ...]
    """Assays, the one that was taken first."""
    layers: Mapping[str, list[Piece]]
    """By name, each with all its cells."""
    cells: pd.DataFrame
    """(N, ...)"""
    genes: pd.DataFrame
    """(G, ...)"""
    embeddings: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    """(N, D) each."""
    notes: list[str] = field(default_factory=list)
    turned: bool | None = None
    """Whether rows of a bare matrix were taken for genes."""


def in_order(names: Iterable[str], part: str, first: Iterable[str]) -> tuple[str, ...]:
    """Return names with the one that is asked for first, or else the first of those that are preferred."""
    names = list(names)
    taken = next((one for one in (part, *first) if one in names), names[0] if names else "")
    return tuple(dict.fromkeys([taken, *names])) if names else ()


def readable(found: Mapping[str, RValue], notes: list[str]) -> dict[str, RMatrix]:
    """Return the matrices that lie in the file and are not empty.

    Raises
    ------
    UnreadableFileError
        If there is none.
    """
    elsewhere = {name: package for name, one in found.items() if (package := lies_elsewhere(one))}
    here = {name: matrix_of(one) for name, one in found.items() if name not in elsewhere}
    matrices = {name: one for name, one in here.items() if one is not None and one.shape[0] * one.shape[1]}
    places = ", ".join(f"{name} ({package})" for name, package in elsewhere.items())
    if not matrices:
        raise _nothing_to_read(places)
    return _with_note(matrices, places, notes)


def _with_note(matrices: dict[str, RMatrix], elsewhere: str, notes: list[str]) -> dict[str, RMatrix]:
    if elsewhere:
        notes.append(f"What lies in other files, or is yet to be computed, was left out: {elsewhere}.")
    return matrices


def _nothing_to_read(elsewhere: str) -> UnreadableFileError:
    if elsewhere:
        return UnreadableFileError(
            f"The values of this R object lie in other files or are yet to be computed: {elsewhere}.",
            hint="In R: turn each into a matrix in memory with as(x, 'dgCMatrix'), then saveRDS again.",
        )
    return UnreadableFileError(
        "The R object has cells, but no counts and no expression.",
        hint="In R: save the object before its counts are removed (DietSeurat, counts = TRUE).",
    )


def with_all_cells(layers: dict[str, list[Piece]], n_cells: int, notes: list[str]) -> dict[str, list[Piece]]:
    """Leave out layers that lack some of the cells."""
    kept = {}
    for name, pieces in layers.items():
        n = len(np.unique(np.concatenate([piece.cells for piece in pieces])))
        if n == n_cells or name == "counts":
            kept[name] = pieces
        else:
            notes.append(f"The layer {name} was left out: it has {n:,} of {n_cells:,} cells.")
        if n < n_cells and name == "counts":
            notes.append(f"{n_cells - n:,} cells have no counts; they were read as cells without any.")
    return kept


def aligned(
    found: Mapping[str, RValue], cells: list[str], notes: list[str]
) -> dict[str, NDArray[np.float64]]:
    """Return coordinates (N, D) of cells by their keys; NaN for cells that have none."""
    embeddings = {}
    for name, one in found.items():
        values = _coordinates(one.get("sampleFactors") or one, cells)
        if values is not None and len(values) == len(cells):
            embeddings[f"X_{name.lower()}"] = values  # (N, D)
        elif values is not None:
            notes.append(f"The coordinates {name} were left out: they have {counted(len(values), 'cell')}.")
    return embeddings


def _coordinates(value: RValue, cells: list[str]) -> NDArray[np.float64] | None:
    """Return a dense matrix (N, D) whose rows are cells, in their order if it names them."""
    matrix = matrix_of(value)
    if matrix is None or not min(matrix.shape) or value.kind not in ("real", "integer"):
        return None
    dense: NDArray[np.float64] = native(value.values).reshape(matrix.shape, order="F").astype(np.float64)
    own = list(matrix.row_names)
    if not own or own == cells:
        return dense
    at = {cell: i for i, cell in enumerate(own)}
    places = np.array([at.get(cell, -1) for cell in cells])
    missing = np.full((1, dense.shape[1]), np.nan)
    in_order: NDArray[np.float64] = np.vstack([dense, missing])[places]
    return in_order


def say_left_out(columns: list[str], notes: list[str]) -> None:
    """Note the columns of tables that were left out, if there are any."""
    if columns:
        notes.append(f"Columns that are no simple lists were left out: {', '.join(columns)}.")
