"""Whether a confidence of 0.8 is right in 80 % of cases, and the one number that mends it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scviz.metrics.evidence import Interval, resample

N_BINS = 15
"""Bins of the reliability curve."""
WIDEST = 10.0
"""Temperatures from exp(-10) to exp(10) are looked at; one at an end means that there is no best one."""
SMALLEST = float(np.finfo(np.float32).tiny)
"""What a probability of 0 counts as where its logarithm is needed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Temperature:
    """What the scores of a classifier are divided by before they become probabilities."""

    value: float
    """1 leaves them alone, above 1 makes all types less sure, below 1 surer."""
    loss: float
    """Mean negative log likelihood of the known types at this temperature, on the cells it was fitted on."""
    loss_before: float
    """The same with the scores as they are."""
    n: int
    """Cells it was fitted on."""
    found: bool
    """False where no temperature is best: with every cell right, the smaller the better; 1 is kept then."""


def log_scores(probabilities: NDArray[np.floating]) -> NDArray[np.float64]:
    """Give scores, (N, K), whose softmax are these probabilities; NaN stays NaN.

    Parameters
    ----------
    probabilities
        (N, K) of each type.
    """
    return np.asarray(np.log(np.maximum(np.asarray(probabilities, dtype=np.float64), SMALLEST)))


def scaled(scores: NDArray[np.floating], temperature: float) -> NDArray[np.float64]:
    """Turn scores into probabilities at a temperature, (N, K); the order of the types never changes.

    Parameters
    ----------
    scores
        (N, K) logits, or logarithms of probabilities.

    Examples
    --------
    >>> scaled(np.array([[0.0, np.log(4.0)]]), 2.0).round(3).tolist()
    [[0.333, 0.667]]
    """
    from scipy.special import softmax

    return np.asarray(softmax(np.asarray(scores, dtype=np.float64) / temperature, axis=1))


def log_loss(scores: NDArray[np.floating], truth: NDArray[np.integer], temperature: float = 1.0) -> float:
    """Average the negative log likelihood of the known types; NaN without cells.

    Parameters
    ----------
    scores
        (M, K) logits, or logarithms of probabilities.
    truth
        (M,) known types.
    """
    from scipy.special import logsumexp

    if not len(truth):
        return float("nan")
    divided = np.asarray(scores, dtype=np.float64) / temperature
    own = np.take_along_axis(divided, np.asarray(truth)[:, None], axis=1)[:, 0]
    return float((logsumexp(divided, axis=1) - own).mean())


def fit_temperature(scores: NDArray[np.floating], truth: NDArray[np.integer]) -> Temperature:
    """Find the temperature under which the known types of these cells are most likely.

    Parameters
    ----------
    scores
        (M, K) logits, or logarithms of probabilities, of cells that neither trained the classifier nor test it.
    truth
        (M,) known types.

    References
    ----------
    Guo et al. (2017), arXiv:1706.04599.

    Examples
    --------
    >>> scores = np.array([[4.0, 0.0], [4.0, 0.0], [4.0, 0.0], [0.0, 4.0]])
    >>> round(fit_temperature(scores, np.array([0, 0, 1, 1])).value, 2)
    3.64
    """
    from scipy.optimize import minimize_scalar

    before, n = log_loss(scores, truth), len(truth)
    if not n:
        return Temperature(value=1.0, loss=before, loss_before=before, n=0, found=False)
    best = minimize_scalar(
        lambda log_beta: log_loss(scores, truth, float(np.exp(-log_beta))),
        bounds=(-WIDEST, WIDEST),
        method="bounded",
        options={"xatol": 1e-10},
    )
    found = abs(best.x) < WIDEST - 0.1 and best.fun <= before and best.fun > 0
    return Temperature(
        value=float(np.exp(-best.x)) if found else 1.0,
        loss=float(best.fun) if found else before,
        loss_before=before,
        n=n,
        found=bool(found),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Reliability:
    """Confidence and share of right names, by bin; bins without cells are left out."""

    n: NDArray[np.int64]
    """(B,) cells of each bin."""
    confidence: NDArray[np.float64]
    """(B,) their mean confidence."""
    accuracy: NDArray[np.float64]
    """(B,) share of them that are named right."""
    ece: float
    """Expected calibration error: mean distance of the two, weighted by cells; 0 is perfect. NaN without cells."""


def equal_width(confidence: NDArray[np.floating], n_bins: int = N_BINS) -> NDArray[np.int64]:
    """Give the bin of each cell, (M,), among equally wide ones that hold their upper but not their lower end.

    Parameters
    ----------
    confidence
        (M,) from 0 to 1.
    """
    edges = np.linspace(0, 1, n_bins + 1)
    return np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, n_bins - 1).astype(np.int64)


