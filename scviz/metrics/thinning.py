"""Counts of two conditions made equally deep: of more counts, some are dropped at random, as if they had not been read.

The logarithm of few counts is biased and varies more than that of many. Where samples of one condition hold many more
counts, all genes with few counts differ by that alone, and with unequal numbers of donors the t test takes the larger
variance for the smaller one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scviz.metrics.donors import Design

MOST_UNLIKE = 1.5
"""Conditions whose samples differ less in counts are left as they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evened:
    """Sums of S samples with equally many counts in both conditions."""

    sums: NDArray[np.int64]
    """(S, G)."""
    more: float
    """How many times as many counts a sample of the first condition had before; 1 where nothing was dropped."""


def evened(sums: NDArray[np.int64], design: Design, rng: np.random.Generator) -> Evened:
    """Drop counts of the deeper condition, each with equal chance, until its samples hold as many as the others.

    Samples of one condition keep their ratios: only what goes with the condition is taken away.

    Parameters
    ----------
    sums
        (S, G) counts.

    Examples
    --------
    >>> from scviz.metrics.donors import design_of
    >>> sums = np.array([[8000], [8000], [1000], [1000]])
    >>> even = evened(sums, design_of(np.array([0, 0, 1, 1]), np.arange(4)), np.random.default_rng(0))
    >>> round(even.more), bool(np.all(np.abs(even.sums[:2] - 1000) < 200)), even.sums[2:].ravel().tolist()
    (8, True, [1000, 1000])
    """
    totals = np.maximum(sums.sum(axis=1), 1).astype(np.float64)
    first, second = (np.exp(np.log(totals[rows]).mean()) for rows in (design.first, design.second))
    more = float(first / second)
    if max(more, 1 / more) <= MOST_UNLIKE:
        return Evened(sums=sums, more=1.0)
    deep = design.first if more > 1 else design.second
    thinned = sums.copy()
    thinned[deep] = rng.binomial(sums[deep], min(more, 1 / more))
    return Evened(sums=thinned, more=more)
