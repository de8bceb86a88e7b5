"""Figures of a finished result, which every click on its page asks for again: they are drawn once."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import plotly.graph_objects as go

from scviz.metrics.remembered import Remembered

Options = ParamSpec("Options")
MOST = 40


def drawn_once(draw: Callable[Options, go.Figure]) -> Callable[Options, go.Figure]:
    """Have a function remember the last figures that it drew, by all that they are drawn from.

    All who ask share one figure: it is shown, and never changed.
    """
    kept = Remembered[go.Figure](MOST)

    @wraps(draw)
    def again(*drawn: Options.args, **options: Options.kwargs) -> go.Figure:
        return kept.answer((drawn, options), lambda: draw(*drawn, **options))

    return again
