"""Scores of gene sets on the newest map of the cells."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from pages.components.cell_map import MapLook
from pages.components.coloring import Coloring
from pages.components.newest_map import newest_map, no_map_yet, on_map
from scviz.plots.points import continuous_palette, shade
from scviz.workspace.database import Run

PERCENTILE = 99.5
"""The brightest cells share a color, and so do the darkest, so that one of them does not take the scale for itself."""


def score_map(
    run: Run, names: Sequence[str], scores: NDArray[np.floating], *, label: str, title: str, key: str
) -> None:
    """Let the user choose a gene set and show its score.

    Parameters
    ----------
    scores
        (N, K) of all cells of the dataset.
    label
        What a gene set is called, above the choice.
    title
        What the score is, beside the scale.
    key
        The choice is `map_<key>`, the map `<key>_map`.
    """
    drawn = newest_map(run.request["dataset"])
    if drawn is None:
        no_map_yet(run.request["dataset"], key=f"{key}_first_map")
        return
    name = st.selectbox(label, names, key=f"map_{key}")
    values = scores[:, names.index(name)]
    low, high = np.percentile(values, [100 - PERCENTILE, PERCENTILE]).tolist()
    high = high if high > low else low + 1.0
    look = MapLook(palette=continuous_palette(), scale=(low, high), title=f"{name}, {title}")
    on_map(drawn, Coloring(codes=shade(values, low, high), look=look), key=f"{key}_map")
