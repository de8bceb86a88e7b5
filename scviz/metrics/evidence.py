"""How sure a number is: intervals, chance, random genes expressed alike, and what a model gains over its baseline.

Every task judges with these and nothing else, so that one word means one thing on every page.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scviz.metrics.remembered import Remembered

LEVEL = 0.05
"""Share of false findings that is accepted, and one less the level of every interval."""
N_TIMES = 2000
"""Bootstrap samples."""
DRAWN_AT_ONCE = 4_000_000
"""Numbers that the drawing of units holds at a time."""
FEWEST_UNITS = 6
"""Fewer cells, perturbations or modules than this give no interval: by chance alone, five lie on one side of 0 in one
case of 16, more often than intervals may miss."""
WORTHWHILE = 0.05
"""The smallest difference of a score from 0 to 1 that a reader would act on."""

KNOWN = Remembered["Interval"](4000)
"""Intervals of averages: a page that shows a finished run asks for the same ones with every click."""

Outcome = Literal["better", "worse", "none", "unknown"]
"""`none` says that a gain worth having is ruled out; `unknown` that these data cannot tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A number with its 95 % interval; the bounds are NaN where too little is known for one."""

    mean: float
    low: float
    high: float
    n: int
    """Units that it was taken over."""

    @property
    def known(self) -> bool:
        """Whether there are bounds."""
        return self.low <= self.high


def bootstrap(
    values: ArrayLike,
    *,
    clusters: ArrayLike | None = None,
    seed: int = 0,
    level: float = LEVEL,
    fewest: int = FEWEST_UNITS,
) -> Interval:
    """Average values and draw them again and again for the interval of the average.

    Parameters
    ----------
    values
        (M,) one of each unit; NaN is left out.
    clusters
        (M,) cluster of each unit: whole clusters are drawn where units of one rise and fall together.
    level
        Share of intervals that may miss; LEVEL by the number of intervals, where all of them together must hold.
    fewest
        Fewer values give no interval: the draws of a few are too much alike to say how far their mean may be off.

    Examples
    --------
    >>> bootstrap([2.0, 2.0, 2.0, 2.0, 2.0, 2.0, np.nan])
    Interval(mean=2.0, low=2.0, high=2.0, n=6)
    >>> bootstrap([2.0, 1.0]).known
    False
    """
    given = np.asarray(values, dtype=np.float64)
    known = np.isfinite(given)
    own = given[known]
    codes = np.arange(len(own))
    if clusters is not None:
        codes = np.unique(np.asarray(clusters)[known], return_inverse=True)[1]
    sums, sizes = np.bincount(codes, weights=own), np.bincount(codes)

    def mean(times: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.asarray(times @ sums / (times @ sizes))

    found = KNOWN.answer(
        (own, codes, seed, level), lambda: resample(mean, len(sizes), seed=seed, level=level)
    )
    return found if len(own) >= fewest else replace(found, low=float("nan"), high=float("nan"))


def resample(
    statistic: Callable[[NDArray[np.int64]], NDArray[np.float64]],
    n_units: int,
    *,
    alike: ArrayLike | None = None,
    strata: ArrayLike | None = None,
    seed: int = 0,
    n_times: int = N_TIMES,
    level: float = LEVEL,
) -> Interval:
    """Draw units again and again for the interval of any statistic.

    Parameters
    ----------
    statistic
        Takes (B, n_units) how often each unit counts in each of B draws and gives (B,); NaN where it is not defined.
    alike
        (n_units,) how many equal units each one stands for; 1 each if it is left out.
    strata
        (n_units,) stratum of each unit: every draw holds as many of each stratum as the data do.

    References
    ----------
    Hesterberg (2015), doi:10.1080/00031305.2015.1089789, "expanded percentile": the quantiles are taken farther out, as
    far as Student's t is wider than the normal curve, since draws of few units vary too little. With 6 units and
    nothing to find, intervals miss 0 in 6 % of cases instead of 13 %.
    """
    nothing = float("nan")
    if not n_units:
        return Interval(mean=nothing, low=nothing, high=nothing, n=0)
    from scipy.stats import norm, t  # loads slowly, and pages only count and quote

    times = np.ones(n_units, dtype=np.int64) if alike is None else np.asarray(alike, dtype=np.int64)
    own, n = float(statistic(times[None])[0]), int(times.sum())
    if n < FEWEST_UNITS:
        return Interval(mean=own, low=nothing, high=nothing, n=n)
    codes = np.zeros(n_units) if strata is None else np.asarray(strata)
    groups = [np.flatnonzero(codes == code) for code in np.unique(codes)]
    rng, at_once = np.random.default_rng(seed), max(1, DRAWN_AT_ONCE // n_units)
    sizes = [min(at_once, n_times - start) for start in range(0, n_times, at_once)]
    drawn = np.concatenate([statistic(_draws(rng, times, groups, size=size)) for size in sizes])
    drawn = drawn[np.isfinite(drawn)]
    tail = norm.sf(np.sqrt(n / (n - 1)) * t.isf(level / 2, n - 1))
    low, high = np.quantile(drawn, [tail, 1 - tail]) if len(drawn) else (nothing, nothing)
    return Interval(mean=own, low=float(low), high=float(high), n=n)


def _draws(
    rng: np.random.Generator, times: NDArray[np.int64], groups: Sequence[NDArray[np.int64]], *, size: int
) -> NDArray[np.int64]:
    """Draw units with replacement within each group, (size, n_units) how often each came."""
    counts = np.zeros((size, len(times)), dtype=np.int64)
    for rows in groups:
        n = int(times[rows].sum())
        counts[:, rows] = rng.multinomial(n, times[rows] / n, size=size)
    return counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """What a model gains over the best of its baselines, on the same units."""

    model: str
    """Name of what is judged, such as "Geneformer"."""
    baseline: str
    score: float
    baseline_score: float
    difference: Interval
    """Of the scores, above 0 where the model is better."""
    unit: str
    """Name of the score in plain words."""
    counted: str
    """What was drawn again, in the plural: "held-out cells", "perturbations"."""
    n: int
    """Of these, how many both were judged on; clusters of them may be fewer."""
    worthwhile: float = WORTHWHILE
    """Smallest difference that a reader would act on."""
    together: int = 1
    """Comparisons whose intervals were widened so that all of them hold at once."""

    @property
    def outcome(self) -> Outcome:
        """Judge the interval: a gain that is not seen is ruled out only where the interval ends below `worthwhile`."""
        if not self.difference.known:
            return "unknown"
        if self.difference.low > 0:
            return "better"
        if self.difference.high < 0:
            return "worse"
        return "none" if self.difference.high < self.worthwhile else "unknown"

    @property
    def needed(self) -> int:
        """About how many units would tell: an interval as wide as `worthwhile` has no room for it and for 0.

        It is 0 where that cannot be said, and more than there are wherever the outcome is unknown.
        """
        width = self.difference.high - self.difference.low
        return round(self.n * (width / self.worthwhile) ** 2) if width > 0 else 0

    @property
    def sentence(self) -> str:
        """Say what was found: number, compared with what, on how many, how sure.

        Examples
        --------
        >>> difference = Interval(mean=0.1, low=0.05, high=0.15, n=90)
        >>> Gain(
        ...     model="scGPT", baseline="logistic regression", score=0.9, baseline_score=0.8, difference=difference,
        ...     unit="cells named right", counted="held-out cells", n=90,
        ... ).sentence
        'scGPT is better than logistic regression: cells named right 0.900 compared with 0.800 on 90 held-out cells \
(difference +0.100, 95 % interval +0.050 to +0.150).'
        """
        numbers = f"{self.unit} {self.score:.3f} compared with {self.baseline_score:.3f} on {self.n:,} {self.counted}"
        gap = self.difference
        lead = f"Cannot tell whether {self.model} is better than {self.baseline}"
        if not gap.known:
            return f"{lead}: {numbers}, too few for an interval."
        widened = f" of {self.together:,} comparisons together" if self.together > 1 else ""
        numbers += f" (difference {gap.mean:+.3f}, 95 % interval{widened} {gap.low:+.3f} to {gap.high:+.3f})"
        if self.outcome == "unknown":
            wanted = f"About {self.needed:,} {self.counted} would show"
            return f"{lead}: {numbers}. {wanted} a difference of {self.worthwhile:g}, or rule it out."
        lead = {
            "better": f"{self.model} is better than {self.baseline}",
            "worse": f"{self.model} is worse than {self.baseline}",
            "none": f"No gain on this dataset over {self.baseline}",
        }[self.outcome]
        return f"{lead}: {numbers}."


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a number stands among those of random genes, cells or sets."""

    own: float
    low: float
    high: float
    """Where 95 % of the random ones lie."""
    rank: int
    """1 if it is farther out than all of them; equal ones come before it."""
    n: int
    """Random ones."""

    @property
    def p(self) -> float:
        """Give the share that is as far out, the number itself counted; NaN without random ones."""
        return self.rank / (self.n + 1) if self.n else float("nan")

    @property
    def words(self) -> str:
        """Say the place, such as "2nd of 201".

        Examples
        --------
        >>> place_of(3.0, [1.0, 4.0, 2.0]).words
        '2nd of 4'
        """
        return f"{ordinal(self.rank)} of {self.n + 1:,}"


