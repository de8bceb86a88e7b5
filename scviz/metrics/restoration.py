"""How near restored expression comes to what was measured, cell by cell, and whether a model gains anything."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from scviz.metrics.clustering import mean_of_known
from scviz.metrics.evidence import Gain, bootstrap, pearson

UNIT = "correlation with the original cells"
FEWEST_JUDGED = 20
"""Fewer cells cannot tell: a bootstrap of a few is too sure of itself."""


def cell_correlations(restored: NDArray[np.floating], original: NDArray[np.floating]) -> NDArray[np.float64]:
    """Correlate the restored with the measured expression of each cell, over genes (Pearson).

    Parameters
    ----------
    restored, original
        (M, G) log1p expression of the same cells and genes.

    Returns
    -------
    (M,) from -1 to 1; NaN for cells in which either is equal in all genes.

    Examples
    --------
    >>> original = np.array([[1.0, 2.0, 3.0], [1.0, 2.0, 3.0], [1.0, 1.0, 1.0]])
    >>> cell_correlations(np.array([[2.0, 4.0, 6.0], [3.0, 2.0, 1.0], [1.0, 2.0, 3.0]]), original).round(6)
    array([ 1., -1., nan])
    """
    return pearson(restored, original)


def gain_over(
    model: NDArray[np.float64], baselines: Mapping[str, NDArray[np.float64]], *, name: str, seed: int = 0
) -> Gain:
    """Compare a model with the best of its baselines.

    The best is chosen by the cells that judge, to the disadvantage of the model: no verdict of "better" is owed to
    the choice, and one of "worse" no more often than twice in 40 with the two baselines there are.

    Parameters
    ----------
    model
        (M,) correlation of each cell.
    baselines
        (M,) the same, by name of the baseline.
    name
        Name of the model.

    Examples
    --------
    >>> found = gain_over(np.array([0.9, 0.8]), {"a": np.array([0.1, 0.2]), "b": np.array([0.5, 0.4])}, name="m")
    >>> found.baseline, found.outcome
    ('b', 'unknown')
    """
    means = {baseline: mean_of_known(values) for baseline, values in baselines.items()}
    best = max(means, key=lambda baseline: np.nan_to_num(means[baseline], nan=-np.inf))
    both = ~np.isnan(model) & ~np.isnan(baselines[best])
    return Gain(
        model=name,
        baseline=best,
        score=mean_of_known(model[both]),
        baseline_score=mean_of_known(baselines[best][both]),
        difference=bootstrap((model - baselines[best])[both], seed=seed, fewest=FEWEST_JUDGED),
        unit=UNIT,
        counted="cells",
        n=int(both.sum()),
    )
