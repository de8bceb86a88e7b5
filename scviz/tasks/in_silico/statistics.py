"""From values of cells to shifts: mean, interval over cells, place among random genes that are expressed alike.

One edit is ranked among random genes that are expressed alike. The edits of a list share theirs, and those of all
genes are compared with all genes, or a random part of them; so that genes of different expression can be compared,
each number is first measured from the median of the random genes nearest in expression. Ranks among shared random
genes keep the false discovery rate (Bates et al., 2023).

A rank cannot tell one gene of thousands. Of all genes, p is the tail beyond the twentieth that moves cells farthest: it
is taken to fall exponentially with the logarithm of how far cells move, which is too slow, and so too strict, wherever
the logarithms have a log-concave distribution (a normal one, say). The correction runs over all genes that were
screened, so that the best of them may be chosen and tested in the same cells.

References
----------
Bates et al. (2023), Testing for outliers with conformal p-values, doi:10.1214/22-AOS2244.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scviz.metrics.evidence import LEVEL, bar_of, fdr, random_needed
from scviz.tasks.in_silico import Shift

N_RESAMPLES = 1000
RESAMPLED_AT_A_TIME = 256
SHARE = 5
"""The fifth of the random genes that is nearest in expression tells what is usual for a gene."""
FEWEST_NEAR, MOST_NEAR = 20, 250
FEWEST_IN_TAIL = 20
"""Random genes that tell how the tail falls: the farthest twentieth, but at least so many."""
TINY = 1e-12
"""Nothing moves a cell less far than rounding does."""
FEWEST_RANDOM = random_needed(1)
"""With fewer random genes not even the farthest of all passes 5 %."""

Null = Literal["own", "shared", "all"]
"""Each edit has random genes of its own, all share some, or all genes are compared with all (or a sample of them)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Random:
    """What the R random genes or sets do in one measure, and to whom they belong."""

    null: Null
    means: NDArray[np.float64]
    """(R,) mean of each over its cells; NaN where it changes nothing."""
    levels: NDArray[np.float64]
    """(R,) how high each is expressed, as a rank."""
    same: NDArray[np.int64]
    """(E,) which of them each edit is itself; -1 for none."""
    n_tests: int
    """Edits that the correction runs over, those that a screen left out among them."""
    both_sides: bool = False
    """Whether both directions count, as towards a goal."""


