"""Linked maps of every method, and the cells that are selected on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from pages.components import state
from pages.components.cell_map import MapLook, cell_map, map_legend
from pages.components.coloring import Coloring, choose_coloring
from pages.components.file_names import file_stem
from pages.components.show import map_files
from scviz.datasets.columns import cell_names
from scviz.metrics.clustering import mean_of_known
from scviz.metrics.evidence import counted
from scviz.plots.points import continuous_palette, quantize, shade
from scviz.plots.selection import Selection, selected_rows
from scviz.tasks.compare import Result
from scviz.workspace import DatasetInfo
from scviz.workspace.database import Run

MAP_HEIGHT = 330
DISAGREE = "Where methods disagree"
MOST_NAMES = 20_000


@st.fragment
def maps(run: Run, result: Result, names: Mapping[str, str]) -> None:
    """Draw a map for each method, with one coloring and one selection for all."""
    dataset = state.workspace().dataset(run.request["dataset"])
    chosen, _ = choose_coloring(dataset, {DISAGREE: _disagreement(result)})
    shown, beside = list(result.methods), 2 if len(result.methods) in (2, 4) else 3
    rows = np.flatnonzero(np.logical_and.reduce([np.isfinite(result.umap[m]).all(axis=1) for m in shown]))
    if not len(rows):
        st.info("No cell is seen by every method, so there is no map of all.")
        return
    points = [quantize(result.umap[method][rows]) for method in shown]
    cells, codes = _names(dataset, rows), chosen.codes[rows]
    group = f"compare_{run.id}"
    map_legend("compare_legend", group)
    places = [
        column
        for start in range(0, len(shown), beside)
        for column in st.columns(beside)[: len(shown) - start]
    ]
    selections: list[Selection | None] = []
    for i, column in enumerate(places):
        with column:
            caption = f"UMAP, {names[shown[i]]} · {counted(len(rows), 'cell')}"
            look = replace(chosen.look, caption=caption, file=file_stem(f"map_{i}"))
            selections.append(
                cell_map(f"map_{i}", points[i], codes, look=look, height=MAP_HEIGHT, names=cells, group=group)
            )
            map_files(points[i], codes, look, key=f"map_{i}")
    _selected(result, rows, points=points, drawn=selections)


def _names(dataset: DatasetInfo, rows: NDArray[np.int64]) -> list[str] | None:
    """Name the cells of some rows, (M,); None for too many."""
    if len(rows) > MOST_NAMES:
        return None
    names = cell_names(state.workspace().dataset_folder(dataset.id))
    return [names[row] for row in rows]


def _disagreement(result: Result) -> Coloring:
    """Color cells by how little the methods agree on their neighbors."""
    codes = shade(result.disagreement, 0.0, 1.0)
    look = MapLook(
        palette=continuous_palette(),
        scale=(0.0, 1.0),
        title="Disagreement about neighbors",
        missing="not seen by a model",
    )
    return Coloring(codes=codes, look=look)


def _selected(
    result: Result,
    rows: NDArray[np.int64],
    *,
    points: list[NDArray[np.uint16]],
    drawn: list[Selection | None],
) -> None:
    """Count the selected cells and say how much methods disagree on them."""
    inside = rows[:0]
    for at, selection in enumerate(drawn):
        if selection is not None:
            others = [p for i, p in enumerate(points) if i != at]
            inside = rows[selected_rows(selection, points[at], *others)]
            break
    if not len(inside):
        st.caption("Draw around cells on any map: the same cells light up on the others.")
        return
    here, everywhere = (
        mean_of_known(values) for values in (result.disagreement[inside], result.disagreement)
    )
    st.write(
        f"**{counted(len(inside), 'cell')} selected.** Disagreement {here:.2f}, compared with {everywhere:.2f} of all "
        "cells."
    )
