"""Small pictures of results: cells as a few pixels, scores as bars. They are images, without text that is clicked."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

import numpy as np
from numpy.typing import NDArray

from scviz.plots.points import quantize
from scviz.plots.raster import png, raster
from scviz.plots.theme import category_colors

SIDE = 200
"""Pixels of a small map."""
ROW, BAR, WIDTH = 34, 10, 220
"""Height of a row of bars, of its bar, and width, in pixels."""
LONGEST = 28
"""Letters of a name that have room."""
GREY = "#808590"
"""Seen on white and on black."""


def map_thumbnail(
    coordinates: NDArray[np.floating],
    codes: NDArray[np.uint8],
    palette: NDArray[np.uint8],
    *,
    continuous: bool = False,
) -> bytes:
    """Draw cells as a small PNG without a background.

    Parameters
    ----------
    coordinates
        (N, 2) places; cells whose place is NaN are left out.
    codes
        (N,) places in the palette.
    palette
        (256, 4) red, green, blue, opacity.
    continuous
        True for values, False for categories.
    """
    known = np.isfinite(coordinates).all(axis=1)
    points = quantize(coordinates[known]) if known.any() else np.empty((0, 2), np.uint16)
    image = raster(points, codes[known], palette, continuous=continuous, side=SIDE)
    filled = np.flatnonzero(image[:, :, 3].any(axis=1))  # rows of pixels that hold a cell
    return png(image[filled[0] : filled[-1] + 1] if len(filled) else image)


def _short(name: str) -> str:
    """Shorten a name to the room before a score."""
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"


def bars_thumbnail(scores: Mapping[str, float]) -> str:
    """Draw scores from 0 to 1 as bars under their names, as SVG; the first one has the color."""
    color, rows = category_colors(1)[0], []
    for place, (name, score) in enumerate(scores.items()):
        top, full = place * ROW, WIDTH - 4
        length = full * min(max(score, 0.0), 1.0)
        rows.append(
            f'<text x="2" y="{top + 14}">{escape(_short(name))}</text>'
            f'<text x="{WIDTH - 2}" y="{top + 14}" text-anchor="end">{score:.2f}</text>'
            f'<rect x="2" y="{top + 19}" width="{full}" height="{BAR}" rx="2" fill="{GREY}" opacity="0.2"/>'
            f'<rect x="2" y="{top + 19}" width="{length:.1f}" height="{BAR}" rx="2" '
            f'fill="{color if not place else GREY}"/>'
        )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{len(scores) * ROW}" '
        f'viewBox="0 0 {WIDTH} {len(scores) * ROW}" font-family="Helvetica, Arial, sans-serif" font-size="12" '
        f'fill="{GREY}">{"".join(rows)}</svg>'
    )
