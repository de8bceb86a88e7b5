r"""Get counts back from what was made of them, where that is exact.

Normalized values are :math:`v = c f / t` for a count c, the target sum f and the total t of the cell; logarithms of
them are :math:`\log_b(p + v)` with p = 1 or 0, or half a count is added before normalizing. So what stands behind
the values of a cell are whole multiples of one unit f / t, and that is what is tested: there must be a unit of which
every value of the cell is a whole multiple, within the precision of the values.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.rows import Rows
from scviz.errors import CountsError

TOLERANCE = 1e-5
"""Distance from a whole multiple that is always forgiven, in units."""
SURE = 0.3
"""A multiple is taken as known when its possible error is below this, in units."""
LARGEST_MINIMUM = 10
"""The smallest count of a cell is tried as 1, 2, ... up to this."""
HALF = 0.5
HALF_EXACT = 100
"""Counts up to about here are exact behind logarithms in half precision; larger ones are the nearest whole number."""
FEWEST_SURE = 10
"""Values of a cell that must agree on its unit before others, which cannot, are rounded."""
LARGEST_LOG = 30.0
"""No logarithm of a normalized count is larger."""
SPACING = {np.dtype(kind): float(np.finfo(kind).eps) for kind in (np.float16, np.float32)}
SINGLE = SPACING[np.dtype(np.float32)]
"""Relative error of values whatever their type, since most float64 files were float32 before."""

WAYS_OUT = (
    "Open the file that holds the raw counts (before normalizing and scaling), or add them to this one as "
    "adata.layers['counts'] or adata.raw and write it again."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Transform:
    """What was done to normalized counts."""

    base: float
    """Base of the logarithm; 0 where there was none."""
    pseudo: float = 1.0
    """What was added before the logarithm; 0.5 is half a count, added before normalizing."""

    @property
    def words(self) -> str:
        """Return how values are turned back, for a sentence."""
        if not self.base:
            return "value"
        less = {1.0: " - 1", HALF: " less half a count"}.get(self.pseudo, "")
        if np.isclose(self.base, math.e):
            return "expm1" if self.pseudo == 1 else f"exp{less}"
        return f"{self.base:g}^value{less}"

    def undo(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the normalized counts, (K,), behind values, (K,)."""
        if not self.base:
            return values
        logs = np.minimum(values * math.log(self.base), 50.0)
        undone: NDArray[np.float64] = np.expm1(logs) if self.pseudo == 1 else np.exp(logs)
        return undone

    def errors(
        self, values: NDArray[np.float64], *, rounding: float, precision: float
    ) -> NDArray[np.float64]:
        """Return how far off, (K,), the normalized counts behind stored values, (K,), may be.

        Parameters
        ----------
        rounding
            Half of the last decimal that was stored; 0 for values as computed.
        precision
            Relative spacing of the stored numbers.
        """
        normalized = self.undo(values)
        if not self.base:
            return rounding + 2 * precision * normalized
        logs = values * math.log(self.base)
        grown = normalized + (self.pseudo == 1)
        return grown * (rounding * math.log(self.base) + 2 * precision * logs) + 2 * precision * normalized


PLAIN = Transform(base=0.0, pseudo=0.0)
LOGARITHMS = tuple(
    Transform(base=base, pseudo=pseudo) for pseudo in (1.0, HALF, 0.0) for base in (math.e, 2.0, 10.0)
)
"""In the order in which they are tried."""


def transform_of(rows: Rows, base: float | None = None) -> Transform:
    """Return the transform with which the first cells become counts; log1p, or that of the base, when none does.

    Parameters
    ----------
    base
        Base of the logarithm that the file names, if it names one.
    """
    first = next(rows.pieces(), rows)
    for transform in (*LOGARITHMS, PLAIN):
        if base is not None and not np.isclose(transform.base, base):
            continue
        if recovers(first, transform):
            return transform
    return Transform(base=base or math.e)


def recovers(rows: Rows, transform: Transform) -> bool:
    """Tell whether counts stand behind values, some of them above 1."""
    try:
        return bool(recover_rows(rows, transform).max(initial=0) >= 2)
    except CountsError:
        return False


def recover_rows(rows: Rows, transform: Transform) -> NDArray[np.float32]:
    """Return the count behind each value, (K,).

    In each cell the smallest value is taken to be a count of one, and all others must then be whole multiples
    of it. Where they are not, the smallest value is tried as a count of 2, 3, ..., 10; the first that fits is
    taken, so that the counts of a cell never share a divisor. A cell whose true counts do (all of them even)
    comes back divided by it; that happens in cells with a handful of detected genes only.

    Raises
    ------
    CountsError
        If some cell does not consist of multiples of one unit.
    """
    values = rows.values
    logs = transform.base > 0
    if len(values) and not (
        values.min() > 0 and (not logs or values.max() * math.log(transform.base) < LARGEST_LOG)
    ):
        raise CountsError("These values are no logarithms of normalized counts.", hint=WAYS_OUT)
    return np.concatenate(
        [_recover_piece(piece, transform) for piece in rows.pieces()] or [np.empty(0, np.float32)]
    )


