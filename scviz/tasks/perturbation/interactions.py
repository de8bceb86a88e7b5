"""How the change of a pair follows from the changes of its two genes, as measured and as predicted."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.screen import Perturbation
from scviz.metrics.interactions import interaction_scores
from scviz.tasks.perturbation import CEILING, Interaction

if TYPE_CHECKING:
    from scviz.tasks.perturbation.screening import Task

MOST_PAIRS = 40
"""Interactions of more pairs are not worked out."""
N_SUBSETS = 5000
"""Pairs of genes that the robust fit looks at."""
MOST_EXPRESSED = 1000
"""Genes whose changes say how a pair interacts, by their mean in control cells."""


def interactions(task: Task, predicted: Mapping[str, NDArray[np.float64]]) -> tuple[Interaction, ...]:
    """Explain the change of each test pair by the measured changes of its genes, as measured and as predicted."""
    index = task.screen.index
    pairs = [
        (row, one)
        for row, one in enumerate(task.test)
        if len(one) == 2 and all((gene,) in index for gene in one)
    ][:MOST_PAIRS]
    control = task.control
    genes = np.argsort(-control, kind="stable")[:MOST_EXPRESSED]
    found = []
    for (row, pair), key in product(pairs, (CEILING, *predicted)):
        changed = (
            task.screen.mean(pair) - control if key == CEILING else predicted[key][row] - task.train.control
        )
        one = _interaction(task, pair, key, changed[genes], genes)
        if one is not None:
            found.append(one)
    return tuple(found)


def _interaction(
    task: Task, pair: Perturbation, key: str, changed: NDArray[np.float64], genes: NDArray[np.int64]
) -> Interaction | None:
    singles = [(task.screen.mean((gene,)) - task.control)[genes] for gene in pair]
    if not np.isfinite(changed).all() or any(np.ptp(delta) < 1e-6 for delta in (changed, *singles)):
        return None
    scores = interaction_scores(singles[0], singles[1], changed, n_subsets=N_SUBSETS)
    return Interaction(
        genes=pair,
        key=key,
        magnitude=scores.magnitude,
        fit=scores.fit,
        dominance=scores.dominance,
        kind=kind_of_interaction(scores.magnitude, scores.fit, scores.dominance),
    )


ADDITIVE = float(np.sqrt(2))
KINDS = {
    "new": "new effect (the singles explain less than half of it: correlation below 0.5)",
    "one gene": "one gene decides (its weight is more than three times that of the other)",
    "more": "more than additive (size of the weights above 1.7)",
    "less": "less than additive (size of the weights below 1.1)",
    "additive": "additive",
}
"""Classes after Norman (2019); the cut-offs are ours."""


def kind_of_interaction(magnitude: float, fit: float, dominance: float) -> str:
    """Name the class of an interaction.

    Examples
    --------
    >>> kind_of_interaction(1.41, 0.9, 0.0), kind_of_interaction(2.0, 0.9, 0.0), kind_of_interaction(1.4, 0.1, 0.0)
    ('additive', 'more', 'new')
    """
    if fit < 0.5:
        return "new"
    if np.isnan(dominance) or dominance > np.log10(3):
        return "one gene"
    if magnitude > 1.2 * ADDITIVE:
        return "more"
    return "less" if magnitude < 0.78 * ADDITIVE else "additive"
