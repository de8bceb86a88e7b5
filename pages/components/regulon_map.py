"""Activity of a regulon on the newest map of the cells."""

from __future__ import annotations

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from pages.components import state
from pages.components.cell_map import MapLook, cell_map
from pages.components.runs import model_name
from pages.components.show import map_files
from scviz.plots.points import continuous_palette, quantise, shade
from scviz.tasks.scenic import Result
from scviz.workspace.database import Run
from scviz.workspace.records import read_array

HEIGHT = 440
PERCENTILE = 99.5
"""The brightest cells share a color, so that one of them does not darken all others."""


def regulon_map(run: Run, result: Result) -> None:
    """Let the user choose a regulon and show where it is active."""
    drawn = _newest_map(run.request["dataset"])
    if drawn is None:
        st.info("Make a map of these cells on the Explore page first; then activity is shown on it.")
        return
    names = [one.name for one in result.regulons]
    name = st.selectbox("Regulon", names, key="map_regulon")
    values = result.auc[:, names.index(name)]
    rows, points = _points(drawn.id, drawn.ended)
    high = float(np.percentile(values, PERCENTILE)) or 1.0
    caption = f"UMAP · {model_name(drawn)} · {len(rows):,} cells"
    look = MapLook(
        palette=continuous_palette(), scale=(0.0, high), title=f"{name}, activity (AUCell)", caption=caption
    )
    codes = shade(values[rows], 0.0, high)
    cell_map("regulon_map", points, codes, look, HEIGHT)
    map_files(points, codes, look, key="regulon_map")


def _newest_map(dataset: str) -> Run | None:
    for run in state.queue().runs(states=("done",), owner=state.owner()):
        if run.task == "embedding" and run.request.get("dataset") == dataset:
            return run
    return None


@st.cache_resource(max_entries=8)
def _points(run_id: str, ended: float) -> tuple[NDArray[np.int64], NDArray[np.uint16]]:  # noqa: ARG001 - ended: a run that was resumed
    places = read_array(state.workspace().run_folder(run_id) / "result", "umap")
    rows = np.flatnonzero(np.isfinite(places).all(axis=1))
    return rows, quantise(places[rows])
