"""Sets of types that hold the true one as often as promised, where new cells are like those that set the bar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scviz.metrics.evidence import Interval, bootstrap

NONE_KNOWN = "none of the known types"
"""What an empty set says."""
BETWEEN = " | "
"""Stands between the types of a set."""
ROUNDING = 1e-8
"""Probabilities that miss the bar by less than this are let in."""


def conformal_quantile(scores: NDArray[np.floating], coverage: float) -> float:
    """Give the bar: the k-th smallest of n scores, k = ceil((n + 1) coverage); infinite where k is above n.

    Parameters
    ----------
    scores
        (n,) how odd each calibration cell is under its known type; higher is odder.
    coverage
        Share of new cells whose true type shall be in its set, from 0 to 1.

    Examples
    --------
    >>> conformal_quantile(np.arange(1.0, 20.0), 0.9), conformal_quantile(np.arange(8.0), 0.9)
    (18.0, inf)
    """
    k = int(np.ceil((len(scores) + 1) * coverage - 1e-9))
    return float(np.sort(scores)[k - 1]) if 1 <= k <= len(scores) else float("inf")


def least_cells(coverage: float) -> int:
    """Give the fewest calibration cells with which a set can leave any type out.

    Examples
    --------
    >>> least_cells(0.9), least_cells(0.95)
    (9, 19)
    """
    return int(np.ceil(1 / (1 - coverage) - 1 - 1e-9))


def deviation_by_chance(coverage: float, *, n_calibrating: int, n_judged: int) -> float:
    """Give the standard deviation of the observed coverage where the promise is kept: of the bar, and of the cells.

    Over many divisions of exchangeable cells the promise holds. In one of them the bar, drawn from so many calibration
    cells, holds a share that follows a beta distribution, and so many judged cells show it with a binomial error.

    References
    ----------
    Angelopoulos and Bates (2023), doi:10.1561/2200000101, section 3.2.

    Examples
    --------
    >>> round(deviation_by_chance(0.9, n_calibrating=252, n_judged=700), 3)
    0.022
    """
    held = min(np.ceil((n_calibrating + 1) * coverage - 1e-9) / (n_calibrating + 1), 1.0)
    return float(np.sqrt(held * (1 - held) * (1 / (n_calibrating + 2) + 1 / n_judged)))


def least_by_chance(coverage: float, *, n_calibrating: int, n_judged: int) -> float:
    """Give the coverage below which fewer than 2.5 % of the divisions lie where the promise is kept.

    Examples
    --------
    >>> round(least_by_chance(0.9, n_calibrating=252, n_judged=700), 3)
    0.857
    """
    return coverage - 1.96 * deviation_by_chance(coverage, n_calibrating=n_calibrating, n_judged=n_judged)


def lac_scores(probabilities: NDArray[np.floating]) -> NDArray[np.float64]:
    """Score every type of every cell by what its probability lacks of 1, (N, K).

    Parameters
    ----------
    probabilities
        (N, K) of each type.

    References
    ----------
    Sadinle, Lei and Wasserman (2019), doi:10.1080/01621459.2017.1395341 (least ambiguous sets).
    """
    return 1 - np.asarray(probabilities, dtype=np.float64)


def aps_scores(
    probabilities: NDArray[np.floating],
    u: NDArray[np.floating] | None = None,
    *,
    penalty: float = 0.0,
    free: int = 0,
) -> NDArray[np.float64]:
    """Score every type of every cell by the probability of all types at or above it, (N, K).

    Parameters
    ----------
    probabilities
        (N, K) of each type.
    u
        (N,) random numbers from 0 to 1, the share of a type's own probability that is taken off again; with them the
        coverage is exact. None takes off nothing, and sets are larger than needed.
    penalty
        Added for each rank beyond `free`, which keeps sets small (RAPS).
    free
        Ranks without penalty.

    References
    ----------
    Romano, Sesia and Candes (2020), arXiv:2006.02544; Angelopoulos et al. (2021), arXiv:2009.14193.

    Examples
    --------
    >>> aps_scores(np.array([[0.1, 0.6, 0.3]])).round(3).tolist()
    [[1.0, 0.6, 0.9]]
    """
    given = np.asarray(probabilities, dtype=np.float64)
    order = np.argsort(-given, axis=1, kind="stable")
    sums = np.cumsum(np.take_along_axis(given, order, axis=1), axis=1)
    ranks = np.arange(1, given.shape[1] + 1)
    scores = np.empty_like(given)
    np.put_along_axis(scores, order, sums + penalty * np.maximum(0, ranks - free), axis=1)
    return scores if u is None else scores - np.asarray(u)[:, None] * given


def own_scores(scores: NDArray[np.floating], truth: NDArray[np.integer]) -> NDArray[np.float64]:
    """Take the score of each cell's known type, (n,).

    Parameters
    ----------
    scores
        (n, K) of every type.
    truth
        (n,) known types.
    """
    return np.asarray(np.take_along_axis(scores, np.asarray(truth)[:, None], axis=1)[:, 0], dtype=np.float64)


def bars_by_class(
    scores: NDArray[np.floating], truth: NDArray[np.integer], *, n_types: int, coverage: float
) -> NDArray[np.float64]:
    """Give each type its own bar, (K,), so that the promise holds for every type by itself.

    Parameters
    ----------
    scores
        (n,) of the known type of each calibration cell.
    truth
        (n,) known types. A type with too few cells has an infinite bar: it is in every set.
    """
    return np.array([conformal_quantile(scores[truth == code], coverage) for code in range(n_types)])


def sets_below(
    scores: NDArray[np.floating], bars: NDArray[np.floating] | float, *, slack: float = ROUNDING
) -> NDArray[np.bool_]:
    """Keep the types of each cell that are no odder than the bar, (N, K); a set may be empty.

    Parameters
    ----------
    scores
        (N, K) of every type.
    bars
        One for all types, or (K,).
    """
    return np.asarray(scores <= np.asarray(bars) + slack)


def conformal_p(
    calibration: NDArray[np.floating],
    scores: NDArray[np.floating],
    theta: NDArray[np.floating] | None = None,
) -> NDArray[np.float64]:
    """Give the share of calibration cells that are as odd or odder, the new cell itself counted, as `scores` is shaped.

    Parameters
    ----------
    calibration
        (n,) scores of known types.
    scores
        Of new cells, any shape.
    theta
        Random numbers from 0 to 1, shaped so that they stretch to `scores`: the share of ties that counts. None counts
        all.

    References
    ----------
    Vovk, Gammerman and Shafer (2022), doi:10.1007/978-3-031-06649-8.
    """
    ordered = np.sort(calibration)
    above = len(ordered) - np.searchsorted(ordered, scores, side="right")
    equal = len(ordered) - np.searchsorted(ordered, scores, side="left") - above
    share = 1.0 if theta is None else theta
    return np.asarray((above + share * (equal + 1)) / (len(ordered) + 1), dtype=np.float64)


def set_names(sets: NDArray[np.bool_], types: Sequence[str]) -> NDArray[np.object_]:
    """Write each set, (N, K) -> (N,), its types in their order; an empty one says that none of them fits.

    Parameters
    ----------
    sets
        (N, K) types of each cell.
    types
        K names.

    Examples
    --------
    >>> set_names(np.array([[True, True], [False, False]]), ["B cell", "T cell"]).tolist()
    ['B cell | T cell', 'none of the known types']
    """
    unique, place = np.unique(sets, axis=0, return_inverse=True)
    words = [
        BETWEEN.join(name for name, inside in zip(types, row, strict=True) if inside) or NONE_KNOWN
        for row in unique
    ]
    return np.array(words, dtype=object)[place.ravel()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How often sets hold the true type, and how much they say."""

    observed: Interval
    """Share of cells whose set holds the true type."""
    size: float
    """Mean number of types in a set."""
    single: float
    """Share of cells with one type."""
    empty: float
    """Share of cells with none."""


def coverage_of(
    sets: NDArray[np.bool_], truth: NDArray[np.integer], *, clusters: NDArray[np.generic] | None = None
) -> Coverage:
    """Count how often sets hold the true type.

    Parameters
    ----------
    sets
        (M, K) types of each cell.
    truth
        (M,) known types.
    clusters
        (M,) donor or batch of each cell, which are drawn whole for the interval.

    Examples
    --------
    >>> found = coverage_of(np.array([[True, False], [True, True]]), np.array([1, 0]))
    >>> found.observed.mean, found.size, found.single
    (0.5, 1.5, 0.5)
    """
    nothing = float("nan")
    sizes = sets.sum(axis=1)
    held = np.take_along_axis(sets, np.asarray(truth)[:, None], axis=1)[:, 0] if len(truth) else sizes
    return Coverage(
        observed=bootstrap(held.astype(np.float64), clusters=clusters),
        size=float(sizes.mean()) if len(truth) else nothing,
        single=float((sizes == 1).mean()) if len(truth) else nothing,
        empty=float((sizes == 0).mean()) if len(truth) else nothing,
    )
