"""Two conditions compared donor by donor: Student's t on one number of each sample, and the same for many genes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma, polygamma, stdtr, stdtrit

from scviz.metrics.evidence import LEVEL

FEWEST_DONORS = 2
"""In each condition: one says nothing of how much donors differ among themselves."""
FEWEST_TO_SHARE = 50
"""Genes from which the spread of all says something about that of one."""
TREND_DEGREE = 3
"""Of the curve of variance over mean expression."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """Which samples are compared; a sample is the cells of a donor in a condition."""

    first: NDArray[np.int64]
    """(n,) rows of the samples of the first condition."""
    second: NDArray[np.int64]
    """(m,) rows of the second; where donors are compared with themselves, in the order of `first`."""
    paired: bool
    """Whether the same donors are in both conditions and compared with themselves."""
    n_single: int = 0
    """Donors in one condition only that a paired comparison leaves out."""

    @property
    def rows(self) -> NDArray[np.int64]:
        """(n + m,) all samples, those of the first condition first."""
        return np.concatenate([self.first, self.second])

    @property
    def enough(self) -> bool:
        """Whether donors can be compared at all."""
        return min(len(self.first), len(self.second)) >= FEWEST_DONORS


def enough_in_both(n_both: int, n_first: int, n_second: int) -> bool:
    """Tell whether donors are compared with themselves and the others left out: two, and half of the smaller side.

    Examples
    --------
    >>> enough_in_both(2, 8, 8), enough_in_both(4, 8, 20)
    (False, True)
    """
    return n_both >= FEWEST_DONORS and 2 * n_both >= min(n_first, n_second)


def design_of(sides: NDArray[np.integer], donors: NDArray[np.integer]) -> Design:
    """Decide how samples are compared: donors with themselves where `enough_in_both`.

    Parameters
    ----------
    sides
        (S,) 0 for the first condition, 1 for the second.
    donors
        (S,) donor of each sample; none has two samples in a condition.

    Examples
    --------
    >>> design_of(np.array([0, 0, 1, 1]), np.array([5, 6, 6, 5])).second
    array([3, 2])
    >>> design_of(np.array([0, 0, 1, 1]), np.array([5, 6, 7, 8])).paired
    False
    """
    first, second = (np.flatnonzero(sides == side) for side in (0, 1))
    both = np.intersect1d(donors[first], donors[second])
    if not enough_in_both(len(both), len(first), len(second)):
        return Design(first=first, second=second, paired=False)
    first, second = (rows[np.isin(donors[rows], both)] for rows in (first, second))
    return Design(
        first=first[np.argsort(donors[first])],
        second=second[np.argsort(donors[second])],
        paired=True,
        n_single=len(np.setdiff1d(donors, both)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    """The first condition less the second, in F numbers."""

    mean: NDArray[np.float64]
    """(F,) of the mean over donors."""
    error: NDArray[np.float64]
    """(F,) standard error; NaN with one donor in a condition."""
    freedom: NDArray[np.float64]
    """(F,) degrees of freedom."""

    @property
    def p_value(self) -> NDArray[np.float64]:
        """(F,) two-sided; NaN where nothing varies."""
        with np.errstate(divide="ignore", invalid="ignore"):
            t = np.abs(self.mean) / self.error
        return np.where(self.error > 0, 2 * stdtr(self.freedom, -t), np.nan)

    def half_width(self, level: float = LEVEL) -> NDArray[np.float64]:
        """Give half of the length of each interval, (F,); `level` is the share of intervals that may miss."""
        return np.asarray(stdtrit(self.freedom, 1 - level / 2) * self.error)


def differences(
    values: NDArray[np.floating], design: Design, *, least: NDArray[np.floating] | None = None
) -> Differences:
    """Compare conditions by Student's t: of the differences within donors where these are paired, else Welch's.

    Parameters
    ----------
    values
        (S, F) numbers of each sample.
    least
        (S, F) variance that each number has from counting alone: no error is smaller than that of counting.

    Examples
    --------
    >>> values = np.array([[3.0], [5.0], [1.0], [2.0]])
    >>> paired = design_of(np.array([0, 0, 1, 1]), np.array([1, 2, 1, 2]))
    >>> found = differences(values, paired)
    >>> found.mean, found.error, found.freedom
    (array([2.5]), array([0.5]), array([1.]))
    """
    first, second = (values[rows].astype(np.float64) for rows in (design.first, design.second))
    n, m = len(first), len(second)
    n_numbers = values.shape[1]
    mean = first.mean(axis=0) - second.mean(axis=0)
    if not design.enough:
        unknown = np.full(n_numbers, np.nan)
        return Differences(mean=mean, error=unknown, freedom=unknown)
    if design.paired:
        variance = (first - second).var(axis=0, ddof=1) / n
        freedom = np.full(n_numbers, n - 1.0)
    else:
        parts = first.var(axis=0, ddof=1) / n, second.var(axis=0, ddof=1) / m
        variance = parts[0] + parts[1]
        below = parts[0] ** 2 / (n - 1) + parts[1] ** 2 / (m - 1)
        with np.errstate(divide="ignore", invalid="ignore"):
            freedom = np.where(below > 0, variance**2 / below, n + m - 2.0)
    if least is not None:
        counting = least[design.first].sum(axis=0) / n**2 + least[design.second].sum(axis=0) / m**2
        variance = np.maximum(variance, counting)
    return Differences(mean=mean, error=np.sqrt(variance), freedom=freedom)


def moderated_differences(values: NDArray[np.floating], design: Design) -> Differences:
    """Compare conditions gene by gene; genes of like expression share what is known of their spread.

    The variance of each gene (of the differences within donors where these are paired, else pooled) is drawn towards a
    trend over mean expression, by as much as genes agree with it: with three donors, that of one gene says little.

    Parameters
    ----------
    values
        (S, G) log2 expression of each sample, of genes with enough counts.

    References
    ----------
    Smyth (2004), doi:10.2202/1544-6115.1027; with a trend, Law et al. (2014), doi:10.1186/gb-2014-15-2-r29.
    """
    first, second = (values[rows].astype(np.float64) for rows in (design.first, design.second))
    n, m = len(first), len(second)
    mean = first.mean(axis=0) - second.mean(axis=0)
    if not design.enough or not len(mean):
        unknown = np.full(len(mean), np.nan)
        return Differences(mean=mean, error=unknown, freedom=unknown)
    if design.paired:
        variance, freedom, scale = (first - second).var(axis=0, ddof=1), n - 1.0, 1 / n
    else:
        squares = n * first.var(axis=0) + m * second.var(axis=0)
        variance, freedom, scale = squares / (n + m - 2), n + m - 2.0, 1 / n + 1 / m
    shared, weight = _shared_variance(variance, freedom, values[design.rows].mean(axis=0))
    alike = np.isinf(weight)
    kept = shared if alike else (weight * shared + freedom * variance) / (weight + freedom)
    total = min(weight + freedom, freedom * len(mean))
    return Differences(mean=mean, error=np.sqrt(kept * scale), freedom=np.full(len(mean), total))


def _shared_variance(
    variance: NDArray[np.float64], freedom: float, level: NDArray[np.float64]
) -> tuple[NDArray[np.float64], float]:
    """Give the variance that genes of like expression share, (G,), and how many degrees of freedom it stands for."""
    usual = float(np.median(variance))
    if len(variance) < FEWEST_TO_SHARE or usual <= 0:
        return variance, 0.0
    logs = np.log(np.maximum(variance, 1e-5 * usual))
    logs = logs - digamma(freedom / 2) + np.log(freedom / 2)
    place = (level - level.mean()) / (level.std() or 1.0)
    trend = np.polynomial.Polynomial.fit(place, logs, TREND_DEGREE)(place)
    beyond = float(np.sum((logs - trend) ** 2) / (len(logs) - TREND_DEGREE - 1) - polygamma(1, freedom / 2))
    if beyond <= 0:
        return np.exp(trend), float("inf")
    weight = 2 * _inverse_trigamma(beyond)
    return np.exp(trend + digamma(weight / 2) - np.log(weight / 2)), weight


def _inverse_trigamma(value: float) -> float:
    """Find x with trigamma(x) = value by Newton's steps on 1 / trigamma, which are sure to get there."""
    x = 0.5 + 1 / value
    for _ in range(50):
        at = float(polygamma(1, x))
        step = at * (1 - at / value) / float(polygamma(2, x))
        x += step
        if abs(step) < 1e-8 * x:
            break
    return x


