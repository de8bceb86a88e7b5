"""The map of cells: points drawn by the browser; outlines of selections come back."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from scviz.plots.pairs import LEVELS
from scviz.plots.points import category_labels, category_palette, point_size
from scviz.plots.raster import picture, raster
from scviz.plots.selection import Given, Selection, digest, read_selection

SCRIPTS = Path(__file__).parents[2] / "assets" / "map"
PARTS = (
    "style",
    "shapes",
    "order",
    "painter",
    "legend",
    "export",
    "pointer",
    "group",
    "given",
    "address",
    "view",
    "mount",
)

MOST_NAMES = 20_000
"""Names of cells travel with the coordinates of small maps only; larger maps are hovered without them."""


def _script(*parts: str) -> str:
    """Join scripts into one module."""
    return "\n".join((SCRIPTS / f"{part}.js").read_text("utf-8") for part in parts)


_STORE = st.components.v2.component("scviz_map_store", js=_script(*PARTS))
_GIVEN = st.components.v2.component("scviz_map_given", js=_script("loader"))
_MAP = st.components.v2.component("scviz_map", js=_script("loader"))
_ADDRESS = st.components.v2.component("scviz_map_address", js=_script("loader"))
_LEGEND = st.components.v2.component("scviz_map_legend", js=_script("loader"))


@dataclass(frozen=True, slots=True, kw_only=True)
class PairScale:
    """What the colors of two values at once mean, as `scviz.plots.pairs` makes them."""

    names: tuple[str, str]
    scales: tuple[tuple[float, float], tuple[float, float]]
    """Of each, the values at its first and last place."""

    @property
    def words(self) -> tuple[str, str]:
        """Name both with their ranges."""
        (low, high), (lowest, highest) = self.scales
        return f"{self.names[0]}, {low:.3g} to {high:.3g}", f"{self.names[1]}, {lowest:.3g} to {highest:.3g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MapLook:
    """What the colors of a map mean. Give `labels` for categories, `scale` for values."""

    palette: NDArray[np.uint8]
    """(256, 4) red, green, blue and opacity; place 0 is for missing values."""
    labels: Sequence[str] = ()
    """Names of the categories at places 1, 2, …"""
    scale: tuple[float, float] | None = None
    """Values at places 1 and 255; None for categories."""
    pair: PairScale | None = None
    """Two values at once; then neither labels nor scale are given."""
    title: str = ""
    """What the colors show, over the legend."""
    caption: str = ""
    """What the map shows, under it."""
    missing: str = "no value"
    """Word for cells without a value."""
    legend: bool = True
    """Show the legend at first; a button shows and hides it."""
    file: str = ""
    """Name of files of the view; empty for the key of the map."""
    point_size: float | None = None
    """Diameter of a point in pixels; None suits the number of cells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coloring:
    """One place in the palette for each cell of the dataset, and what it means."""

    codes: NDArray[np.uint8]
    """(N,) places in the palette."""
    look: MapLook


@dataclass(frozen=True, slots=True, kw_only=True)
class MapView:
    """Where maps of a page look, and what they hide."""

    text: str = ""
    """As an address says it."""
    cameras: tuple[tuple[str, float, float, float], ...] = ()
    """Of each map: its key, zoom, and the place in its middle."""
    hidden: tuple[int, ...] = ()
    """Places in the palette."""


@st.cache_resource(max_entries=8)
def alike(n_cells: int) -> Coloring:
    """Color all cells alike."""
    codes = np.ones(n_cells, dtype=np.uint8)
    codes.flags.writeable = False
    return Coloring(codes=codes, look=MapLook(palette=category_palette(1), labels=("cells",)))


def cell_map(
    key: str,
    points: NDArray[np.uint16],
    codes: NDArray[np.uint8],
    *,
    look: MapLook,
    height: int = 560,
    names: Sequence[str] | None = None,
    group: str = "",
    passes: NDArray[np.bool_] | None = None,
    given: Sequence[Given] = (),
) -> Selection | None:
    """Draw a map of cells and say what is selected on it.

    Coordinates travel once, a new coloring sends at most one byte per cell, a selection comes back as
    outlines. Zoom and selection outlive a new coloring. Without WebGL2 an image is shown instead.

    Parameters
    ----------
    key
        Name of the map on its page, also of the files that are saved from it.
    points
        (N, 2) coordinates from `quantize`.
    codes
        (N,) places in the palette.
    look
        What the colors mean.
    height
        Height in pixels with toolbar and caption.
    names
        (N,) names of the cells, shown under the pointer.
    group
        Maps of the same cells with the same group show one selection together. It is returned by
        the map in which it was changed last; `selected_rows` then needs the points of all of them.
        A legend from `map_legend` stands for all maps of its group.
    passes
        (N,) cells that pass the filters: the others are grey, and are not counted as selected. None for all.
    given
        Selections that the page has made, the last one to be shown; `pages.components.selecting` has them.

    Returns
    -------
    The selection, or None if nothing is selected. `selected_rows` finds its cells.

    Raises
    ------
    ValueError
        If coordinates and colors are not of the same cells.
    """
    if points.shape != (len(codes), 2):
        raise ValueError(f"Coordinates {points.shape} and colors {codes.shape} are not of the same cells.")
    place = digest(points)
    with st.container(gap=None):
        _STORE(key=f"{key}_points", data=store_message(points, names))
        _GIVEN(key=f"{key}_given", data=given_message(key, points, given[-1] if given else None))
        answer = _MAP(
            key=key,
            data=draw_message(key, points, codes, look=look, height=height, group=group, passes=passes),
            on_selection_change=_rerun,
            on_webgl_change=_rerun,
        )
        if answer.webgl is False:
            _show_image(points, codes, look)
    return read_selection(answer.selection, place, given)


