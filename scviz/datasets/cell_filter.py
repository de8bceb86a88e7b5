"""Cells that pass conditions on numbers, genes and categories, each with a histogram of those that pass the others."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.columns import cell_column, gene_values

BINS = 40
NO_LABEL = "no label"
"""What cells without a category are called."""

Kind = Literal["gene", "number", "category"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What a cell must be: within a range, or of one of some categories."""

    kind: Kind
    name: str
    low: float = -np.inf
    high: float = np.inf
    """Both ends pass. A cell without a value passes only while the range is without ends."""
    left_out: tuple[str, ...] = ()
    """Categories that do not pass; NO_LABEL for cells of none."""

    @property
    def words(self) -> str:
        """Say what it asks for, for the name of a group; empty where it asks for nothing."""
        if self.kind == "category":
            return f"{self.name} without {', '.join(self.left_out)}" if self.left_out else ""
        ends = [f"from {self.low:.3g}"] * bool(np.isfinite(self.low))
        ends += [f"to {self.high:.3g}"] * bool(np.isfinite(self.high))
        return " ".join((self.name, *ends)) if ends else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """What a condition looks at."""

    values: NDArray[np.float32] | NDArray[np.int32]
    """(N,) numbers, NaN for none; of categories their places, the last for cells of none."""
    names: tuple[str, ...] = ()
    """The categories; empty for numbers."""

    @property
    def span(self) -> tuple[float, float]:
        """Give the lowest and the highest number; 0 and 1 where there is none."""
        known = self.values[np.isfinite(self.values)]
        if not len(known):
            return 0.0, 1.0
        low, high = float(known.min()), float(known.max())
        return low, high if high > low else low + 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Passing:
    """Cells that pass."""

    passes: NDArray[np.bool_]
    """(N,) all conditions."""
    others: tuple[NDArray[np.bool_], ...]
    """Of each condition, (N,) cells that pass all the others: its histogram shows them."""

    @property
    def n(self) -> int:
        """How many pass."""
        return int(np.count_nonzero(self.passes))


@lru_cache(maxsize=24)
def values_of(folder: Path, kind: Kind, name: str, *, n_cells: int) -> Values:
    """Read what a condition looks at: of a gene its log expression, 0 where it was not seen."""
    if kind == "gene":
        expression = np.zeros(n_cells, dtype=np.float32)
        rows, found = gene_values(folder, name)
        expression[rows] = found
        return Values(values=expression)
    column = cell_column(folder, name)
    if column.categories is None:
        return Values(values=np.asarray(column.values, dtype=np.float32))
    places = np.where(column.values < 0, len(column.categories), column.values).astype(np.int32)
    names = (*column.categories, NO_LABEL) if (column.values < 0).any() else column.categories
    return Values(values=places, names=tuple(names))


def passing(conditions: Sequence[Condition], values: Sequence[Values]) -> Passing:
    """Find the cells that pass all conditions, and those that pass all but each.

    Examples
    --------
    >>> numbers = Values(values=np.array([1.0, 2.0, 3.0], dtype=np.float32))
    >>> kinds = Values(values=np.array([0, 1, 0], dtype=np.int32), names=("B", "T"))
    >>> asked = [Condition(kind="number", name="x", low=2.0), Condition(kind="category", name="y", left_out=("B",))]
    >>> found = passing(asked, [numbers, kinds])
    >>> found.passes.tolist(), [other.tolist() for other in found.others]
    ([False, True, False], [[False, True, False], [False, True, True]])
    """
    single = [_passes(one, given) for one, given in zip(conditions, values, strict=True)]
    failed = np.sum([~one for one in single], axis=0)  # (N,) conditions that a cell does not pass
    return Passing(passes=failed == 0, others=tuple(failed == ~one for one in single))


def _passes(one: Condition, given: Values) -> NDArray[np.bool_]:
    if one.kind == "category":
        stays = np.array([name not in one.left_out for name in given.names], dtype=bool)
        return np.asarray(stays[given.values.astype(np.int64)])
    if not (np.isfinite(one.low) or np.isfinite(one.high)):
        return np.ones(len(given.values), dtype=bool)
    return np.asarray((given.values >= np.float32(one.low)) & (given.values <= np.float32(one.high)))


def even_ends(low: float, high: float) -> tuple[float, float, float]:
    """Widen a range to whole steps of a power of ten, 100 to 1,000 of them, and give the step: sliders stay exact.

    Examples
    --------
    >>> even_ends(0.0, 4.7812), even_ends(556.0, 8875.0)
    ((0.0, 4.79, 0.01), (550.0, 8880.0, 10.0))
    """
    power = math.floor(math.log10((high - low) / 100))
    step = 10.0**power
    first, last = math.floor(low / step), math.ceil(high / step)
    digits = max(0, -power)
    return round(first * step, digits), round(last * step, digits), step


def histogram(given: Values, cells: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Count some cells, (N,), by category, (K,), or in equal steps of the span of all cells, (BINS,)."""
    if given.names:
        return np.bincount(given.values[cells].astype(np.int64), minlength=len(given.names))
    counts, _ = np.histogram(given.values[cells & np.isfinite(given.values)], bins=BINS, range=given.span)
    return np.asarray(counts, dtype=np.int64)