def undone_sums(rows: Rows, transform: Transform) -> NDArray[np.float64]:
    """Return the sum of normalized counts of each cell, (C,)."""
    pieces = [piece.sums(transform.undo(piece.values.astype(np.float64))) for piece in rows.pieces()]
    return np.concatenate(pieces) if pieces else np.zeros(0)


def stored_decimals(values: NDArray[np.number]) -> int | None:
    """Return to how many decimals the values were rounded before they were stored, 2 to 5, or None.

    Examples
    --------
    >>> stored_decimals(np.array([1.125, 0.98, 2.5])), stored_decimals(np.log1p(np.arange(50.0)))
    (3, None)
    """
    if is_half(values):
        return None
    wide = values.astype(np.float64)
    precision = _precision(values)
    for decimals in (2, 3, 4, 5):
        scaled = wide * 10**decimals
        if np.all(np.abs(scaled - np.rint(scaled)) <= scaled * precision):
            return decimals
    return None


def is_half(values: NDArray[np.number]) -> bool:
    """Tell whether values are stored in half precision, or were before they were stored in another type.

    Examples
    --------
    >>> logs = np.log1p(np.arange(50, dtype=np.float32))
    >>> is_half(logs), is_half(logs.astype(np.float16)), is_half(logs.astype(np.float16).astype(np.float32))
    (False, True, True)
    """
    if values.dtype == np.float16:
        return True
    with np.errstate(over="ignore"):
        return values.dtype.kind == "f" and bool(np.array_equal(values, values.astype(np.float16)))


def _precision(values: NDArray[np.number]) -> float:
    """Relative spacing of the stored numbers."""
    return SPACING.get(values.dtype, float(np.finfo(np.float64).eps))


def _recover_piece(rows: Rows, transform: Transform) -> NDArray[np.float32]:
    values = rows.values.astype(np.float64)
    decimals = stored_decimals(rows.values)
    multiples = transform.undo(values)
    half = transform.base > 0 and is_half(rows.values)
    errors = transform.errors(
        values,
        rounding=0.5 * 10.0**-decimals if decimals else 0.0,
        # rounding to the nearest number is off by a half of the spacing, and `errors` takes twice what it is given
        precision=SPACING[np.dtype(np.float16)] / 4 if half else max(_precision(rows.values), SINGLE),
    )  # (K,)
    lengths = np.diff(rows.bounds)
    filled = np.flatnonzero(lengths)
    cell = np.repeat(np.arange(len(filled)), lengths[filled])  # (K,)
    counts = np.zeros(len(values))
    left = np.ones(len(values), dtype=bool)
    for minimum in range(1, LARGEST_MINIMUM + 1):
        found, good = _count_units(multiples[left], errors[left], cell[left], minimum=minimum, nearest=half)
        at = np.flatnonzero(left)[good]
        counts[at] = found[good]
        left[at] = False
        if not left.any():
            return _without_half(counts, transform).astype(np.float32)
    n_bad = len(np.unique(cell[left]))
    raise CountsError(
        f"The values of {n_bad:,} of {len(filled):,} cells are not whole multiples of one unit, "
        "so that no counts stand behind them.",
        hint=WAYS_OUT,
    )


def _without_half(counts: NDArray[np.float64], transform: Transform) -> NDArray[np.float64]:
    """Take off the half that was added to each count, (K,): with it, all are odd multiples of a half."""
    if transform.pseudo != HALF:
        return counts
    if not np.all(counts % 2 == 1):
        raise CountsError("No half was added to these counts.", hint=WAYS_OUT)
    return (counts - 1) / 2


def _count_units(
    multiples: NDArray[np.float64],
    errors: NDArray[np.float64],
    cell: NDArray[np.int64],
    *,
    minimum: int,
    nearest: bool = False,
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Count units in each value, when the smallest of a cell is `minimum` units; True where the cell fits.

    The unit of a cell is kept as an interval. Every value whose count is certain narrows it, until all are; with
    `nearest`, large values whose counts never are get the nearest, as long as FEWEST_SURE others agree on the unit.
    """
    starts = np.flatnonzero(np.diff(cell, prepend=-1))
    place = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(cell)))
    smallest = np.minimum.reduceat(multiples, starts)[place]
    errors = np.maximum(errors, TOLERANCE * smallest / minimum)
    low = (
        np.minimum.reduceat(np.where(multiples == smallest, multiples - errors, np.inf), starts)[place]
        / minimum
    )
    high = 2 * smallest / minimum - low
    for _ in range(5):
        unit = (low + high) / 2
        counts = np.rint(multiples / unit)
        sure = (counts * (high - low) / 2 + errors) / unit < SURE
        if not sure.any():
            break
        known = np.logical_or.reduceat(sure, starts)[place]
        lowest = np.maximum.reduceat(np.where(sure, (multiples - errors) / counts, 0), starts)[place]
        highest = np.minimum.reduceat(np.where(sure, (multiples + errors) / counts, np.inf), starts)[place]
        low, high = np.where(known, lowest, low), np.where(known, highest, high)
    enough = np.add.reduceat(sure, starts, dtype=np.int64)[place] >= FEWEST_SURE
    fits = (sure | (enough & nearest)) & (low <= high)
    return counts, np.logical_and.reduceat(fits, starts)[place]