def place_of(own: float, others: ArrayLike) -> Place:
    """Find the place of a number among random ones.

    Parameters
    ----------
    others
        (R,) of the random ones; NaN is left out.

    Examples
    --------
    >>> place_of(3.0, [1.0, 2.0, 4.0]).p
    0.5
    """
    known = np.asarray(others, dtype=np.float64)
    known = known[np.isfinite(known)]
    nothing = float("nan")
    if np.isnan(own) or not len(known):
        return Place(own=own, low=nothing, high=nothing, rank=0, n=0)
    low, high = np.quantile(known, [LEVEL / 2, 1 - LEVEL / 2])
    return Place(own=own, low=float(low), high=float(high), rank=1 + int((known >= own).sum()), n=len(known))


def fdr(p: ArrayLike) -> NDArray[np.float64]:
    """Give the false discovery rate at which each of (T,) tests passes (Benjamini-Hochberg); NaN stays NaN.

    Raises
    ------
    ValueError
        If a p is below 0 or above 1.

    Examples
    --------
    >>> fdr([0.01, np.nan, 0.04]).tolist()
    [0.02, nan, 0.04]
    """
    given = np.asarray(p, dtype=np.float64)
    known = np.isfinite(given)
    rates = np.full(given.shape, np.nan)
    tests = given[known]
    if np.any((tests < 0) | (tests > 1)):
        raise ValueError(f"p values lie between 0 and 1, not {tests.min()} to {tests.max()}")
    order = np.argsort(tests)
    passing = tests[order] * len(tests) / np.arange(1, len(tests) + 1)
    tests[order] = np.minimum.accumulate(passing[::-1])[::-1].clip(max=1.0)
    rates[known] = tests
    return rates


