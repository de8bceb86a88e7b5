"""How far genes change and how sure that is, a point each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from scviz.plots.theme import MISSING, OKABE_ITO, layout

CEILING = 300.0
"""-log10 p that is drawn for p = 0: the smallest p that a number can hold is about 1e-308."""
WIDEST = 12.0
"""Log2 fold changes farther out are drawn here: those of genes that one side lacks."""
NAMED = 8
"""Genes of either side whose names are written."""


def volcano_figure(
    change: NDArray[np.floating],
    p_value: NDArray[np.floating],
    genes: Sequence[str],
    *,
    passing: NDArray[np.bool_],
    groups: tuple[str, str],
    chosen: str = "",
    dark: bool = False,
) -> go.Figure:
    """Draw G genes; p is cut at the ceiling, changes at the sides.

    Parameters
    ----------
    change
        (G,) log2 fold change; NaN is not drawn.
    p_value
        (G,) not adjusted; NaN is not drawn.
    genes
        (G,) the smallest p first: the first ones that pass are named.
    passing
        (G,) genes that are said to differ.
    groups
        What both groups are called.
    chosen
        A gene that is marked.
    """
    known = np.isfinite(change) & np.isfinite(p_value)
    height = volcano_heights(p_value)
    across = np.clip(np.where(known, change, 0.0), -WIDEST, WIDEST)
    names = np.array(genes, dtype=object)
    figure = go.Figure()
    kinds = (
        ("does not pass", known & ~passing, MISSING, 4),
        (f"higher in {groups[0]}", known & passing & (change > 0), OKABE_ITO[1], 6),
        (f"lower in {groups[0]}", known & passing & (change <= 0), OKABE_ITO[0], 6),
    )
    for name, drawn, color, size in kinds:
        figure.add_scattergl(
            x=across[drawn].astype(np.float32),
            y=height[drawn].astype(np.float32),
            name=f"{name}: {int(drawn.sum()):,}",
            mode="markers",
            marker={"color": color, "size": size, "opacity": 0.75},
            customdata=names[drawn],
            hovertemplate="%{customdata}<br>log2 fold change %{x:.2f}<br>-log10 p %{y:.1f}<extra></extra>",
        )
    _name_points(figure, (across, height), names, shown=known & passing, chosen=chosen)
    figure.update_layout(
        layout(dark=dark), legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0}
    )
    figure.update_xaxes(title_text=f"Log2 fold change, {groups[0]} against {groups[1]}")
    figure.update_yaxes(title_text="-log10 p", rangemode="tozero")
    return figure


def volcano_heights(p_value: NDArray[np.floating]) -> NDArray[np.float64]:
    """Give where each gene is drawn, (G,) -log10 p, at most the ceiling; 0 for NaN.

    Examples
    --------
    >>> volcano_heights(np.array([1.0, 0.001, 0.0]))
    array([  0.,   3., 300.])
    """
    lowest = 10.0**-CEILING
    return (
        -np.log10(np.clip(np.nan_to_num(np.asarray(p_value, dtype=np.float64), nan=1.0), lowest, 1.0)) + 0.0
    )


def _name_points(
    figure: go.Figure,
    places: tuple[NDArray[np.float64], NDArray[np.float64]],
    names: NDArray[np.object_],
    *,
    shown: NDArray[np.bool_],
    chosen: str,
) -> None:
    """Write the names of the first genes of both sides, and of the chosen one, which gets a ring."""
    across, height = places
    first = [i for sign in (1, -1) for i in np.flatnonzero(shown & (sign * across > 0))[:NAMED]]
    own = list(np.flatnonzero(names == chosen)[:1]) if chosen else []
    if own:
        figure.add_scatter(
            x=across[own],
            y=height[own],
            name=chosen,
            mode="markers",
            marker={"color": OKABE_ITO[3], "size": 12, "symbol": "circle-open", "line": {"width": 2}},
            hoverinfo="skip",
            showlegend=False,
        )
    for i in dict.fromkeys((*own, *first)):
        figure.add_annotation(
            x=float(across[i]),
            y=float(height[i]),
            text=str(names[i]),
            showarrow=False,
            yshift=10,
            font={"size": 11},
        )
