"""The map of cells as a file: PDF, SVG or PNG for a paper, drawn by matplotlib from what the page shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scviz.plots.export import MANY_POINTS, ONE_AT_A_TIME, Kind
from scviz.plots.pairs import LEVELS
from scviz.plots.points import draw_order, point_size
from scviz.plots.xml_text import saved

POINTS_PER_PIXEL = 72 / 96


def draw_map(
    points: NDArray[np.uint16],
    codes: NDArray[np.uint8],
    palette: NDArray[np.uint8],
    *,
    kind: Kind,
    labels: Sequence[str] = (),
    scale: tuple[float, float] | None = None,
    pair: tuple[str, str] | None = None,
    title: str = "",
    caption: str = "",
) -> bytes:
    """Draw all cells on white paper and return the file.

    Parameters
    ----------
    points
        (N, 2) coordinates; beyond 20,000 cells they are an image inside a vector file, words stay words.
    codes
        (N,) places in the palette.
    palette
        (256, 4) red, green, blue and opacity.
    labels
        Names of the places 1, 2, …; empty for values.
    scale
        Values at places 1 and 255; None for categories.
    pair
        What the two values are, each with its range, that `pairs` has put into one color; None for other colors.
    title
        What the colors show.
    caption
        What the map shows.
    """
    import matplotlib
    from matplotlib.colors import ListedColormap, Normalize
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    settings: Any = {"svg.fonttype": "none", "pdf.fonttype": 42, "font.size": 8, "font.family": "sans-serif"}
    settings["text.parse_math"] = False  # a name may have dollars
    with ONE_AT_A_TIME, matplotlib.rc_context(settings):
        paper = Figure(figsize=(6.5, 5.0), layout="constrained")
        axes = paper.add_subplot()
        order = draw_order(codes, continuous=scale is not None or pair is not None)
        colors = palette[codes[order]] / 255
        size = (point_size(len(points)) * POINTS_PER_PIXEL) ** 2
        x, y = points[order].T
        axes.scatter(x, y, s=size, c=colors, linewidths=0, rasterized=len(points) > MANY_POINTS)
        axes.set_aspect("equal")
        axes.set_axis_off()
        axes.set_title(caption, fontsize=8, loc="left")
        if pair is not None:
            _square(axes, palette, pair)
        elif scale is None:
            present = [i for i in range(len(labels)) if (codes == i + 1).any()]
            marks = [
                Line2D(
                    [],
                    [],
                    marker="o",
                    linestyle="none",
                    color="#{:02x}{:02x}{:02x}".format(*palette[i + 1]),
                    label=labels[i],
                )
                for i in present
            ]
            if marks:
                axes.legend(
                    handles=marks,
                    title=title,
                    frameon=False,
                    fontsize=7,
                    loc="center left",
                    bbox_to_anchor=(1, 0.5),
                )
        else:
            steps = ListedColormap(palette[1:, :3] / 255)
            bar = paper.colorbar(matplotlib.cm.ScalarMappable(Normalize(*scale), steps), ax=axes, shrink=0.6)
            bar.set_label(title)
        return saved(paper, kind)


def _square(axes: Any, palette: NDArray[np.uint8], pair: tuple[str, str]) -> None:
    """Draw the colors of two values as a square beside the map."""
    inset = axes.inset_axes((1.02, 0.4, 0.2, 0.2))
    colors = palette[1 : 1 + LEVELS**2, :3].reshape(LEVELS, LEVELS, 3)
    inset.imshow(colors.transpose(1, 0, 2), origin="lower", interpolation="nearest")
    inset.set(xticks=[], yticks=[])
    inset.set_xlabel(pair[0], fontsize=7)
    inset.set_ylabel(pair[1], fontsize=7)