def means_of(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Average over the cells in which an edit changes something, (E,) of (E, n); NaN where there are none."""
    known = np.isfinite(values)
    n = known.sum(axis=1)
    sums = np.where(known, values, 0).sum(axis=1, dtype=np.float64)
    means: NDArray[np.float64] = np.divide(sums, n, out=np.full(len(values), np.nan), where=n > 0)
    return means


def intervals(values: NDArray[np.floating], *, seed: int) -> NDArray[np.float64]:
    """Give the 95 % bootstrap interval of each mean over cells, (E, 2) of (E, n); NaN for fewer than two cells."""
    n_cells = values.shape[1]
    rng = np.random.default_rng(seed)
    weights = rng.multinomial(n_cells, np.full(n_cells, 1 / max(n_cells, 1)), size=N_RESAMPLES)  # (B, n)
    bounds = np.full((len(values), 2), np.nan)
    for start in range(0, len(values), RESAMPLED_AT_A_TIME):
        part = values[start : start + RESAMPLED_AT_A_TIME].astype(np.float64)
        known = np.isfinite(part)
        n = weights @ known.T  # (B, e)
        sums = weights @ np.where(known, part, 0).T
        means = np.divide(sums, n, out=np.full(sums.shape, np.nan), where=n > 0)
        some = np.flatnonzero(known.sum(axis=1) >= 2)
        if len(some):
            bounds[start + some] = np.nanpercentile(means[:, some], (2.5, 97.5), axis=0).T
    return bounds


def shifts(values: NDArray[np.floating], levels: ArrayLike, random: Random, *, seed: int) -> list[Shift]:
    """Summarize edits.

    Parameters
    ----------
    values
        (E, n) of each edit and cell; NaN where an edit changes nothing.
    levels
        (E,) how high each edited gene is expressed, as a rank.
    """
    bounds = intervals(values, seed=seed)
    found = placed(means_of(values), levels, random)
    return [
        replace(one, low=float(low), high=float(high)) for one, (low, high) in zip(found, bounds, strict=True)
    ]


def placed(means: NDArray[np.float64], levels: ArrayLike, random: Random) -> list[Shift]:
    """Place the means of edits, (E,), among those of random genes; without intervals over cells.

    The band of random genes ends where p is 5 %: a mean outside it has p <= 0.05, and none inside it has.
    """
    scale = _Scale(random)
    middle, spread = scale.around(np.asarray(levels, dtype=np.float64))  # (E,), (E,)
    own = (scale.on(means) - middle) / spread
    ranks = np.array([scale.rank(value, same) for value, same in zip(own, random.same, strict=True)])
    p = np.where(np.isfinite(own) & (scale.n > 0), ranks / (scale.n + 1), np.nan)
    bar = scale.bar()
    if random.null == "all":
        p, bar = scale.fitted(own, ranks), scale.fitted_bar(LEVEL)
    rates = fdr([*p, *np.ones(max(0, random.n_tests - len(p)))])[: len(p)]
    low, high = scale.off(scale.band(bar)[:, None] * spread + middle)  # (2, E)
    center = scale.off(middle)
    return [
        Shift(
            mean=float(means[i]),
            low=float("nan"),
            high=float("nan"),
            random_middle=float(center[i]),
            random_low=float(low[i]),
            random_high=float(high[i]),
            n_random=scale.n,
            rank=int(ranks[i]) if np.isfinite(own[i]) else 0,
            p=float(p[i]),
            fdr=float(rates[i]),
        )
        for i in range(len(means))
    ]


def alone(random: Random) -> float:
    """Say how many times as far as is usual for it a gene alone would have to move cells to be found.

    NaN for goals, and where too few random genes let none pass.
    """
    scale = _Scale(random)
    if not scale.n or random.both_sides:
        return float("nan")
    of_all, n_tests = random.null == "all", random.n_tests
    return float(np.exp(scale.fitted_bar(LEVEL / n_tests) if of_all else bar_of(scale.standard, n_tests)))


class _Scale:
    """Random genes, and how each number stands among those expressed alike.

    How far cells move is compared by its logarithm, a shift towards a goal as it is. The random genes of one edit are
    alike already; among shared ones each number is measured from the median of the nearest, a shift towards a goal in
    units of their median distance from it, too. A random gene does not count among its own nearest, as no edit does.
    """

    def __init__(self, random: Random) -> None:
        self.random = random
        known = np.isfinite(random.means)
        self.place = np.cumsum(known) - 1  # of each random gene among the known ones
        self.known = known
        self.values = self.on(random.means[known])  # (r,)
        order = np.argsort(random.levels[known], kind="stable")
        self.sorted_levels, self.sorted_values = random.levels[known][order], self.values[order]
        self.standard = self.values - 0.0
        if self.n:
            near = min(self.n - 1, max(FEWEST_NEAR, min(MOST_NEAR, self.n // SHARE)))
            self.near = near
            middle, spread = self._nearest(np.arange(self.n), near, itself=True)
            self.standard = np.empty(self.n)
            self.standard[order] = (self.sorted_values - middle) / spread

    @property
    def n(self) -> int:
        """Random genes that change a cell."""
        return len(self.values)

    def on(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Turn numbers into what is compared, (...,)."""
        return values if self.random.both_sides else np.log(np.maximum(values, TINY))

    def off(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Turn what is compared into numbers, (...,)."""
        return values if self.random.both_sides else np.exp(values)

    def around(self, levels: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Give middle and spread of the random genes nearest to levels, (E,) and (E,)."""
        if not self.n:
            return np.full(len(levels), np.nan), np.full(len(levels), np.nan)
        places = np.searchsorted(self.sorted_levels, levels)
        return self._nearest(places, min(self.n, self.near + 1), itself=False)

    def _nearest(
        self, places: NDArray[np.int64], near: int, *, itself: bool
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Give middle and spread of the random genes around places of their order, (E,) and (E,)."""
        if self.random.null == "own" or near < 2:
            middle = float(np.median(self.values))
            return np.full(len(places), middle), np.ones(len(places))
        start = np.clip(places - near // 2, 0, self.n - near - itself)
        window = start[:, None] + np.arange(near)  # (E, near)
        if itself:
            window += window >= places[:, None]
        values = self.sorted_values[window]
        middle = np.median(values, axis=1)
        if not self.random.both_sides:
            return middle, np.ones(len(places))
        return middle, np.maximum(np.median(np.abs(values - middle[:, None]), axis=1), TINY)

    def far(self, standard: NDArray[np.float64] | float) -> NDArray[np.float64]:
        """Say how far out numbers are, (...,)."""
        values = np.asarray(standard, dtype=np.float64)
        return np.abs(values) if self.random.both_sides else values

    def rank(self, own: float, same: int) -> int:
        """Count the random genes that are as far out, the edit itself left out, and the edit."""
        out = self.far(self.standard) >= self.far(own)
        if same >= 0 and self.known[same]:
            out[self.place[same]] = False
        return 1 + int(out.sum())

    def bar(self) -> float:
        """Give how far out a number must be to have a p of 5 % by its rank; NaN where none can."""
        return bar_of(self.far(self.standard), 1)

    def band(self, bar: float) -> NDArray[np.float64]:
        """Give the standard numbers between which random genes lie, (2,)."""
        if not self.n:
            return np.full(2, np.nan)
        return np.array([-bar if self.random.both_sides else float(self.standard.min()), bar])

    def fitted(self, own: NDArray[np.float64], ranks: NDArray[np.int64]) -> NDArray[np.float64]:
        """Give p of standard numbers, (E,), by their ranks, (E,), and beyond most random genes by the tail."""
        if self.n < FEWEST_RANDOM:
            return np.full(len(own), np.nan)
        tail = self._tail()
        excess = self._log_far(own) - tail.start
        beyond = tail.share * (1 + np.maximum(excess, 0) / (tail.weight * tail.mean)) ** -tail.weight
        by_rank = ranks / (self.n + 1)
        return np.where(np.isfinite(own), np.where(excess > tail.mean * np.log(2), beyond, by_rank), np.nan)

    def fitted_bar(self, p: float) -> float:
        """Give how far out a standard number must be for a p of 5 % or less; NaN where the tail cannot tell."""
        if self.n < FEWEST_RANDOM:
            return float("nan")
        tail = self._tail()
        log_far = tail.start + tail.weight * tail.mean * ((tail.share / p) ** (1 / tail.weight) - 1)
        return float(np.exp(log_far)) if self.random.both_sides else float(log_far)

    def _tail(self) -> _Tail:
        """Fit the tail by its median, which a few genes that stand out do not move."""
        ordered = np.sort(self._log_far(self.standard))
        n_tail = min(self.n // 4, max(FEWEST_IN_TAIL, self.n // 20))
        start = float(ordered[-n_tail - 1])
        mean = float(np.median(ordered[-n_tail:]) - start) / np.log(2)
        return _Tail(
            start=start, mean=max(mean, TINY), share=(n_tail + 1) / (self.n + 1), weight=max(1.0, n_tail / 2)
        )

    def _log_far(self, standard: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give the logarithm of how far out numbers are, (...,)."""
        return np.log(np.maximum(self.far(standard), TINY)) if self.random.both_sides else standard


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tail:
    """An exponential tail of logarithms."""

    start: float
    mean: float
    """Of what goes beyond the start."""
    share: float
    """Of all that goes beyond."""
    weight: float
    """How many numbers the mean is as sure as: half of those in the tail, since it is taken from their median."""
