"""From values of cells to shifts: mean, interval over cells, place among random genes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from scviz.metrics.in_silico import benjamini_hochberg
from scviz.tasks.in_silico import Shift

N_RESAMPLES = 1000
RESAMPLED_AT_A_TIME = 256


def means_of(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Average over the cells in which an edit changes something, (E,) of (E, n); NaN where there are none."""
    known = np.isfinite(values)
    n = known.sum(axis=1)
    sums = np.where(known, values, 0).sum(axis=1, dtype=np.float64)
    means: NDArray[np.float64] = np.divide(sums, n, out=np.full(len(values), np.nan), where=n > 0)
    return means


def intervals(values: NDArray[np.floating], *, seed: int) -> NDArray[np.float64]:
    """Give the 95 % bootstrap interval of each mean over cells, (E, 2); NaN for fewer than two cells."""
    n_cells = values.shape[1]
    rng = np.random.default_rng(seed)
    weights = rng.multinomial(n_cells, np.full(n_cells, 1 / max(n_cells, 1)), size=N_RESAMPLES)  # (B, n)
    bounds = np.full((len(values), 2), np.nan)
    for start in range(0, len(values), RESAMPLED_AT_A_TIME):
        part = values[start : start + RESAMPLED_AT_A_TIME].astype(np.float64)
        known = np.isfinite(part)
        n = weights @ known.T  # (B, e)
        sums = weights @ np.where(known, part, 0).T
        means = np.divide(sums, n, out=np.full(sums.shape, np.nan), where=n > 0)
        some = np.flatnonzero(known.sum(axis=1) >= 2)
        if len(some):
            bounds[start + some] = np.nanpercentile(means[:, some], (2.5, 97.5), axis=0).T
    return bounds


def as_far(own: float, others: NDArray[np.floating], *, both_sides: bool) -> float:
    """Give the share of random genes that move cells as far, (1 + as far) / (1 + all).

    Parameters
    ----------
    both_sides
        Compare the distance from the median of the random genes instead of the value.

    Examples
    --------
    >>> as_far(3.0, np.array([1.0, 2.0, 4.0]), both_sides=False)
    0.5
    """
    if np.isnan(own):
        return float("nan")
    others = others[np.isfinite(others)]
    if both_sides and len(others):
        middle = np.median(others)
        own, others = abs(own - middle), np.abs(others - middle)
    return float((1 + np.sum(others >= own)) / (1 + len(others)))


def shifts(
    values: NDArray[np.floating],
    random: Sequence[NDArray[np.floating]],
    *,
    seed: int,
    both_sides: bool = False,
) -> list[Shift]:
    """Summarize edits.

    Parameters
    ----------
    values
        (E, n) of each edit and cell; NaN where an edit changes nothing.
    random
        For each edit, means of its random genes; NaN where one changes nothing.
    """
    means, bounds = means_of(values), intervals(values, seed=seed)
    found = []
    for mean, (low, high), others in zip(means, bounds, random, strict=True):
        known = others[np.isfinite(others)]
        band = np.percentile(known, (2.5, 97.5)) if len(known) else (np.nan, np.nan)
        p = as_far(float(mean), known, both_sides=both_sides)
        found.append(
            Shift(
                mean=float(mean),
                low=float(low),
                high=float(high),
                random_low=float(band[0]),
                random_high=float(band[1]),
                n_random=len(known),
                p=p,
                fdr=p,
            )
        )
    rates = benjamini_hochberg(np.array([shift.p for shift in found]))
    return [replace(shift, fdr=float(rate)) for shift, rate in zip(found, rates, strict=True)]
