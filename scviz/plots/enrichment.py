"""Enriched gene sets: bars of how sure, dots of how many genes, each beside random genes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from scviz.plots.theme import MISSING, OKABE_ITO, VIRIDIS, layout, plotly_scale

LONGEST = 52
"""Letters of a name that are drawn."""
LARGEST = 22.0
"""Pixels of the largest dot."""


def bars_figure(
    values: NDArray[np.floating],
    names: Sequence[str],
    passing: NDArray[np.bool_],
    *,
    title: str,
    bar: float | None = None,
    bar_words: str = "",
    dark: bool = False,
) -> go.Figure:
    """Draw a bar for each gene set, and what a set must reach.

    Parameters
    ----------
    values
        (T,) such as -log10 p, or normalized scores, which may be below 0.
    passing
        (T,) sets that are called enriched.
    title
        What the values are.
    bar
        What a set must reach; None draws no line.
    bar_words
        What that is.
    """
    figure = go.Figure()
    rows = np.arange(len(values))
    kinds = (("enriched", passing, OKABE_ITO[0]), ("not enriched", ~passing, MISSING))
    for name, chosen, color in kinds:
        if chosen.any():
            figure.add_bar(
                x=values[chosen],
                y=rows[chosen],
                name=name,
                orientation="h",
                marker={"color": color},
                customdata=[names[i] for i in rows[chosen]],
                hovertemplate="%{customdata}: %{x:.3g}<extra></extra>",
            )
    if bar is not None:
        figure.add_scatter(
            x=[bar, bar],
            y=[-0.6, len(values) - 0.4],
            mode="lines",
            name=bar_words,
            line={"color": OKABE_ITO[1], "width": 1.6, "dash": "dash"},
            hovertemplate="%{fullData.name}: %{x:.3g}<extra></extra>",
        )
    _dress(figure, names, title, dark=dark)
    figure.update_layout(barmode="overlay", bargap=0.3)
    return figure


def dots_figure(
    share: NDArray[np.floating],
    expected: NDArray[np.floating],
    n_genes: NDArray[np.integer],
    *,
    sureness: NDArray[np.floating],
    names: Sequence[str],
    dark: bool = False,
) -> go.Figure:
    """Draw the share of each gene set that was asked for, beside the share that random genes give.

    Parameters
    ----------
    share
        (T,) 0 to 1.
    expected
        (T,) of expression-matched random genes.
    n_genes
        (T,) genes of the set that were asked for, the size of a dot.
    sureness
        (T,) -log10 of the false discovery rate, its color.
    """
    rows = np.arange(len(share))
    figure = go.Figure()
    figure.add_scatter(
        x=expected,
        y=rows,
        mode="markers",
        name="expression-matched random genes",
        marker={"color": MISSING, "size": 8, "symbol": "line-ns-open", "line": {"width": 2}},
        customdata=list(names),
        hovertemplate="%{customdata}: %{x:.1%} of the set by chance<extra></extra>",
    )
    figure.add_scatter(
        x=share,
        y=rows,
        mode="markers",
        name="these genes",
        showlegend=False,
        marker={
            "color": sureness.astype(np.float64),
            "colorscale": plotly_scale(VIRIDIS),
            "line": {"color": MISSING, "width": 0.8},
            "opacity": 1.0,
            "size": 6 + (LARGEST - 6) * np.sqrt(n_genes / max(1, n_genes.max(initial=1))),
            "colorbar": {"title": {"text": "-log10 FDR", "side": "right"}, "thickness": 12, "len": 0.9},
        },
        customdata=[(name, int(n)) for name, n in zip(names, n_genes, strict=True)],
        hovertemplate="%{customdata[0]}: %{customdata[1]} genes, %{x:.1%} of the set<extra></extra>",
    )
    _dress(figure, names, "Share of the gene set", dark=dark)
    figure.update_xaxes(range=[-0.03, 1.06], tickformat=".0%")
    return figure


def _dress(figure: go.Figure, names: Sequence[str], title: str, *, dark: bool) -> None:
    """Name the axes; long names are cut."""
    figure.update_layout(layout(dark=dark), margin={"l": 8, "r": 8, "t": 8, "b": 8})
    figure.update_layout(legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0})
    figure.update_xaxes(title_text=title)
    figure.update_yaxes(
        tickvals=list(range(len(names))),
        ticktext=[name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…" for name in names],
        autorange="reversed",
        showgrid=False,
    )
