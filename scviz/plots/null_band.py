"""A number beside those of random genes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from scviz.plots.drawn_once import drawn_once
from scviz.plots.theme import MISSING, OKABE_ITO, layout


@drawn_once
def null_figure(
    own: float,
    own_name: str,
    random: Sequence[float],
    *,
    names: Sequence[str],
    title: str,
    dark: bool = False,
) -> go.Figure:
    """Draw random genes from the lowest to the highest, and where the gene in question stands among them.

    Parameters
    ----------
    random
        (R,) values of the random genes; NaN is left out.
    names
        (R,) their names.
    title
        What the values are.
    """
    values = np.asarray(random, dtype=np.float64)
    known = np.flatnonzero(np.isfinite(values))
    order = known[np.argsort(values[known], kind="stable")]
    ranks = np.arange(1, len(order) + 1)
    figure = go.Figure()
    figure.add_scatter(
        x=values[order],
        y=ranks,
        mode="markers",
        name=f"{len(order)} random genes"
        if all("+" not in n for n in names)
        else f"{len(order)} random sets",
        marker={"color": MISSING, "size": 9},
        text=[names[i] for i in order],
        hovertemplate="%{text}: %{x:.3~g}<extra></extra>",
    )
    figure.add_scatter(
        x=[own, own],
        y=[0, len(order) + 1],
        mode="lines+markers",
        name=own_name,
        line={"color": OKABE_ITO[1], "width": 2},
        marker={"color": OKABE_ITO[1], "size": 6},
        hovertemplate="%{fullData.name}: %{x:.3~g}<extra></extra>",
    )
    figure.update_layout(layout(dark=dark))
    figure.update_layout(legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"})
    figure.update_xaxes(title_text=title, nticks=6)
    figure.update_yaxes(title_text="Random genes, in their order", rangemode="tozero")
    return figure


@drawn_once
def intervals_figure(
    names: Sequence[str],
    means: NDArray[np.floating],
    intervals: NDArray[np.floating],
    *,
    bands: NDArray[np.floating],
    title: str,
    dark: bool = False,
) -> go.Figure:
    """Draw one row per name: the mean with its interval over the band of random genes.

    Parameters
    ----------
    means
        (K,).
    intervals, bands
        (K, 2) low and high.
    """
    figure = go.Figure()
    series = (
        (bands, "95 % of random genes", {"color": MISSING, "width": 9}),
        (intervals, "95 % interval over cells", {"color": OKABE_ITO[0], "width": 2}),
    )
    for values, name, line in series:
        gaps = np.column_stack([values, np.full(len(values), np.nan)])
        figure.add_scatter(
            x=gaps.ravel(),
            y=[name_of for name_of in names for _ in range(3)],
            mode="lines",
            name=name,
            line=line,
            opacity=0.6 if values is bands else 1.0,
            hoverinfo="skip",
        )
    figure.add_scatter(
        x=means,
        y=list(names),
        mode="markers",
        name="mean",
        marker={"color": OKABE_ITO[0], "size": 8},
        hovertemplate="%{y}: %{x:.3~g}<extra></extra>",
    )
    figure.update_layout(layout(dark=dark))
    figure.update_layout(legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"})
    figure.update_xaxes(title_text=title, nticks=6)
    figure.update_yaxes(autorange="reversed")
    return figure
