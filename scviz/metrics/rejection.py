"""What is gained, and lost, when doubtful cells stay unnamed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scviz.metrics.classification import accuracy
from scviz.metrics.evidence import bootstrap

UNASSIGNED_BELOW = 0.5
"""Probability of its best type below which a cell may be of a new one, as the authors of scBERT have it."""


def unassigned(probabilities: NDArray[np.floating], threshold: float = UNASSIGNED_BELOW) -> NDArray[np.bool_]:
    """Tell which cells, (N,), resemble no type well enough and may be of a new one.

    Parameters
    ----------
    probabilities
        (N, K) of each type, or (N, 1) of the best one; NaN for cells of which nothing is known.
    threshold
        Least probability of the best type; 0 names every cell.
    """
    return np.asarray(probabilities.max(axis=1) < threshold)


def certainty(probabilities: NDArray[np.floating]) -> NDArray[np.float32]:
    """Give 1 less the entropy of the types of each cell in parts of the largest possible one, (N,).

    Parameters
    ----------
    probabilities
        (N, K) of each type; rows of NaN stay NaN.

    Examples
    --------
    >>> certainty(np.array([[1.0, 0.0], [0.5, 0.5]])).tolist()
    [1.0, 0.0]
    """
    logarithms = np.log(np.where(probabilities > 0, probabilities, 1))
    entropy = -(probabilities * logarithms).sum(axis=1)
    return np.asarray(1 - entropy / max(np.log(probabilities.shape[1]), 1e-12), dtype=np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """How good names are when cells below a confidence get none."""

    unnamed: float
    """Share of the cells that get no name, from 0 to 1."""
    accuracy: float
    """Share of the others that are named right; NaN when there are none."""
    baseline_accuracy: float
    """The same of a baseline, on the same cells."""
    accuracy_of_all: float
    """Share of all cells that are named right when each gets a name."""


def leave_unnamed(
    confidence: NDArray[np.floating],
    truth: NDArray[np.integer],
    predicted: NDArray[np.integer],
    *,
    baseline: NDArray[np.integer],
    threshold: float,
) -> Rejection:
    """Score the cells that are named when those below a confidence are not.

    Parameters
    ----------
    confidence
        (M,) probability of the name that each cell would get.
    truth, predicted, baseline
        (M,) types: the true one, that of the model, that of a baseline.
    threshold
        Least confidence of a name; 0 names every cell.

    Examples
    --------
    >>> truth = np.array([0, 0, 1, 1])
    >>> confidence, predicted, baseline = [0.9, 0.8, 0.7, 0.4], [0, 0, 1, 0], [0, 1, 0, 1]
    >>> found = leave_unnamed(
    ...     np.array(confidence), truth, np.array(predicted), baseline=np.array(baseline), threshold=0.5
    ... )
    >>> found.unnamed, found.accuracy, round(found.baseline_accuracy, 2), found.accuracy_of_all
    (0.25, 1.0, 0.33, 0.75)
    """
    named = confidence >= threshold
    return Rejection(
        unnamed=float(1 - named.mean()) if len(named) else float("nan"),
        accuracy=accuracy(truth[named], predicted[named]),
        baseline_accuracy=accuracy(truth[named], baseline[named]),
        accuracy_of_all=accuracy(truth, predicted),
    )


THRESHOLDS = np.arange(0, 1.0, 0.05)
"""Least confidence of a name at which a curve of abstaining is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Abstaining:
    """What is named, and how well, at each threshold of confidence."""

    thresholds: NDArray[np.float64]
    """(T,)"""
    named: NDArray[np.float64]
    """(T,) share of the cells that get a name."""
    accuracy: NDArray[np.float64]
    """(T,) share of these that are right; NaN where none is named."""
    spans: NDArray[np.float64]
    """(T, 2) 95 % interval of it; NaN where too few are named."""


def abstaining_curve(confidence: NDArray[np.floating], right: NDArray[np.bool_]) -> Abstaining:
    """Leave cells unnamed below ever higher confidence.

    Parameters
    ----------
    confidence, right
        (M,) probability of the name of each cell that judges, and whether it is right.
    """
    spans = [bootstrap(right[confidence >= t].astype(np.float64)) for t in THRESHOLDS]
    return Abstaining(
        thresholds=THRESHOLDS,
        named=np.array([(confidence >= t).mean() for t in THRESHOLDS]),
        accuracy=np.array([span.mean for span in spans]),
        spans=np.array([(span.low, span.high) for span in spans]),
    )
