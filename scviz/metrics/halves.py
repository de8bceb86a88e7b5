"""Intervals of scores that compare cells with one another: of neighbors, of groups that stand apart, of clusters.

A cell that is drawn twice, as a bootstrap does, would be its own neighbor. So halves of the cells are drawn instead:
a score of n / 2 of n cells, taken without replacement, lies as far from that of all n as that of n cells lies from the
truth, 1 / (n / 2) - 1 / n = 1 / n.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scviz.metrics.evidence import LEVEL, Interval

N_HALVES = 40
"""Halves that are drawn."""
FEWEST_CELLS = 30
"""Fewer cells give no interval: a half of them says little of a score of neighbors."""
MOST_SPOILED = 0.1
"""Share of the halves in which a score may not be defined."""


def halves(strata: ArrayLike, *, n_halves: int = N_HALVES, seed: int = 0) -> NDArray[np.bool_]:
    """Draw halves of cells, (B, N), each with half of every stratum; of odd ones the smaller half.

    Parameters
    ----------
    strata
        (N,) such as the type of each cell.

    Examples
    --------
    >>> halves([0, 0, 1, 1, 1], n_halves=3).sum(axis=1).tolist()
    [2, 2, 2]
    """
    codes, rng = np.asarray(strata), np.random.default_rng(seed)
    drawn = np.zeros((n_halves, len(codes)), dtype=bool)
    groups = [np.flatnonzero(codes == code) for code in np.unique(codes)]
    for half in drawn:
        for rows in groups:
            half[rng.permutation(rows)[: len(rows) // 2]] = True
    return drawn


def half_interval(whole: float, drawn: ArrayLike, *, n_cells: int, level: float = LEVEL) -> Interval:
    """Give a score of all cells the interval that its halves show, by Student's t.

    Parameters
    ----------
    whole
        The score, or difference of two, of all cells.
    drawn
        (B,) the same of each half.
    level
        Share of intervals that may miss; LEVEL by the number of intervals, where all of them together must hold.

    Returns
    -------
    Without bounds where there are fewer than `FEWEST_CELLS` cells, or the score is not defined in a tenth of the
    halves.

    Examples
    --------
    >>> half_interval(0.5, np.full(40, 0.4), n_cells=60).low
    0.5
    """
    from scipy.stats import t as student  # loads slowly

    values = np.asarray(drawn, dtype=np.float64)
    known = values[np.isfinite(values)]
    if n_cells < FEWEST_CELLS or len(known) < max(2, (1 - MOST_SPOILED) * len(values)):
        return Interval(mean=whole, low=float("nan"), high=float("nan"), n=n_cells)
    reach = float(student.ppf(1 - level / 2, len(known) - 1) * known.std(ddof=1))
    return Interval(mean=whole, low=whole - reach, high=whole + reach, n=n_cells)
