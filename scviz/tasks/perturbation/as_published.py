"""Scores by the names and rules of cell-eval, to compare with printed numbers.

The scores of changed genes need cells that vary, and methods predict means: control cells stand for predicted ones,
each gene scaled so that its mean is the predicted one.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.screen import CONTROL, Screen, label
from scviz.metrics.cell_eval import Side, cell_eval_scores
from scviz.tasks.perturbation.inputs import Inputs

MOST_CELLS = 200
"""Cells of each perturbation; five times as many of control."""


def cell_eval_table(
    inputs: Inputs, predicted: Mapping[str, NDArray[np.float32]]
) -> dict[str, dict[str, float]]:
    """Average the scores of cell-eval over the perturbations that a method predicts, if they were asked for.

    Parameters
    ----------
    predicted
        (P, G) means, by key of the method; NaN where nothing is predicted.

    Returns
    -------
    By key of the method, then by the authors' name of the score; methods that predict nothing are not there.
    """
    if not inputs.request.cell_eval:
        return {}
    rng = np.random.default_rng((inputs.request.seed, 11))
    controls = _some(inputs.train, CONTROL, 5 * MOST_CELLS, rng=rng)
    starts = _some(inputs.judged, CONTROL, 5 * MOST_CELLS, rng=rng)
    real = {label(one): _some(inputs.judged, one, MOST_CELLS, rng=rng) for one in inputs.test}
    tables = {}
    for key, means in predicted.items():
        known = np.flatnonzero(~np.isnan(means).any(axis=1)).tolist()
        names = [label(inputs.test[row]) for row in known]
        if not names:
            continue
        made = {
            name: cells_with_mean(means[row], controls, n_cells=len(real[name]), rng=rng)
            for row, name in zip(known, names, strict=True)
        }
        found = cell_eval_scores(
            Side(control=controls, cells=made),
            Side(control=starts, cells={name: real[name] for name in names}),
            inputs.screen.genes,
        )
        tables[key] = {name: _mean(values) for name, values in found.items()}
    return tables


def cells_with_mean(
    mean: NDArray[np.floating], controls: NDArray[np.floating], *, n_cells: int, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Draw control cells again and scale each gene to a mean, (n_cells, G).

    Parameters
    ----------
    mean
        (G,) predicted mean log expression; below 0 counts as 0.
    controls
        (m, G) log expression.

    Returns
    -------
    (n_cells, G), not below 0. A gene that no drawn cell expresses has the predicted mean in every cell.
    """
    drawn = controls[rng.integers(len(controls), size=n_cells)].astype(np.float32)
    wanted = np.maximum(mean, 0).astype(np.float32)
    own = drawn.mean(axis=0)
    scaled = drawn * np.divide(wanted, own, out=np.zeros_like(wanted), where=own > 0)
    return np.asarray(np.where(own > 0, scaled, wanted), dtype=np.float32)


def _some(
    screen: Screen, perturbation: tuple[str, ...], n_cells: int, *, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Take some cells of a perturbation at random, (n, G)."""
    rows = rng.permutation(screen.rows(perturbation))[:n_cells]
    return np.asarray(screen.expression[np.sort(rows)].toarray(), dtype=np.float32)


def _mean(values: NDArray[np.float64]) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")
