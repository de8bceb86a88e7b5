"""Two conditions, donor by donor: shares of types, how they differ, changed genes, one gene."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from scviz.plots.theme import MISSING, OKABE_ITO, category_colors, layout

FIRST, SECOND = OKABE_ITO[1], OKABE_ITO[0]
"""Colors of the conditions."""
GAP = 1.0
"""Between the samples of both conditions, in bars."""
LEAST = 0.05
TIMES = {
    -4.0: "1/16",
    -3.0: "1/8",
    -2.0: "1/4",
    -1.0: "1/2",
    0.0: "same",
    1.0: "2",
    2.0: "4",
    3.0: "8",
    4.0: "16",
}
"""Log2 changes as they are written."""
MOST_DONORS = 24
"""Donors that are drawn with the outline of their cells."""


def composition_figure(
    counts: NDArray[np.integer],
    sides: NDArray[np.integer],
    donors: Sequence[str],
    *,
    types: Sequence[str],
    names: tuple[str, str],
    dark: bool = False,
) -> go.Figure:
    """Draw a bar for each sample, with the share of each type; the second condition stands on the left.

    Parameters
    ----------
    counts
        (S, K) cells.
    sides
        (S,) condition of each sample, 0 or 1.
    donors
        S names.
    types
        K names.
    """
    places = np.zeros(len(sides))
    places[np.argsort(-sides, kind="stable")] = np.arange(len(sides))
    places += GAP * (sides == 0)
    shares = 100 * counts / counts.sum(axis=1, keepdims=True)
    below = np.cumsum(shares, axis=1) - shares  # (S, K)
    figure = go.Figure()
    for number, (name, color) in enumerate(zip(types, category_colors(len(types)), strict=True)):
        figure.add_bar(
            x=places,
            y=shares[:, number],
            base=below[:, number],
            name=name,
            marker={"color": color},
            customdata=list(zip(donors, counts[:, number].tolist(), shares[:, number].tolist(), strict=True)),
            hovertemplate="%{customdata[0]}, %{fullData.name}: %{customdata[2]:.1f} % (%{customdata[1]:,} cells)"
            "<extra></extra>",
        )
    look = layout(dark=dark)
    below_the_bars = {
        "orientation": "h",
        "x": 0,
        "y": -0.14,
        "yanchor": "top",
    }  # beside them it takes half a phone
    figure.update_layout(look, barmode="overlay", bargap=0.15, legend=below_the_bars)
    figure.update_xaxes(tickvals=places, ticktext=list(donors), showgrid=False)
    figure.update_yaxes(title_text="Cells of the sample (%)", range=[0, 108])
    for side, name in enumerate(names):
        if np.any(sides == side):
            middle = float(places[sides == side].mean())
            figure.add_annotation(text=name, x=middle, y=102, showarrow=False, yshift=6)
    return figure


def changes_figure(
    change: NDArray[np.floating],
    low: NDArray[np.floating],
    high: NDArray[np.floating],
    *,
    types: Sequence[str],
    passing: NDArray[np.bool_],
    title: str,
    dark: bool = False,
) -> go.Figure:
    """Draw the change of each type with its interval, beside the lines of no change and of twice and half.

    Parameters
    ----------
    change, low, high
        (K,) log2; types with NaN are left out.
    types
        K names.
    passing
        (K,) types that are said to differ.
    """
    rows = np.flatnonzero(np.isfinite(change))
    reach = _reach(change[rows], low[rows], high[rows])
    figure = go.Figure()
    for at, dash in ((0.0, "solid"), (-1.0, "dot"), (1.0, "dot")):
        figure.add_scatter(
            x=[at, at],
            y=[-0.6, len(rows) - 0.4],
            mode="lines",
            line={"color": MISSING, "width": 1, "dash": dash},
            hoverinfo="skip",
            showlegend=False,
        )
    places = np.arange(len(rows))
    for name, kept, color in (
        ("differs", passing[rows], FIRST),
        ("not shown to differ", ~passing[rows], SECOND),
    ):
        if kept.any():
            own = rows[kept]
            bounds = {
                "array": np.nan_to_num(high[own] - change[own]),
                "arrayminus": np.nan_to_num(change[own] - low[own]),
            }
            figure.add_scatter(
                x=change[own],
                y=places[kept],
                mode="markers",
                name=name,
                marker={"color": color, "size": 9},
                error_x={**bounds, "symmetric": False, "color": color, "thickness": 1.6, "width": 0},
                customdata=np.stack([2.0 ** change[own], 2.0 ** low[own], 2.0 ** high[own]], axis=1),
                text=[types[i] for i in own.tolist()],
                hovertemplate="%{text}: %{customdata[0]:.2f} times (%{customdata[1]:.2f} to %{customdata[2]:.2f})"
                "<extra></extra>",
            )
    figure.update_layout(layout(dark=dark), legend={"orientation": "h", "y": 1.12, "x": 0})
    shown = {at: word for at, word in TIMES.items() if abs(at) <= reach}
    figure.update_xaxes(
        title_text=title, tickvals=list(shown), ticktext=list(shown.values()), range=[-reach, reach]
    )
    figure.update_yaxes(
        tickvals=places, ticktext=[types[i] for i in rows.tolist()], autorange="reversed", showgrid=False
    )
    return figure


def _reach(*values: NDArray[np.floating]) -> float:
    """Find how far the axis goes, so that all intervals are seen, and twice and half in any case."""
    known = np.abs(np.concatenate([one[np.isfinite(one)] for one in values]))
    return float(np.clip(known.max(initial=1.2) * 1.08, 1.3, 4.4))


def changed_genes_figure(
    all_cells: Sequence[int],
    equal_cells: Sequence[int],
    *,
    types: Sequence[str],
    n_equal: int,
    dark: bool = False,
) -> go.Figure:
    """Draw two bars for each type: changed genes with all cells, and with equally many cells in each sample."""
    figure = go.Figure()
    rows = 2.2 * np.arange(len(types))
    for name, numbers, shift, color in (
        ("all cells", all_cells, 0.0, OKABE_ITO[0]),
        (f"{n_equal:,} cells in each sample", equal_cells, 0.85, OKABE_ITO[4]),
    ):
        figure.add_bar(
            x=list(numbers),
            y=rows + shift,
            name=name,
            orientation="h",
            width=0.8,
            marker={"color": color},
            customdata=list(types),
            hovertemplate="%{customdata}, %{fullData.name}: %{x:,} genes<extra></extra>",
        )
    figure.update_layout(layout(dark=dark), barmode="overlay", legend={"orientation": "h", "y": 1.12, "x": 0})
    figure.update_xaxes(title_text="Changed genes", rangemode="tozero")
    figure.update_yaxes(
        tickvals=rows + 0.42, ticktext=list(types), autorange="reversed", showgrid=False, ticks=""
    )
    return figure


def donors_figure(
    means: NDArray[np.floating],
    sides: NDArray[np.integer],
    donors: Sequence[str],
    *,
    heights: NDArray[np.floating],
    outlines: NDArray[np.floating],
    names: tuple[str, str],
    title: str,
    dark: bool = False,
) -> go.Figure:
    """Draw half a violin for each sample, both conditions of a donor side by side, and lines that join their means.

    Parameters
    ----------
    means
        (s,) mean expression of each sample.
    sides
        (s,) its condition, 0 or 1; the second stands on the left.
    donors
        s names.
    heights
        (B,) expression at which outlines are given.
    outlines
        (s, B) half widths, the widest 1.
    """
    order = list(dict.fromkeys(donors))[:MOST_DONORS]
    place = {donor: number for number, donor in enumerate(order)}
    look = {1: (names[1], SECOND, -1), 0: (names[0], FIRST, 1)}
    line = str(layout(dark=dark)["font"]["color"])
    figure = go.Figure()
    named: set[int] = set()
    for number, donor in enumerate(donors):
        if donor not in place:
            continue
        side = int(sides[number])
        name, color, way = look[side]
        shown = outlines[number] > LEAST * outlines[number].max()
        last = int(np.flatnonzero(shown)[-1]) + 1
        widths = place[donor] + way * (0.03 + 0.4 * outlines[number][:last])
        edge = np.full(last, place[donor] + way * 0.03)
        figure.add_scatter(
            x=np.concatenate([widths, edge[::-1]]),
            y=np.concatenate([heights[:last], heights[:last][::-1]]),
            name=name,
            legendgroup=name,
            showlegend=side not in named,
            fill="toself",
            mode="lines",
            line={"color": color, "width": 1},
            hoverinfo="skip",
        )
        named.add(side)
    _join(figure, means, sides, donors=donors, place=place, color=line)
    figure.update_layout(layout(dark=dark), legend={"orientation": "h", "y": 1.12, "x": 0})
    figure.update_xaxes(tickvals=list(place.values()), ticktext=order, showgrid=False)
    figure.update_yaxes(title_text=title, rangemode="tozero")
    return figure


def _join(
    figure: go.Figure,
    means: NDArray[np.floating],
    sides: NDArray[np.integer],
    *,
    donors: Sequence[str],
    place: dict[str, int],
    color: str,
) -> None:
    """Draw the means, (s,), and a line between both of a donor."""
    for donor, at in place.items():
        own = sorted((i for i in range(len(donors)) if donors[i] == donor), key=lambda i: -int(sides[i]))
        look: dict[str, Any] = {"color": color, "size": 8}
        figure.add_scatter(
            x=[at + (-0.2 if sides[i] == 1 else 0.2) for i in own],
            y=[float(means[i]) for i in own],
            mode="lines+markers",
            name="mean",
            showlegend=False,
            marker=look,
            line={"color": color, "width": 1.6},
            meta=donor,
            hovertemplate="%{meta}: mean %{y:.2f}<extra></extra>",
        )
