"""The curve by which the authors of Geneformer judge a classifier of two classes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class RocCurve:
    """How many of the true cells are found as more and more of the others are let through."""

    false_rate: NDArray[np.float64]
    """(P,) share of the other cells that are let through, rising from 0 to 1."""
    true_rate: NDArray[np.float64]
    """(P,) share of the true cells that are found."""

    def area(self) -> float:
        """Return the area under the curve: 0.5 is chance, 1 is perfect."""
        return float(np.trapezoid(self.true_rate, self.false_rate))

    def on_grid(self, n: int = 100) -> NDArray[np.float64]:
        """Return the share found at n even steps of the share let through, (n,), 0 at the first, for averaging."""
        rates = np.interp(np.linspace(0, 1, n), self.false_rate, self.true_rate)
        rates[0] = 0.0
        return rates


def roc_curve(truth: NDArray[np.integer], scores: NDArray[np.floating]) -> RocCurve:
    """Draw the curve by letting cells through from the highest score to the lowest.

    Parameters
    ----------
    truth
        (M,) 1 or 0.
    scores
        (M,) the higher, the more likely 1. Cells of one score go through together.

    Returns
    -------
    The curve without the points that lie on a straight line between their neighbors. NaN where a class is absent.

    Examples
    --------
    >>> roc_curve(np.array([0, 1, 1]), np.array([0.1, 0.4, 0.4])).true_rate
    array([0., 1., 1.])
    """
    order = np.argsort(-scores, kind="stable")
    last = np.append(np.diff(scores[order]) != 0, True)  # the last cell of each score
    found = np.append(0, np.cumsum(truth[order] == 1)[last])
    passed = np.append(0, np.cumsum(truth[order] != 1)[last])
    inner = (np.diff(found[1:], 2) != 0) | (np.diff(passed[1:], 2) != 0)
    corner = np.concatenate(([True, True], inner, [True])) if len(found) > 2 else np.full(len(found), True)
    found, passed = found[corner], passed[corner]
    with np.errstate(invalid="ignore"):
        return RocCurve(false_rate=passed / passed[-1], true_rate=found / found[-1])
