"""Cells as an image, for browsers that cannot draw points themselves and for paper."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray

from scviz.plots.points import FARTHEST

ROW = 18
LEGEND_WIDTH = 170
MAX_ROWS = 40


def raster(
    points: NDArray[np.uint16],
    codes: NDArray[np.uint8],
    palette: NDArray[np.uint8],
    *,
    continuous: bool,
    side: int = 520,
) -> NDArray[np.uint8]:
    """Draw cells into pixels: the most frequent category of each pixel, or its mean value.

    Parameters
    ----------
    points
        (N, 2) coordinates, 0..65535.
    codes
        (N,) places in the palette.
    palette
        (256, 4) red, green, blue, opacity.
    continuous
        True for values, False for categories.
    side
        Width and height of the image in pixels.

    Returns
    -------
    (side, side, 4) red, green, blue, opacity; pixels without cells are transparent.
    """
    pixel, code = _stamp(points, codes, side)
    found = np.full(side * side, -1)
    if continuous:
        known = code > 0
        n = np.bincount(pixel[known], minlength=side * side)
        total = np.bincount(pixel[known], weights=code[known], minlength=side * side)
        found[pixel] = 0
        found[n > 0] = np.round(total[n > 0] / n[n > 0])
    else:
        pairs, n = np.unique(pixel * 256 + code, return_counts=True)
        order = np.argsort(n, kind="stable")  # the most frequent is written last and stays
        found[pairs[order] // 256] = pairs[order] % 256
    image = np.where(found[:, None] < 0, 0, palette[found]).astype(np.uint8)
    return image.reshape(side, side, 4)


def _stamp(
    points: NDArray[np.uint16], codes: NDArray[np.uint8], side: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pixels that cells cover and the code of each; few cells cover several pixels each."""
    reach = 2 if len(points) < 5_000 else 1 if len(points) < 50_000 else 0
    column = reach + points[:, 0].astype(np.int64) * (side - 1 - 2 * reach) // FARTHEST
    row = side - 1 - reach - points[:, 1].astype(np.int64) * (side - 1 - 2 * reach) // FARTHEST
    steps = range(-reach, reach + 1)
    offsets = [(dy, dx) for dy in steps for dx in steps if dy * dy + dx * dx <= reach * reach + 1]
    pixels = [(row + dy) * side + column + dx for dy, dx in offsets]
    return np.concatenate(pixels), np.tile(codes.astype(np.int64), len(offsets))


def png(image: NDArray[np.uint8]) -> bytes:
    """Write an image (H, W, 4) as PNG."""
    height, width, _ = image.shape
    lines = np.zeros((height, 1 + width * 4), np.uint8)  # each line begins with its filter: none
    lines[:, 1:] = image.reshape(height, -1)
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(lines.tobytes(), 6)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, body) for kind, body in parts)


def _chunk(kind: bytes, body: bytes) -> bytes:
    """One part of a PNG file."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def picture(
    image: NDArray[np.uint8],
    palette: NDArray[np.uint8],
    *,
    labels: Sequence[str],
    scale: tuple[float, float] | None = None,
    title: str = "",
) -> str:
    """Put an image and its legend into one SVG.

    Parameters
    ----------
    image
        (side, side, 4) cells.
    palette
        (256, 4) red, green, blue, opacity.
    labels
        Names of the categories, places 1, 2, … of the palette.
    scale
        Values at places 1 and 255; None for categories.
    title
        What the colors show.
    """
    side = len(image)
    shown = labels[:MAX_ROWS]
    height = max(side, (len(shown) + 4) * ROW)
    data = base64.b64encode(png(image)).decode()
    marks = [_words(side + 12, ROW, title, bold=True)] if title else []
    if scale is None:
        marks += [
            _entry(side + 12, (i + 2) * ROW, label, color=palette[i + 1]) for i, label in enumerate(shown)
        ]
        if len(labels) > MAX_ROWS:
            marks.append(_words(side + 30, (MAX_ROWS + 2) * ROW, f"and {len(labels) - MAX_ROWS} more"))
    else:
        steps = enumerate(palette[255:0:-2])
        marks += [_block(side + 12, 30 + i, size=(14, 1.5), color=color) for i, color in steps]
        marks += [_words(side + 34, 38, f"{scale[1]:.3g}"), _words(side + 34, 158, f"{scale[0]:.3g}")]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{side + LEGEND_WIDTH}" height="{height}" '
        f'font-family="Helvetica, Arial, sans-serif" font-size="12" fill="#808590">'
        f'<image width="{side}" height="{side}" href="data:image/png;base64,{data}"/>{"".join(marks)}</svg>'
    )


def _words(x: float, y: float, text: str, *, bold: bool = False) -> str:
    """Write a line of text."""
    weight = ' font-weight="600"' if bold else ""
    return f'<text x="{x}" y="{y}"{weight}>{escape(text)}</text>'


def _block(x: float, y: float, *, size: tuple[float, float], color: NDArray[np.uint8]) -> str:
    """Draw a rectangle of one color."""
    fill = f"rgb({color[0]},{color[1]},{color[2]})"
    return f'<rect x="{x}" y="{y}" width="{size[0]}" height="{size[1]}" fill="{fill}"/>'


def _entry(x: float, y: float, label: str, *, color: NDArray[np.uint8]) -> str:
    """Write a line of the legend."""
    return _block(x, y - 10, size=(10, 10), color=color) + _words(x + 18, y, label)
