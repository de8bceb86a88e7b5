"""How effects are written and drawn: shares of a distance, shifts, intervals, places among random genes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from pages.components import state
from pages.components.digits import DIGITS, SMALL, TENTH
from pages.components.show import figure
from scviz.plots.null_band import intervals_figure
from scviz.tasks.in_silico import Effect, Result, Shift, TypeEffect
from scviz.workspace.database import Run

MOVED = "Moved (1 - cosine)"
TO_GOAL = "Shift to the goal (change of cosine)"
SHARE = "% of the distance"
WAY = "% of the way to the goal"
HOW = (
    "Low and high: 95 % bootstrap interval of the mean over cells. A mean beyond random low and high has p of 5 % or "
    "less. Rank: place among the random genes, the farthest first. Cells: those that the edit changes for the model."
)


def effect_row(result: Result, effect: Effect | TypeEffect) -> dict[str, float | int]:
    """Write an effect as a row: the share of a distance, the shift, its interval, its place among random genes."""
    row: dict[str, float | int] = {"Cells": effect.n_cells}
    if effect.to_goal is not None:
        row |= {WAY: 100 * result.ruler.to_goal(effect.to_goal.mean)}
    row |= {SHARE: 100 * result.ruler.moved(effect.moved.mean)}
    if effect.to_goal is not None:
        row |= _numbers(effect.to_goal, TO_GOAL, "goal: ", rates=isinstance(effect, Effect))
    prefix = "" if effect.to_goal is None else "moved: "
    return row | _numbers(effect.moved, MOVED, prefix, rates=isinstance(effect, Effect))


def _numbers(shift: Shift, title: str, prefix: str, *, rates: bool) -> dict[str, float | int]:
    numbers: dict[str, float | int] = {
        title: shift.mean,
        f"{prefix}low": shift.low,
        f"{prefix}high": shift.high,
        f"{prefix}random low": shift.random_low,
        f"{prefix}random high": shift.random_high,
        f"{prefix}random genes": shift.n_random,
        f"{prefix}rank": shift.rank,
        f"{prefix}p": shift.p,
    }
    return numbers | ({f"{prefix}FDR": shift.fdr} if rates else {})


def digits_of(frame: pd.DataFrame) -> dict[str, object]:
    """Choose digits: p values with three, shares with one, counts without, shifts in powers of ten."""
    found: dict[str, object] = {}
    for name in frame.columns:
        if name in (SHARE, WAY):
            found[name] = TENTH
        elif name.split()[-1] in ("p", "FDR"):
            found[name] = DIGITS
        elif name not in ("Cells", "Gene", "Type") and not name.endswith(("random genes", "rank")):
            found[name] = SMALL
    return found


def draw_intervals(
    names: Sequence[str], shown: Sequence[Shift], *, footer: str, title: str, key: str
) -> None:
    """Draw shifts with their intervals, beside where random genes lie."""
    drawing = intervals_figure(
        names,
        np.array([shift.mean for shift in shown]),
        intervals=np.array([(shift.low, shift.high) for shift in shown]),
        bands=np.array([(shift.random_low, shift.random_high) for shift in shown]),
        title=title,
        dark=state.dark(),
    )
    height = 150 + 26 * len(names)
    figure(drawing, key=key, name=key, alt="Shifts beside random genes", height=height, footer=footer)


def measure_of(run: Run) -> str:
    """Name what the first numbers of a run are."""
    return TO_GOAL if run.request.get("goal") else MOVED


def name_of(result: Result) -> str:
    """Name the edited genes, a few of many."""
    genes = result.effects[0].genes
    return " + ".join(genes[:3]) + (f" and {len(genes) - 3} more" if len(genes) > 3 else "")
