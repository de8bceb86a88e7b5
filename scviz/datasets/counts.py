"""Tell raw counts from what was made of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.recovery import (
    HALF_EXACT,
    LARGEST_LOG,
    LOGARITHMS,
    PLAIN,
    Transform,
    is_half,
    recovers,
    stored_decimals,
    transform_of,
    undone_sums,
)
from scviz.datasets.rows import Rows, is_whole, same_sum

Kind = Literal[
    "counts",
    "counts with decimals",
    "log-normalized, recoverable",
    "normalized, recoverable",
    "log-normalized",
    "normalized",
    "whole numbers, no counts",
    "scaled",
    "other",
]
READABLE: tuple[Kind, ...] = (
    "counts",
    "log-normalized, recoverable",
    "normalized, recoverable",
    "counts with decimals",
)
"""Values that are counts or have counts behind them, the better ones first."""
RELATIVE: tuple[Kind, ...] = ("normalized", "log-normalized")
"""Values without counts behind them, which say how much of each gene there is relative to the others."""

FEW = 20
"""Cells with fewer genes than this say nothing about bins and ranks."""
LEAST_BIN = 5
"""Fewer bins than this cannot be told from low counts."""
MOST_BINS = 1_000
NEARLY_ALL = 0.95
ALIKE = 0.02
"""How far sums of cells may lie apart, relative to their middle, that were one before values were rounded."""
MILLION = 1e6
MOSTLY = 0.5
"""Share of whole numbers from which fractions are taken for counts that were shared out or corrected."""
BELOW = 0.75
"""Share of values that are whole or lie in the upper half below a whole number, from which they are corrected counts:
what ambient RNA adds to a count is a fraction of one for most genes. By chance it is a half."""
NEAR, NEARLY = 0.75, 0.6
"""Where most values lie below 1, as those of counts of 1 do, so many must lie so far up: by chance it is a quarter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """What kind of values a matrix holds."""

    kind: Kind
    evidence: str
    """A sentence with the numbers that led to this."""
    low: float
    high: float
    transform: Transform = LOGARITHMS[0]
    """What was done to normalized counts, where there is something to undo."""
    target: float = 0.0
    """Sum to which each cell was normalized; 0 when not known."""


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
    low, high = _range(rows, has_zeros=has_zeros)
    cells = "sampled cell" if sampled else "cell"
    where = f"in {rows.n_cells:,} {cells}s" if rows.whole else "in the sampled part"
    if not (np.isfinite(low + high) and low >= 0):
        return _no_amounts(low, high, where)
    if is_whole(rows.values):
        return _whole_numbers(rows, low=low, high=high, where=where)
    scale = _fractions(rows, low=low, high=high, base=base, every=f"every {cells}")
    decimals = _shared_out(rows, where) or (_corrected(rows, where) if scale.kind == "normalized" else "")
    return replace(scale, kind="counts with decimals", evidence=decimals) if decimals else scale


def _range(rows: Rows, *, has_zeros: bool) -> tuple[float, float]:
    low, high = float(rows.values.min()), float(rows.values.max())
    return (min(low, 0.0) if has_zeros else low), high


def _no_amounts(low: float, high: float, where: str) -> Scale:
    """Judge values of which some are negative or no numbers."""
    if not np.isfinite(low + high):
        evidence = f"Some values {where} are missing or infinite."
        return Scale(kind="other", evidence=evidence, low=low, high=high)
    evidence = f"Values from {low:.3g} to {high:.3g} {where}: negative ones come from centering."
    return Scale(kind="scaled", evidence=evidence, low=low, high=high)


def _whole_numbers(rows: Rows, *, low: float, high: float, where: str) -> Scale:
    if high < 2:
        evidence = f"Only zeros and ones {where}: which genes were seen, not how often."
        return Scale(kind="whole numbers, no counts", evidence=evidence, low=low, high=high)
    evidence = _no_counts(rows, where) if rows.whole else ""
    if evidence:
        return Scale(kind="whole numbers, no counts", evidence=evidence, low=low, high=high)
    evidence = f"Whole numbers, {low:,.0f} to {high:,.0f}, {where}."
    return Scale(kind="counts", evidence=evidence, low=low, high=high)


