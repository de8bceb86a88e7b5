"""Gene modules: scores in types as a heat map, and how firm the cut is at several resolutions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from scviz.plots.theme import OKABE_ITO, VIRIDIS, layout, plotly_scale

LINES = ("Same with another seed", "Same at the next resolution", "Genes in modules", "Modularity")


def module_scores_figure(
    standardized: NDArray[np.floating],
    means: NDArray[np.floating],
    modules: Sequence[str],
    *,
    types: Sequence[str],
    dark: bool = False,
) -> go.Figure:
    """Draw modules in rows and types in columns.

    Parameters
    ----------
    standardized
        (M, T) mean score, each row from 0 to 1: the color.
    means
        (M, T) mean score, which hovering shows.
    """
    figure = go.Figure(
        go.Heatmap(
            z=standardized.astype(np.float32),
            x=list(types),
            y=list(modules),
            customdata=means.astype(np.float32),
            zmin=0,
            zmax=1,
            colorscale=plotly_scale(VIRIDIS),
            xgap=1,
            ygap=1,
            colorbar={
                "title": {"text": "Mean score, 0 to 1 in each row", "side": "right"},
                "thickness": 12,
                "len": 0.9,
            },
            hovertemplate="%{y} in %{x}: mean score %{customdata:.3f}<extra></extra>",
        )
    )
    figure.update_layout(layout(dark=dark), margin={"l": 8, "r": 8, "t": 8, "b": 8})
    figure.update_xaxes(title_text="Known type", tickangle=-35, showgrid=False, type="category")
    figure.update_yaxes(title_text="Module", autorange="reversed", showgrid=False, type="category")
    return figure


def stability_figure(
    resolutions: Sequence[float],
    n_modules: Sequence[int],
    shares: Sequence[Sequence[float]],
    *,
    chosen: float,
    dark: bool = False,
) -> go.Figure:
    """Draw the number of modules and how firm they are against the resolution.

    Parameters
    ----------
    resolutions
        (K,).
    n_modules
        (K,) modules that are large enough.
    shares
        Four of (K,), as LINES name them; NaN is left out.
    chosen
        Resolution of the modules shown.
    """
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.08, row_heights=[0.4, 0.6])
    names = [f"{resolution:g}" for resolution in resolutions]
    figure.add_bar(
        x=names,
        y=list(n_modules),
        name="Modules",
        marker={"color": [OKABE_ITO[1] if one == chosen else OKABE_ITO[0] for one in resolutions]},
        showlegend=False,
        hovertemplate="%{y} modules at resolution %{x}<extra></extra>",
        row=1,
        col=1,
    )
    colors = (OKABE_ITO[0], OKABE_ITO[2], OKABE_ITO[4], OKABE_ITO[3])
    for name, values, color in zip(LINES, shares, colors, strict=True):
        figure.add_scatter(
            x=names,
            y=list(values),
            name=name,
            mode="lines+markers",
            line={"color": color, "width": 2},
            hovertemplate="%{y:.2f}<extra>%{fullData.name}</extra>",
            row=2,
            col=1,
        )
    look = layout(dark=dark)
    figure.update_layout(
        look, legend={"orientation": "h", "y": -0.22, "x": 0}, margin={"l": 8, "r": 8, "t": 8, "b": 8}
    )
    figure.update_xaxes(look["xaxis"], type="category")
    figure.update_yaxes(look["yaxis"])
    figure.update_xaxes(title_text="Resolution", row=2, col=1)
    figure.update_yaxes(title_text="Modules", row=1, col=1)
    figure.update_yaxes(title_text="Share or index", range=[-0.05, 1.05], row=2, col=1)
    return figure