def log_levels(sums: NDArray[np.integer]) -> NDArray[np.float64]:
    """Make sums of samples comparable: log2 of counts, scaled by the median ratio to the mean sample.

    A few genes that rise strongly take reads from all others; the median gene does not follow them.

    Parameters
    ----------
    sums
        (S, G) counts of genes that most samples have.

    Returns
    -------
    (S, G) log2 of scaled counts, one count added in a sample of mean size.

    References
    ----------
    Anders and Huber (2010), doi:10.1186/gb-2010-11-10-r106.
    """
    logs = np.log2(sums + 0.5)
    sizes = 2.0 ** np.median(logs - logs.mean(axis=0), axis=1)  # (S,)
    return np.asarray(np.log2(sums / sizes[:, None] + 1))


def swapped(design: Design, rng: np.random.Generator) -> Design:
    """Exchange the conditions of half of the donors, drawn at random: what then differs is chance."""
    n, m = len(design.first), len(design.second)
    if design.paired:
        chosen = rng.permutation(n) < n // 2
        first = np.where(chosen, design.second, design.first)
        return Design(first=first, second=np.where(chosen, design.first, design.second), paired=True)
    out, into = rng.permutation(n) < n // 2, rng.permutation(m) < m // 2
    return Design(
        first=np.concatenate([design.first[~out], design.second[into]]),
        second=np.concatenate([design.second[~into], design.first[out]]),
        paired=False,
    )
