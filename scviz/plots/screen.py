"""Predictions of a perturbation screen: changes of genes, methods in their order, cells of one gene."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from scviz.plots.theme import MISSING, OKABE_ITO, category_colors, layout

BASELINE, ASKED, CEILING = MISSING, OKABE_ITO[0], OKABE_ITO[2]
"""Colors of baselines, of the methods that were asked for, and of the ceiling."""


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
    names: Sequence[str],
    values: Sequence[NDArray[np.floating]],
    means: NDArray[np.floating],
    *,
    intervals: NDArray[np.floating],
    kinds: Sequence[str],
    points: Sequence[str],
    title: str,
    dark: bool = False,
) -> go.Figure:
    """Draw one row per method: its score of each perturbation, and the mean with its interval.

    Parameters
    ----------
    names
        M methods, the best first.
    values
        M times (P,); NaN where a method predicts nothing.
    means
        (M,).
    intervals
        (M, 2) ends of the 95 % interval.
    kinds
        M times "baseline", "asked" or "ceiling".
    points
        P names of perturbations.
    """
    colors = {"baseline": BASELINE, "asked": ASKED, "ceiling": CEILING}
    figure = go.Figure()
    rng = np.random.default_rng(0)
    for kind, color in colors.items():
        rows = [i for i, one in enumerate(kinds) if one == kind]
        if not rows:
            continue
        at = np.concatenate([i + rng.uniform(-0.28, 0.28, len(values[i])) for i in rows])
        known = np.concatenate([values[i] for i in rows]).astype(np.float32)
        figure.add_scatter(
            x=known,
            y=at.astype(np.float32),
            mode="markers",
            marker={"color": color, "size": 5, "opacity": 0.45},
            text=list(points) * len(rows),
            hovertemplate="%{text}: %{x:.3f}<extra></extra>",
            showlegend=False,
        )
        figure.add_scatter(
            x=means[rows],
            y=rows,
            mode="markers",
            name={"baseline": "baselines", "asked": "methods", "ceiling": "ceiling"}[kind],
            marker={"color": color, "size": 11, "line": {"width": 1.5, "color": "#111827"}},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": intervals[rows, 1] - means[rows],
                "arrayminus": means[rows] - intervals[rows, 0],
                "thickness": 2,
                "color": "#6B7280",
            },
            text=[names[i] for i in rows],
            hovertemplate="%{text}: mean %{x:.3f}<extra></extra>",
        )
    figure.update_layout(layout(dark=dark))
    figure.update_layout(legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"})
    figure.update_xaxes(title_text=title)
    figure.update_yaxes(
        tickvals=list(range(len(names))), ticktext=list(names), range=[len(names) - 0.4, -0.6]
    )
    return figure


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
    names = [f"{name}<br>{len(values):,} cells" for name, values in cells.items()]
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
            hovertemplate=f"{name}: %{{y:.3f}}<extra></extra>",
        )
    figure.update_layout(layout(dark=dark))
    figure.update_xaxes(
        tickangle=0,
        tickvals=list(range(len(cells) + 1)),
        ticktext=[*names, "predicted<br>mean"],
        range=[-0.6, len(cells) + 0.6],
    )
    figure.update_yaxes(title_text=title, rangemode="tozero")
    figure.update_layout(legend={"orientation": "h", "y": -0.16, "yanchor": "top"})
    return figure
