"""Activity of a regulon on the newest map of the cells."""

from __future__ import annotations

import numpy as np
import streamlit as st

from pages.components.cell_map import MapLook
from pages.components.coloring import Coloring
from pages.components.newest_map import newest_map, on_map
from scviz.plots.points import continuous_palette, shade
from scviz.tasks.scenic import Result
from scviz.workspace.database import Run

PERCENTILE = 99.5
"""The brightest cells share a color, so that one of them does not darken all others."""


def regulon_map(run: Run, result: Result) -> None:
    """Let the user choose a regulon and show where it is active."""
    drawn = newest_map(run.request["dataset"])
    if drawn is None:
        st.info("Make a map of these cells on the Explore page first; then activity is shown on it.")
        return
    names = [one.name for one in result.regulons]
    name = st.selectbox("Regulon", names, key="map_regulon")
    values = result.auc[:, names.index(name)]
    high = float(np.percentile(values, PERCENTILE)) or 1.0
    look = MapLook(palette=continuous_palette(), scale=(0.0, high), title=f"{name}, activity (AUCell)")
    on_map(drawn, Coloring(codes=shade(values, 0.0, high), look=look), key="regulon_map")