def equal_mass(confidence: NDArray[np.floating], n_bins: int = N_BINS) -> NDArray[np.int64]:
    """Give the bin of each cell, (M,), among bins of nearly equally many cells, from the least confident up.

    Parameters
    ----------
    confidence
        (M,) from 0 to 1.
    """
    bins = np.empty(len(confidence), dtype=np.int64)
    for at, rows in enumerate(np.array_split(np.argsort(confidence, kind="stable"), n_bins)):
        bins[rows] = at
    return bins


def reliability(
    confidence: NDArray[np.floating], right: NDArray[np.bool_], bins: NDArray[np.integer]
) -> Reliability:
    """Compare confidence with the share of right names.

    Parameters
    ----------
    confidence
        (M,) probability of the name that was given.
    right
        (M,) whether it is right.
    bins
        (M,) bin of each cell, as `equal_width` or `equal_mass` gives it.

    Examples
    --------
    >>> confidence, right = np.array([0.9, 0.9, 0.6, 0.6]), np.array([True, True, True, False])
    >>> round(reliability(confidence, right, equal_width(confidence)).ece, 3)
    0.1
    """
    n = np.bincount(bins)
    some = n > 0
    sure = np.bincount(bins, weights=confidence)[some] / n[some]
    hits = np.bincount(bins, weights=np.asarray(right, dtype=np.float64))[some] / n[some]
    error = float(np.average(np.abs(hits - sure), weights=n[some])) if some.any() else float("nan")
    return Reliability(n=n[some].astype(np.int64), confidence=sure, accuracy=hits, ece=error)


def calibration_error(
    confidence: NDArray[np.floating], right: NDArray[np.bool_], *, seed: int = 0
) -> Interval:
    """Give the expected calibration error with its interval; of few cells it comes out too large.

    Parameters
    ----------
    confidence
        (M,) probability of the name that was given.
    right
        (M,) whether it is right.
    """
    bins = equal_width(confidence)
    one_hot = np.eye(N_BINS)[bins]  # (M, B)
    gaps = one_hot * (np.asarray(right, dtype=np.float64) - confidence)[:, None]

    def error(times: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.asarray(np.abs(times @ gaps).sum(axis=1) / times.sum(axis=1))

    return resample(error, len(confidence), seed=seed)


def classwise_error(
    probabilities: NDArray[np.floating], truth: NDArray[np.integer], n_bins: int = N_BINS
) -> float:
    """Average over types the calibration error of each type's own probability.

    Parameters
    ----------
    probabilities
        (M, K) of each type.
    truth
        (M,) known types.
    """
    errors = [
        reliability(own, truth == code, equal_width(own, n_bins)).ece
        for code, own in enumerate(probabilities.T)
    ]
    return float(np.mean(errors))


def brier_score(probabilities: NDArray[np.floating], truth: NDArray[np.integer]) -> float:
    """Average over cells the squared distance of probabilities from the known type, summed over types: 0 to 2.

    Parameters
    ----------
    probabilities
        (M, K) of each type.
    truth
        (M,) known types.

    Examples
    --------
    >>> brier_score(np.array([[1.0, 0.0], [0.5, 0.5]]), np.array([0, 0]))
    0.25
    """
    known = np.eye(probabilities.shape[1])[truth]
    return float(((probabilities - known) ** 2).sum(axis=1).mean()) if len(truth) else float("nan")
