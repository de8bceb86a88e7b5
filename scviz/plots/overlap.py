"""Overlap of neighbors: which methods see the same cells as alike."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from scviz.plots.theme import VIRIDIS, layout, plotly_scale


def overlap_figure(overlap: NDArray[np.float64], methods: Sequence[str], *, dark: bool = False) -> go.Figure:
    """Draw the matrix of overlaps; text in the squares is the number.

    Parameters
    ----------
    overlap
        (M, M) mean overlap of the neighbors of two methods, 0 to 1; NaN where nothing was compared.
    methods
        M names in the order of rows and columns.
    """
    known = np.isfinite(overlap)
    figure = go.Figure(
        go.Heatmap(
            z=overlap.astype(np.float32),
            x=list(methods),
            y=list(methods),
            text=np.where(known, np.char.mod("%.2f", np.nan_to_num(overlap)), ""),
            texttemplate="%{text}",
            zmin=0,
            zmax=1,
            colorscale=plotly_scale(VIRIDIS),
            xgap=1,
            ygap=1,
            colorbar={"title": {"text": "overlap (Jaccard)"}, "thickness": 12, "len": 0.9},
            hovertemplate="%{y}<br>%{x}<br>%{z:.3f} of the neighbors shared<extra></extra>",
        )
    )
    figure.update_layout(layout(dark=dark), margin={"l": 8, "r": 8, "t": 8, "b": 8})
    figure.update_xaxes(title_text="Neighbors by", tickangle=-45, showgrid=False)
    figure.update_yaxes(title_text="Neighbors by", autorange="reversed", showgrid=False)
    return figure
