"""Values of some cells, as they are looked at to tell what a matrix holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PIECE = 2_000_000
"""Values that are worked on at a time."""


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
