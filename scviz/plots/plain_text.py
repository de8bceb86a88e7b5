"""Names in figures are text: plotly reads links, bold letters and breaks in every text that it is given."""

from __future__ import annotations

from html import escape, unescape
from typing import Any

import numpy as np
import plotly.graph_objects as go

TEMPLATES = ("hovertemplate", "texttemplate")
"""Written in the code alone, never made from a name; what they bring in is escaped where it stands."""


def as_text(figure: go.Figure) -> go.Figure:
    r"""Return a figure for the browser whose texts are drawn as they are written; a line break begins a new line.

    Examples
    --------
    >>> drawn = as_text(go.Figure(go.Scatter(x=["<b>a</b>"], y=[1], name="T & B"), {"title": {"text": "up\ndown"}}))
    >>> drawn.data[0].x, drawn.data[0].name, drawn.layout.title.text
    (('&lt;b&gt;a&lt;/b&gt;',), 'T &amp; B', 'up<br>down')
    """
    plain = figure.to_plotly_json()
    checked = {"_validate": False}  # the figure was, and checking it again takes six times as long
    return go.Figure(data=_escaped(plain["data"]), layout=_escaped(plain["layout"]), **checked)


def as_written(text: str) -> str:
    """Return a name that a click on such a figure brings back.

    Examples
    --------
    >>> as_written("T &amp; B")
    'T & B'
    """
    return unescape(text)


def _escaped(value: Any) -> Any:
    """Escape all texts within lists, arrays of any shape and mappings."""
    if isinstance(value, str):
        return escape(value, quote=False).replace("\n", "<br>")
    if isinstance(value, dict):
        return {name: one if name in TEMPLATES else _escaped(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_escaped(one) for one in value]
    if isinstance(value, np.ndarray) and value.dtype.kind in "OU":
        return np.array([_escaped(one) for one in value.ravel().tolist()], dtype=object).reshape(value.shape)
    return value
