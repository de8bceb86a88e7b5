"""Regulons in types: a heat map of activity or specificity."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from scviz.plots.theme import VIRIDIS, layout, plotly_scale


def regulons_figure(
    values: NDArray[np.floating],
    regulons: Sequence[str],
    types: Sequence[str],
    *,
    title: str,
    beyond: NDArray[np.bool_] | None = None,
    dark: bool = False,
) -> go.Figure:
    """Draw regulons in rows and types in columns.

    Parameters
    ----------
    values
        (R, T).
    title
        What the values are, with their scale.
    beyond
        (R, T) squares that get a dot, such as those that chance does not reach.
    """
    text = None if beyond is None else np.where(beyond, "•", "")
    figure = go.Figure(
        go.Heatmap(
            z=values.astype(np.float32),
            x=list(types),
            y=list(regulons),
            text=text,
            texttemplate="%{text}",
            colorscale=plotly_scale(VIRIDIS),
            xgap=1,
            ygap=1,
            colorbar={"title": {"text": title, "side": "right"}, "thickness": 12, "len": 0.9},
            hovertemplate="%{y} in %{x}: %{z:.3f}<extra></extra>",
        )
    )
    figure.update_layout(layout(dark=dark), margin={"l": 8, "r": 8, "t": 8, "b": 8})
    figure.update_xaxes(title_text="Known type", tickangle=-35, showgrid=False, type="category")
    figure.update_yaxes(title_text="Regulon", autorange="reversed", showgrid=False, type="category")
    return figure
