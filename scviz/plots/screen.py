"""Predictions of a perturbation screen: changes of genes, methods in their order, cells of one gene."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from scviz.plots.theme import MISSING, OKABE_ITO, category_colors, layout

Kind = Literal["baseline", "asked", "replicate", "partial"]
KINDS: dict[Kind, tuple[str, str, float]] = {
    "baseline": ("baselines", OKABE_ITO[1], 1.0),
    "asked": ("methods", OKABE_ITO[0], 1.0),
    "replicate": ("replicate", OKABE_ITO[2], 1.0),
    "partial": ("do not predict all", MISSING, 0.5),
}
"""Name, color and opacity of each kind of row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """A row of a ranking."""

    name: str
    values: NDArray[np.floating]
    """(P,); NaN where a method predicts nothing."""
    mean: float
    low: float
    high: float
    """Ends of the 95 % interval."""
    kind: Kind


def change_figure(
    observed: NDArray[np.floating],
    predicted: NDArray[np.floating],
    names: Sequence[str],
    *,
    marked: NDArray[np.bool_],
    what: str = "change",
    marked_as: str = "20 most changed",
    dark: bool = False,
) -> go.Figure:
    """Draw one point per gene: measured against predicted, with the line on which both are equal.

    Parameters
    ----------
    observed, predicted
        (G,) of the same genes.
    names
        G symbols.
    marked
        (G,) genes that are drawn in color and named.
    what
        What the values are: "change", or "log expression".
    """
    figure = go.Figure()
    groups = (("other genes", ~marked, MISSING, 5), (marked_as, marked, OKABE_ITO[1], 8))
    for title, rows, color, size in groups:
        chosen = np.flatnonzero(rows)
        figure.add_scatter(
            x=observed[chosen].astype(np.float32),
            y=predicted[chosen].astype(np.float32),
            mode="markers",
            name=title,
            marker={"color": color, "size": size, "opacity": 0.8},
            text=[names[i] for i in chosen.tolist()],
            hovertemplate="%{text}: measured %{x:.3f}, predicted %{y:.3f}<extra></extra>",
        )
    for i in _far_apart(observed, np.flatnonzero(marked)).tolist():
        figure.add_annotation(
            x=float(observed[i]),
            y=float(predicted[i]),
            text=names[i],
            showarrow=False,
            yshift=11,
            font={"size": 11},
        )
    both = np.concatenate([observed, predicted])
    ends = [float(np.nanmin(both)), float(np.nanmax(both))] if len(both) else [0.0, 1.0]
    figure.add_scatter(
        x=ends,
        y=ends,
        mode="lines",
        name="equal",
        line={"color": OKABE_ITO[2], "width": 1, "dash": "dash"},
        hoverinfo="skip",
    )
    figure.update_layout(layout(dark=dark))
    figure.update_layout(legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"})
    figure.update_xaxes(title_text=f"Measured {what}")
    figure.update_yaxes(title_text=f"Predicted {what}")
    return figure


MOST_NAMED = 8


def _far_apart(values: NDArray[np.floating], rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Choose the genes whose names are written: those that change most."""
    return rows[np.argsort(-np.abs(values[rows]), kind="stable")[:MOST_NAMED]]


def ranking_figure(
    rows: Sequence[Ranked], points: Sequence[str], *, title: str, dark: bool = False
) -> go.Figure:
    """Draw one row per method: its score of each perturbation, and the mean with its interval.

    Parameters
    ----------
    rows
        M methods, in the order in which they are drawn.
    points
        P names of perturbations.
    """
    figure = go.Figure()
    rng = np.random.default_rng(0)
    for kind in KINDS:
        at = [i for i, one in enumerate(rows) if one.kind == kind]
        if at:
            heights = np.concatenate([i + rng.uniform(-0.28, 0.28, len(points)) for i in at])
            _add_rows(figure, [rows[i] for i in at], at, heights=heights, points=points)
    figure.update_layout(layout(dark=dark))
    figure.update_layout(legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"})
    figure.update_xaxes(title_text=title)
    figure.update_yaxes(
        tickvals=list(range(len(rows))),
        ticktext=[one.name for one in rows],
        range=[len(rows) - 0.4, -0.6],
    )
    return figure


def _add_rows(
    figure: go.Figure,
    rows: Sequence[Ranked],
    at: Sequence[int],
    *,
    heights: NDArray[np.float64],
    points: Sequence[str],
) -> None:
    """Draw rows of one kind: a small point a perturbation, a large one the mean with its interval."""
    name, color, opacity = KINDS[rows[0].kind]
    figure.add_scatter(
        x=np.concatenate([one.values for one in rows]).astype(np.float32),
        y=heights.astype(np.float32),
        mode="markers",
        marker={"color": color, "size": 5, "opacity": 0.45 * opacity},
        text=list(points) * len(rows),
        hovertemplate="%{text}: %{x:.3f}<extra></extra>",
        showlegend=False,
    )
    figure.add_scatter(
        x=[one.mean for one in rows],
        y=list(at),
        mode="markers",
        name=name,
        opacity=opacity,
        marker={"color": color, "size": 11, "line": {"width": 1.5, "color": "#111827"}},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [one.high - one.mean for one in rows],
            "arrayminus": [one.mean - one.low for one in rows],
            "thickness": 2,
            "color": "#6B7280",
        },
        text=[one.name for one in rows],
        hovertemplate="%{text}: mean %{x:.3f}<extra></extra>",
    )


def cells_figure(
    cells: Mapping[str, NDArray[np.floating]],
    predicted: Mapping[str, float],
    *,
    title: str,
    dark: bool = False,
) -> go.Figure:
    """Draw how a gene is expressed in groups of cells, and what methods predict its mean to be.

    Parameters
    ----------
    cells
        (n,) log expression of the cells of each group.
    predicted
        Mean that each method predicts.
    """
    figure = go.Figure()
    names = [f"{name}\n{len(values):,} cells" for name, values in cells.items()]
    for at, (color, values) in enumerate(zip((MISSING, OKABE_ITO[1]), cells.values(), strict=False)):
        figure.add_violin(
            x0=at,
            y=values.astype(np.float32),
            name=names[at],
            line={"color": color},
            meanline={"visible": True},
            points=False,
            spanmode="hard",
            showlegend=False,
        )
    for color, (name, value) in zip(category_colors(len(predicted) + 2)[2:], predicted.items(), strict=True):
        figure.add_scatter(
            x=[len(cells)],
            y=[value],
            mode="markers",
            name=name,
            marker={"size": 11, "color": color, "symbol": "diamond"},
            hovertemplate="%{fullData.name}: %{y:.3f}<extra></extra>",
        )
    figure.update_layout(layout(dark=dark))
    figure.update_xaxes(
        tickangle=0,
        tickvals=list(range(len(cells) + 1)),
        ticktext=[*names, "predicted\nmean"],
        range=[-0.6, len(cells) + 0.6],
    )
    figure.update_yaxes(title_text=title, rangemode="tozero")
    figure.update_layout(legend={"orientation": "h", "y": -0.16, "yanchor": "top"})
    return figure
