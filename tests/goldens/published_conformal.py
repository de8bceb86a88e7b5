"""Sets as MAPIE draws them, from the product's scores: rules that the product does not offer."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

NEAR = 1e-8


def mapie_order(probabilities: NDArray) -> NDArray:
    """Order types by falling probability; of equal ones the later comes first."""
    return np.argsort(probabilities, axis=1)[:, ::-1]


def mapie_sets(
    probabilities: NDArray, bar: float, *, rule: str, u: NDArray | None = None
) -> NDArray[np.bool_]:
    """Keep the types up to the one at which the sum reaches the bar, with or without it.

    Parameters
    ----------
    probabilities
        (N, K) of each type.
    rule
        "inclusive" keeps the type that reaches the bar, "exclusive" drops it but for the first, "randomized" drops it
        by chance.
    u
        (N,) random numbers, for "randomized".
    """
    sets = np.zeros(probabilities.shape, dtype=bool)
    order = mapie_order(probabilities)
    for row, own in enumerate(order):
        p = probabilities[row, own]
        sums = np.cumsum(p)
        reach = int(np.argmax(sums >= bar - NEAR)) if (sums >= bar - NEAR).any() else len(p) - 1
        last = reach
        if rule == "exclusive":
            last = reach - 1 if sums[reach] > bar + NEAR and reach > 0 else reach
        if rule == "randomized":
            last = reach if (sums[reach] - bar) / p[reach] <= u[row] else reach - 1
        if last >= 0:
            sets[row] = probabilities[row] >= p[last] - NEAR
    return sets
