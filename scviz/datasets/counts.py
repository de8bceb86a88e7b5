r"""Tell raw counts from what was made of them, and get them back where that is exact.

Log-normalized values are :math:`v = \log_b(1 + c f / t)` for a count c, the target sum f and the total t of
the cell. So :math:`b^v - 1` are whole multiples of one unit f / t in each cell, and that is what is tested:
there must be a unit of which every value of the cell is a whole multiple, within the precision of the values.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from scviz.errors import CountsError

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Kind = Literal["counts", "log-normalized, recoverable", "log-normalized", "scaled", "other"]
READABLE: tuple[Kind, ...] = ("counts", "log-normalized, recoverable")
"""Values that are counts or have counts behind them, the better ones first."""

TOLERANCE = 1e-5
"""Distance from a whole multiple that is always forgiven, in units."""
SURE = 0.3
"""A multiple is taken as known when its possible error is below this, in units."""
LARGEST_MINIMUM = 10
"""The smallest count of a cell is tried as 1, 2, ... up to this."""
LARGEST_LOG = 30.0
"""No logarithm of a normalized count is larger."""
SPACING = {np.dtype(kind): float(np.finfo(kind).eps) for kind in (np.float16, np.float32)}
SINGLE = SPACING[np.dtype(np.float32)]
"""Relative error of values whatever their type, since most float64 files were float32 before."""
BASES = (math.e, 2.0, 10.0)
PIECE = 2_000_000
"""Values that are worked on at a time."""

WAYS_OUT = (
    "Open the file that holds the raw counts (before normalizing and scaling), or add them to this one as "
    "adata.layers['counts'] or adata.raw and write it again."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """The values of some cells, zeros left out."""

    values: NDArray[np.number]
    """(N,) values, cell after cell."""
    bounds: NDArray[np.int64]
    """(C + 1,) where each cell begins, and the end."""
    whole: bool = True
    """Whether all genes of these cells are here; if not, "cells" are pieces of cells or of genes."""

    @property
    def n_cells(self) -> int:
        """How many cells these are."""
        return len(self.bounds) - 1

    def sums(self, values: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
        """(C,) sum of each cell, of these values or of others in their places."""
        chosen = self.values if values is None else values
        total = np.concatenate([np.zeros(1), np.cumsum(chosen, dtype=np.float64)])
        sums: NDArray[np.float64] = total[self.bounds[1:]] - total[self.bounds[:-1]]
        return sums

    def pieces(self) -> Iterator[Rows]:
        """Yield the cells in groups of some millions of values."""
        start = 0
        while start < self.n_cells:
            stop = int(np.searchsorted(self.bounds, self.bounds[start] + PIECE, side="right")) - 1
            stop = min(max(stop, start + 1), self.n_cells)
            low, high = self.bounds[start], self.bounds[stop]
            yield Rows(
                values=self.values[low:high], bounds=self.bounds[start : stop + 1] - low, whole=self.whole
            )
            start = stop


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """What kind of values a matrix holds."""

    kind: Kind
    evidence: str
    """A sentence with the numbers that led to this."""
    low: float
    high: float
    base: float = math.e
    """Base of the logarithm, where there is one."""
    target: float = 0.0
    """Sum to which each cell was normalized; 0 when not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """Counts that were found behind log values."""

    counts: csr_matrix
    """(N, G) whole numbers, float32."""
    base: float
    """Base of the logarithm."""
    target: float
    """Sum to which the cells had been normalized; 0 when it differs, as it does when genes were left out."""


def scale_of(rows: Rows, *, base: float | None = None, has_zeros: bool = True, sampled: bool = True) -> Scale:
    """Tell what kind of values these are, with the reason.

    Parameters
    ----------
    rows
        Cells of one matrix.
    base
        Base of the logarithm that the file names; None tries e, 2 and 10.
    has_zeros
        Whether zeros were left out of the rows.
    sampled
        Whether these are some of the cells, for the wording.
    """
    if not len(rows.values):
        return Scale(kind="other", evidence="All values are zero.", low=0.0, high=0.0)
    low, high = float(rows.values.min()), float(rows.values.max())
    low = min(low, 0.0) if has_zeros else low
    cells = "sampled cell" if sampled else "cell"
    where = f"in {rows.n_cells:,} {cells}s" if rows.whole else "in the sampled part"
    if not np.isfinite(low + high):
        return Scale(
            kind="other", evidence=f"Some values {where} are missing or infinite.", low=low, high=high
        )
    if low < 0:
        evidence = f"Values from {low:.3g} to {high:.3g} {where}: negative ones come from centering."
        return Scale(kind="scaled", evidence=evidence, low=low, high=high)
    if is_whole(rows.values):
        return _whole_numbers(low, high, where)
    if high < LARGEST_LOG:
        return _logarithms(rows, low=low, high=high, base=base, every=f"every {cells}")
    evidence = f"Fractions from {low:.3g} to {high:,.5g} {where}{_same_sum_words(rows, cells)}."
    return Scale(kind="other", evidence=evidence, low=low, high=high)


