"""Two values of each cell in one color: neither is grey, one blue, the other orange, both purple."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scviz.plots.theme import MISSING, rgb

LEVELS = 15
"""Steps of each value: 15 x 15 fit into a palette of 256."""
NEITHER, FIRST, SECOND, BOTH = "#B8BCC4", "#2D5AD2", "#E69F00", "#9C1F6B"
"""Colors at the corners; they are told apart in red-blind and green-blind sight too."""


def pair_codes(first: NDArray[np.floating], second: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Turn two values of each cell, (N,) and (N,) from 0 to 1, into places of a palette, (N,).

    Values beyond are taken to the ends; a cell that lacks one of them, NaN, is at place 0.

    Examples
    --------
    >>> pair_codes(np.array([0.0, 1.0, 0.0, 2.0, np.nan]), np.array([0.0, 0.0, 1.0, 1.0, 1.0])).tolist()
    [1, 211, 15, 225, 0]
    """
    known = ~(np.isnan(first) | np.isnan(second))
    levels = [
        np.rint(np.nan_to_num(one).clip(0, 1) * (LEVELS - 1)).astype(np.int64) for one in (first, second)
    ]
    return np.where(known, 1 + levels[0] * LEVELS + levels[1], 0).astype(np.uint8)


def pair_palette() -> NDArray[np.uint8]:
    """Make the palette of two values: (256, 4), between the four corners."""
    corners = np.array([[rgb(NEITHER), rgb(SECOND)], [rgb(FIRST), rgb(BOTH)]], dtype=np.float64)  # (2, 2, 3)
    share = np.linspace(0, 1, LEVELS)
    along = np.stack([1 - share, share], axis=1)  # (LEVELS, 2)
    colors = np.einsum("ai,bj,ijc->abc", along, along, corners).reshape(-1, 3)
    palette = np.full((256, 4), 255, np.uint8)
    palette[:, :3] = rgb(MISSING)
    palette[1 : 1 + LEVELS**2, :3] = np.rint(colors).astype(np.uint8)
    return palette
