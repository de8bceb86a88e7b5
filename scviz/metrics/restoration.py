"""How near restored expression comes to what was measured, cell by cell, and whether a model gains anything."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

N_SAMPLES = 2000
"""Bootstrap samples."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeanScore:
    """A mean over cells with its 95 % bootstrap interval; NaN without cells."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """A model against its best baseline, by the correlation of each cell, on the same cells."""

    baseline: str
    """Name of the best baseline."""
    model_score: float
    baseline_score: float
    difference: MeanScore
    n_cells: int

    @property
    def verdict(self) -> str:
        """Say in a sentence whether the model gains anything."""
        gain = self.difference
        numbers = (
            f"correlation with the whole cells {self.model_score:.3f} against {self.baseline_score:.3f} of "
            f"{self.baseline} on {self.n_cells:,} cells (difference {gain.mean:+.3f}, "
            f"95 % interval {gain.low:+.3f} to {gain.high:+.3f})"
        )
        if gain.low > 0:
            return f"Nearer to the whole cells than the baseline: {numbers}."
        if gain.high < 0:
            return f"Farther from the whole cells than the baseline: {numbers}."
        return f"No gain on this dataset: {numbers}."


def cell_correlations(restored: NDArray[np.floating], whole: NDArray[np.floating]) -> NDArray[np.float64]:
    """Correlate the restored with the measured expression of each cell, over genes (Pearson).

    Parameters
    ----------
    restored, whole
        (M, G) log1p expression of the same cells and genes.

    Returns
    -------
    (M,) from -1 to 1; NaN for cells in which either is equal in all genes.

    Examples
    --------
    >>> whole = np.array([[1.0, 2.0, 3.0], [1.0, 2.0, 3.0], [1.0, 1.0, 1.0]])
    >>> cell_correlations(np.array([[2.0, 4.0, 6.0], [3.0, 2.0, 1.0], [1.0, 2.0, 3.0]]), whole).round(6)
    array([ 1., -1., nan])
    """
    one, two = (values - values.mean(axis=1, keepdims=True, dtype=np.float64) for values in (restored, whole))
    spread = np.sqrt((one**2).sum(axis=1) * (two**2).sum(axis=1))
    answer = np.full(len(whole), np.nan)
    np.divide((one * two).sum(axis=1), spread, out=answer, where=spread > 0)
    return answer


def mean_score(values: NDArray[np.float64], *, seed: int = 0) -> MeanScore:
    """Average over cells, and bootstrap the average.

    Parameters
    ----------
    values
        (M,) one number for each cell; NaN is left out.

    Examples
    --------
    >>> mean_score(np.array([0.5, 0.5, np.nan]))
    MeanScore(mean=0.5, low=0.5, high=0.5)
    """
    known = values[~np.isnan(values)]
    if not len(known):
        return MeanScore(mean=float("nan"), low=float("nan"), high=float("nan"))
    rng = np.random.default_rng(seed)
    times = rng.multinomial(len(known), np.full(len(known), 1 / len(known)), size=N_SAMPLES)
    low, high = np.quantile(times @ known / len(known), [0.025, 0.975])
    return MeanScore(mean=float(known.mean()), low=float(low), high=float(high))


def gain_over(
    model: NDArray[np.float64], baselines: dict[str, NDArray[np.float64]], *, seed: int = 0
) -> Gain:
    """Compare a model with the best of its baselines.

    Parameters
    ----------
    model
        (M,) correlation of each cell.
    baselines
        (M,) the same, by name of the baseline.

    Examples
    --------
    >>> gain_over(np.array([0.9, 0.8]), {"a": np.array([0.1, 0.2]), "b": np.array([0.5, 0.4])}).baseline
    'b'
    """
    means = {name: mean_score(values, seed=seed).mean for name, values in baselines.items()}
    best = max(means, key=lambda name: np.nan_to_num(means[name], nan=-np.inf))
    both = ~np.isnan(model) & ~np.isnan(baselines[best])
    return Gain(
        baseline=best,
        model_score=mean_score(model[both], seed=seed).mean,
        baseline_score=mean_score(baselines[best][both], seed=seed).mean,
        difference=mean_score((model - baselines[best])[both], seed=seed),
        n_cells=int(both.sum()),
    )
