"""How well cells, or genes, are named."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


def confusion_matrix(
    truth: NDArray[np.integer], predicted: NDArray[np.integer], n_types: int
) -> NDArray[np.int64]:
    """Count cells by true type and predicted type.

    Parameters
    ----------
    truth, predicted
        (M,) types from 0 to n_types - 1.

    Returns
    -------
    (K, K), rows are true types.

    Examples
    --------
    >>> confusion_matrix(np.array([0, 0, 1]), np.array([0, 1, 1]), 2)
    array([[1, 1],
           [0, 1]])
    """
    pairs = truth.astype(np.int64) * n_types + predicted
    return np.bincount(pairs, minlength=n_types**2).reshape(n_types, n_types).astype(np.int64)


def accuracy(truth: NDArray[np.integer], predicted: NDArray[np.integer]) -> float:
    """Return the share of cells, (M,), that are named right; NaN without cells."""
    return float((truth == predicted).mean()) if len(truth) else float("nan")


def f1_scores(
    truth: NDArray[np.integer], predicted: NDArray[np.integer], n_types: int
) -> NDArray[np.float64]:
    """Return the F1 of each type, (K,): the harmonic mean of precision and recall.

    0 where no cell of the type is found; NaN for a type that is neither true nor predicted anywhere.

    Examples
    --------
    >>> f1_scores(np.array([0, 0, 1]), np.array([0, 1, 1]), 3).round(3)
    array([0.667, 0.667,   nan])
    """
    counts = confusion_matrix(truth, predicted, n_types)
    either = counts.sum(axis=0) + counts.sum(axis=1)  # (K,)
    scores = np.full(n_types, np.nan)
    np.divide(2.0 * np.diag(counts), either, out=scores, where=either > 0)
    return scores


def macro_f1(truth: NDArray[np.integer], predicted: NDArray[np.integer], n_types: int) -> float:
    """Average F1 over the types that are true or predicted for some of (M,) cells, each type counting the same.

    Examples
    --------
    >>> macro_f1(np.array([0, 0, 1]), np.array([0, 0, 1]), 2)
    1.0
    """
    scores = f1_scores(truth, predicted, n_types)
    return float(np.nanmean(scores)) if len(truth) else float("nan")


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
