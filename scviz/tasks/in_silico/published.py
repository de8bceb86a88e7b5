"""Statistics of in-silico perturbation as Geneformer's authors publish them, of the edits of a run."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from scviz.metrics.in_silico import aggregate_data, goal_state_shift, group_shift, mixture_model
from scviz.tasks.in_silico import Effect, Published, Request


def published_table(
    request: Request,
    effects: Sequence[Effect],
    *,
    moved: NDArray[np.floating],
    to_goal: NDArray[np.floating] | None,
    to_start: NDArray[np.floating] | None,
) -> Published | None:
    """Make the table of the mode that suits the run; None where it was not asked for.

    Several genes with a goal are compared by rank-sum tests, several without one by a mixture; one edit is averaged, or
    listed cell by cell. As the authors do, a shift is that towards the goal less that towards the start.

    Parameters
    ----------
    moved, to_goal, to_start
        (E, n) of each edit and cell; NaN where an edit changes nothing.
    """
    if request.statistics != "published":
        return None
    names = ["+".join(effect.genes) for effect in effects]
    similar = _by_gene(names, 1 - moved)
    if to_goal is not None and to_start is not None:
        shifts = {"goal": _by_gene(names, to_goal - to_start)}
        if not shifts["goal"]:
            return None
        if request.sweep:
            return _written("goal_state_shift", goal_state_shift(shifts, "goal"))
        return _written("group_shift", group_shift(shifts, "goal"))
    if len(similar) > 1:
        return _written("mixture_model", mixture_model(similar))
    return _written("aggregate_data", aggregate_data(similar))


def _by_gene(names: Sequence[str], values: NDArray[np.floating]) -> dict[str, NDArray[np.float64]]:
    """Collect the values of each edit, (E, n), over its cells."""
    found = {name: row[np.isfinite(row)].astype(np.float64) for name, row in zip(names, values, strict=True)}
    return {name: row for name, row in found.items() if len(row)}


def _written(name: str, table: pd.DataFrame) -> Published:
    rows = table.astype(object).itertuples(index=False, name=None)
    return Published(
        name=name, columns=tuple(map(str, table.columns)), rows=tuple(tuple(row) for row in rows)
    )
