"""Shares of few cells with an interval that is never of length 0."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

from scviz.metrics.evidence import LEVEL, Interval


def share_interval(hits: ArrayLike, *, level: float = LEVEL) -> Interval:
    """Give a share with Wilson's interval, which is none of length 0 where all or none are hit.

    Parameters
    ----------
    hits
        (M,) truth values.

    References
    ----------
    Wilson (1927), doi:10.1080/01621459.1927.10502953.

    Examples
    --------
    >>> found = share_interval([False] * 25)
    >>> found.mean, found.low, round(found.high, 2)
    (0.0, 0.0, 0.13)
    """
    given = np.asarray(hits, dtype=bool)
    n = len(given)
    if n == 0:
        return Interval(mean=float("nan"), low=float("nan"), high=float("nan"), n=0)
    share, z = float(given.mean()), NormalDist().inv_cdf(1 - level / 2)
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * float(np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2)))
    return Interval(mean=share, low=max(0.0, middle - half), high=min(1.0, middle + half), n=n)
