"""How good cells are: each measure as a violin, counts against genes, and what each group of cells loses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from scviz.metrics.thresholds import Bounds, Loss
from scviz.plots.theme import MISSING, OKABE_ITO, VIRIDIS, layout, plotly_scale

N_BINS = 100
MOST_POINTS = 10_000
"""More cells are drawn as a sample; a screen shows no more, and thresholds move at once."""
NO_BUTTONS = ["zoom2d", "pan2d", "zoomIn2d", "zoomOut2d", "autoScale2d", "resetScale2d"]
"""They would cover the top of a narrow figure, where its upper threshold is."""
MOST_GROUPS = 40
KEPT, LOST = OKABE_ITO[0], OKABE_ITO[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Violin:
    """One measure of N cells with its thresholds."""

    values: NDArray[np.floating]
    """(N,) as they are written; NaN is left out."""
    bounds: Bounds
    """Thresholds that hold."""
    suggested: Bounds
    logarithmic: bool = False


def violin_figure(title: str, one: Violin, *, dark: bool = False) -> go.Figure:
    """Draw a measure of (N,) cells as a violin, suggested thresholds dashed, those that hold as full lines."""
    heights, widths = _outline(one)
    figure = go.Figure()
    figure.add_scatter(
        x=np.concatenate([widths, -widths[::-1]]),
        y=np.concatenate([heights, heights[::-1]]),
        name=title,
        fill="toself",
        mode="lines",
        line={"color": KEPT, "width": 1},
        hoverinfo="skip",
        showlegend=False,
    )
    for bounds, color, dash in ((one.suggested, MISSING, "dash"), (one.bounds, LOST, "solid")):
        for end in (bounds.low, bounds.high):
            if end is not None:
                place = max(end, 0.5) if one.logarithmic else end  # 0 has no place on a logarithmic axis
                _line(figure, (-1.1, 1.1), (place, place), color=color, dash=dash)
    look = layout(dark=dark)
    figure.update_layout(look, margin={"l": 8, "r": 8, "t": 8, "b": 8}, modebar={"remove": NO_BUTTONS})
    figure.update_xaxes(range=[-1.1, 1.1], showticklabels=False, ticks="", showgrid=False)
    figure.update_yaxes(title_text=title, type="log" if one.logarithmic else "linear")
    return figure


def depth_scatter(
    depth: Mapping[str, tuple[NDArray[np.floating], Bounds]],
    colors: NDArray[np.floating],
    kept: NDArray[np.bool_],
    *,
    color_title: str,
    dark: bool = False,
) -> go.Figure:
    """Draw two measures of each cell against each other on logarithmic axes, colored by a third, lost cells as crosses.

    Parameters
    ----------
    depth
        Two measures by title, (N,) each, with their thresholds: across and up.
    colors
        (N,) the third.
    kept
        (N,) True for cells that are kept.
    """
    (x_title, (x, x_bounds)), (y_title, (y, y_bounds)) = depth.items()
    drawn = _sample(len(x))
    highest = float(np.nanmax(colors, initial=0.0)) or 1.0
    figure = go.Figure()
    for name, chosen, symbol in (("kept", kept, "circle"), ("lost", ~kept, "x-thin-open")):
        rows = drawn[chosen[drawn]]
        figure.add_scattergl(
            x=np.maximum(x[rows], 0.5).astype(np.float32),
            y=np.maximum(y[rows], 0.5).astype(np.float32),
            name=f"{name}: {int(chosen.sum()):,}",
            mode="markers",
            marker={
                "color": np.nan_to_num(colors[rows]).astype(np.float32),
                "colorscale": plotly_scale(
                    VIRIDIS[4:] if dark else VIRIDIS
                ),  # its first colors are lost on black
                "cmin": 0,
                "cmax": highest,
                "size": 5,
                "symbol": symbol,
                "colorbar": {"title": {"text": color_title, "side": "right"}, "thickness": 10},
                "showscale": name == "kept",
            },
            meta=[x_title, y_title, color_title, name],
            hovertemplate="%{meta[0]} %{x:,.0f}<br>%{meta[1]} %{y:,.0f}<br>%{meta[2]} %{marker.color:.1f}"
            "<extra>%{meta[3]}</extra>",
        )
    figure.update_layout(
        layout(dark=dark),
        legend={"orientation": "h", "y": 1.12, "x": 0},
        title={
            "text": f"{len(drawn):,} of {len(x):,} cells drawn",
            "font": {"size": 12},
            "x": 1,
            "xanchor": "right",
        }
        if len(drawn) < len(x)
        else None,
    )
    figure.update_xaxes(title_text=x_title, type="log")
    figure.update_yaxes(title_text=y_title, type="log")
    _thresholds(figure, (x, x_bounds), (y, y_bounds))
    return figure


def _thresholds(
    figure: go.Figure,
    across: tuple[NDArray[np.floating], Bounds],
    up: tuple[NDArray[np.floating], Bounds],
) -> None:
    """Draw thresholds of two measures, (N,) each, from end to end of the other one."""
    reach = [(max(float(values.min()), 0.5), max(float(values.max()), 0.5)) for values, _ in (across, up)]
    for end in (across[1].low, across[1].high):
        if end is not None:
            _line(figure, (max(end, 0.5),) * 2, reach[1], color=LOST, dash="solid")
    for end in (up[1].low, up[1].high):
        if end is not None:
            _line(figure, reach[0], (max(end, 0.5),) * 2, color=LOST, dash="solid")


def losses_figure(losses: Sequence[Loss], *, dark: bool = False) -> go.Figure:
    """Draw what each group of cells keeps and loses, as percent of its cells; of many groups, the first."""
    first = losses[:MOST_GROUPS]
    names = [f"{one.name} ({one.n:,})" for one in first]
    figure = go.Figure()
    for name, color in (("kept", KEPT), ("lost", LOST)):
        counts = [one.lost if name == "lost" else one.n - one.lost for one in first]
        figure.add_bar(
            x=[100 * count / one.n for count, one in zip(counts, first, strict=True)],
            y=names,
            name=name,
            orientation="h",
            base=[100 * (one.n - one.lost) / one.n for one in first] if name == "lost" else None,
            marker={"color": color},
            customdata=counts,
            hovertemplate="%{y}: %{customdata:,} cells %{fullData.name} (%{x:.1f} %)<extra></extra>",
        )
    figure.update_layout(layout(dark=dark), barmode="overlay", legend={"orientation": "h", "y": 1.1, "x": 0})
    figure.update_xaxes(title_text="Cells of the group (%)", range=[0, 100])
    figure.update_yaxes(autorange="reversed")
    return figure


def _outline(one: Violin) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give heights, (K,), and half widths, (K,), of a violin: a smoothed histogram, the widest place 1."""
    known = one.values[np.isfinite(one.values)].astype(np.float64)
    shown = np.log10(np.maximum(known, 0.5)) if one.logarithmic else known
    if not len(shown):
        return np.zeros(1), np.zeros(1)
    low, high = float(shown.min()), float(shown.max())
    if high == low:
        low, high = low - 0.5, high + 0.5
    counts, edges = np.histogram(shown, N_BINS, (low, high))
    bell = np.exp(-0.5 * (np.arange(-6, 7) / 2.0) ** 2)
    widths = np.convolve(counts, bell / bell.sum(), mode="same")
    middles = (edges[:-1] + edges[1:]) / 2
    heights = 10**middles if one.logarithmic else middles
    return heights, widths / widths.max()


def _line(figure: go.Figure, x: tuple[float, ...], y: tuple[float, ...], *, color: str, dash: str) -> None:
    """Draw a threshold; a trace, so that files have it, too."""
    figure.add_scatter(
        x=list(x),
        y=list(y),
        name="suggested" if dash == "dash" else "threshold",
        mode="lines",
        line={"color": color, "width": 1.5, "dash": dash},
        showlegend=False,
        hoverinfo="skip",
    )


def _sample(n_cells: int) -> NDArray[np.int64]:
    """Draw the rows that are shown, (n,); always the same."""
    if n_cells <= MOST_POINTS:
        return np.arange(n_cells)
    return np.sort(np.random.default_rng(0).choice(n_cells, MOST_POINTS, replace=False))
