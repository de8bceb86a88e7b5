"""One square of the confusion matrix: its cells, and how those that are named wrong differ from those named right."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.columns import gene_blocks, gene_names
from scviz.metrics.evidence import counted
from scviz.metrics.group_values import NEITHER
from scviz.metrics.two_groups import FIRST, SECOND, GeneTable, two_groups
from scviz.tasks.annotation import MODEL, Result

FEWEST_EACH = 10
"""Of fewer cells on either side the genes that differ cannot be told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Square:
    """The cells that judge and are of one type and named as one, beside those of the type that are named right."""

    true: str
    named: str
    rows: NDArray[np.int64]
    """(n,) its cells, rows of the dataset."""
    right: NDArray[np.int64]
    """(r,) cells of the type that are named right; for a square on the diagonal, those that are named wrong."""
    confidence: NDArray[np.float32]
    """(n,) confidence of the model in what it calls each of its cells."""
    other_confidence: NDArray[np.float32]
    """(r,) the same of the other cells."""
    n_of_type: int
    """Cells of the type that judge."""

    @property
    def others(self) -> str:
        """What the other cells are called."""
        return f"{self.true} named right" if self.true != self.named else f"{self.true} named wrong"

    @property
    def words(self) -> str:
        """What its cells are called."""
        return f"{self.true} named {self.named}" if self.true != self.named else f"{self.true} named right"

    @property
    def sentence(self) -> str:
        """Say how many cells these are."""
        share = f"{100 * len(self.rows) / self.n_of_type:.1f} %" if self.n_of_type else "none"
        verb = "is" if len(self.rows) == 1 else "are"
        said = f"{len(self.rows):,} of {self.n_of_type:,} cells of {self.true} {verb} named {self.named} ({share})"
        if not len(self.rows) or not len(self.right):
            return f"{said}."
        return (
            f"{said}: median confidence {np.median(self.confidence):.2f}, compared with "
            f"{np.median(self.other_confidence):.2f} of the {len(self.right):,} {self.others}."
        )


def square_of(result: Result, true: str, named: str, *, method: str = MODEL) -> Square:
    """Find the cells of a square.

    Parameters
    ----------
    method
        Whose names; the confidence is that of the model.
    """
    at, to = result.types.index(true), result.types.index(named)
    of_type, called = result.truth == at, result.predicted[method]
    own = of_type & (called == to)
    other = of_type & ((called == at) if true != named else (called != at))
    confidence = result.probabilities.max(axis=1)
    return Square(
        true=true,
        named=named,
        rows=result.test_rows[own],
        right=result.test_rows[other],
        confidence=confidence[own],
        other_confidence=confidence[other],
        n_of_type=int(of_type.sum()),
    )


def genes_of_square(folder: Path, square: Square, n_cells: int) -> GeneTable | None:
    """Compare the genes of its cells with those of the others of the type (rank sums); None for too few cells.

    Parameters
    ----------
    folder
        Folder of the dataset.
    """
    if min(len(square.rows), len(square.right)) < FEWEST_EACH:
        return None
    sides = np.full(n_cells, NEITHER, dtype=np.int8)
    sides[square.rows], sides[square.right] = FIRST, SECOND
    return two_groups(gene_blocks(folder, n_cells), sides, method="wilcoxon")


def too_few(square: Square) -> str:
    """Say that the genes cannot be told, with the numbers."""
    return (
        f"Cannot tell which genes differ: {counted(len(square.rows), 'cell')} {square.words} and {len(square.right):,} "
        f"{square.others}; it takes {FEWEST_EACH} of each."
    )


def first_genes(folder: Path, table: GeneTable, n: int) -> list[tuple[str, int]]:
    """Name the first n genes with their places, those that differ most first."""
    names = gene_names(folder)
    return [(names[at], int(at)) for at in table.order[:n]]
