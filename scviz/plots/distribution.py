"""How a score is spread over cells, for several methods."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from scviz.plots.theme import category_colors, layout

MOST_BINS, FEWEST_BINS = 30, 5
"""Few cells fill few bins, or the lines only jump."""
ABOVE = {"orientation": "h", "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom"}
"""Names may be long: beside the lines they would leave these no room."""


def distribution_figure(
    values: Mapping[str, NDArray[np.floating]], *, title: str, dark: bool = False
) -> go.Figure:
    """Draw one line per method over the same bins.

    Parameters
    ----------
    values
        (M,) one number for each cell, by method; NaN is left out.
    title
        What the numbers are: "Correlation with the whole cell".
    """
    known = {method: numbers[np.isfinite(numbers)] for method, numbers in values.items()}
    everything = np.concatenate([*known.values(), np.zeros(0)])
    low, high = (everything.min(), everything.max()) if len(everything) else (0.0, 1.0)
    edges = np.linspace(low, high if high > low else low + 1, _n_bins(known) + 1)
    figure = go.Figure()
    for color, (method, numbers) in zip(category_colors(len(known)), known.items(), strict=True):
        share = np.histogram(numbers, edges)[0] / max(len(numbers), 1)
        figure.add_scatter(
            x=(edges[:-1] + edges[1:]) / 2,
            y=100 * share,
            name=method,
            mode="lines",
            line={"color": color, "width": 2, "shape": "hvh"},
            hovertemplate="%{x:.3f}: %{y:.1f} % of cells<extra>%{fullData.name}</extra>",
        )
    figure.update_layout(layout(dark=dark), legend=ABOVE)
    figure.update_xaxes(title_text=title)
    figure.update_yaxes(title_text="Cells (%)", rangemode="tozero")
    return figure


def _n_bins(known: Mapping[str, NDArray[np.floating]]) -> int:
    """Take about as many bins as each of them holds cells."""
    most = max((len(numbers) for numbers in known.values()), default=0)
    return int(np.clip(np.sqrt(most), FEWEST_BINS, MOST_BINS))
