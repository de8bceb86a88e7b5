"""Cells on a map, and arrows to where an edit moves some of them."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from scviz.plots.theme import MISSING, OKABE_ITO, layout

HEAD = 0.3
"""Length of the head, as a share of the arrow."""
LONGEST_HEAD = 0.015
"""The same, as a share of the map."""
SEEN = 0.04
"""Length of an arrow that is seen well, as a share of the map."""
STEPS = (1, 2, 5, 10, 20, 50, 100, 200)
OPENING = 0.45
"""Angle between the arrow and each side of its head."""


def arrows_figure(
    coordinates: NDArray[np.floating],
    before: NDArray[np.floating],
    after: NDArray[np.floating],
    *,
    times: int = 1,
    dark: bool = False,
) -> go.Figure:
    """Draw cells in grey, those that are edited in color, and an arrow for each that moves.

    Parameters
    ----------
    coordinates
        (M, 2) of all cells of the map.
    before
        (n, 2) the cells that are edited.
    after
        (n, 2) where they are afterwards; NaN for cells without an arrow.
    times
        How many times as long as they are arrows are drawn.
    """
    figure = go.Figure()
    size = 3.5 if len(coordinates) > 5000 else 5
    kinds = (
        (coordinates, "all cells", MISSING, 0.35 if dark else 0.55),  # what stands behind must not outshine
        (before, "edited cells", OKABE_ITO[5], 0.8),
    )
    for where, name, color, opacity in kinds:
        figure.add_scattergl(
            x=where[:, 0],
            y=where[:, 1],
            mode="markers",
            name=f"{name} ({len(where):,})",
            marker={"size": size, "color": color, "opacity": opacity},
            hoverinfo="skip",
        )
    shown = np.isfinite(after).all(axis=1) & np.isfinite(before).all(axis=1)
    start = before[shown]
    ends = start + times * (after[shown] - start)
    lines = arrow_lines(start, ends, longest_head=LONGEST_HEAD * _span(coordinates))
    figure.add_scattergl(
        x=lines[:, 0],
        y=lines[:, 1],
        mode="lines",
        name=f"where they move ({int(shown.sum()):,})" + (f", {times} times as long" if times > 1 else ""),
        line={"color": OKABE_ITO[4 if dark else 1], "width": 1.6},
        hoverinfo="skip",
    )
    figure.update_layout(layout(dark=dark))
    figure.update_layout(
        legend={"orientation": "h", "y": -0.08, "yanchor": "top", "itemsizing": "constant"},
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
    )
    figure.update_xaxes(visible=False, title_text="UMAP 1")
    figure.update_yaxes(visible=False, title_text="UMAP 2", scaleanchor="x")
    return figure


def times_as_long(
    coordinates: NDArray[np.floating], before: NDArray[np.floating], after: NDArray[np.floating]
) -> int:
    """Choose how many times as long arrows must be drawn for the usual one to be seen: 1, 2, 5, 10, ... 200.

    Parameters
    ----------
    coordinates
        (N, 2) of all cells of the map.
    before, after
        (M, 2) where arrows begin and end.
    """
    lengths = np.linalg.norm(after - before, axis=1)
    lengths = lengths[np.isfinite(lengths)]
    usual = float(np.median(lengths)) if len(lengths) else 0.0
    if usual <= 0:
        return 1
    wanted = SEEN * _span(coordinates) / usual
    return max((step for step in STEPS if step <= wanted), default=1)


def _span(coordinates: NDArray[np.floating]) -> float:
    return float(np.ptp(coordinates, axis=0).max()) if len(coordinates) else 1.0


def arrow_lines(
    before: NDArray[np.floating], after: NDArray[np.floating], *, longest_head: float
) -> NDArray[np.float64]:
    """Write arrows as one broken line: shaft and head of each, (6 n, 2), with NaN between them.

    Examples
    --------
    >>> arrow_lines(np.zeros((1, 2)), np.array([[1.0, 0.0]]), longest_head=1.0).shape
    (6, 2)
    """
    shaft = np.asarray(after - before, dtype=np.float64)
    length = np.linalg.norm(shaft, axis=1)
    head = np.minimum(HEAD * length, longest_head)
    angle = np.arctan2(shaft[:, 1], shaft[:, 0])
    sides = [
        after - head[:, None] * np.stack([np.cos(angle + turn), np.sin(angle + turn)], axis=1)
        for turn in (OPENING, -OPENING)
    ]
    gap = np.full_like(shaft, np.nan)
    return np.stack([before, after, sides[0], after, sides[1], gap], axis=1).reshape(-1, 2)