def random_needed(n_tests: int, *, level: float = LEVEL) -> int:
    """Give how many random ones it takes for the best of several tests to pass, were it alone farther out than all.

    Examples
    --------
    >>> random_needed(1), random_needed(50)
    (19, 999)
    """
    return int(np.ceil(n_tests / level)) - 1


def bar_of(others: ArrayLike, n_tests: int, *, level: float = LEVEL) -> float:
    """Give what the best of several tests must be above to pass, were it alone; NaN with too few random ones.

    Parameters
    ----------
    others
        (R,) of the random ones; NaN is left out.

    Examples
    --------
    >>> bar_of(range(1, 100), 1), bar_of(range(1, 100), 5), bar_of(range(1, 100), 6)
    (95.0, 99.0, nan)
    """
    known = np.sort(np.asarray(others, dtype=np.float64))
    known = known[np.isfinite(known)]
    rank = int((len(known) + 1) * level / n_tests + 1e-9)  # the last that passes
    return float(known[-rank]) if rank else float("nan")


def auroc(values: ArrayLike, positive: ArrayLike) -> float:
    """Give the chance that a positive has the higher value; NaN where all or none of (N,) are positive.

    Examples
    --------
    >>> auroc([3.0, 2.0, 1.0], [True, False, False])
    1.0
    """
    own = np.asarray(positive, dtype=bool)
    n, others = int(own.sum()), int((~own).sum())
    if not n or not others:
        return float("nan")
    from scipy.stats import rankdata

    ranks = rankdata(np.asarray(values, dtype=np.float64))
    return float((ranks[own].sum() - n * (n + 1) / 2) / (n * others))


def pearson(one: ArrayLike, two: ArrayLike) -> NDArray[np.float64]:
    """Correlate along the last axis, (..., G) and (..., G) -> (...); NaN where either does not vary.

    Examples
    --------
    >>> pearson([[1.0, 2.0], [1.0, 1.0]], [2.0, 4.0]).tolist()
    [1.0, nan]
    """
    first, second = (np.asarray(values, dtype=np.float64) for values in (one, two))
    first = first - first.mean(axis=-1, keepdims=True)
    second = second - second.mean(axis=-1, keepdims=True)
    spread = np.sqrt((first**2).sum(axis=-1) * (second**2).sum(axis=-1))
    product = np.asarray((first * second).sum(axis=-1))
    return np.asarray(np.divide(product, spread, out=np.full(product.shape, np.nan), where=spread > 0))


def ordinal(number: int) -> str:
    """Write a place.

    Examples
    --------
    >>> ordinal(1), ordinal(12), ordinal(1003)
    ('1st', '12th', '1,003rd')
    """
    ends = {1: "st", 2: "nd", 3: "rd"}
    end = "th" if number % 100 in (11, 12, 13) else ends.get(number % 10, "th")
    return f"{number:,}{end}"


def counted(number: int, noun: str) -> str:
    """Write a number and what it counts.

    Examples
    --------
    >>> counted(1, "gene"), counted(1200, "gene")
    ('1 gene', '1,200 genes')
    """
    return f"{number:,} {noun if number == 1 else f'{noun}s'}"
