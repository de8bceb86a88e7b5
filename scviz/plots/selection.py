"""What was selected on a map: the outlines that were drawn, or what the page gave; never lists of cells."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast, get_args

import numpy as np
from numpy.typing import NDArray

from scviz.plots.points import inside
from scviz.workspace.packed_rows import unpack_mask

Drawn = Literal["new", "add", "subtract"]
Op = Literal["new", "add", "subtract", "given"]

MAX_SHAPES = 24
MAX_CORNERS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """One outline and what it does to the selection before it."""

    op: Op
    points: str
    """Digest of the coordinates on which it was drawn."""
    polygon: str
    """(K, 2) corners as little-endian uint16, in base64; of a given selection, its bits."""

    def corners(self) -> NDArray[np.uint16]:
        """Corners of the outline, (K, 2)."""
        return np.frombuffer(base64.b64decode(self.polygon, validate=True), "<u2").reshape(-1, 2)

    def cells(self, n_cells: int) -> NDArray[np.bool_]:
        """Tell of each cell, (N,), whether it is in a given selection."""
        return unpack_mask(base64.b64decode(self.polygon, validate=True), n_cells)


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """Cells that the page selects on a map."""

    id: str
    """Different for each time that something is selected."""
    bits: bytes
    """The rows among those of the map, from `pack_rows`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Outlines in the order in which they were drawn. It can be compared, hashed and kept as JSON."""

    polygons: tuple[Shape, ...]


def digest(array: NDArray[np.generic]) -> str:
    """Name an array, (N, ...), by its content."""
    return hashlib.blake2b(np.ascontiguousarray(array).tobytes(), digest_size=10).hexdigest()


def selected_rows(
    selection: Selection, points: NDArray[np.uint16], *linked: NDArray[np.uint16]
) -> NDArray[np.int64]:
    """Find the cells of a selection.

    Parameters
    ----------
    selection
        Outlines from the map.
    points
        (N, 2) coordinates that the map drew.
    linked
        (N, 2) coordinates of further maps of the same group: outlines may have been drawn there.

    Returns
    -------
    Rows of the selected cells, ascending: the same cells that the browser counted. None, if an
    outline was drawn on coordinates that were not given: that map has left the page.
    """
    maps = {digest(each): each for each in (points, *linked)}
    chosen = np.zeros(len(points), bool)
    if not all(shape.points in maps for shape in selection.polygons):
        return np.flatnonzero(chosen)
    for shape in selection.polygons:
        if shape.op == "given":
            chosen = shape.cells(len(points))
            continue
        if shape.op == "new":
            chosen[:] = False
        chosen[inside(shape.corners(), maps[shape.points])] = shape.op != "subtract"
    return np.flatnonzero(chosen)


def read_selection(answer: object, points: str, given: Sequence[Given] = ()) -> Selection | None:
    """Check what a browser sent; None if it selects nothing, is damaged, or is of an earlier map.

    Parameters
    ----------
    answer
        What the map sent: the digest of its coordinates and the outlines.
    points
        Digest of the coordinates that the map shows now.
    given
        Selections that the page gave, to which the browser may have added.
    """
    if not isinstance(answer, Mapping) or answer.get("points") != points:
        return None
    rows = answer.get("shapes")
    if not isinstance(rows, list) or not 0 < len(rows) <= MAX_SHAPES:
        return None
    shapes = tuple(_given(row, given) or _shape(row) for row in rows)
    return Selection(polygons=cast(tuple[Shape, ...], shapes)) if None not in shapes else None


def _given(row: object, given: Sequence[Given]) -> Shape | None:
    """Return the selection that the page gave, with its bits for its id; None if it is none or no longer kept."""
    if not isinstance(row, Mapping) or row.get("op") != "given":
        return None
    bits = next((one.bits for one in given if one.id == row.get("polygon")), None)
    if bits is None:
        return None
    return Shape(op="given", points=str(row.get("points")), polygon=base64.b64encode(bits).decode())


def _shape(row: object) -> Shape | None:
    """One outline, or None if it is damaged."""
    if not isinstance(row, Mapping):
        return None
    op, points, polygon = row.get("op"), row.get("points"), row.get("polygon")
    if op not in get_args(Drawn) or not isinstance(points, str) or not isinstance(polygon, str):
        return None
    try:
        size = len(base64.b64decode(polygon, validate=True))
    except (binascii.Error, ValueError):
        return None
    if size % 4 or not 3 * 4 <= size <= MAX_CORNERS * 4:
        return None
    return Shape(op=cast(Op, op), points=points, polygon=polygon)
