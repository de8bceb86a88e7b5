"""Denoise cells as if they had more reads, and check it on down-sampled cells, compared with plain methods."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from scviz.errors import RequestError
from scviz.metrics.evidence import Gain, Interval
from scviz.tasks.fields import FEW_GENES, SEED, TYPE_KINDS, Column, Needs, Number, check_fields

TITLE = "More reads"
HEAVY = True
NEEDS = Needs(
    cells=5,
    genes=3,
    counts="It draws fewer molecules of each cell to see whether the model brings them back.",
)

MODEL = "model"
"""Key of the model's own scores."""

ORIGINAL = "original"
"""Key of the silhouettes of the original cells."""

LAYER = "enhanced_log1p"
"""Name of the denoised expression in a file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Which cells, with which model, how deep."""

    dataset: str
    checkpoint: str
    read_depth: Annotated[
        str,
        Column(
            "Denoise each cell as if it had",
            help="The model reads a cell and predicts the expression of every gene it knows at this depth. Depths are "
            "those of the model's card, such as f5 for five times the reads of each cell.",
        ),
    ] = "f5"
    label_key: Annotated[
        str | None,
        Column(
            "Column with known cell types",
            help="Says how far types stand apart before and after.",
            kinds=TYPE_KINDS,
        ),
    ] = None
    check_cells: Annotated[
        int,
        Number(
            "Cells to check on",
            10,
            2000,
            unit="cells",
            step=10,
            help="So many cells are down-sampled to a tenth of their reads, denoised, and compared with the originals.",
            advanced=True,
        ),
    ] = 200
    seed: Annotated[int, SEED] = 0
    few_genes: Annotated[bool, FEW_GENES] = False

    def __post_init__(self) -> None:
        check_fields(self)
        if not self.read_depth:
            raise RequestError(
                "No depth was chosen.", hint="Choose one, such as f5 for five times the reads of each cell."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What the check found; the denoised expression of all cells lies in a file beside it."""

    check_rows: NDArray[np.int64]
    """(M,) rows of the cells that were down-sampled and denoised."""
    correlations: dict[str, NDArray[np.float64]]
    """(M,) correlation with the original cell, over genes, of "model" and of each baseline; NaN where undefined."""
    scores: dict[str, Interval]
    """Mean correlation of each."""
    silhouettes: dict[str, float]
    """How far known types stand apart for each, -1 to 1; empty where no column was named."""
    cell_silhouettes: dict[str, NDArray[np.float64]]
    """(M,) silhouette of each cell in its type, of each method and of "original"; empty where no column was named, NaN
    for cells without a type."""
    original_silhouette: float
    """The same for the original cells; NaN where no column was named."""
    gain: Gain
    """The model against the best baseline, on the same cells."""
    n_genes: int
    """Genes that dataset and model share; these are denoised and compared."""
    n_unseen: int
    """Cells in which the model sees no gene; their rows stay empty."""
    seconds: float
    """How long denoising all cells took."""
    notes: tuple[str, ...] = ()
