"""Draw a plotly figure with matplotlib, for files that need no browser: SVG with text as text, PDF, PNG."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import plotly.graph_objects as go

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Kind = Literal["svg", "pdf", "png"]

MANY_POINTS = 20_000
"""From this many points on they are drawn as an image inside a vector file."""


def draw(
    figure: go.Figure, kind: Kind, *, width: float = 6.5, height: float = 5.0, footer: str = ""
) -> bytes:
    """Draw on white paper and return the file.

    Parameters
    ----------
    figure
        Heat maps, scatter and bar traces; their titles and names are kept.
    width, height
        In inches.
    footer
        Small print: dataset, model, weights.
    """
    import matplotlib
    from matplotlib.figure import Figure

    settings: Any = {
        "svg.fonttype": "none",
        "pdf.fonttype": 42,
        "font.size": 8,
        "font.family": "sans-serif",
    }
    with matplotlib.rc_context(settings):
        paper = Figure(figsize=(width, height), layout="constrained")
        axes = paper.add_subplot()
        for trace in figure.data:
            _DRAW[trace.type](axes, trace)
        _dress(axes, figure)
        if footer:
            paper.supxlabel(footer, fontsize=6, color="0.4")
        file = io.BytesIO()
        paper.savefig(file, format=kind, dpi=300)
    return file.getvalue()


def _heatmap(axes: Axes, trace: Any) -> None:
    values = np.asarray(trace.z, dtype=float)
    image = axes.imshow(values, cmap="viridis", vmin=trace.zmin, vmax=trace.zmax, aspect="auto")
    axes.set_xticks(range(len(trace.x)), trace.x, rotation=40, ha="right")
    axes.set_yticks(range(len(trace.y)), trace.y)
    middle = (trace.zmin + trace.zmax) / 2
    for (row, column), text in np.ndenumerate(np.asarray(trace.text)):
        color = "white" if values[row, column] < middle else "black"
        axes.text(column, row, text, ha="center", va="center", color=color, fontsize=7)
    bar = axes.figure.colorbar(image, ax=axes, shrink=0.8)
    bar.set_label(trace.colorbar.title.text)


def _scatter(axes: Axes, trace: Any) -> None:
    mode = trace.mode or "lines"
    marker, line = trace.marker, trace.line
    style: dict[str, Any] = {"label": trace.name, "color": line.color or marker.color}
    style["linestyle"] = {"dash": "--", "dot": ":"}.get(line.dash or "", "-") if "lines" in mode else "none"
    style["linewidth"] = line.width or 1.2
    if "markers" in mode:
        style |= {"marker": "o", "markersize": (marker.size or 6) * 0.6, "markeredgewidth": 0}
    axes.plot(trace.x, trace.y, rasterized=len(trace.x) > MANY_POINTS, **style)


def _bar(axes: Axes, trace: Any) -> None:
    place = axes.barh if trace.orientation == "h" else axes.bar
    across, along = (trace.y, trace.x) if trace.orientation == "h" else (trace.x, trace.y)
    place(across, along, label=trace.name, color=trace.marker.color)


_DRAW = {"heatmap": _heatmap, "scatter": _scatter, "scattergl": _scatter, "bar": _bar}


def _dress(axes: Axes, figure: go.Figure) -> None:
    """Give the axes their titles, ranges and legend."""
    layout = figure.layout
    axes.set_xlabel(layout.xaxis.title.text or "")
    axes.set_ylabel(layout.yaxis.title.text or "")
    axes.set_title(layout.title.text or "", fontsize=9, loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    if layout.xaxis.range is not None:
        axes.set_xlim(layout.xaxis.range)
    if layout.xaxis.visible is False:
        axes.set_axis_off()
    if layout.yaxis.scaleanchor:
        axes.set_aspect("equal")
    if layout.yaxis.autorange == "reversed" and not any(trace.type == "heatmap" for trace in figure.data):
        axes.invert_yaxis()
    named = [trace for trace in figure.data if trace.name]
    if len(named) > 1:
        axes.legend(frameon=False, fontsize=7, loc="upper left", bbox_to_anchor=(1, 1))
