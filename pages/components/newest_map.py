"""Cells on the newest map of their dataset, in any colors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from pages.components import state
from pages.components.cell_map import cell_map
from pages.components.coloring import Coloring
from pages.components.runs import model_name
from pages.components.show import map_files
from scviz.plots.points import quantize
from scviz.workspace.database import Run
from scviz.workspace.records import read_array

HEIGHT = 440


def newest_map(dataset: str) -> Run | None:
    """Return the newest finished map of a dataset, by whatever model."""
    for run in state.queue().runs(states=("done",), owner=state.owner()):
        if run.task == "embedding" and run.request.get("dataset") == dataset:
            return run
    return None


def on_map(drawn: Run, coloring: Coloring, *, key: str, height: int = HEIGHT) -> None:
    """Show the cells on a map that was drawn, with its downloads."""
    rows, points = _points(drawn.id, drawn.ended)
    parts = (f"UMAP · {model_name(drawn)}", f"{len(rows):,} cells", coloring.look.caption)
    look = replace(coloring.look, caption=" · ".join(part for part in parts if part))
    codes = coloring.codes[rows]
    cell_map(key, points, codes, look=look, height=height)
    map_files(points, codes, look, key=key)


@st.cache_resource(max_entries=8)
def _points(run_id: str, ended: float) -> tuple[NDArray[np.int64], NDArray[np.uint16]]:  # noqa: ARG001 - ended: a run that was resumed
    coordinates = read_array(state.workspace().run_folder(run_id) / "result", "umap")
    rows = np.flatnonzero(np.isfinite(coordinates).all(axis=1))
    return rows, quantize(coordinates[rows])
