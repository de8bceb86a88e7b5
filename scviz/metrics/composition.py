"""What share of the cells each type has, and how shares differ between conditions: log-ratios to a reference."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

PSEUDO_CELLS = 0.5
"""Added to each count in a sample of mean size, and the same share of its cells in others, so that a type that was not
seen has a logarithm, and samples with few cells do not seem to have more of rare types."""
FEWEST_EXPECTED = 5.0
"""Cells of a type that a sample must have on average in either condition: the log-ratio of fewer is mostly chance."""


def shares_of(counts: NDArray[np.integer]) -> NDArray[np.float64]:
    """Divide (S, K) cells of each type by those of the sample; NaN for a sample without cells.

    Examples
    --------
    >>> shares_of(np.array([[3, 1], [0, 0]]))
    array([[0.75, 0.25],
           [ nan,  nan]])
    """
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, totals, out=np.full(counts.shape, np.nan), where=totals > 0)
    return np.asarray(shares)


def frequent(
    counts: NDArray[np.integer], sides: NDArray[np.integer], *, fewest: float = FEWEST_EXPECTED
) -> NDArray[np.bool_]:
    """Tell which of K types have enough cells to be compared, (K,).

    Expected are the mean share over samples times the mean size of a sample, in the condition where that is less. A
    type that is in one condition alone counts half of its share there.

    Parameters
    ----------
    counts
        (S, K) cells of each type in each sample that has cells.
    sides
        (S,) condition of each sample, 0 or 1.
    """
    share = np.mean([shares_of(counts[sides == side]).mean(axis=0) for side in (0, 1)], axis=0)  # (K,)
    size = min(counts[sides == side].sum(axis=1).mean() for side in (0, 1))
    return np.asarray(share * size >= fewest)


def log_ratios(
    counts: NDArray[np.integer], reference: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Compare each type with the reference within each sample.

    Parameters
    ----------
    counts
        (S, K) cells of each type in each sample that has cells.
    reference
        (K,) types whose geometric mean is the reference; all of them give the centered log-ratio.

    Returns
    -------
    (S, K) log2 of the type over the reference, and (S, K) the variance that it has from counting cells alone.

    References
    ----------
    Aitchison (1982), doi:10.1111/j.2517-6161.1982.tb01195.x.

    Examples
    --------
    >>> ratios, _ = log_ratios(np.array([[40, 10], [40, 10]]), np.array([False, True]))
    >>> ratios.round(2)
    array([[1.95, 0.  ],
           [1.95, 0.  ]])
    """
    totals = counts.sum(axis=1, keepdims=True)  # (S, 1)
    filled = counts + PSEUDO_CELLS * totals / totals.mean()
    logs = np.log2(filled)
    weights = reference / reference.sum()  # (K,)
    ratios = logs - (logs @ weights)[:, None]
    each = 1 / (np.maximum(filled, 1) * np.log(2) ** 2)  # (S, K) of a Poisson count
    whole = (each @ weights**2)[:, None]
    return ratios, each * (1 - 2 * weights) + whole
