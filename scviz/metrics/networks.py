"""How well a ranking of links finds those that are known, beside a random ranking."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from scviz.metrics.evidence import Interval, Place, place_of, resample

FEWEST_HIT = 10
"""Fewer target genes with known links give no interval: their average precision is too uneven to draw again."""
HELD = 8_000_000
"""Numbers that a comparison of rankings holds at a time."""
N_SHUFFLED = 199
"""Times that known targets are exchanged for the chance of an AUPRC."""


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

    Raises
    ------
    ValueError
        If the shapes do not match.

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
    values = _numbers(strength)
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


def auprc_difference(
    strength: NDArray[np.floating],
    other: NDArray[np.floating],
    known: NDArray[np.bool_],
    *,
    targets: NDArray[np.integer],
    seed: int,
) -> Interval:
    """Compare two rankings of the same links, drawing targets with all their links again and again.

    Parameters
    ----------
    strength, other
        (L,) of each candidate by both methods.
    known
        (L,) whether it is known.
    targets
        (L,) target of each candidate, numbers from 0.

    Returns
    -------
    Difference of AUPRC with its 95 % interval; without bounds where fewer than `FEWEST_HIT` targets have known links.

    Examples
    --------
    >>> known, targets = np.tile([True, False], 20), np.repeat(np.arange(20), 2)
    >>> auprc_difference(known * 1.0, known * 1.0, known, targets=targets, seed=0).high
    0.0
    """
    units = np.unique(targets, return_inverse=True)[1]
    one, two = (_Ranking(values, known, units) for values in (strength, other))
    found = resample(
        lambda times: one.areas(times) - two.areas(times), int(units.max(initial=-1)) + 1, seed=seed
    )
    nothing = float("nan")
    enough = len(np.unique(units[known])) >= FEWEST_HIT
    return found if enough else replace(found, low=nothing, high=nothing)


class _Ranking:
    """Links sorted once, whose area can be taken for any weights of the T targets."""

    def __init__(
        self, strength: NDArray[np.floating], known: NDArray[np.bool_], targets: NDArray[np.integer]
    ) -> None:
        values = _numbers(strength)
        order = np.argsort(-values, kind="stable")
        group = (
            np.cumsum(np.r_[True, values[order][1:] != values[order][:-1]]) - 1
        )  # (L,) equal strengths share one
        hit = np.unique(
            group[known[order]]
        )  # the S groups that hold known links: precision matters there alone
        self._step = np.searchsorted(hit, group)  # (L,) the first of these at or after each link
        self._targets, self._known = targets[order], known[order]
        self._n_steps, self._n_targets = len(hit), int(targets.max(initial=-1)) + 1

    def areas(self, times: NDArray[np.int64]) -> NDArray[np.float64]:
        """Average precision where each target counts some times, (B, T) -> (B,); NaN without any known link."""
        taken, hits = np.zeros(len(times)), np.zeros(len(times))
        area, weights = np.zeros(len(times)), times.T.astype(np.float64)  # (T, B)
        size = max(1, HELD // max(self._n_targets, len(times)))
        for start in range(0, self._n_steps, size):
            every, known = (
                self._counts(start, size, only_known=only) @ weights for only in (False, True)
            )  # (s, B)
            found, seen = hits + known.cumsum(axis=0), taken + every.cumsum(axis=0)
            area += (known * np.divide(found, seen, out=np.zeros_like(found), where=seen > 0)).sum(axis=0)
            hits, taken = found[-1], seen[-1]
        return np.asarray(np.divide(area, hits, out=np.full(len(times), np.nan), where=hits > 0))

    def _counts(self, start: int, size: int, *, only_known: bool) -> NDArray[np.float64]:
        """Count the links of each target that come in by each of some steps, (s, T)."""
        stop = min(start + size, self._n_steps)
        first, last = np.searchsorted(self._step, [start, stop])
        kept = self._known[first:last] if only_known else slice(None)
        cells = (self._step[first:last] - start)[kept] * self._n_targets + self._targets[first:last][kept]
        counted = np.bincount(cells, minlength=(stop - start) * self._n_targets)
        return counted.reshape(-1, self._n_targets).astype(np.float64)


def auprc_place(
    strength: NDArray[np.floating],
    known: NDArray[np.bool_],
    *,
    judged: NDArray[np.bool_],
    seed: int,
    n_times: int = N_SHUFFLED,
) -> Place:
    """Find the place of a ranking's AUPRC among those by known links whose target genes were exchanged at random.

    Each regulator keeps how many known targets it has, and known targets of several regulators stay so: a ranking that
    only knows which regulators have many targets gains nothing.

    Parameters
    ----------
    strength, known, judged
        (R, T) of each link: strength, whether it is known, whether it is judged.
    """
    rng, values = np.random.default_rng(seed), strength[judged]
    order = np.argsort(-_numbers(values), kind="stable")
    last = np.r_[_numbers(values)[order][1:] != _numbers(values)[order][:-1], True]
    own = _area(known[judged][order], last)
    others = [_area(known[:, rng.permutation(known.shape[1])][judged][order], last) for _ in range(n_times)]
    return place_of(own, others)


def _area(known: NDArray[np.bool_], last: NDArray[np.bool_]) -> float:
    """Average precision of links in their order, (L,), with the last of each group of equal ones marked, (L,)."""
    hits, taken = np.cumsum(known)[last].astype(np.float64), np.flatnonzero(last) + 1.0
    return (
        float((np.diff(hits, prepend=0.0) * hits / taken).sum() / hits[-1])
        if len(hits) and hits[-1]
        else np.nan
    )


def _numbers(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Let links without strength come last, (L,) -> (L,)."""
    return np.nan_to_num(values.astype(np.float64), nan=-np.inf, neginf=-np.inf, posinf=np.inf)


def overlap(hits: int, *, n_chosen: int, n_known: int, n_all: int) -> Overlap:
    """Compare the hits among chosen items with chance.

    Parameters
    ----------
    hits
        Chosen items that are known.
    n_all
        Items that could have been chosen.

    Raises
    ------
    ValueError
        If there cannot be so many.

    Examples
    --------
    >>> found = overlap(2, n_chosen=2, n_known=2, n_all=4)
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
    """Compare the strongest links, (L,), with known ones, (L,); of equal strengths the earlier counts."""
    order = np.argsort(-np.nan_to_num(strength, nan=-np.inf), kind="stable")[:n_top]
    hits, n_known = int(known[order].sum()), int(known.sum())
    return overlap(hits, n_chosen=len(order), n_known=n_known, n_all=len(known))
