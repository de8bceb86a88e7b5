"""Thresholds of numbers that tell good cells from bad ones, and what is lost by them in each group of cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

N_MADS = 3.0
"""Median absolute deviations from the median beyond which a cell stands out (Leys et al. 2013,
doi:10.1016/j.jesp.2013.03.013)."""
N_BINS = 256
"""Bins in which the valley between two peaks is looked for."""
MOST_SMOOTHINGS = 10_000
EQUAL = 1e-6
"""A MAD below this part of the median comes from rounding, as in cells that were scaled to one sum."""
RARE = 20
"""Groups of at most so many cells are called rare."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What is allowed, both ends included; None leaves an end open."""

    low: float | None = None
    high: float | None = None

    @property
    def is_open(self) -> bool:
        """Whether everything is allowed."""
        return self.low is None and self.high is None

    @property
    def is_empty(self) -> bool:
        """Whether nothing lies between both ends."""
        return self.low is not None and self.high is not None and self.low > self.high


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """What a group of cells loses."""

    name: str
    n: int
    """Cells before."""
    lost: int

    @property
    def share(self) -> float:
        """Part of its cells that is lost, from 0 to 1."""
        return self.lost / self.n

    @property
    def is_grave(self) -> bool:
        """Whether more than half of the group is lost."""
        return 2 * self.lost > self.n


def usual_bounds(
    values: NDArray[np.floating], *, n_mads: float = N_MADS, logarithmic: bool = False
) -> Bounds:
    """Give the median less and plus some MADs, where MAD is the median of the distances from the median, not scaled.

    Parameters
    ----------
    values
        (N,) numbers, none negative; NaN is left out.
    n_mads
        How many MADs.
    logarithmic
        Whether median and MAD are those of log1p of the numbers.

    Returns
    -------
    An end is open where it would be 0 or less; both are where half of the numbers or more are equal but for rounding.

    Examples
    --------
    >>> usual_bounds(np.array([8.0, 9.0, 10.0, 11.0, 100.0]))
    Bounds(low=7.0, high=13.0)
    """
    known = values[np.isfinite(values)].astype(np.float64)
    if not len(known):
        return Bounds()
    shown = np.log1p(known) if logarithmic else known
    middle = float(np.median(shown))
    mad = float(np.median(np.abs(shown - middle)))
    if mad <= EQUAL * max(1.0, abs(middle)):
        return Bounds()
    low, high = middle - n_mads * mad, middle + n_mads * mad
    if logarithmic:
        low, high = float(np.expm1(low)), float(np.expm1(high))
    return Bounds(low=low if low > 0 else None, high=high)


def within(values: NDArray[np.floating], bounds: Bounds) -> NDArray[np.bool_]:
    """Tell which of (N,) numbers are allowed, (N,); NaN, of which nothing is known, is.

    Examples
    --------
    >>> within(np.array([1.0, 2.0, 3.0, np.nan]), Bounds(low=2.0)).tolist()
    [False, True, True, True]
    """
    allowed = np.ones(len(values), dtype=bool)
    if bounds.low is not None:
        allowed &= ~(values < bounds.low)
    if bounds.high is not None:
        allowed &= ~(values > bounds.high)
    return allowed


def losses(kept: NDArray[np.bool_], codes: NDArray[np.integer], names: Sequence[str]) -> tuple[Loss, ...]:
    """Count what each group loses, those with the largest share first.

    Parameters
    ----------
    kept
        (N,) True for cells that are kept.
    codes
        (N,) position of the group of each cell in `names`; -1 for cells of none, which are called "no label".

    Examples
    --------
    >>> losses(np.array([True, False, True]), np.array([0, 0, 1]), ("B", "T"))
    (Loss(name='B', n=2, lost=1), Loss(name='T', n=1, lost=0))
    """
    places = np.where(codes < 0, len(names), codes)
    size = len(names) + 1
    n = np.bincount(places, minlength=size)
    lost = np.bincount(places[~kept], minlength=size)
    found = [
        Loss(name=name, n=int(all_), lost=int(gone))
        for name, all_, gone in zip([*names, "no label"], n, lost, strict=True)
        if all_
    ]
    return tuple(sorted(found, key=lambda one: (-one.share, -one.lost)))


def valley(values: NDArray[np.floating]) -> float | None:
    """Find the lowest place between two peaks of a histogram.

    The histogram is smoothed by the mean of three bins until it has two peaks.

    Parameters
    ----------
    values
        (M,) numbers.

    Returns
    -------
    The middle of the lowest bin between the peaks; None where there are no two.

    References
    ----------
    Prewitt & Mendelsohn (1966), doi:10.1111/j.1749-6632.1965.tb11715.x; scrublet calls doublets by it.
    """
    counts, edges = np.histogram(values, N_BINS)
    smooth = counts.astype(np.float64)
    for _ in range(MOST_SMOOTHINGS):
        ends = np.concatenate([smooth[:1], smooth, smooth[-1:]])
        smooth = (ends[:-2] + ends[1:-1] + ends[2:]) / 3
        peaks = _peaks(smooth)
        if len(peaks) < 3:
            break
    if len(peaks) != 2:
        return None
    first, last = peaks
    lowest = first + int(np.argmin(smooth[first : last + 1]))
    return float((edges[lowest] + edges[lowest + 1]) / 2)


def _peaks(heights: NDArray[np.float64]) -> NDArray[np.int64]:
    """Find where heights begin to fall, (K,), a first fall among them."""
    steps = np.diff(heights)
    moves = np.flatnonzero(steps)
    rising = steps[moves] > 0
    before = np.concatenate([[True], rising[:-1]])
    return np.asarray(moves[~rising & before], dtype=np.int64)
