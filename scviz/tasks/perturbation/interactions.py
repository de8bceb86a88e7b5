"""How the change of a pair follows from the changes of its two genes, as measured and as predicted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.screen import Perturbation
from scviz.metrics.interactions import interaction_scores
from scviz.tasks.perturbation import MEASURED, Interaction

if TYPE_CHECKING:
    from scviz.tasks.perturbation.inputs import Inputs
    from scviz.tasks.perturbation.judging import Truth

MOST_PAIRS = 40
"""Interactions of more pairs are not worked out."""
N_SUBSETS = 5000
"""Pairs of genes that the robust fit looks at."""
MOST_EXPRESSED = 1000
"""Genes whose changes say how a pair interacts, by their mean in control cells."""


def interactions(
    inputs: Inputs, truth: Truth, predicted: Mapping[str, NDArray[np.float32]]
) -> tuple[Interaction, ...]:
    """Explain the change of each test pair by the measured changes of its genes, as measured and as predicted.

    Parameters
    ----------
    predicted
        (P, G) or more rows, by key of the method.
    """
    index = inputs.screen.index
    pairs = [
        (row, one)
        for row, one in enumerate(inputs.test)
        if len(one) == 2 and all((gene,) in index for gene in one)
    ][:MOST_PAIRS]
    genes = np.argsort(-truth.control, kind="stable")[:MOST_EXPRESSED]
    found: list[Interaction | None] = []
    for row, pair in pairs:
        singles = [(inputs.screen.mean((gene,)) - truth.control)[genes] for gene in pair]
        found.append(
            _interaction(pair, singles, _change(truth.observed[row], truth.control, genes), key=MEASURED)
        )
        for key, values in predicted.items():
            change = _change(values[row], truth.control_predicted, genes)
            found.append(_interaction(pair, singles, change, key=key))
    return tuple(filter(None, found))


def _change(
    mean: NDArray[np.float32], control: NDArray[np.float32], genes: NDArray[np.int64]
) -> NDArray[np.float64]:
    return np.asarray((mean - control)[genes], dtype=np.float64)


def _interaction(
    pair: Perturbation, singles: Sequence[NDArray[np.float64]], change: NDArray[np.float64], *, key: str
) -> Interaction | None:
    if not np.isfinite(change).all() or any(np.ptp(delta) < 1e-6 for delta in (change, *singles)):
        return None
    scores = interaction_scores(singles[0], singles[1], change, n_subsets=N_SUBSETS)
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
