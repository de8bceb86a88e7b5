"""Boosted trees on binned expression: all trees of a target in one compiled function.

The rules are GRNBoost2's: each tree has three levels, sees 90 % of the cells, tries a tenth of the regulators at each
node and moves the prediction by a hundredth; trees are added until their mean gain on the cells that each leaves out is
below 0 over 25 of them. The importance of a regulator is the squared error that splits on it take away, as a share of
all, times the number of trees. What differs from the published method: a split lies between two bins of a regulator,
not between any two of its values, and the random numbers are others.

References
----------
Moerman et al. (2019), doi:10.1093/bioinformatics/bty916; Friedman (2001), doi:10.1214/aos/1013203451, equation 35.
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call"
from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

F = TypeVar("F", bound=Callable[..., Any])

N_BINS = 64
"""Bins of a regulator at most, one of them for its lowest value; fewer values than that have a bin each."""
RATE, SHARE_TRIED, SHARE_SEEN = 0.01, 0.1, 0.9
N_INNER, N_NODES = 7, 15
"""Nodes of a tree of three levels that may be split, and all of them; those below node i are 2 i + 1 and 2 i + 2."""
LEAST_GAIN = 1e-12
TOGETHER = 4
"""Regulators whose bins are added up in one pass over the cells."""
LEAF, ABSENT = -1, -2
"""What stands in place of the regulator of a node that is not split, or not there."""


class Binned(NamedTuple):
    """Regulators as small numbers."""

    codes: NDArray[np.uint8]
    """(R, N) bin of each regulator in each cell."""
    n_bins: NDArray[np.int64]
    """(R,)"""


class _Rules(NamedTuple):
    """How trees are added."""

    others: NDArray[np.int64]
    """(r,) regulators that may be split on."""
    seed: int
    most_rounds: int
    window: int


class _Cells(NamedTuple):
    """Some cells, and what is left to explain of them."""

    rows: NDArray[np.uint32]
    """(n,)"""
    rest: NDArray[np.float64]
    """(n,)"""
    total: float
    """Sum of this."""


def binned(known: NDArray[np.floating], n_bins: int = N_BINS) -> Binned:
    """Bin each regulator by quantiles of what lies above its lowest value, which is mostly 0 and has a bin of its own.

    Parameters
    ----------
    known
        (N, R) expression of regulators.
    n_bins
        At most so many, from 2 to 256.

    Examples
    --------
    >>> binned(np.array([[0.0], [0.0], [1.5], [3.0]])).codes.tolist()
    [[0, 0, 1, 2]]
    """
    codes = np.zeros(known.shape[::-1], dtype=np.uint8)
    for number, values in enumerate(known.T):
        levels = np.unique(values)
        if len(levels) > n_bins:
            above = values[values > levels[0]]
            levels = np.unique(np.quantile(above, np.arange(n_bins - 1) / (n_bins - 1), method="lower"))
            codes[number] = np.searchsorted(levels, values, side="right")
        else:
            codes[number] = np.searchsorted(levels, values)
    return Binned(codes=codes, n_bins=codes.max(axis=1, initial=0).astype(np.int64) + 1)


def boosted(
    known: Binned, target: NDArray[np.floating], *, left_out: int, seed: int, most_rounds: int, window: int
) -> tuple[NDArray[np.float64], int]:
    """Explain a target by its regulators.

    Parameters
    ----------
    target
        (N,) expression.
    left_out
        Number of the regulator that the target itself is; -1 for none.
    most_rounds, window
        Most trees, and over how many of them the gain on cells that were left out is averaged.

    Returns
    -------
    (R,) importance of each regulator, which sums to the number of trees or is 0, and the number of trees; 0 where there
    is nothing to explain, or to explain it by.
    """
    others = np.flatnonzero(np.arange(len(known.codes)) != left_out)
    values = np.ascontiguousarray(target, dtype=np.float64)
    if not len(others) or np.ptp(values) == 0:
        return np.zeros(len(known.codes)), 0
    taken, n_trees = _grow(known, values, _Rules(others, seed, most_rounds, window))
    whole = taken.sum()
    return (taken / whole * n_trees if whole > 0 else taken), int(n_trees)


def _compiled(function: F) -> F:
    """Compile a function once for all processes; numba finds its types."""
    found: Any = numba.njit(cache=True, nogil=True)(function)
    return cast(F, found)


@_compiled
def _grow(known, target, rules):
    """Add trees; return what splits on each regulator took away, (R,), and how many trees there are."""
    np.random.seed(rules.seed)  # noqa: NPY002 - of the compiled code, which knows no other
    n_cells = len(target)
    n_seen = max(1, int(SHARE_SEEN * n_cells))
    predicted, taken = np.full(n_cells, target.mean()), np.zeros(len(known.codes))
    order, rows = np.arange(n_cells), np.empty(n_seen, np.uint32)
    pool, gains, before, window = rules.others.copy(), np.zeros(rules.most_rounds), 0.0, rules.window
    for round_ in range(rules.most_rounds):
        _shuffle(order, n_seen)
        _in_order(order[n_seen:], rows)
        rest = target - predicted
        if round_ == 0:
            before = _squares(rest, order[n_seen:])
        tree = _tree(known, pool, _cells(rest, rows))
        taken += _credit(tree, len(taken), n_seen)
        _move(predicted, known.codes, tree)
        after = _squares(target - predicted, order[n_seen:])
        gains[round_], before = before - after, after
        if round_ + 1 >= window and gains[round_ + 1 - window : round_ + 1].mean() < 0:
            return taken, round_ + 1
    return taken, rules.most_rounds


@_compiled
def _cells(rest, rows):
    """Take some cells."""
    own = rest[rows]
    return _Cells(rows, own, own.sum())


@_compiled
def _shuffle(order, n):
    """Draw the first n places of `order` from all."""
    for place in range(n):
        other = place + np.random.randint(0, len(order) - place)  # noqa: NPY002
        order[place], order[other] = order[other], order[place]


@_compiled
def _in_order(absent, rows):
    """Write the cells that are not absent, in their order: neighbors in memory are read one after another."""
    seen = np.ones(len(absent) + len(rows), np.bool_)
    seen[absent] = False
    place = 0
    for row in range(len(seen)):
        if seen[row]:
            rows[place] = row
            place += 1


@_compiled
def _squares(rest, rows):
    """Mean square over some cells; 0 where there is none."""
    total = 0.0
    for row in rows:
        total += rest[row] ** 2
    return total / max(1, len(rows))


@_compiled
def _tree(known, pool, cells):
    """Grow a tree of three levels: regulator, last bin to the left, value and gain of each node."""
    which, cut = np.full(N_NODES, ABSENT), np.zeros(N_NODES, np.int64)
    value, gain = np.zeros(N_NODES), np.zeros(N_NODES)
    start, stop = np.zeros(N_NODES, np.int64), np.zeros(N_NODES, np.int64)
    which[0], stop[0] = LEAF, len(cells.rows)
    rows, rest = cells.rows.copy(), cells.rest.copy()
    for node in range(N_NODES):
        if which[node] == ABSENT:
            continue
        left_over = rest[start[node] : stop[node]]
        own = _Cells(rows[start[node] : stop[node]], left_over, left_over.sum())
        value[node] = own.total / len(left_over)
        if node >= N_INNER or len(left_over) < 2:
            continue
        found, at, best = _split(known, pool, own)
        if found == LEAF:
            continue
        which[node], cut[node], gain[node] = found, at, best
        middle = start[node] + _part(known.codes[found], at, own)
        left = 2 * node + 1
        which[left] = which[left + 1] = LEAF
        start[left], stop[left], start[left + 1], stop[left + 1] = start[node], middle, middle, stop[node]
    return which, cut, value, gain


@_compiled
def _split(known, pool, cells):
    """Find the best split of some cells among some regulators: regulator, last bin to the left, gain."""
    found, at, best, varying = LEAF, 0, LEAST_GAIN, 0
    n_tried, done = max(1, int(SHARE_TRIED * len(pool))), 0
    while done < len(pool) and (done < n_tried or varying == 0):
        n = min(TOGETHER, len(pool) - done, n_tried - done if done < n_tried else 1)
        _shuffle(pool[done:], n)
        tried = pool[done : done + n]
        sums = _sums(known, tried, cells)
        for place in range(n):
            last, gain, differs = _cut(
                sums[place, : known.n_bins[tried[place]]], len(cells.rows), cells.total
            )
            varying += differs
            if gain > best:
                found, at, best = tried[place], last, gain
        done += n
    return found, at, best


@_compiled
def _sums(known, tried, cells):
    """Add up what is left to explain, and cells, by bin of four regulators at once, (4, most bins, 2).

    One after another, a sum would wait for the last one of the same bin.
    """
    codes, rows, sums, last = (
        known.codes,
        cells.rows,
        np.zeros((TOGETHER, known.n_bins.max(), 2)),
        len(tried) - 1,
    )
    first, second = codes[tried[0]], codes[tried[min(1, last)]]
    third, fourth = codes[tried[min(2, last)]], codes[tried[min(3, last)]]
    for place in range(len(rows)):
        row, value = rows[place], cells.rest[place]
        sums[0, first[row], 0] += value
        sums[1, second[row], 0] += value
        sums[2, third[row], 0] += value
        sums[3, fourth[row], 0] += value
        sums[0, first[row], 1] += 1
        sums[1, second[row], 1] += 1
        sums[2, third[row], 1] += 1
        sums[3, fourth[row], 1] += 1
    return sums


@_compiled
def _cut(sums, n, total):
    """Find the best cut between bins: last bin to the left, gain, and whether there is any."""
    last, best, differs = 0, 0.0, 0
    sum_left, n_left = 0.0, 0.0
    for bin_ in range(len(sums) - 1):
        if sums[bin_, 1] == 0:
            continue
        sum_left += sums[bin_, 0]
        n_left += sums[bin_, 1]
        n_right = n - n_left
        if n_right == 0:
            break
        differs = 1
        apart = sum_left / n_left - (total - sum_left) / n_right
        gain = n_left * n_right / n * apart * apart
        if gain > best:
            last, best = bin_, gain
    return last, best, differs


@_compiled
def _part(code, at, cells):
    """Put cells up to a bin before those above it, each in their order; return how many come first."""
    rows, rest = cells.rows, cells.rest
    right_rows, right_rest = np.empty_like(rows), np.empty_like(rest)
    n_left = n_right = 0
    for place in range(len(rows)):
        row, left_over = rows[place], rest[place]
        if code[row] <= at:
            rows[n_left], rest[n_left] = row, left_over
            n_left += 1
        else:
            right_rows[n_right], right_rest[n_right] = row, left_over
            n_right += 1
    rows[n_left:], rest[n_left:] = right_rows[:n_right], right_rest[:n_right]
    return n_left


@_compiled
def _credit(tree, n_known, n_seen):
    """Add up what the splits of a tree take away for each regulator, (R,), a cell."""
    which, _, _, gain = tree
    taken = np.zeros(n_known)
    for node in range(N_INNER):
        if which[node] >= 0:
            taken[which[node]] += gain[node] / n_seen
    return taken


@_compiled
def _move(predicted, codes, tree):
    """Move the prediction of all cells by what the leaf that each falls into says."""
    which, cut, value, _ = tree
    for cell in range(len(predicted)):
        node = 0
        while which[node] >= 0:
            node = 2 * node + 1 if codes[which[node], cell] <= cut[node] else 2 * node + 2
        predicted[cell] += RATE * value[node]