def _same_sum_words(rows: Rows, cells: str) -> str:
    target = same_sum(rows.sums()) if rows.whole else 0.0
    return f", with a sum of {target:,.0f} in every {cells}: normalized without logarithm" if target else ""


def is_whole(values: NDArray[np.number]) -> bool:
    """Tell whether all values, (N,), are whole numbers of zero or more."""
    if values.dtype.kind in "ub":
        return True
    return bool(np.all(values >= 0) and np.all(np.rint(values) == values))


def same_sum(sums: NDArray[np.float64]) -> float:
    """Return the sum that all cells share to within 0.2 %, or 0; empty cells do not count.

    Examples
    --------
    >>> same_sum(np.array([10000.0, 10000.2, 0.0])), same_sum(np.array([900.0, 1000.0]))
    (10000.1, 0.0)
    """
    sums = sums[sums > 0]
    if len(sums) < 2:
        return 0.0
    middle = float(np.median(sums))
    return middle if np.ptp(sums) < 2e-3 * middle else 0.0


def recover_counts(expression: csr_matrix | NDArray[np.floating], *, base: float | None = None) -> Recovered:
    """Find the counts behind log-normalized values.

    In each cell the smallest value is taken to be a count of one, and all others must then be whole multiples
    of it. Where they are not, the smallest value is tried as a count of 2, 3, ..., 10; the first that fits is
    taken, so that the counts of a cell never share a divisor. A cell whose true counts do (all of them even)
    comes back divided by it; that happens in cells with a handful of detected genes only.

    Parameters
    ----------
    expression
        (N, G) logarithms of one plus normalized counts.
    base
        Base of the logarithm; None tries e, 2 and 10.

    Raises
    ------
    CountsError
        If there is a cell whose values are no multiples of one unit, or if nothing larger than 1 comes out.

    Examples
    --------
    >>> counts = np.array([[1, 0, 5], [2, 3, 0]])
    >>> expression = np.log1p(counts / counts.sum(axis=1, keepdims=True) * 1e4)
    >>> recover_counts(expression).counts.toarray().tolist()
    [[1.0, 0.0, 5.0], [2.0, 3.0, 0.0]]
    """
    from scipy import sparse

    matrix = sparse.csr_matrix(expression, copy=True)
    matrix.eliminate_zeros()
    rows = Rows(values=matrix.data, bounds=matrix.indptr.astype(np.int64))
    base = base or base_of(rows)
    target = same_sum(_unlogged_sums(rows, base))
    counts = recover_rows(rows, base)
    shape = matrix.shape
    return Recovered(
        counts=sparse.csr_matrix((counts, matrix.indices, matrix.indptr), shape=shape),
        base=base,
        target=target,
    )


def base_of(rows: Rows) -> float:
    """Return the base of the logarithm with which the first cells become counts; e when none does."""
    first = next(rows.pieces(), rows)
    for base in BASES:
        try:
            recover_rows(first, base)
        except CountsError:
            continue
        return float(base)
    return math.e


def recover_rows(rows: Rows, base: float) -> NDArray[np.float32]:
    """Return the count behind each value, (N,); see `recover_counts`.

    Raises
    ------
    CountsError
        If some cell does not consist of multiples of one unit.
    """
    if len(rows.values) and not (rows.values.min() > 0 and rows.values.max() * np.log(base) < LARGEST_LOG):
        raise CountsError("These values are no logarithms of normalized counts.", hint=WAYS_OUT)
    counts = np.concatenate(
        [_recover_piece(piece, base) for piece in rows.pieces()] or [np.empty(0, np.float32)]
    )
    if counts.max(initial=0) < 2:
        raise CountsError("The values only tell which genes were seen, not how often.", hint=WAYS_OUT)
    return counts


