"""Cells on the newest map of their dataset, in any colors."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from pages.components import state
from pages.components.cell_map import cell_map
from pages.components.coloring import Coloring
from pages.components.embeddings import Embedding, embeddings_of, places
from pages.components.file_names import file_stem
from pages.components.first_map import watch_first_map
from pages.components.show import map_files

HEIGHT = 440


def newest_map(dataset: str) -> Embedding | None:
    """Return the newest map by whatever model, else the first map of a dataset, else one of its file."""
    offered = list(embeddings_of(state.workspace().dataset(dataset)).values())
    return next((one for one in offered if one.of_model), next(iter(offered), None))


def plain_map(dataset: str) -> Embedding | None:
    """Return the first map of a dataset, else one of its file, else that of a model."""
    return next(iter(embeddings_of(state.workspace().dataset(dataset)).values()), None)


def no_map_yet(dataset: str, *, key: str) -> None:
    """Say how far the first map of a dataset is, where a page has none to color."""
    st.caption("These cells have no map yet. It is shown here as soon as it is drawn.")
    watch_first_map(state.workspace().dataset(dataset), key=key)


def on_map(drawn: Embedding, coloring: Coloring, *, key: str, height: int = HEIGHT) -> None:
    """Show the cells on a map that was drawn, with its downloads."""
    shown = places((drawn,))
    parts = (drawn.caption, f"{len(shown.rows):,} cells", coloring.look.caption)
    caption = " · ".join(part for part in parts if part)
    look = replace(coloring.look, caption=caption, file=file_stem(key))
    codes = coloring.codes[shown.rows]
    cell_map(key, shown.points[0], codes, look=look, height=height)
    map_files(shown.points[0], codes, look, key=key)