def _no_counts(rows: Rows, where: str) -> str:
    """Say why whole numbers are bins or ranks within a cell; empty where they may be counts."""
    lengths = np.diff(rows.bounds)
    told = np.flatnonzero(lengths >= FEW)
    if len(told) < 2:
        return ""
    cell = np.repeat(np.arange(rows.n_cells), lengths)
    values = rows.values[np.lexsort((rows.values, cell))].astype(np.float64)  # cells stay where they are
    again = (np.diff(values) == 0) & (np.diff(cell) == 0)
    repeated = np.bincount(cell[1:][again], minlength=rows.n_cells)
    largest = values[rows.bounds[1:][told] - 1]
    usual, smallest = float(np.median(largest)), float(np.median(values[rows.bounds[:-1][told]]))
    sums = rows.sums()[told]
    reasons = {
        "of which none occurs twice in a cell: ranks of genes": repeated[told] == 0,
        "of which a cell leaves none out up to its largest: ranks of genes": (usual >= FEW)
        & (lengths[told] - repeated[told] == largest),
        f"whose largest is {usual:,.0f} in nearly every cell: bins": (LEAST_BIN <= usual <= MOST_BINS)
        & (largest == usual),
        f"that add up to about {np.median(sums):,.0f} in each cell: CPM or TPM without decimals": np.array(
            _rounded_to_one_sum(sums, smallest)
        ),
    }
    return next(
        (
            f"Whole numbers {where} {why}, no counts."
            for why, told in reasons.items()
            if told.mean() >= NEARLY_ALL
        ),
        "",
    )


def _rounded_to_one_sum(sums: NDArray[np.float64], smallest: float) -> bool:
    """Tell whether cells add up to nearly one sum, (C,), as they do after rounding, and seldom to exactly one."""
    middle = float(np.median(sums))
    low, high = np.quantile(sums, [0.025, 0.975])
    alike = high - low <= ALIKE * middle and float(np.mean(sums == middle)) < MOSTLY
    return len(sums) >= FEW and alike and (smallest > 1 or abs(middle - MILLION) <= ALIKE * MILLION)


def _shared_out(rows: Rows, where: str) -> str:
    """Say why fractions are counts that were shared out among genes; empty where they are something else."""
    whole = float(np.mean(np.rint(rows.values) == rows.values))
    if whole < MOSTLY:
        return ""
    return f"{whole:.0%} of the values {where} are whole numbers, the others fractions: counts that were shared out."


def _corrected(rows: Rows, where: str) -> str:
    """Say why fractions are counts from which something was taken away; empty where they are something else."""
    values = rows.values.astype(np.float64)
    rest = values - np.floor(values)
    below = float(np.mean((rest == 0) | (rest >= MOSTLY)))
    near = float(np.mean((rest == 0) | (rest >= NEAR)))
    if below < BELOW or (rows.whole and same_sum(rows.sums())):
        return ""
    if np.mean(values < 1) > MOSTLY and near < NEARLY:
        return ""
    return (
        f"Fractions up to {values.max():,.4g} {where}, {below:.0%} of them less than a half below a whole number: "
        "counts from which something was taken away."
    )


def _fractions(rows: Rows, *, low: float, high: float, base: float | None, every: str) -> Scale:
    """Judge fractions: logarithms, or normalized values, with counts behind them or without."""
    logs = high < LARGEST_LOG
    if not rows.whole:
        text = f"Fractions from {low:.3g} to {high:,.5g}, stored gene by gene, so that no cell was checked."
        return Scale(kind="log-normalized" if logs else "normalized", evidence=text, low=low, high=high)
    transform = transform_of(rows, base) if logs else PLAIN
    target = same_sum(undone_sums(rows, transform))
    exact = recovers(rows, transform)
    if exact:
        what = f"the values of {every} are whole multiples of one unit"
    else:
        what = f"but not all values of {every} are whole multiples of one unit"
    sums = f"the values of {every} add up to {target:,.0f}" if target else "sums differ between cells"
    if transform.base:
        sums = f"With the logarithm undone ({transform.words}), {sums}"
    evidence = f"{sums}; {what}{_precision_words(rows, transform)}."
    if not transform.base:
        evidence = (
            f"Fractions from {low:.3g} to {high:,.5g}, no logarithms: {evidence}{_unit_words(rows, target)}"
        )
    return Scale(
        kind=_kind(transform, exact=exact),
        evidence=evidence,
        low=low,
        high=high,
        transform=transform,
        target=target,
    )


def _precision_words(rows: Rows, transform: Transform) -> str:
    """Say how exactly values are stored, where that is less than single precision."""
    if transform.base and is_half(rows.values):
        return f", stored in half precision, so that counts above about {HALF_EXACT} are approximate"
    decimals = stored_decimals(rows.values)
    return f", stored to {decimals} decimals" if decimals else ""


def _kind(transform: Transform, *, exact: bool) -> Kind:
    if transform.base:
        return "log-normalized, recoverable" if exact else "log-normalized"
    return "normalized, recoverable" if exact else "normalized"


def _unit_words(rows: Rows, target: float) -> str:
    """Name the usual unit that sums of cells speak for."""
    usual = target or float(np.median(rows.sums()[np.diff(rows.bounds) > 0]))
    if 0.2e6 <= usual <= 3e6:
        return f" A sum of about {usual:,.0f} in a cell speaks for TPM, FPKM or CPM."
    return ""
