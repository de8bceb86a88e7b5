"""Confusion matrix: which cell types are taken for which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from scviz.plots.drawn_once import drawn_once
from scviz.plots.theme import VIRIDIS, layout, plotly_scale

MANY = 8
"""Types from which their names are written smaller, so that each is there."""
HOVER = (
    "true: %{y}<br>named: %{x}<br>%{customdata[0]} cells, %{customdata[1]:.1f} % of the type<extra></extra>"
)
Show = Literal["percent", "counts"]


def similar_order(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Order types so that those taken for each other stand side by side.

    Parameters
    ----------
    counts
        (K, K) cells of true type (row) and named type (column).

    Examples
    --------
    >>> similar_order(np.array([[9, 0, 5], [0, 9, 0], [5, 0, 9]])).tolist()
    [1, 0, 2]
    """
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import squareform

    if len(counts) < 3:
        return np.arange(len(counts))
    share = row_shares(counts)
    distance = 1 - (share + share.T) / 2
    np.fill_diagonal(distance, 0)
    order: NDArray[np.int64] = leaves_list(linkage(squareform(distance, checks=False), "average"))
    return order.astype(np.int64)


def row_shares(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Divide each row of counts, (K, K), by its sum; rows without cells stay 0."""
    totals = counts.sum(axis=1, keepdims=True)
    shares: NDArray[np.float64] = np.divide(counts, totals, out=np.zeros(counts.shape), where=totals > 0)
    return shares


@drawn_once
def confusion_figure(
    counts: NDArray[np.int64],
    types: Sequence[str],
    *,
    show: Show = "percent",
    clickable: bool = False,
    dark: bool = False,
) -> go.Figure:
    """Draw the matrix with the true type in rows and the named type in columns.

    Parameters
    ----------
    counts
        (K, K) cells; rows true, columns named.
    types
        K names in the order of rows and columns.
    show
        What text and color say: share of the true type in %, or cells.
    clickable
        Lay a point that is not seen over each square: pages are told of clicks on points alone.
    """
    order = similar_order(counts)
    ordered = counts[np.ix_(order, order)]
    names = [types[i] for i in order]
    share = row_shares(ordered) * 100
    shown, title, most = (
        (share, "% of true type", 100)
        if show == "percent"
        else (ordered, "Cells", max(int(ordered.max(initial=0)), 1))
    )
    text = np.where(ordered == 0, "", shown.round().astype(int).astype(str))
    figure = go.Figure(
        go.Heatmap(
            z=shown.astype(np.float32),
            x=names,
            y=names,
            text=text,
            customdata=np.stack([ordered, share], axis=-1),
            texttemplate="%{text}",
            zmin=0,
            zmax=most,
            colorscale=plotly_scale(VIRIDIS),
            xgap=1,
            ygap=1,
            colorbar={"title": {"text": title}, "thickness": 12, "len": 0.9},
            hovertemplate=HOVER,
        )
    )
    if clickable:
        _add_points(figure, names, share=share, counts=ordered)
    figure.update_layout(layout(dark=dark), margin={"l": 8, "r": 8, "t": 8, "b": 8})
    size = 10 if len(names) > MANY else 12
    every = {"showgrid": False, "dtick": 1, "tickfont": {"size": size}}
    figure.update_xaxes(title_text="Named by the model", tickangle=-35, **every)
    figure.update_yaxes(title_text="Known type", autorange="reversed", **every)
    return figure


def _add_points(
    figure: go.Figure, names: Sequence[str], *, share: NDArray[np.float64], counts: NDArray[np.int64]
) -> None:
    """Lay points over the squares, (K, K), with what the pointer says of each."""
    figure.add_scatter(
        x=[name for _ in names for name in names],
        y=[name for name in names for _ in names],
        customdata=list(zip(counts.ravel().tolist(), share.ravel().tolist(), strict=True)),
        mode="markers",
        marker={"symbol": "square", "size": 17, "opacity": 0, "color": "#D55E00"},
        selected={"marker": {"opacity": 0.45}},
        unselected={"marker": {"opacity": 0}},
        showlegend=False,
        hovertemplate=HOVER,
    )
