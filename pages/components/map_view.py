"""How far maps are zoomed and what they hide, in the address."""

from __future__ import annotations

import re

import streamlit as st

from pages.components import state
from pages.components.cell_map import MapView, map_address

LINK, HIDDEN = "zoom", "hidden"
"""What addresses call it, and the categories among it."""
LONGEST = 2_000
_CAMERA = re.compile(r"([\w.-]{1,80}):(\d{1,3}(?:\.\d{1,3})?),(-?\d{1,7}),(-?\d{1,7})")
_CODES = re.compile(r"\d{1,3}(?:,\d{1,3})*")


@st.fragment
def link_view() -> None:
    """Let maps look where a link looks, and put where they look into the address; only this runs when they move."""
    linked = state.from_others(LINK)
    if linked:
        view = read_view(linked)
        if view is None:
            state.put(LINK, None)
            state.left_out("The link's part of the map cannot be read, so all of the map is shown.")
        else:
            state.put(LINK, linked)
            state.preset(f"{LINK}_view", view)
    text = map_address("map_address", state.held(f"{LINK}_view") or MapView())
    if text is not None:
        state.put(LINK, text[:LONGEST] or None)


def read_view(text: str) -> MapView | None:
    """Read what the maps of a page have written; None for anything else.

    Examples
    --------
    >>> read_view("map_pca:2.5,100,200;hidden:1,5").cameras
    (('map_pca', 2.5, 100.0, 200.0),)
    >>> read_view("map_pca:2.5"), read_view("hidden:900")
    (None, None)
    """
    cameras: list[tuple[str, float, float, float]] = []
    hidden: tuple[int, ...] = ()
    for part in text[:LONGEST].split(";"):
        name, _, rest = part.partition(":")
        camera = _CAMERA.fullmatch(part)
        if name == HIDDEN and _CODES.fullmatch(rest):
            hidden = tuple(int(code) for code in rest.split(","))
        elif camera:
            cameras.append((camera[1], float(camera[2]), float(camera[3]), float(camera[4])))
        else:
            return None
    return MapView(text=text, cameras=tuple(cameras), hidden=hidden) if max(hidden, default=0) < 256 else None
