"""Thresholds of each measure, drawn on its violin and moved by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from pages.components import state
from pages.components.show import escaped, figure
from scviz.datasets.cell_quality import MEASURES, Measure
from scviz.metrics.thresholds import Bounds
from scviz.plots.quality import Violin, violin_figure

HEIGHT = 260


def thresholds(
    measures: Mapping[str, NDArray[np.float64]],
    suggested: Mapping[str, Bounds],
    first: Mapping[str, Bounds],
    *,
    key: str,
    footer: str,
) -> dict[str, Bounds]:
    """Draw each measure, (N,), and let both ends of it be moved.

    Parameters
    ----------
    suggested
        What is drawn dashed and named under the fields.
    first
        What holds to begin with.
    key
        Tells runs and rules apart, whose fields begin anew.
    """
    found = {}
    for place, name in zip(st.columns(len(measures)), measures, strict=True):
        with place:
            picture = st.container()
            low = _field(name, "low", first[name].low, key=key)
            high = _field(name, "high", first[name].high, key=key)
            found[name] = Bounds(low=low, high=high)
            st.caption(f"Suggested: {_words(suggested[name], MEASURES[name])}")
            with picture:
                _violin(name, measures[name], found[name], suggested=suggested[name], footer=footer)
    return found


def _violin(
    name: str, values: NDArray[np.float64], bounds: Bounds, *, suggested: Bounds, footer: str
) -> None:
    """Draw one measure, (N,), with its thresholds."""
    measure = MEASURES[name]
    one = Violin(
        values=_look(measure).scale * values,
        bounds=_scaled(bounds, measure),
        suggested=_scaled(suggested, measure),
        logarithmic=measure.logarithmic,
    )
    drawing = violin_figure(title(measure), one, dark=state.dark())
    alt = f"How {measure.label.lower()} is spread over cells, with thresholds"
    figure(drawing, key=f"violin_{name}", name=f"qc_{name}", alt=alt, height=HEIGHT, footer=footer)


def title(measure: Measure) -> str:
    """Write the name of a measure with its unit."""
    return f"{measure.label} (%)" if measure.share else measure.label


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """How the field of a measure writes its numbers."""

    step: float
    format: str
    scale: float = 1.0
    highest: float | None = None


COUNT, SHARE, SCORE = (
    _Look(step=100.0, format="%.0f"),
    _Look(step=1.0, format="%.2f", scale=100.0, highest=100.0),
    _Look(step=0.05, format="%.3f"),
)


def _look(measure: Measure) -> _Look:
    return COUNT if measure.logarithmic else SHARE if measure.share else SCORE


def _field(name: str, end: str, value: float | None, *, key: str) -> float | None:
    """Draw the field of one end; empty leaves it open."""
    look, widget = _look(MEASURES[name]), f"{end}_{name}_{key}"
    shown = None if value is None else look.scale * value
    if state.kept(widget) is None:  # once, so that a field which was emptied stays empty
        state.keep(widget, "begun")
        state.preset(widget, shown)
    given = st.number_input(
        f"{escaped(title(MEASURES[name]))}, {'at least' if end == 'low' else 'at most'}",
        min_value=0.0,
        max_value=look.highest,
        value=None,
        step=look.step,
        format=look.format,
        placeholder="open",
        key=widget,
        persist_state="session",
    )
    if given is None or given == shown:
        return value if given == shown else None
    return given / look.scale


def _scaled(bounds: Bounds, measure: Measure) -> Bounds:
    scale = _look(measure).scale
    return Bounds(
        low=None if bounds.low is None else scale * bounds.low,
        high=None if bounds.high is None else scale * bounds.high,
    )


def _words(bounds: Bounds, measure: Measure) -> str:
    """Write suggested thresholds, such as "523 to 5,210"."""
    shown = _scaled(bounds, measure)
    low, high = (_written(end, measure) for end in (shown.low, shown.high))
    if low and high:
        return f"{low} to {high}"
    return f"at least {low}" if low else f"at most {high}" if high else "none"


def _written(end: float | None, measure: Measure) -> str:
    if end is None:
        return ""
    return f"{end:,.0f}" if measure.logarithmic else f"{end:.2f} %" if measure.share else f"{end:.3f}"
