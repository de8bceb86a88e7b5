"""Embed the same cells with several models and with plain principal components, and see where they agree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from scviz.errors import RequestError
from scviz.tasks.fields import LABELS, NEIGHBORS, SEED, SPACING, Column, check_fields

TITLE = "Comparison"
HEAVY = True

PCA = "pca"
"""Key of the baseline: principal components of log expression."""

MOST_CHECKPOINTS = 4

MOST_TYPES = 200
"""With more categories than this a column names no types and no batches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Which cells, with which models, judged by which columns."""

    dataset: str
    checkpoints: tuple[str, ...]
    """One to four; principal components always come beside them."""
    label_key: Annotated[str | None, LABELS] = None
    batch_key: Annotated[
        str | None, Column("Column of batches", help="Batches or donors, which should mix on the map.")
    ] = None
    n_neighbors: Annotated[int, NEIGHBORS] = 15
    min_dist: Annotated[float, SPACING] = 0.3
    seed: Annotated[int, SEED] = 0

    def __post_init__(self) -> None:
        check_fields(self)
        if not 1 <= len(self.checkpoints) <= MOST_CHECKPOINTS:
            raise RequestError(
                f"Checkpoints must be 1 to {MOST_CHECKPOINTS} (got {len(self.checkpoints)}).",
                hint="Choose more, or fewer.",
            )
        if len(set(self.checkpoints)) < len(self.checkpoints):
            raise RequestError("The same checkpoint is named twice.", hint="Name each once.")
        if self.label_key is not None and self.label_key == self.batch_key:
            raise RequestError(
                f"The column {self.label_key!r} cannot hold types and batches at once.",
                hint="Choose another column for one of them, or none.",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodScores:
    """How well one method keeps types together and batches mixed; NaN without the column that it needs."""

    agreement: float
    """Macro-F1, 0 to 1, when each cell is named by the vote of its neighbors."""
    silhouette_label: float
    """-1 to 1: how far types stand apart."""
    nmi: float
    """0 to 1: clusters found without labels against the types."""
    ari: float
    """0 by chance, 1 for equal groups: clusters found without labels against the types."""
    silhouette_batch: float
    """-1 to 1: how far batches stand apart, which they should not."""
    mixing: float
    """Share of neighbors from other batches, in units of what random mixing would give."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The same for each method; all scores are of the cells that every method sees."""

    methods: tuple[str, ...]
    """The M methods: ids of weights in the order of the request, then PCA."""
    umap: dict[str, NDArray[np.float32]]
    """(N, 2) map of each method; NaN for cells in which a model sees no gene."""
    neighbors: dict[str, NDArray[np.int32]]
    """(N, k) nearest other cells, nearest first; -1 for cells without a vector."""
    scores: dict[str, MethodScores]
    disagreement: NDArray[np.float32]
    """(N,) 1 less the mean overlap (Jaccard) of a cell's neighbors over all pairs of methods, 0 to 1; NaN for
    cells that a model does not see."""
    overlap: NDArray[np.float64]
    """(M, M) mean overlap of the neighbors of two methods; 1 on the diagonal."""
    random_overlap: float
    """What `overlap` is between neighbors drawn at random."""
    n_cells: int
    """Cells that every method sees."""
    n_unseen: dict[str, int]
    """Cells in which a model sees no gene."""
    notes: tuple[str, ...] = ()
    """What else to know, a sentence each."""