def stored_decimals(values: NDArray[np.number]) -> int | None:
    """Return to how many decimals the values were rounded before they were stored, 2 to 5, or None.

    Examples
    --------
    >>> stored_decimals(np.array([1.125, 0.98, 2.5])), stored_decimals(np.log1p(np.arange(50.0)))
    (3, None)
    """
    wide = values.astype(np.float64)
    precision = _precision(values)
    for decimals in (2, 3, 4, 5):
        scaled = wide * 10**decimals
        if np.all(np.abs(scaled - np.rint(scaled)) <= scaled * precision):
            return decimals
    return None


def _whole_numbers(low: float, high: float, where: str) -> Scale:
    if high < 2:
        evidence = f"Only zeros and ones {where}: which genes were seen, not how often."
        return Scale(kind="other", evidence=evidence, low=low, high=high)
    evidence = f"Whole numbers, {low:,.0f} to {high:,.0f}, {where}."
    return Scale(kind="counts", evidence=evidence, low=low, high=high)


def _logarithms(rows: Rows, *, low: float, high: float, base: float | None, every: str) -> Scale:
    """Judge fractions that are small enough to be logarithms."""
    if not rows.whole:
        evidence = (
            f"Fractions from {low:.3g} to {high:.3g}, stored gene by gene, so that no cell was checked."
        )
        return Scale(kind="log-normalized", evidence=evidence, low=low, high=high)
    base = base or base_of(rows)
    name = "expm1" if np.isclose(base, math.e) else f"{base:g}^value - 1"
    target = same_sum(_unlogged_sums(rows, base))
    try:
        largest = float(recover_rows(rows, base).max())
        kind: Kind = "log-normalized, recoverable"
        units = f"the values of {every} are whole multiples (1 to {largest:,.0f}) of one unit"
    except CountsError:
        kind = "log-normalized"
        units = f"but not all values of {every} are whole multiples of one unit"
    decimals = stored_decimals(rows.values)
    rounded = f", stored to {decimals} decimals" if decimals else ""
    sums = (
        f"{name} row sums are {target:,.0f} in {every}" if target else f"{name} row sums differ between cells"
    )
    evidence = f"{sums}; {units}{rounded}."
    return Scale(kind=kind, evidence=evidence, low=low, high=high, base=base, target=target)


def _unlogged_sums(rows: Rows, base: float) -> NDArray[np.float64]:
    pieces = [
        piece.sums(np.expm1(np.minimum(piece.values.astype(np.float64) * np.log(base), 50.0)))
        for piece in rows.pieces()
    ]
    return np.concatenate(pieces) if pieces else np.zeros(0)


def _precision(values: NDArray[np.number]) -> float:
    """Relative spacing of the stored numbers."""
    return SPACING.get(values.dtype, float(np.finfo(np.float64).eps))


def _recover_piece(rows: Rows, base: float) -> NDArray[np.float32]:
    logs = rows.values.astype(np.float64) * np.log(base)
    decimals = stored_decimals(rows.values)
    rounding = 0.5 * 10.0**-decimals * np.log(base) if decimals else 0.0
    precision = max(_precision(rows.values), SINGLE)
    multiples = np.expm1(logs)
    errors = np.exp(logs) * (rounding + 2 * precision * logs) + 2 * precision * multiples  # (N,)
    lengths = np.diff(rows.bounds)
    filled = np.flatnonzero(lengths)
    cell = np.repeat(np.arange(len(filled)), lengths[filled])  # (N,)
    counts = np.zeros(len(logs))
    left = np.ones(len(logs), dtype=bool)
    for minimum in range(1, LARGEST_MINIMUM + 1):
        found, good = _count_units(multiples[left], errors[left], cell[left], minimum=minimum)
        at = np.flatnonzero(left)[good]
        counts[at] = found[good]
        left[at] = False
        if not left.any():
            return counts.astype(np.float32)
    n_bad = len(np.unique(cell[left]))
    raise CountsError(
        f"The values of {n_bad:,} of {len(filled):,} cells are not whole multiples of one unit, "
        "so that no counts stand behind them.",
        hint=WAYS_OUT,
    )


def _count_units(
    multiples: NDArray[np.float64], errors: NDArray[np.float64], cell: NDArray[np.int64], *, minimum: int
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Count units in each value, when the smallest of a cell is `minimum` units; True where the cell fits.

    The unit of a cell is kept as an interval. Every value whose count is certain narrows it, until all are.
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
    fits = sure & (low <= high)
    return counts, np.logical_and.reduceat(fits, starts)[place]
