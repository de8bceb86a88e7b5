"""By how much the scores of two ways of naming the same cells differ, each with an interval."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from scviz.metrics.comparison import judged_types
from scviz.metrics.evidence import Interval, resample

SCORES = ("macro_f1", "accuracy", "macro_precision", "macro_recall")
"""As `ClassificationScores` calls them; the means are over the types that a verdict is over."""


def score_gaps(
    truth: NDArray[np.int64], model: NDArray[np.int64], baseline: NDArray[np.int64], *, n_types: int
) -> dict[str, Interval]:
    """Give the difference of each score, above 0 where the model is better; drawn as a verdict draws cells.

    Parameters
    ----------
    truth, model, baseline
        (M,) types from 0 to n_types - 1: the known ones, and those that each gives.

    Returns
    -------
    The intervals by `SCORES`; without bounds where fewer than two types have cells enough.

    Examples
    --------
    >>> truth = np.array([0, 1] * 50)
    >>> gaps = score_gaps(truth, truth, np.zeros(100, dtype=np.int64), n_types=2)
    >>> gaps["accuracy"].mean, gaps["macro_recall"].low > 0
    (0.5, True)
    """
    judged = judged_types(truth, n_types)
    types = judged if len(judged) > 1 else np.unique(truth)
    outcomes, alike = np.unique(np.stack([truth, model, baseline]), axis=1, return_counts=True)

    found = {}
    for score in SCORES:
        difference = partial(_gap, outcomes=outcomes, types=types, score=score)
        span = resample(difference, len(alike), alike=alike, strata=outcomes[0])
        nothing = float("nan")
        found[score] = span if len(judged) > 1 else replace(span, low=nothing, high=nothing)
    return found


def _gap(
    times: NDArray[np.int64], *, outcomes: NDArray[np.int64], types: NDArray[np.int64], score: str
) -> NDArray[np.float64]:
    """Give the difference of one score, (B,), where each of (3, U) outcomes occurs (B, U) times."""
    one, two = (_scores(outcomes[[0, row]], times, types)[score] for row in (1, 2))
    return one - two


def _scores(
    pairs: NDArray[np.int64], times: NDArray[np.int64], types: NDArray[np.int64]
) -> dict[str, NDArray[np.float64]]:
    """Score many draws at once, (B,) each.

    Parameters
    ----------
    pairs
        (2, U) true and given type of each kind of outcome.
    times
        (B, U) how often each occurs in each draw.
    types
        (K,) types that the means are over.
    """
    is_true, is_named = (row[:, None] == types for row in pairs)  # (U, K)
    true, named, hits = (
        times @ one.astype(np.float64) for one in (is_true, is_named, is_true & is_named)
    )  # (B, K)
    right = times @ (pairs[0] == pairs[1]).astype(np.float64)
    return {
        "accuracy": right / times.sum(axis=1),
        "macro_precision": _share(hits, named).mean(axis=1),
        "macro_recall": _share(hits, true).mean(axis=1),
        "macro_f1": _share(2 * hits, true + named).mean(axis=1),
    }


def _share(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
