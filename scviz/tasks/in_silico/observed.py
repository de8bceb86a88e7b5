"""A real perturbation of the same genes, where the dataset holds one, or the real goal state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.columns import gene_identifiers, gene_names
from scviz.datasets.conditions import CONTROLS
from scviz.errors import RequestError
from scviz.tasks.chosen_cells import passing, sample
from scviz.tasks.filters import Filter
from scviz.tasks.in_silico import Observed, Request
from scviz.tasks.in_silico.moves import cosine
from scviz.tasks.in_silico.statistics import as_far
from scviz.workspace import DatasetInfo

FEWEST = 10
"""With fewer cells than this on one side nothing is compared."""
CLEAR = 0.05
MOST_GENES = 3
"""More genes together are not looked for under a common name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Cells without and with the real perturbation."""

    column: str
    control: str
    perturbed: str
    control_rows: NDArray[np.int64]
    """Sampled rows of the dataset."""
    perturbed_rows: NDArray[np.int64]


def real_pair(
    folder: Path, info: DatasetInfo, request: Request, goal_rows: NDArray[np.int64], rows: NDArray[np.int64]
) -> Pair | None:
    """Find the real counterpart of an edit: cells in which these genes were perturbed, else the goal.

    Parameters
    ----------
    goal_rows
        Cells of the goal; empty without one.
    rows
        The cells that are edited.
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
    names = names_of_perturbation(folder, request.genes)
    for column in info.columns:
        by_name = {value.lower(): value for value in column.values}
        control = next((by_name[name] for name in CONTROLS if name in by_name), None)
        perturbed = next((by_name[name] for name in names if name in by_name), None)
        if control is None or perturbed is None:
            continue
        others = [one for one in request.cells if one.column != column.name]
        try:
            sides = [
                passing(folder, [*others, Filter(column=column.name, values=(value,))], info.n_cells)
                for value in (control, perturbed)
            ]
        except RequestError:  # a column of numbers
            continue
        if min(map(len, sides)) >= FEWEST:
            drawn = [sample(side, request.most_cells, request.seed) for side in sides]
            return Pair(
                column=column.name,
                control=control,
                perturbed=perturbed,
                control_rows=drawn[0],
                perturbed_rows=drawn[1],
            )
    return None


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


def compare(
    pair: Pair,
    control: NDArray[np.float32],
    perturbed: NDArray[np.float32],
    predicted: NDArray[np.float64],
    random: NDArray[np.float64],
) -> Observed | None:
    """Set the simulated mean shift beside the observed one.

    Parameters
    ----------
    control, perturbed
        (n, C) vectors of the cells of the pair.
    predicted
        (C,) mean shift of the edit.
    random
        (R, C) mean shifts of the random genes.

    Returns
    -------
    None when a side has too few cells that the model sees.
    """
    control, perturbed = (side[np.isfinite(side).all(axis=1)] for side in (control, perturbed))
    if min(len(control), len(perturbed)) < FEWEST or not np.isfinite(predicted).all():
        return None
    observed = perturbed.mean(axis=0, dtype=np.float64) - control.mean(axis=0, dtype=np.float64)
    own = float(cosine(predicted[None], observed[None])[0])
    others = cosine(random, observed[None])
    others = others[np.isfinite(others)]
    p = as_far(own, others, both_sides=False)
    return Observed(
        column=pair.column,
        control=pair.control,
        perturbed=pair.perturbed,
        n_control=len(control),
        n_perturbed=len(perturbed),
        cosine=own,
        random=tuple(others.tolist()),
        p=p,
        verdict=_verdict(own, others, p),
    )


def _verdict(own: float, random: NDArray[np.float64], p: float) -> str:
    if not len(random):
        return f"The simulated and the observed shift have a cosine of {own:.2f}; there are no random genes beside it."
    n_less = int(np.sum(random < own))
    beside = f"a cosine of {own:.2f}, more than {n_less} of {len(random)} random genes have; p = {p:.3f}"
    if p <= CLEAR and own > 0:
        return f"The simulated shift points towards the observed one: {beside}."
    return f"The simulated and the observed shift agree no more than those of random genes do: {beside}."
