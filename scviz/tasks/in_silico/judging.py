"""Effects of edits, compared with random genes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.labels import Labels
from scviz.tasks.in_silico import FEWEST_CELLS, Effect, Request, Shift, TypeEffect
from scviz.tasks.in_silico.effects import N_MEASURES
from scviz.tasks.in_silico.inputs import Inputs
from scviz.tasks.in_silico.statistics import Random, means_of, shifts


def random_of(inputs: Inputs, values: NDArray[np.floating], *, both_sides: bool) -> Random:
    """Take what random genes do in one measure out of what all edits do, (all edits, n)."""
    place = {int(number): i for i, number in enumerate(inputs.random)}
    return Random(
        null=inputs.null,
        means=means_of(values[inputs.random]),
        levels=inputs.levels[inputs.random],
        same=np.array([place.get(number, -1) for number in range(inputs.n_asked)]),
        n_tests=inputs.n_tests,
        both_sides=both_sides,
    )


def effects_of(request: Request, inputs: Inputs, measures: NDArray[np.float32]) -> list[Effect]:
    """Summarize each edit asked for, in their order.

    Parameters
    ----------
    measures
        (all edits, n, 3).
    """
    columns = [
        _column(inputs, measures[..., k], request.seed, both_sides=k > 0)
        for k in range(N_MEASURES if request.goal is not None else 1)
    ]
    n_cells = np.isfinite(measures[: inputs.n_asked, :, 0]).sum(axis=1)
    return [
        Effect(
            genes=inputs.edits[i].genes,
            n_cells=int(n_cells[i]),
            expression=float(inputs.expression[i]),
            level=float(inputs.levels[i]),
            moved=columns[0][i],
            to_goal=columns[1][i] if len(columns) > 1 else None,
            to_start=columns[2][i] if len(columns) > 1 else None,
        )
        for i in range(inputs.n_asked)
    ]


def strongest_first(effects: Sequence[Effect], *, fewest: int) -> list[int]:
    """Order edits: the largest shift to the goal, or the farthest move without one; those of too few cells last."""
    values = np.array([(effect.to_goal or effect.moved).mean for effect in effects])
    values[[effect.n_cells < fewest for effect in effects]] = np.nan
    return [int(i) for i in np.argsort(-np.nan_to_num(values, nan=-np.inf), kind="stable")]


def fewest_cells(request: Request) -> int:
    """Say how many cells an edit must change to be ranked by its shift."""
    return FEWEST_CELLS if request.all_genes else 1


def by_type(
    request: Request, labels: Labels, inputs: Inputs, *, measures: NDArray[np.float32]
) -> tuple[TypeEffect, ...]:
    """Summarize one edit in the cells of each type.

    Parameters
    ----------
    labels
        Of the cells of the dataset; none for a sweep, and where no column is named.
    measures
        (all edits, n, 3).
    """
    own, found = labels.codes[inputs.rows], []
    for code, name in enumerate(labels.names):
        part = measures[:, own == code]  # (all edits, n of the type, 3)
        n_cells = int(np.isfinite(part[0, :, 0]).sum())
        if n_cells:
            moved, goal = (_column(inputs, part[..., k], request.seed, both_sides=k > 0)[0] for k in range(2))
            found.append(
                TypeEffect(
                    name=name,
                    n_cells=n_cells,
                    moved=moved,
                    to_goal=goal if request.goal is not None else None,
                )
            )
    return tuple(sorted(found, key=lambda effect: -effect.moved.mean))


def _column(inputs: Inputs, values: NDArray[np.float32], seed: int, *, both_sides: bool) -> list[Shift]:
    """Summarize one measure, (all edits, n), of each edit asked for."""
    random = random_of(inputs, values, both_sides=both_sides)
    return shifts(values[: inputs.n_asked], inputs.levels[: inputs.n_asked], random, seed=seed)
