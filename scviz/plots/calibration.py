"""Confidence beside the share of right names, and what abstaining buys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from scviz.metrics.calibration import Reliability
from scviz.plots.drawn_once import drawn_once
from scviz.plots.theme import OKABE_ITO, layout

ABOVE = {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"}
"""The legend over the picture, which stands in half a page."""


@drawn_once
def reliability_figure(curves: Mapping[str, Reliability], *, dark: bool = False) -> go.Figure:
    """Draw the share of right names against confidence; on the diagonal confidence is right.

    Parameters
    ----------
    curves
        By the name of each.
    """
    figure = go.Figure()
    figure.add_scatter(
        x=[0, 1],
        y=[0, 1],
        mode="lines",
        name="confidence is right",
        line={"color": "#888888", "width": 1.5, "dash": "dash"},
        hoverinfo="skip",
    )
    for color, (name, curve) in zip(OKABE_ITO, curves.items(), strict=False):
        figure.add_scatter(
            x=curve.confidence.tolist(),
            y=curve.accuracy.tolist(),
            mode="lines+markers",
            name=name,
            line={"color": color, "width": 2},
            customdata=curve.n.tolist(),
            hovertemplate="confidence %{x:.2f}: %{y:.1%} right of %{customdata:,} cells"
            "<extra>%{fullData.name}</extra>",
        )
    figure.update_layout(layout(dark=dark), height=360, legend=ABOVE)
    figure.update_xaxes(title_text="Mean confidence", range=[-0.02, 1.02])
    figure.update_yaxes(title_text="Share of right names", range=[-0.02, 1.02])
    return figure


@drawn_once
def abstaining_figure(
    named: NDArray[np.floating],
    accuracy: NDArray[np.floating],
    spans: NDArray[np.floating],
    *,
    thresholds: NDArray[np.floating],
    dark: bool = False,
) -> go.Figure:
    """Draw the share of right names among those given against the share of cells that are named.

    Parameters
    ----------
    named, accuracy
        (T,) at each threshold; points without a name given are left out.
    spans
        (T, 2) 95 % intervals of the accuracy; NaN where it is not known.
    thresholds
        (T,) least confidence of a name.
    """
    some, sure = np.isfinite(accuracy), np.isfinite(spans).all(axis=1)
    color = OKABE_ITO[0]
    figure = go.Figure()
    figure.add_scatter(
        x=[*named[sure], *named[sure][::-1]],
        y=[*spans[sure, 0], *spans[sure, 1][::-1]],
        fill="toself",
        mode="lines",
        line={"width": 0, "color": color},
        opacity=0.3,
        name="95 % interval",
        hoverinfo="skip",
    )
    figure.add_scatter(
        x=named[some].tolist(),
        y=accuracy[some].tolist(),
        mode="lines+markers",
        line={"color": color, "width": 2},
        name="the model",
        customdata=thresholds[some].tolist(),
        hovertemplate="below %{customdata:.2f} unnamed: %{x:.1%} named, %{y:.1%} of them right<extra></extra>",
    )
    figure.update_layout(layout(dark=dark), height=300, legend=ABOVE)
    figure.update_xaxes(title_text="Share of cells named", range=[-0.02, 1.02])
    figure.update_yaxes(title_text="Share of right names")
    return figure


@drawn_once
def novelty_figure(
    series: Mapping[str, Sequence[tuple[float, float, float]]], names: Sequence[str], *, dark: bool = False
) -> go.Figure:
    """Draw how well each type is told from the known ones when it is left out, beside chance.

    Parameters
    ----------
    series
        (K, 3) AUROC with its interval of each type, by what was read.
    names
        K types.
    """
    figure = go.Figure()
    figure.add_vline(x=0.5, line={"color": "#888888", "width": 1.5, "dash": "dash"})
    for color, (name, values) in zip(OKABE_ITO, series.items(), strict=False):
        bounds = np.asarray(values, dtype=float).reshape(-1, 3)
        middle, low, high = bounds.T
        figure.add_scatter(
            x=middle.tolist(),
            y=list(names),
            name=name,
            mode="markers",
            marker={"color": color, "size": 9},
            error_x={
                "type": "data",
                "array": np.nan_to_num(high - middle).tolist(),
                "arrayminus": np.nan_to_num(middle - low).tolist(),
                "symmetric": False,
                "color": color,
                "thickness": 1.6,
                "width": 0,
            },
            hovertemplate="%{y}: %{x:.3f}<extra>%{fullData.name}</extra>",
        )
    figure.update_layout(layout(dark=dark), height=140 + 34 * len(names))
    figure.update_xaxes(title_text="AUROC; 0.5 is chance", range=[-0.02, 1.02])
    figure.update_yaxes(autorange="reversed")
    return figure
