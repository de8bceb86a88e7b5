"""Colors and figure layout, one for all: safe for color-blind readers, in light and dark."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

MISSING = "#B8BCC4"
"""Cells without a value."""

OKABE_ITO = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442", "#B4002D")
"""The palette of Okabe and Ito (2008); wine stands for its black, which a dark page would swallow."""

MANY = (
    *OKABE_ITO,
    *("#C3E196", "#2D5AD2", "#694B69", "#D2965A", "#4B96FF", "#3C693C"),
    *("#87E1B4", "#FF4B78", "#F0D269", "#5AE1FF", "#961E87", "#7A4A1E"),
)
"""Twenty colors: each new one lies far from the earlier ones, in full, red-blind and green-blind sight."""

VIRIDIS = (
    *("#440154", "#481A6C", "#472F7D", "#414487", "#39568C", "#31688E", "#2A788E", "#23888E"),
    *("#1F988B", "#22A884", "#35B779", "#54C568", "#7AD151", "#A5DB36", "#D2E21B", "#FDE725"),
)
"""Sixteen steps of viridis, dark to light."""

DIVERGING = (
    "#2166AC",
    "#4393C3",
    "#92C5DE",
    "#D1E5F0",
    "#F2F2F2",
    "#FDDBC7",
    "#F4A582",
    "#D6604D",
    "#B2182B",
)
"""Blue below zero, red above, pale at zero."""

BLIND = (
    np.array([[0.11238, 0.88762, 0.0], [0.11238, 0.88762, 0.0], [0.00401, -0.00401, 1.0]]),
    np.array([[0.29275, 0.70725, 0.0], [0.29275, 0.70725, 0.0], [-0.02234, 0.02234, 1.0]]),
)
"""What linear red, green and blue become without red cones and without green ones."""
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])

GOLDEN_ANGLE = 0.618033988749895
FONT = "Source Sans, Source Sans Pro, Helvetica, Arial, sans-serif"


def category_colors(n: int) -> list[str]:
    """Give `n` colors; the first ones are the same for every `n`.

    Beyond twenty the hues go round by the golden angle, which keeps neighbours apart; nobody can
    tell so many groups by color alone.

    Examples
    --------
    >>> category_colors(2)
    ['#0072B2', '#D55E00']
    """
    colors = list(MANY[:n])
    for i in range(n - len(colors)):
        shade = (0.38, 0.72, 0.55)[i % 3]
        red, green, blue = colorsys.hls_to_rgb(0.08 + i * GOLDEN_ANGLE % 1, shade, 0.55)
        colors.append(f"#{round(red * 255):02X}{round(green * 255):02X}{round(blue * 255):02X}")
    return colors


def rgb(color: str) -> tuple[int, int, int]:
    """Read a color such as `#0072B2`.

    Raises
    ------
    ValueError
        If it is no such color.

    Examples
    --------
    >>> rgb("#0072B2")
    (0, 114, 178)
    """
    if len(color) != 7 or color[0] != "#":
        raise ValueError(f"A color is written as #RRGGBB, not {color!r}.")
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def clarity(colors: Sequence[str]) -> float:
    """Return how far the two most alike of some colors lie apart (CIELAB), in full, red-blind and green-blind sight.

    Parameters
    ----------
    colors
        As `rgb` reads them.

    References
    ----------
    Viénot, Brettel, Mollon (1999), doi:10.1002/(SICI)1520-6378(199908)24:4<243::AID-COL5>3.0.CO;2-3; distances in
    CIELAB (1976).

    Examples
    --------
    >>> clarity(OKABE_ITO) > 15, clarity(("#2ca02c", "#d62728", "#8c564b")) < 9
    (True, True)
    """
    found = np.array([rgb(color) for color in colors], dtype=np.float64).reshape(-1, 3) / 255
    linear = np.where(found <= 0.04045, found / 12.92, ((found + 0.055) / 1.055) ** 2.4)  # (n, 3)
    pairs = np.triu_indices(len(linear), 1)
    labs = [_lab(linear @ seen.T) for seen in (np.eye(3), *BLIND)]
    return min(
        float(np.linalg.norm(lab[pairs[0]] - lab[pairs[1]], axis=1).min(initial=np.inf)) for lab in labs
    )


def _lab(linear: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn linear red, green and blue (n, 3) into lightness and two axes of color (n, 3)."""
    xyz = np.clip(linear, 0, 1) @ TO_XYZ.T / TO_XYZ.sum(axis=1)
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz * (29 / 6) ** 2 / 3 + 4 / 29)
    return np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], axis=1)


def ramp(anchors: tuple[str, ...], n: int) -> NDArray[np.uint8]:
    """Interpolate between colors.

    Returns
    -------
    (n, 3) red, green and blue from the first anchor to the last.
    """
    stops = np.array([rgb(color) for color in anchors], dtype=float)  # (A, 3)
    at = np.linspace(0, len(stops) - 1, n)
    channels = [np.interp(at, np.arange(len(stops)), stops[:, i]) for i in range(3)]
    return np.round(np.stack(channels, axis=1)).astype(np.uint8)  # (n, 3)


def plotly_scale(anchors: tuple[str, ...]) -> list[list[float | str]]:
    """Write anchors as a color scale of plotly."""
    return [[i / (len(anchors) - 1), color] for i, color in enumerate(anchors)]


def layout(dark: bool) -> dict[str, Any]:  # noqa: FBT001
    """Layout of every plotly figure: no background of its own, quiet lines, one font.

    Parameters
    ----------
    dark
        True on a dark page.
    """
    text, line, grid = ("#E6E8EC", "#6B7280", "#2A2F3A") if dark else ("#31333F", "#9CA3AF", "#E9EBEF")
    axis = {
        "gridcolor": grid,
        "linecolor": line,
        "showline": True,
        "ticks": "outside",
        "tickcolor": line,
        "ticklen": 4,
        "zeroline": False,
        "automargin": True,
        "title": {"font": {"size": 13}},
    }
    return {
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": line, "activecolor": text},  # else a gray block
        "font": {"family": FONT, "size": 12, "color": text},
        "colorway": list(MANY),
        "colorscale": {"sequential": plotly_scale(VIRIDIS), "diverging": plotly_scale(DIVERGING)},
        "xaxis": axis,
        "yaxis": axis,
        "legend": {"font": {"size": 12}, "bgcolor": "rgba(0,0,0,0)"},
        "hoverlabel": {"font": {"family": FONT, "size": 12}},
        "margin": {"l": 56, "r": 16, "t": 36, "b": 48},
    }
