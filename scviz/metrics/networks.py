"""How well a ranking of links finds those that are known, beside a random ranking."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkScores:
    """A ranking of candidate links against the known ones; a random ranking scores what stands beside."""

    n_candidates: int
    n_known: int
    auprc: float
    """Area under the curve of precision against recall, as average precision."""
    auprc_ratio: float
    """`auprc` by `density`: how many times as good as random; random has 1."""
    density: float
    """Share of candidates that are known: precision of a random ranking, at any depth."""
    auroc: float
    """0.5 at random."""
    early_precision: float
    """Of the first links, as many as are known, the share that is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """How many of some chosen items are known, and how many would be by chance."""

    hits: int
    n_chosen: int
    n_known: int
    n_all: int
    expected: float
    p: float
    """Chance of as many hits or more, hypergeometric."""
    odds_ratio: float
    """With 0.5 added to each count; 1 by chance."""


def link_scores(strength: NDArray[np.floating], known: NDArray[np.bool_]) -> LinkScores:
    """Judge a ranking of links.

    Parameters
    ----------
    strength
        (L,) of each candidate; NaN counts as the weakest.
    known
        (L,) whether it is known.

    Returns
    -------
    NaN where no candidate, or every one, is known. Equal strengths share their places: precision there is the mean
    over all orders in early precision, and that of the whole group in the area.

    Examples
    --------
    >>> scores = link_scores(np.array([3.0, 2.0, 1.0, 0.0]), np.array([True, False, True, False]))
    >>> round(scores.auprc, 4), scores.early_precision, scores.density
    (0.8333, 0.5, 0.5)
    """
    if strength.shape != known.shape or strength.ndim != 1:
        raise ValueError(f"{strength.shape} strengths and {known.shape} known links do not match.")
    n, n_known = len(known), int(known.sum())
    density = n_known / n if n else float("nan")
    if not 0 < n_known < n:
        nan = float("nan")
        return LinkScores(
            n_candidates=n, n_known=n_known, auprc=nan, auprc_ratio=nan, density=density, auroc=nan,
            early_precision=nan,
        )  # fmt: skip
    values = np.nan_to_num(strength.astype(np.float64), nan=-np.inf, neginf=-np.inf, posinf=np.inf)
    order = np.argsort(-values, kind="stable")
    last = np.r_[values[order][1:] != values[order][:-1], True]  # the last of each group of equal strength
    taken = (np.flatnonzero(last) + 1).astype(np.float64)
    hits = np.cumsum(known[order])[last].astype(np.float64)
    gained = np.diff(hits, prepend=0.0)
    auprc = float((gained / n_known * hits / taken).sum())
    misses = np.diff(taken, prepend=0.0) - gained
    auroc = float(((hits - gained / 2) * misses).sum() / (n_known * (n - n_known)))
    return LinkScores(
        n_candidates=n,
        n_known=n_known,
        auprc=auprc,
        auprc_ratio=auprc / density,
        density=density,
        auroc=auroc,
        early_precision=float(np.interp(n_known, np.r_[0.0, taken], np.r_[0.0, hits])) / n_known,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """What one ranking of links gains over another in AUPRC."""

    mean: float
    low: float
    high: float
    """95 % bootstrap interval over targets."""


def auprc_gain(
    strength: NDArray[np.floating],
    other: NDArray[np.floating],
    known: NDArray[np.bool_],
    targets: NDArray[np.integer],
    *,
    seed: int,
    n_times: int = 100,
) -> Gain:
    """Compare two rankings of links, drawing targets with all their links again and again.

    Parameters
    ----------
    strength, other
        (L,) of each candidate by both methods.
    targets
        (L,) target of each candidate, numbers from 0.

    Examples
    --------
    >>> known, targets = np.array([True, False, True, False]), np.array([0, 0, 1, 1])
    >>> auprc_gain(known.astype(float), known.astype(float), known, targets, seed=0).high
    0.0
    """
    rng = np.random.default_rng(seed)
    rankings = [_Ranking(values, known, targets) for values in (strength, other)]
    n_targets = int(targets.max()) + 1
    draws = [
        np.bincount(rng.integers(n_targets, size=n_targets), minlength=n_targets) for _ in range(n_times)
    ]
    gains = [rankings[0].area(draw) - rankings[1].area(draw) for draw in draws]
    whole = np.ones(n_targets, dtype=np.int64)
    low, high = np.nanquantile(gains, [0.025, 0.975])
    return Gain(mean=rankings[0].area(whole) - rankings[1].area(whole), low=float(low), high=float(high))


class _Ranking:
    """Links sorted once, whose area can be taken for any weights of the targets."""

    def __init__(
        self, strength: NDArray[np.floating], known: NDArray[np.bool_], targets: NDArray[np.integer]
    ) -> None:
        values = np.nan_to_num(strength.astype(np.float64), nan=-np.inf, neginf=-np.inf, posinf=np.inf)
        order = np.argsort(-values, kind="stable")
        self._last = np.r_[values[order][1:] != values[order][:-1], True]
        self._known, self._targets = known[order], targets[order]

    def area(self, times: NDArray[np.int64]) -> float:
        """Average precision where each target counts some times; NaN without any known link."""
        weights = times[self._targets].astype(np.float64)
        taken, hits = np.cumsum(weights)[self._last], np.cumsum(weights * self._known)[self._last]
        if not hits[-1]:
            return float("nan")
        precision = np.divide(hits, taken, out=np.zeros_like(hits), where=taken > 0)
        return float((np.diff(hits, prepend=0.0) * precision).sum() / hits[-1])


def overlap(hits: int, n_chosen: int, n_known: int, n_all: int) -> Overlap:
    """Compare the hits among chosen items with chance.

    Parameters
    ----------
    hits
        Chosen items that are known.
    n_all
        Items that could have been chosen.

    Examples
    --------
    >>> found = overlap(2, 2, 2, 4)
    >>> round(found.p, 4), found.expected
    (0.1667, 1.0)
    """
    from scipy.stats import hypergeom

    rest = n_all - n_known - n_chosen + hits
    if not 0 <= hits <= min(n_chosen, n_known) or rest < 0:
        raise ValueError(f"{hits} hits of {n_chosen} chosen and {n_known} known among {n_all} cannot be.")
    odds = (hits + 0.5) * (rest + 0.5) / ((n_known - hits + 0.5) * (n_chosen - hits + 0.5))
    return Overlap(
        hits=hits,
        n_chosen=n_chosen,
        n_known=n_known,
        n_all=n_all,
        expected=n_chosen * n_known / n_all if n_all else 0.0,
        p=float(hypergeom.sf(hits - 1, n_all, n_known, n_chosen)),
        odds_ratio=odds,
    )


def top_overlap(strength: NDArray[np.floating], known: NDArray[np.bool_], n_top: int) -> Overlap:
    """Compare the strongest links with a set of known ones; of equal ones the earlier counts."""
    order = np.argsort(-np.nan_to_num(strength, nan=-np.inf), kind="stable")[:n_top]
    return overlap(int(known[order].sum()), len(order), int(known.sum()), len(known))
