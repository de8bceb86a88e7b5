"""How values become colors: between which percentiles, and on a log or a linear scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from streamlit.delta_generator import DeltaGenerator

from pages.components import state
from pages.components.widgets import one_of

LOG, LINEAR = "log", "linear"
SCALES = {True: LOG, False: LINEAR}
"""What addresses and widgets call a log scale, and one that is none."""
STEP = 0.5
"""Percentiles between two places of a handle."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Between which percentiles colors run, and whether on a log scale."""

    low: float = 0.0
    high: float = 99.0
    log: bool = True

    def ends(self, values: NDArray[np.floating], *, from_zero: bool = False) -> tuple[float, float]:
        """Find the values, of (n,), at both ends of the colors; NaN is left out.

        Parameters
        ----------
        from_zero
            Begin at 0 where nothing is clipped below: for genes, of which only the cells that express it are given.
        """
        known = values[np.isfinite(values)]
        if not len(known):
            return 0.0, 1.0
        low, high = np.percentile(known, [self.low, self.high]).tolist()
        low = 0.0 if from_zero and self.low == 0 else low
        return low, high if high > low else low + (abs(low) or 1.0)

    @property
    def words(self) -> str:
        """Say what is clipped; empty where nothing is."""
        if self.low == 0 and self.high == 100:
            return ""
        ends = f"percentiles {self.low:g} to {self.high:g}" if self.low else f"percentile {self.high:g}"
        return f"colors end at {ends}"


def scale_between(low: float, high: float, *, log: bool) -> Scale:
    """Return the scale of two handles, of which both may be at one percentile: a step of the slider lies between.

    Examples
    --------
    >>> scale_between(100.0, 100.0, log=True), scale_between(40.0, 40.0, log=False)
    (Scale(low=99.5, high=100.0, log=True), Scale(low=40.0, high=40.5, log=False))
    """
    low = min(low, 100.0 - STEP)
    return Scale(low, max(high, low + STEP), log)


def scale_to_text(scale: Scale) -> str:
    """Write a scale for an address.

    Examples
    --------
    >>> scale_to_text(Scale(0.0, 99.5, log=True))
    '0,99.5,log'
    """
    return f"{scale.low:g},{scale.high:g},{SCALES[scale.log]}"


def scale_from_text(text: str) -> Scale | None:
    """Read what `scale_to_text` wrote; None if it did not.

    Examples
    --------
    >>> scale_from_text("0,99.5,log"), scale_from_text("99,1,log"), scale_from_text("much")
    (Scale(low=0.0, high=99.5, log=True), None, None)
    """
    try:
        *ends, kind = text.split(",")
        low, high = (round(2 * float(end)) / 2 for end in ends)  # as the slider steps
    except (ValueError, OverflowError):
        return None
    fits = 0 <= low < high <= 100 and kind in SCALES.values()
    return Scale(low, high, kind == LOG) if fits else None


def choose_scale(place: DeltaGenerator, key: str, *, first: Scale, log: bool, of: str) -> Scale:
    """Ask for both in a small window; see `ask_scale`."""
    with place.popover("Scale", icon=":material/tune:", key=f"{key}_scale"):
        return ask_scale(key, first=first, log=log, of=of)


def ask_scale(key: str, *, first: Scale, log: bool, of: str) -> Scale:
    """Ask for both.

    Parameters
    ----------
    key
        Begins the keys of the widgets.
    first
        To begin with.
    log
        Whether there is a log scale to choose.
    of
        Which cells the percentiles are of.
    """
    if state.held(f"{key}_clip") is None:
        state.preset(f"{key}_clip", (first.low, first.high))
    ends: object = st.slider(
        "Clip at percentiles",
        0.0,
        100.0,
        step=STEP,
        help=f"Of {of}. Cells beyond share the color of the end.",
        key=f"{key}_clip",
    )
    low, high = cast(tuple[float, float], ends)  # as it was set
    names = {LOG: "Log", LINEAR: "Linear"} if first.log else {LINEAR: "Linear", LOG: "Log"}
    kind = one_of("Scale", names, key=f"{key}_log") if log else LINEAR
    return scale_between(low, high, log=kind == LOG)
