"""Restore expression as if cells had more reads, and check it on cells that were thinned, beside plain methods."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scviz.errors import RequestError
from scviz.metrics.restoration import Gain, MeanScore

TITLE = "More reads"
HEAVY = True

MODEL = "model"
"""Key of the model's own scores."""

LAYER = "enhanced_log1p"
"""Name of the restored expression in a file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Which cells, with which model, how deep."""

    dataset: str
    checkpoint: str
    read_depth: str = "f5"
    """Depth to restore cells at, in the words of the model's card."""
    label_key: str | None = None
    """Column with known cell types, by which clustering is scored."""
    check_cells: int = 200
    """Most cells that are thinned, restored and compared with what they were."""
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.read_depth:
            raise RequestError(
                "No depth was chosen.", hint="Choose one, such as f5 for five times the reads of each cell."
            )
        if not 10 <= self.check_cells <= 2000:
            raise RequestError(f"{self.check_cells} cells make no check.", hint="Check on 10 to 2,000 cells.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What the check found; the restored expression of all cells lies in a file beside it."""

    check_rows: NDArray[np.int64]
    """(M,) rows of the cells that were thinned and restored."""
    correlations: dict[str, NDArray[np.float64]]
    """(M,) correlation with the whole cell, over genes, of "model" and of each baseline; NaN where undefined."""
    scores: dict[str, MeanScore]
    """Mean correlation of each."""
    silhouettes: dict[str, float]
    """How far known types stand apart for each, -1 to 1; empty where no column was named."""
    whole_silhouette: float
    """The same for the whole cells; NaN where no column was named."""
    gain: Gain
    """The model against the best baseline, on the same cells."""
    n_genes: int
    """Genes that dataset and model share; these are restored and compared."""
    n_unseen: int
    """Cells in which the model sees no gene; their rows stay empty."""
    seconds: float
    """How long restoring all cells took."""
    notes: tuple[str, ...] = ()
