"""Cells as points: coordinates as small integers, colors as places in a palette of 256."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from scviz.plots.theme import MISSING, VIRIDIS, category_colors, ramp, rgb

FARTHEST = 65535
"""Largest coordinate of the map."""

CATEGORIES = 254
"""Categories with a place of their own; 0 is for missing values, 255 for all further categories."""


def quantize(coordinates: NDArray[np.floating]) -> NDArray[np.uint16]:
    """Turn coordinates into points, integers on one common scale, so that shapes are kept.

    The cells lie within 1..65534; the outermost values are left to the corners of a selection.

    Parameters
    ----------
    coordinates
        (N, 2) coordinates of the cells.

    Returns
    -------
    (N, 2) the same, the longer side 1..65534, the shorter one in the middle.

    Raises
    ------
    ValueError
        If the array has another shape, or a coordinate is no finite number.
    """
    if coordinates.ndim != 2 or coordinates.shape[1] != 2:
        raise ValueError(f"A map needs coordinates of shape (N, 2), not {coordinates.shape}.")
    if not len(coordinates):
        return np.zeros((0, 2), np.uint16)
    wide = np.asarray(coordinates, dtype=np.float64)
    bad = int(np.count_nonzero(~np.isfinite(wide).all(axis=1)))
    if bad:
        raise ValueError(f"{bad} of {len(wide)} cells have no finite coordinates.")
    low, high = wide.min(axis=0), wide.max(axis=0)
    span = float((high - low).max()) or 1.0
    centered = (wide - (low + high) / 2) / span  # (N, 2), -0.5..0.5
    units: NDArray[np.float64] = np.round(centered * (FARTHEST - 2) + FARTHEST / 2)
    return units.clip(1, FARTHEST - 1).astype(np.uint16)


def shade(values: NDArray[np.floating], low: float, high: float) -> NDArray[np.uint8]:
    """Turn values, (N,), into places of a palette, (N,): 1 at `low` or less, 255 at `high` or more, 0 for NaN.

    Examples
    --------
    >>> shade(np.array([0.0, 0.5, 2.0, np.nan]), low=0.0, high=1.0)
    array([  1, 128, 255,   0], dtype=uint8)
    """
    share = (np.asarray(values, np.float64) - low) / max(high - low, 1e-12)
    places = 1 + np.round(share.clip(0, 1) * 254)
    known: NDArray[np.float64] = np.nan_to_num(places, nan=0.0)
    return known.astype(np.uint8)


def category_codes(positions: NDArray[np.integer]) -> NDArray[np.uint8]:
    """Turn positions of categories, (N,), -1 for missing, into places of a palette, (N,).

    Examples
    --------
    >>> category_codes(np.array([-1, 0, 253, 254, 900]))
    array([  0,   1, 254, 255, 255], dtype=uint8)
    """
    places: NDArray[np.integer] = np.clip(positions + 1, 0, CATEGORIES + 1)
    return places.astype(np.uint8)


def category_labels(labels: Sequence[str]) -> tuple[str, ...]:
    """Name the places 1, 2, … of a palette; categories beyond the 254th share one."""
    if len(labels) <= CATEGORIES:
        return tuple(labels)
    return (*labels[:CATEGORIES], f"other ({len(labels) - CATEGORIES} groups)")


def category_palette(colors: Sequence[str] | int) -> NDArray[np.uint8]:
    """Make a palette for categories.

    Parameters
    ----------
    colors
        One color `#RRGGBB` for each category, or their number for the colors of the theme.

    Returns
    -------
    (256, 4) red, green, blue and opacity: place 0 grey for missing values, the colors from 1 on.
    """
    names = category_colors(min(colors, CATEGORIES)) if isinstance(colors, int) else colors[:CATEGORIES]
    palette = np.full((256, 4), 255, np.uint8)
    palette[:, :3] = rgb("#8A8F98")
    palette[0, :3] = rgb(MISSING)
    for place, color in enumerate(names, start=1):
        palette[place, :3] = rgb(color)
    return palette


def continuous_palette(anchors: tuple[str, ...] = VIRIDIS) -> NDArray[np.uint8]:
    """Make a palette for values: (256, 4), place 0 grey for NaN, then from the first anchor to the last."""
    palette = np.full((256, 4), 255, np.uint8)
    palette[0, :3] = rgb(MISSING)
    palette[1:, :3] = ramp(anchors, 255)
    return palette


def draw_order(codes: NDArray[np.uint8], *, continuous: bool, seed: int = 0) -> NDArray[np.int64]:
    """Order in which cells are drawn, the last on top.

    Categories come in random order, so that none hides another; values come from low to high.
    Missing values come first in both.

    Parameters
    ----------
    codes
        (N,) places in the palette.
    continuous
        True for values, False for categories.
    seed
        Equal seeds give equal orders.

    Returns
    -------
    (N,) rows of the cells.
    """
    shuffled = np.random.default_rng(seed).permutation(len(codes))
    level = codes[shuffled] if continuous else codes[shuffled] > 0
    return shuffled[np.argsort(level, kind="stable")]


def point_size(n_cells: int) -> float:
    """Diameter of a point in pixels that suits the number of cells.

    Examples
    --------
    >>> point_size(700), point_size(1_000_000)
    (7.0, 1.6)
    """
    wanted: float = 7.0 * (1000 / max(n_cells, 1)) ** 0.3
    return round(min(7.0, max(1.6, wanted)), 1)


def inside(polygon: NDArray[np.uint16], points: NDArray[np.uint16]) -> NDArray[np.int64]:
    """Find the points within a polygon, by the even-odd rule.

    The browser counts in the same way on the same integers, so that both find the same cells.

    Parameters
    ----------
    polygon
        (K, 2) corners.
    points
        (N, 2) cells.

    Returns
    -------
    Rows of the cells within, ascending.
    """
    box = (points >= polygon.min(axis=0)).all(axis=1) & (points <= polygon.max(axis=0)).all(axis=1)
    rows = np.flatnonzero(box)
    rows = rows[np.argsort(points[rows, 1], kind="stable")]  # by height: an edge meets one run of cells
    x, y = points[rows].astype(np.float64).T
    odd = np.zeros(len(rows), bool)
    corners = polygon.astype(np.float64)
    for (ax, ay), (bx, by) in zip(corners, np.roll(corners, 1, axis=0), strict=True):
        start, stop = np.searchsorted(y, (min(ay, by), max(ay, by)))
        run = slice(start, stop)
        if start < stop:
            odd[run] ^= x[run] < (bx - ax) * (y[run] - ay) / (by - ay) + ax
    return np.sort(rows[odd])
