"""Sparse rows that are kept on disk while a file is read, and given back by row or by column."""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from scviz.progress import Progress, Report

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

BLOCK = 4_000_000
"""Values that are written or given back at a time."""
VALUE = np.dtype([("at", "<i4"), ("value", "<f8")])


class KeptRows:
    """Rows of a table with `width` columns, added some at a time.

    Parameters
    ----------
    width
        How many columns the table has.
    by_column
        Whether they are given back by column, each column of the table a row.
    """

    def __init__(self, width: int, *, by_column: bool) -> None:
        self.width, self.by_column = width, by_column
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the rows
        weakref.finalize(self, self._file.close)
        self._bounds: list[NDArray[np.int64]] = []
        self._firsts: list[int] = []
        self._waiting: list[csr_matrix] = []
        self._n_waiting = 0
        self.n_rows = 0

    def add(self, rows: csr_matrix) -> None:
        """Add rows.

        Parameters
        ----------
        rows
            (n, width) values.
        """
        self._waiting.append(rows)
        self._n_waiting += rows.nnz
        if self._n_waiting > BLOCK:
            self._store()

    def blocks(self, report: Report) -> Callable[[], Iterator[csr_matrix]]:
        """Return what gives all rows, or all columns, in order: (n, width) or (n, rows) at a time."""
        self._store()
        return lambda: self._by_column(report) if self.by_column else self._by_row(report)

    def _store(self) -> None:
        from scipy.sparse import vstack

        if not self._waiting:
            return
        rows = vstack(self._waiting, format="csr")
        values = rows.tocsc() if self.by_column else rows
        packed = np.empty(values.nnz, dtype=VALUE)
        packed["at"], packed["value"] = values.indices, values.data
        self._file.seek(0, 2)
        self._file.write(packed.tobytes())
        start = int(self._bounds[-1][-1]) if self._bounds else 0
        self._bounds.append(values.indptr.astype(np.int64) + start)
        self._firsts.append(self.n_rows)
        self.n_rows += rows.shape[0]
        self._waiting, self._n_waiting = [], 0

    def _read(self, bounds: NDArray[np.int64], width: int) -> csr_matrix:
        """Return rows (len(bounds) - 1, width) whose values lie between these bounds."""
        from scipy.sparse import csr_matrix

        self._file.seek(int(bounds[0]) * VALUE.itemsize)
        packed = np.frombuffer(self._file.read(int(bounds[-1] - bounds[0]) * VALUE.itemsize), dtype=VALUE)
        ends = bounds - bounds[0]
        parts = (packed["value"].copy(), packed["at"].copy(), ends)
        return csr_matrix(parts, shape=(len(bounds) - 1, width))

    def _by_row(self, report: Report) -> Iterator[csr_matrix]:
        for bounds, first in zip(self._bounds, self._firsts, strict=True):
            yield self._read(bounds, self.width)
            report(Progress(stage="Reading cells", done=first + len(bounds) - 1, total=self.n_rows))

    def _by_column(self, report: Report) -> Iterator[csr_matrix]:
        from scipy.sparse import csr_matrix, hstack

        heights = np.diff([*self._firsts, self.n_rows])
        n_values = sum((np.diff(bounds) for bounds in self._bounds), np.zeros(self.width, dtype=np.int64))
        filled = np.concatenate([[0], np.cumsum(n_values)])  # (width + 1,)
        first = 0
        while first < self.width:
            last = int(np.searchsorted(filled, filled[first] + BLOCK, side="right")) - 1
            last = min(max(last, first + 1), first + BLOCK, self.width)
            parts = [
                self._read(bounds[first : last + 1], int(height))
                for bounds, height in zip(self._bounds, heights, strict=True)
            ]
            yield hstack(parts, format="csr") if parts else csr_matrix((last - first, 0))
            report(Progress(stage="Reading cells", done=last, total=self.width))
            first = last
