"""A real perturbation of the same genes, where the dataset holds one, or the real goal state."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.columns import gene_identifiers, gene_names
from scviz.datasets.controls import says_control
from scviz.errors import RequestError
from scviz.metrics.evidence import LEVEL, WORTHWHILE, Outcome, Place, bar_of, place_of
from scviz.tasks.chosen_cells import passing, sample
from scviz.tasks.filters import Filter
from scviz.tasks.in_silico import Observed, Request
from scviz.tasks.in_silico.effects import Found, cosine
from scviz.tasks.in_silico.statistics import FEWEST_RANDOM
from scviz.workspace import DatasetInfo

FEWEST = 10
"""With fewer cells than this on one side nothing is compared."""
TIMES = 50
"""How often a few of the cells are drawn."""
MOST_GENES = 3
"""More genes together are not looked for under a common name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Cells without and with the real perturbation."""

    column: str
    control: str
    perturbed: str
    control_rows: NDArray[np.int64]
    """(a,) sampled rows of the dataset."""
    perturbed_rows: NDArray[np.int64]
    """(b,)."""


def real_pair(
    folder: Path,
    info: DatasetInfo,
    request: Request,
    *,
    goal_rows: NDArray[np.int64],
    rows: NDArray[np.int64],
) -> Pair | None:
    """Find the real counterpart of an edit: cells in which these genes were perturbed, else the goal.

    Parameters
    ----------
    goal_rows
        (S,) cells of the goal; empty without one.
    rows
        (n,) the cells that are edited.
    """
    found = _perturbed(folder, info, request)
    if found is not None:
        return found
    if request.goal is None or len(goal_rows) < FEWEST:
        return None
    return Pair(
        column=request.goal.column,
        control="the cells that are edited",
        perturbed=", ".join(request.goal.values),
        control_rows=rows,
        perturbed_rows=goal_rows,
    )


def _perturbed(folder: Path, info: DatasetInfo, request: Request) -> Pair | None:
    """Look for a column with a value for controls and one for these genes, and for enough cells of both."""
    names = names_of_perturbation(folder, request.genes)
    for column in info.columns:
        by_name = {value.lower(): value for value in column.values}
        control = next(filter(says_control, column.values), None)
        perturbed = next((by_name[name] for name in names if name in by_name), None)
        if control is not None and perturbed is not None:
            sides = _sides(folder, info, request, column=column.name, values=(control, perturbed))
            if min(map(len, sides)) >= FEWEST:
                return Pair(
                    column=column.name,
                    control=control,
                    perturbed=perturbed,
                    control_rows=sides[0],
                    perturbed_rows=sides[1],
                )
    return None


def _sides(
    folder: Path, info: DatasetInfo, request: Request, *, column: str, values: tuple[str, str]
) -> list[NDArray[np.int64]]:
    """Sample cells of either value, twice (n,); none where the column is one of numbers."""
    others = [one for one in request.cells if one.column != column]
    try:
        sides = [
            passing(folder, [*others, Filter(column=column, values=(value,))], info.n_cells)
            for value in values
        ]
    except RequestError:
        return [np.empty(0, dtype=np.int64)] * 2
    return [sample(side, request.most_cells, request.seed) for side in sides]


def names_of_perturbation(folder: Path, genes: Sequence[str]) -> list[str]:
    """List what a column may call the perturbation of these genes together, in small letters."""
    if len(genes) > MOST_GENES:
        return []
    symbols = gene_identifiers(folder).symbol
    words = [symbols[gene_names(folder).index(gene)] if symbols else gene for gene in genes]
    words = [(word or gene).lower() for word, gene in zip(words, genes, strict=True)]
    names = ["+".join(order) for order in permutations(words)]
    if len(words) == 1:
        names += [f"{words[0]}+ctrl", f"ctrl+{words[0]}", f"{words[0]}_ko", f"{words[0]} ko"]
    return names


@dataclass(frozen=True, slots=True, kw_only=True)
class MeanShifts:
    """Mean shifts of cells, whose directions are compared."""

    observed: NDArray[np.float64]
    """(C,) mean of the perturbed cells less that of the controls."""
    edit: NDArray[np.float64]
    """(C,) of all cells that the edit changes."""
    in_few_cells: NDArray[np.float64]
    """(T, C) of a few of them, drawn T times; the mean of all where there are no more."""
    random: NDArray[np.float64]
    """(R, C) of each random gene that changes a cell."""
    n_few: int
    n_control: int
    n_perturbed: int

    def stacked(self) -> NDArray[np.float32]:
        """Put them below each other in this order, (2 + T + R, C)."""
        return np.vstack([self.observed, self.edit, self.in_few_cells, self.random]).astype(np.float32)


def mean_shifts(
    sides: Sequence[NDArray[np.float32]],
    predicted: NDArray[np.float64],
    *,
    random: Sequence[NDArray[np.float64]],
    seed: int,
) -> MeanShifts | None:
    """Average the observed and the simulated shifts.

    The mean of few cells points less surely in any direction, so that random genes, edited in few cells, would be too
    easy to beat: the edit is compared with them in as few of its cells, drawn several times.

    Parameters
    ----------
    sides
        (a, C) and (b, C) vectors of the control and the perturbed cells of a pair.
    predicted
        (m, C) shift of each cell that the edit changes.
    random
        The same of each random gene, (k, C).

    Returns
    -------
    None when a side has too few cells that the model sees.
    """
    control, perturbed = (side[np.isfinite(side).all(axis=1)] for side in sides)
    if min(len(control), len(perturbed)) < FEWEST or not len(predicted):
        return None
    others = [shifts for shifts in random if len(shifts)]
    n_few = min(int(np.median([len(shifts) for shifts in others] or [len(predicted)])), len(predicted))
    return MeanShifts(
        observed=perturbed.mean(axis=0, dtype=np.float64) - control.mean(axis=0, dtype=np.float64),
        edit=predicted.mean(axis=0),
        in_few_cells=_in_few_cells(predicted, n_few, seed=seed),
        random=np.array([shifts.mean(axis=0) for shifts in others]).reshape(-1, predicted.shape[1]),
        n_few=n_few,
        n_control=len(control),
        n_perturbed=len(perturbed),
    )


def _in_few_cells(shifts: NDArray[np.float64], n_few: int, *, seed: int) -> NDArray[np.float64]:
    """Average the shifts of a few cells of (m, C), drawn several times, (T, C); of all where there are no more."""
    if n_few == len(shifts):
        return np.asarray(shifts.mean(axis=0, keepdims=True))
    rng = np.random.default_rng(seed)
    drawn = [rng.choice(len(shifts), n_few, replace=False) for _ in range(TIMES)]
    return np.array([shifts[rows].mean(axis=0) for rows in drawn])


def compare(pair: Pair, shifts: MeanShifts) -> Observed:
    """Compare the simulated mean shift with the observed one, and both with those of random genes."""
    (own,) = cosine(shifts.edit[None], shifts.observed[None]).tolist()
    few = float(cosine(shifts.in_few_cells, shifts.observed[None]).mean())
    others = cosine(shifts.random, shifts.observed[None])
    place = place_of(few, others)
    usual = float(np.median(others)) if len(others) else float("nan")
    beyond = _Beyond(usual=usual, bar=bar_of(others, 1))
    return Observed(
        column=pair.column,
        control=pair.control,
        perturbed=pair.perturbed,
        n_control=shifts.n_control,
        n_perturbed=shifts.n_perturbed,
        cosine=own,
        in_few_cells=few,
        random=tuple(others.tolist()),
        rank=place.rank,
        p=place.p,
        outcome=_outcome(own, place, beyond),
        verdict=_verdict(own, place, beyond, n_few=shifts.n_few),
    )


def shifts_of(found: Found, before: NDArray[np.float32]) -> NDArray[np.float64]:
    """Give the shift of each cell that an edit changes, (m, C), from the vectors of all as they were, (n, C)."""
    if found.after is None:
        return np.empty((0, before.shape[1]))
    return np.asarray(found.after - before[found.rows], dtype=np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Beyond:
    """What agreement would have been found, beside that of random genes."""

    usual: float
    bar: float
    """Beyond it p is 5 % or less; NaN where so few random genes cannot tell."""

    @property
    def more(self) -> float:
        """Give how much more than usual is found."""
        return self.bar - self.usual


def _outcome(own: float, place: Place, beyond: _Beyond) -> Outcome:
    """Judge the agreement: `none` only where one worth having, beyond that of random genes, would have been found."""
    if place.n < FEWEST_RANDOM:
        return "unknown"
    if place.p <= LEVEL and own > 0:
        return "better"
    return "none" if beyond.more < WORTHWHILE else "unknown"


def _verdict(own: float, place: Place, beyond: _Beyond, *, n_few: int) -> str:
    lead = f"The simulated and the observed shift agree with {own:.2f} (1 is the same direction, 0 none)"
    if place.n < FEWEST_RANDOM:
        return (
            f"{lead}. Cannot tell whether that is more than by chance: there are {place.n} random genes to compare "
            f"with, and it takes {FEWEST_RANDOM} or more."
        )
    beside = f"{place.words} with the expression-matched random genes, each in about {n_few} cells"
    outcome = _outcome(own, place, beyond)
    if outcome == "better":
        return f"{lead}, more than those of random genes: {beside}."
    found = f"More than {beyond.bar:.2f} would have been found; {beyond.usual:.2f} is usual."
    if outcome == "unknown":
        needed = math.ceil(n_few * (beyond.more / WORTHWHILE) ** 2)
        found += (
            f" Cannot tell whether they agree by {WORTHWHILE:g} more than is usual: that takes at least {needed:,} "
            f"cells of each random gene, instead of {n_few:,}."
        )
    return f"{lead}, not more than those of random genes: {beside}. {found}"
