"""Turn the values of a matrix into counts, block by block, with the sentence that says how."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from scipy.sparse import csr_matrix

from scviz.datasets.counts import READABLE, RELATIVE, Kind
from scviz.datasets.recovery import HALF_EXACT, PLAIN, WAYS_OUT, Transform, is_half, recover_rows
from scviz.datasets.rows import Rows, is_whole
from scviz.errors import CountsError
from scviz.workspace import CountsSource
from scviz.workspace.store import How

LARGEST_COUNT = 2**24
"""Whole numbers up to here are exact in float32."""


@dataclass(slots=True)
class Conversion:
    """Makes counts of the blocks of one matrix, and remembers what it saw."""

    location: str
    kind: Kind
    transform: Transform
    evidence: str
    """What led to the kind, a sentence."""
    chosen: bool
    """Whether the user named this matrix, so that whole numbers are counts whatever they look like."""
    relative: bool
    largest: float = 0.0
    n_cells: int = 0
    half: bool = False
    """Whether logarithms in half precision were met."""
    _convert: Callable[[csr_matrix], csr_matrix] = field(init=False)

    def __post_init__(self) -> None:
        """Find the way from these values to counts.

        Raises
        ------
        CountsError
            If there is none.
        """
        ways: dict[Kind, Callable[[csr_matrix], csr_matrix]] = {
            "counts": self._whole,
            "whole numbers, no counts": self._whole,
            "counts with decimals": _rounded,
            "log-normalized, recoverable": self._recovered,
            "normalized, recoverable": self._recovered,
            "normalized": self._undone,
            "log-normalized": self._undone,
        }
        allowed = (*READABLE, *(RELATIVE if self.relative else ()))
        if self.chosen:
            allowed = (*allowed, "whole numbers, no counts")
        if self.kind not in allowed:
            raise CountsError(f"{self.location} holds no raw counts. {self.evidence}", hint=WAYS_OUT)
        self._convert = ways[self.kind]

    def block(self, stored: csr_matrix) -> csr_matrix:
        """Return the counts, (n, G) float32, behind a block of cells.

        Raises
        ------
        CountsError
            If values are not what those of the sample were, or a count is too large.
        """
        counts = self._convert(stored)
        counts.eliminate_zeros()
        self.largest = max(self.largest, float(counts.data.max(initial=0)))
        self.n_cells += counts.shape[0]
        if self.largest > LARGEST_COUNT and not self.is_relative:
            raise CountsError(f"{self.location} holds counts above {LARGEST_COUNT:,}.", hint=WAYS_OUT)
        return csr_matrix((counts.data.astype(np.float32), counts.indices, counts.indptr), shape=counts.shape)

    @property
    def is_relative(self) -> bool:
        """Whether what comes out is relative expression, no counts."""
        return self.kind in RELATIVE

    def done(self) -> str:
        """Say in a sentence what was done.

        Raises
        ------
        CountsError
            If nothing larger than 1 came out of values that are no whole numbers.
        """
        if self.kind in READABLE[1:3] and self.largest < 2:
            raise CountsError("The values only tell which genes were seen, not how often.", hint=WAYS_OUT)
        cells = f"in each of the {self.n_cells:,} cells all values are whole multiples of one unit"
        if self.half:
            cells += f". They are stored in half precision, so that counts above about {HALF_EXACT} are approximate"
        return {
            "counts": f"Raw counts were taken from {self.location} as they are.",
            "whole numbers, no counts": f"The whole numbers in {self.location} were taken for counts, as was chosen.",
            "counts with decimals": f"The counts in {self.location} have decimals; they were rounded to whole numbers.",
            "log-normalized, recoverable": f"Counts were recovered from the logarithms in {self.location}: {cells}.",
            "normalized, recoverable": f"Counts were recovered from the normalized values in {self.location}: {cells}.",
            "normalized": f"The values in {self.location} were taken as relative expression; they are no counts.",
            "log-normalized": f"Relative expression was taken from the logarithms in {self.location}; it is no counts.",
        }[self.kind]

    def source(self) -> CountsSource:
        """Say where the counts come from."""
        hows: dict[Kind, How] = {
            "counts with decimals": "rounded",
            "log-normalized, recoverable": "recovered from log values",
            "normalized, recoverable": "recovered from normalized values",
            "normalized": "relative expression",
            "log-normalized": "relative expression",
        }
        return CountsSource(
            location=self.location, how=hows.get(self.kind, "as stored"), evidence=self.evidence
        )

    def _whole(self, stored: csr_matrix) -> csr_matrix:
        if not is_whole(stored.data):
            raise CountsError(
                f"{self.location} looks like counts in the cells that were sampled, but not in all cells.",
                hint=WAYS_OUT,
            )
        return stored

    def _recovered(self, stored: csr_matrix) -> csr_matrix:
        rows = Rows(values=stored.data, bounds=stored.indptr.astype(np.int64))
        self.half = self.half or (self.transform.base > 0 and stored.nnz > 0 and is_half(stored.data))
        return _with_values(stored, recover_rows(rows, self.transform))

    def _undone(self, stored: csr_matrix) -> csr_matrix:
        if stored.data.min(initial=0) < 0:
            raise CountsError(
                f"{self.location} holds negative values, which are no expression.", hint=WAYS_OUT
            )
        transform = self.transform if self.kind == "log-normalized" else PLAIN
        return _with_values(stored, transform.undo(stored.data.astype(np.float64)))


def _rounded(stored: csr_matrix) -> csr_matrix:
    if not (np.isfinite(stored.data).all() and stored.data.min(initial=0) >= 0):
        raise CountsError("Some values are negative or missing, which no counts are.", hint=WAYS_OUT)
    return _with_values(stored, np.rint(stored.data))


def _with_values(block: csr_matrix, values: np.ndarray) -> csr_matrix:
    return csr_matrix((values, block.indices, block.indptr), shape=block.shape)
