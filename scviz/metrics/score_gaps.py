"""By how much the scores of two ways of naming the same cells differ, each with an interval."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from scviz.metrics.comparison import drawn_scores, judged_types
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
    one, two = (drawn_scores(outcomes[[0, row]], times, types)[score] for row in (1, 2))
    return one - two
