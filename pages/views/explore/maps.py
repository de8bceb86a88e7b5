"""One to four maps of the same cells, one coloring, one selection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from pages.components import state
from pages.components.annotation_coloring import AnnotationColorings
from pages.components.cell_filter import cell_filter
from pages.components.cell_map import MOST_NAMES, Coloring, cell_map, map_legend
from pages.components.coloring import choose_coloring
from pages.components.embeddings import Embedding, Maps, places
from pages.components.file_names import file_stem
from pages.components.map_view import link_view
from pages.components.selecting import follow_selection, given_on
from pages.components.show import map_files
from pages.views.explore.color_link import recall_coloring, remember_coloring
from pages.views.explore.result import of_models
from pages.views.explore.selection import show_selection
from scviz.datasets.columns import cell_names
from scviz.metrics.evidence import counted
from scviz.plots.selection import Selection, selected_rows
from scviz.workspace import DatasetInfo

HEIGHTS = {1: 520, 2: 440, 3: 400, 4: 360}
"""By how many maps there are."""
BESIDE = {1: 1, 2: 2, 3: 3, 4: 2}
"""Maps in a row."""


@st.fragment
def explore_maps(dataset: DatasetInfo, chosen: Sequence[Embedding]) -> None:
    """Draw one to four maps of a dataset, and show what is selected on them."""
    follow_selection(dataset)
    named = AnnotationColorings(dataset.id)
    recall_coloring(dataset, list(named))
    coloring, choice = choose_coloring(dataset, named)
    remember_coloring(dataset, choice)
    # always there: a map that moves to another place on the page is mounted anew, without its selection
    with st.container():
        of_models(dataset, chosen, choice)
    maps = places(chosen)
    if not len(maps.rows):
        st.info("No cell has a place on all of these maps, so there is nothing to draw. Choose other maps.")
        return
    missing = dataset.n_cells - len(maps.rows)
    if len(chosen) > 1:
        map_legend("map_legend", maps.group)
    drawn = st.container()
    link_view()
    passes = cell_filter(dataset)  # below the maps, and asked before they are drawn
    with drawn:
        selections = _draw(dataset, chosen, maps, coloring=coloring, passes=passes)
    if missing:
        st.caption(
            f"{missing:,} of {dataset.n_cells:,} cells have no place on all of these maps and are not drawn."
        )
    rows = _selected(maps, selections)
    show_selection(dataset, rows, passes)


def _draw(
    dataset: DatasetInfo,
    chosen: Sequence[Embedding],
    maps: Maps,
    *,
    coloring: Coloring,
    passes: NDArray[np.bool_] | None,
) -> list[Selection | None]:
    names, codes, beside = _names(dataset, maps.rows), coloring.codes[maps.rows], BESIDE[len(chosen)]
    here = passes[maps.rows] if passes is not None else None
    given = given_on(dataset, maps.rows)
    selections: list[Selection | None] = []
    for start in range(0, len(chosen), beside):
        for at, column in enumerate(st.columns(beside), start=start):
            one, points, key = chosen[at], maps.points[at], _key(chosen, at)
            parts = (one.caption, f"{counted(len(maps.rows), 'cell')}", coloring.look.caption)
            look = replace(coloring.look, caption=" · ".join(filter(None, parts)), file=file_stem(key))
            with column:
                selections.append(
                    cell_map(
                        key,
                        points,
                        codes,
                        look=look,
                        height=HEIGHTS[len(chosen)],
                        names=names,
                        group=maps.group,
                        passes=here,
                        given=given,
                    )
                )
                map_files(points, codes, look, key=key)
    return selections


def _key(chosen: Sequence[Embedding], at: int) -> str:
    """Name a map on the page: that of the first model is `map_model`, its baseline `map_pca`."""
    one = chosen[at]
    if not one.of_model:
        return f"map_{one.id}"
    first = next(other.run for other in chosen if other.of_model)
    stem = "map_model" if one.id == one.run else "map_pca"
    return stem if one.run == first else f"{stem}_{one.run}"


def _names(dataset: DatasetInfo, rows: NDArray[np.int64]) -> Sequence[str] | None:
    """Name the cells of some rows, (M,); None for too many."""
    if len(rows) > MOST_NAMES:
        return None
    names = _all_names(dataset.id)
    return names if len(rows) == len(names) else [names[row] for row in rows]  # rows ascend


@st.cache_resource(max_entries=4)
def _all_names(dataset: str) -> tuple[str, ...]:
    return cell_names(state.workspace().dataset_folder(dataset))


def _selected(maps: Maps, selections: Sequence[Selection | None]) -> NDArray[np.int64]:
    """Rows of the dataset that are selected; the maps show one selection, kept by the one it was drawn on."""
    for at, selection in enumerate(selections):
        if selection is not None:
            others = [points for other, points in enumerate(maps.points) if other != at]
            return maps.rows[selected_rows(selection, maps.points[at], *others)]
    return np.empty(0, dtype=np.int64)
