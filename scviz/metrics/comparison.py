"""Compare two ways of naming the same cells, with an interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from scviz.metrics.evidence import Gain, resample

FEWEST_JUDGED = 5
"""Types with fewer test cells are left out of a verdict: no draw of one cell says how much chance is in it."""

UNIT = "naming score, averaged over types,"
MEANING = (
    "Naming score: F1 from 0 to 1, the harmonic mean of precision and recall; every type counts the same, however "
    "few its cells."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Names that one method gives to the test cells."""

    method: str
    types: NDArray[np.int64]
    """(M,) types from 0 to n_types - 1."""


def judged_types(truth: NDArray[np.int64], n_types: int) -> NDArray[np.int64]:
    """Return the types with enough test cells to judge by, ascending.

    Parameters
    ----------
    truth
        (M,) types from 0 to n_types - 1.

    Examples
    --------
    >>> judged_types(np.array([0] * 5 + [2] * 4), 3).tolist()
    [0]
    """
    return np.flatnonzero(np.bincount(truth, minlength=n_types) >= FEWEST_JUDGED)


def compare(
    truth: NDArray[np.int64], model: Names, baselines: Sequence[Names], *, n_types: int, seed: int = 0
) -> Gain:
    """Say what a model gains over the best of its baselines in F1, averaged over the types with enough test cells.

    The types are the same in every draw, and each draw holds as many cells of each as there are: an average over
    the types that a draw happens to hold would be of other types in each. The best baseline is chosen by the cells
    that judge, to the disadvantage of the model: no verdict of "better" is owed to the choice.

    Parameters
    ----------
    truth
        (M,) types from 0 to n_types - 1.

    Returns
    -------
    The gain; its interval is not known where fewer than two types have enough test cells.

    Examples
    --------
    >>> truth = np.array([0, 1] * 50)
    >>> coin = Names(method="coin", types=1 - truth)
    >>> gain = compare(truth, Names(method="model", types=truth), [coin], n_types=2)
    >>> gain.difference.low, gain.outcome
    (1.0, 'better')
    """
    judged = judged_types(truth, n_types)
    known = len(judged) > 1
    counted = judged if known else np.unique(truth)
    everyone = np.ones((1, len(truth)), dtype=np.int64)
    score, *others = (
        float(drawn_scores(np.stack([truth, one.types]), everyone, counted)["macro_f1"][0])
        for one in (model, *baselines)
    )
    best = int(np.argmax(others))
    outcomes, alike = np.unique(
        np.stack([truth, model.types, baselines[best].types]), axis=1, return_counts=True
    )

    def difference(times: NDArray[np.int64]) -> NDArray[np.float64]:
        one, two = (drawn_scores(outcomes[[0, row]], times, counted)["macro_f1"] for row in (1, 2))
        return one - two

    gap = resample(difference, len(alike), alike=alike, strata=outcomes[0], seed=seed)
    if not known:
        gap = replace(gap, low=float("nan"), high=float("nan"))
    return Gain(
        model=model.method,
        baseline=baselines[best].method,
        score=score,
        baseline_score=others[best],
        difference=gap,
        unit=UNIT,
        counted="held-out cells",
        n=len(truth),
    )


def drawn_scores(
    pairs: NDArray[np.int64], times: NDArray[np.int64], types: NDArray[np.int64]
) -> dict[str, NDArray[np.float64]]:
    """Score many draws of the same cells at once, (B,) each; a type that no cell has and none is given counts 0.

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
