"""Expression of a few genes in groups of cells: dots, violins with boxes, a heat map of cells."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from scviz.plots.theme import MISSING, VIRIDIS, category_colors, layout, plotly_scale

LARGEST = 20.0
"""Pixels of a dot that stands for all cells of a group."""
LONGEST = 28
"""Letters of a name that are drawn."""


def dot_plot(
    means: NDArray[np.floating],
    shares: NDArray[np.floating],
    genes: Sequence[str],
    *,
    groups: Sequence[str],
    dark: bool = False,
) -> go.Figure:
    """Draw a dot for each gene in each group: as large as the share of cells, as bright as the mean.

    Parameters
    ----------
    means
        (K, g) mean log expression.
    shares
        (K, g) cells that express the gene, 0 to 1.
    genes, groups
        What they are called, g and K; a gene may stand there twice.
    """
    rows, columns = np.divmod(np.arange(means.size), max(1, means.shape[1]))
    figure = go.Figure()
    figure.add_scatter(
        x=columns,
        y=rows,
        mode="markers",
        name="share of cells: size",
        showlegend=False,
        marker={
            "color": means.ravel().astype(np.float64),
            "colorscale": plotly_scale(VIRIDIS),
            "cmin": 0.0,
            "cmax": float(means.max(initial=0.0)) or 1.0,
            "size": 2 + (LARGEST - 2) * np.sqrt(shares.ravel()),
            "opacity": 1.0,
            "line": {"color": MISSING, "width": 0.6},
            "colorbar": {
                "title": {"text": "mean log expression", "side": "right"},
                "thickness": 12,
                "len": 0.9,
            },
        },
        customdata=[
            (genes[c], groups[r], float(share))
            for r, c, share in zip(rows, columns, shares.ravel(), strict=True)
        ],
        hovertemplate="%{customdata[0]} in %{customdata[1]}: %{customdata[2]:.0%} of cells, mean "
        "%{marker.color:.2f}<extra></extra>",
    )
    figure.update_layout(layout(dark=dark), margin={"l": 8, "r": 8, "t": 8, "b": 8})
    figure.update_xaxes(
        tickvals=list(range(len(genes))),
        ticktext=list(genes),
        tickangle=-60,
        showgrid=False,
        range=[-0.7, len(genes) - 0.3],
    )
    figure.update_yaxes(
        tickvals=list(range(len(groups))),
        ticktext=[short(name) for name in groups],
        range=[len(groups) - 0.4, -0.6],
        showgrid=False,
    )
    return figure


def short(name: str) -> str:
    """Cut a long name.

    Examples
    --------
    >>> short("CD14+ monocytes"), len(short(40 * "a"))
    ('CD14+ monocytes', 28)
    """
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"


def violins_figure(
    values: Sequence[Sequence[NDArray[np.floating]]],
    genes: Sequence[str],
    *,
    groups: Sequence[str],
    dark: bool = False,
) -> go.Figure:
    """Draw a violin with a box inside for each gene in each group, those of a gene side by side.

    Parameters
    ----------
    values
        Of each gene, of each group, (n,) log expression.
    """
    colors = category_colors(max(2, len(groups)))
    colors[:2] = colors[1::-1]  # the volcano gives genes that are higher in the first group the second color
    figure, look = go.Figure(), layout(dark=dark)
    # a box in the color of its violin would not be seen
    ink, paper = look["font"]["color"], "rgba(0,0,0,0.6)" if dark else "rgba(255,255,255,0.75)"
    step = len(groups) + 1
    for g, of_gene in enumerate(values):
        for k, own in enumerate(of_gene):
            figure.add_violin(
                y=own.astype(np.float32),
                x0=g * step + k,
                name=short(groups[k]),
                legendgroup=str(k),
                showlegend=g == 0,
                line={"color": colors[k], "width": 1.2},
                fillcolor=colors[k],
                opacity=0.65,
                width=0.9,
                points=False,
                spanmode="hard",
                box={"visible": True, "width": 0.25, "fillcolor": paper, "line": {"color": ink, "width": 1}},
                meanline={"visible": True, "color": ink, "width": 1},
                hoveron="violins",
            )
    figure.update_layout(
        look,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
    )
    middle = (len(groups) - 1) / 2
    figure.update_xaxes(
        tickvals=[g * step + middle for g in range(len(genes))],
        ticktext=list(genes),
        range=[-0.8, len(genes) * step - 1.2],
        showgrid=False,
    )
    figure.update_yaxes(title_text="Log expression", rangemode="tozero")
    return figure


def cells_heatmap(
    values: NDArray[np.floating],
    genes: Sequence[str],
    sides: NDArray[np.integer],
    *,
    groups: Sequence[str],
    dark: bool = False,
) -> go.Figure:
    """Draw g genes in n cells, cells of one group together.

    Parameters
    ----------
    values
        (g, n) log expression.
    sides
        (n,) group of each cell, 0 to K - 1, ascending.
    """
    bounds = np.searchsorted(sides, np.arange(len(groups) + 1))
    high = float(np.percentile(values[values > 0], 99)) if (values > 0).any() else 1.0
    figure = go.Figure()
    figure.add_heatmap(
        z=np.asarray(values, dtype=np.float32),
        x=np.arange(values.shape[1]),
        y=np.arange(len(genes)),
        zmin=0.0,
        zmax=high,
        colorscale=plotly_scale(VIRIDIS),
        colorbar={"title": {"text": "log expression", "side": "right"}, "thickness": 12, "len": 0.9},
        customdata=[[gene] * values.shape[1] for gene in genes],
        hovertemplate="%{customdata}: %{z:.2f}<extra></extra>",
    )
    for bound in bounds[1:-1].tolist():
        figure.add_scatter(
            x=[bound - 0.5, bound - 0.5],
            y=[-0.5, len(genes) - 0.5],
            mode="lines",
            line={"color": "#FFFFFF", "width": 2},
            hoverinfo="skip",
            showlegend=False,
        )
    figure.update_layout(layout(dark=dark), margin={"l": 8, "r": 8, "t": 8, "b": 8})
    figure.update_xaxes(
        tickvals=((bounds[:-1] + bounds[1:] - 1) / 2).tolist(),
        ticktext=[short(name) for name in groups],
        showgrid=False,
        range=[-0.5, values.shape[1] - 0.5],
    )
    figure.update_yaxes(
        autorange="reversed", showgrid=False, tickvals=list(range(len(genes))), ticktext=list(genes)
    )
    return figure
