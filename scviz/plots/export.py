"""Draw a plotly figure with matplotlib, for files that need no browser: SVG with text as text, PDF, PNG."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from scviz.plots.xml_text import saved

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Kind = Literal["svg", "pdf", "png"]

ONE_AT_A_TIME = threading.RLock()
"""Settings of matplotlib hold for all threads, and its fonts are loaded once: the first press waits for that."""

DASHES = {"dash": "--", "dot": ":"}
MANY_COLUMNS = 60
"""A heat map with more columns is one of cells, whose names are not written."""
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
        "text.parse_math": False,  # a name may have dollars
    }
    with ONE_AT_A_TIME, matplotlib.rc_context(settings):
        paper = Figure(figsize=(width, height), layout="constrained")
        axes = paper.add_subplot()
        for trace in figure.data:
            _DRAW[trace.type](axes, trace)
        _dress(axes, figure)
        if footer:
            paper.supxlabel(footer, fontsize=6, color="0.4")
        return saved(paper, kind)


def warm_up() -> None:
    """Load matplotlib and its fonts, which takes seconds once; the first file is then drawn as fast as the others."""
    kinds: tuple[Kind, ...] = ("svg", "png", "pdf")
    for kind in kinds:
        draw(go.Figure(go.Scatter(x=[0, 1], y=[0, 1], mode="markers")), kind)


def _heatmap(axes: Axes, trace: Any) -> None:
    values = np.asarray(trace.z, dtype=float)
    image = axes.imshow(values, cmap="viridis", vmin=trace.zmin, vmax=trace.zmax, aspect="auto")
    if len(trace.x) <= MANY_COLUMNS:
        axes.set_xticks(range(len(trace.x)), trace.x, rotation=40, ha="right")
    axes.set_yticks(range(len(trace.y)), trace.y)
    if trace.text is not None:
        _written(axes, trace, values)
    bar = axes.figure.colorbar(image, ax=axes, shrink=0.8)
    bar.set_label(trace.colorbar.title.text)


def _written(axes: Axes, trace: Any, values: NDArray[np.float64]) -> None:
    """Write the text of each field, (rows, columns), where it is read."""
    middle = (trace.zmin + trace.zmax) / 2
    for (row, column), text in np.ndenumerate(np.asarray(trace.text)):
        color = "white" if values[row, column] < middle else "black"
        axes.text(column, row, text, ha="center", va="center", color=color, fontsize=7)


def _scatter(axes: Axes, trace: Any) -> None:
    if isinstance(trace.marker.color, np.ndarray | tuple | list):
        _shaded(axes, trace)
        return
    style = _style(trace)
    axes.plot(trace.x, trace.y, rasterized=len(trace.x) > MANY_POINTS, **style)
    if trace.error_x.array is not None:
        ends = [trace.error_x.arrayminus, trace.error_x.array]
        axes.errorbar(trace.x, trace.y, xerr=ends, fmt="none", ecolor=trace.error_x.color, elinewidth=1.2)


def _style(trace: Any) -> dict[str, Any]:
    """Say it in the words of matplotlib."""
    mode, marker, line = trace.mode or "lines", trace.marker, trace.line
    style: dict[str, Any] = {
        "label": _label(trace),
        "color": line.color or marker.color,
        "linewidth": line.width or 1.2,
        "linestyle": "none",
        "alpha": trace.opacity or marker.opacity or None,
    }
    if "lines" in mode:
        style["linestyle"] = DASHES.get(line.dash, "-")
    if "markers" in mode:
        style |= {"marker": "o", "markersize": (marker.size or 6) * 0.6, "markeredgewidth": 0}
    return style


def _shaded(axes: Axes, trace: Any) -> None:
    """Draw points that differ in size and in color, by a scale."""
    sizes = np.broadcast_to(np.asarray(trace.marker.size, dtype=float), len(trace.x))
    color = np.asarray(trace.marker.color, dtype=float)
    look = {"vmin": trace.marker.cmin, "vmax": trace.marker.cmax, "rasterized": len(color) > MANY_POINTS}
    look |= {"marker": "x", "linewidths": 0.8} if str(trace.marker.symbol).startswith("x") else {}
    drawn = axes.scatter(
        trace.x, trace.y, s=(0.6 * sizes) ** 2, c=color, cmap="viridis", label=_label(trace), **look
    )
    if trace.marker.showscale is False:
        return
    bar = axes.figure.colorbar(drawn, ax=axes, shrink=0.6)
    bar.set_label(trace.marker.colorbar.title.text)


def _violin(axes: Axes, trace: Any) -> None:
    values = np.asarray(trace.y, dtype=float)
    if len(values):
        drawn: Any = axes.violinplot([values], positions=[trace.x0], showmeans=True, showextrema=False)
        drawn["bodies"][0].set_color(trace.line.color)
        drawn["bodies"][0].set_label(_label(trace))
        drawn["cmeans"].set_color(trace.line.color)


def _bar(axes: Axes, trace: Any) -> None:
    place = axes.barh if trace.orientation == "h" else axes.bar
    across, along = (trace.y, trace.x) if trace.orientation == "h" else (trace.x, trace.y)
    base = {} if trace.base is None else {"left" if trace.orientation == "h" else "bottom": trace.base}
    place(across, along, label=_label(trace), color=trace.marker.color, **base)


_DRAW = {"heatmap": _heatmap, "scatter": _scatter, "scattergl": _scatter, "bar": _bar, "violin": _violin}


def _dress(axes: Axes, figure: go.Figure) -> None:
    """Give the axes their titles, ranges, notes and legend."""
    layout = figure.layout
    axes.set_title(layout.title.text or "", fontsize=9, loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    _dress_axis(axes.xaxis, layout.xaxis, axes.set_xlim)
    _dress_axis(axes.yaxis, layout.yaxis, axes.set_ylim)
    _scale(axes, layout)
    for note in layout.annotations:
        _annotate(axes, note)
    if layout.xaxis.visible is False:
        axes.set_axis_off()
    if layout.yaxis.scaleanchor:
        axes.set_aspect("equal")
    if layout.yaxis.autorange == "reversed" and not any(trace.type == "heatmap" for trace in figure.data):
        axes.invert_yaxis()
    if sum(_is_named(trace) for trace in figure.data) > 1:
        axes.legend(frameon=False, fontsize=7, loc="upper left", bbox_to_anchor=(1, 1))


def _scale(axes: Axes, layout: Any) -> None:
    for axis, scale in ((layout.xaxis, axes.set_xscale), (layout.yaxis, axes.set_yscale)):
        if axis.type == "log":
            scale("log")


def _label(trace: Any) -> str | None:
    """Return the name of a trace in the legend; matplotlib leaves those out that begin with an underscore."""
    if not _is_named(trace):
        return None
    return f" {trace.name}" if trace.name.startswith("_") else str(trace.name)


def _is_named(trace: Any) -> bool:
    return bool(trace.name) and trace.showlegend is not False


def _dress_axis(axis: Any, layout: Any, limit: Callable[[Any], object]) -> None:
    axis.set_label_text(layout.title.text or "")
    if layout.range is not None:
        limit(layout.range)
    if layout.ticktext is not None:
        axis.set_ticks(layout.tickvals, list(layout.ticktext))


def _annotate(axes: Axes, note: Any) -> None:
    shift = (0, (note.yshift or 0) * 0.6)
    place = (note.x, note.y)
    axes.annotate(note.text, place, xytext=shift, textcoords="offset points", ha="center", fontsize=7)