def store_message(points: NDArray[np.uint16], names: Sequence[str] | None = None) -> bytes:
    """Write the coordinates, (N, 2), 4 bytes a cell, and the names of up to 20,000 cells."""
    header = json.dumps({"kind": "store", "points": digest(points)})
    if names is not None and len(names) <= MOST_NAMES:
        header = f'{header[:-1]}, "names": {_names_text(tuple(names))}}}'
    return _framed(header.encode(), points.astype("<u2").tobytes())


@lru_cache(maxsize=8)
def _names_text(names: tuple[str, ...]) -> str:
    """Write names of cells, (N,), which each map of a page shows, and each drawing of it."""
    return json.dumps([str(name) for name in names])


def map_legend(key: str, group: str) -> None:
    """Draw one legend for all maps of a group; a click in it hides or shows a category on all of them.

    Maps of the group then have no legend beside them, and more room.
    """
    _LEGEND(key=key, data=_message({"kind": "legend", "group": group}, b""))


def map_address(key: str, view: MapView) -> str | None:
    """Show what a link shows of the maps of a page; returns what an address says of them, None until that changes."""
    header: dict[str, object] = {
        "kind": "address",
        "text": view.text,
        "cameras": view.cameras,
        "hidden": view.hidden,
    }
    answer = _ADDRESS(key=key, data=_message(header, b""), on_view_change=_rerun)
    return answer.view if isinstance(answer.view, str) else None


def draw_message(
    key: str,
    points: NDArray[np.uint16],
    codes: NDArray[np.uint8],
    *,
    look: MapLook,
    height: int,
    group: str,
    passes: NDArray[np.bool_] | None = None,
) -> bytes:
    """Write the colors of points, (N, 2) and (N,), 1 byte a cell before they are packed, and what they mean.

    Where some do not pass the filters, a bit of each cell follows.
    """
    header: dict[str, object] = {
        "kind": "draw",
        "key": key,
        "group": group,
        "points": digest(points),
        "codes": digest(codes),
        "palette": base64.b64encode(np.ascontiguousarray(look.palette, np.uint8).tobytes()).decode(),
        "labels": category_labels(look.labels),
        "scale": look.scale,
        "pair": look.pair and {"names": look.pair.names, "scales": look.pair.scales, "levels": LEVELS},
        "title": look.title,
        "caption": look.caption,
        "missing": look.missing,
        "legend": look.legend,
        "file": look.file,
        "size": look.point_size or point_size(len(codes)),
        "height": height,
    }
    bits = b"" if passes is None or passes.all() else np.packbits(passes).tobytes()
    return _message(header, zlib.compress(codes.astype("u1").tobytes() + bits, level=1))


def given_message(key: str, points: NDArray[np.uint16], given: Given | None) -> bytes:
    """Write the selection that the page makes among points, (N, 2): one bit a cell, packed."""
    header: dict[str, object] = {"kind": "given", "key": key, "points": digest(points), "cells": len(points)}
    return _message(header | {"id": given.id if given else ""}, given.bits if given else b"")


def _message(header: dict[str, object], body: bytes) -> bytes:
    """Put length of the header, header and bytes behind one another."""
    return _framed(json.dumps(header).encode(), body)


def _framed(text: bytes, body: bytes) -> bytes:
    return len(text).to_bytes(4, "little") + text + body


def _show_image(points: NDArray[np.uint16], codes: NDArray[np.uint8], look: MapLook) -> None:
    """Stand in for the map where the browser cannot draw it."""
    image = raster(points, codes, look.palette, continuous=look.scale is not None)
    labels = category_labels(look.labels)
    st.image(picture(image, look.palette, labels=labels, scale=look.scale, title=look.title))
    st.caption("This browser has no WebGL2, so the map is an image: cells cannot be selected or named in it.")


def _rerun() -> None:
    """Let a change in the browser run the page again."""
