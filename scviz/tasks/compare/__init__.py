"""Embed the same cells with several models and with plain principal components, and see where they agree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from scviz.errors import RequestError
from scviz.metrics.evidence import Gain, Outcome
from scviz.tasks.fields import (
    FEW_GENES,
    LABELS,
    NEIGHBORS,
    SEED,
    SPACING,
    Column,
    Needs,
    Switch,
    check_fields,
)

TITLE = "Comparison"
HEAVY = True
NEEDS = Needs(cells=5, genes=3)

PCA = "pca"
"""Key of the baseline: principal components of log expression."""

RANDOM = "random weights"
"""What is written behind the id of weights for the same network with random ones."""

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
        str | None,
        Column("Column of batches", help="Batches or donors, which should mix on the map.", kinds=("batch",)),
    ] = None
    n_neighbors: Annotated[int, NEIGHBORS] = 15
    min_dist: Annotated[float, SPACING] = 0.3
    random_weights: Annotated[
        bool,
        Switch(
            "Beside the same networks with random weights",
            help="Each network is read before any training, too: what it scores then is owed to the genes it reads and "
            "not to what it learned. Takes as long again.",
        ),
    ] = True
    seed: Annotated[int, SEED] = 0
    few_genes: Annotated[bool, FEW_GENES] = False

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
class Score:
    """What a field of MethodScores is called, and what it means."""

    title: str
    meaning: str
    sign: int = 1
    """1 when more is better, -1 when less is."""


SCORES = {
    "agreement": Score(
        title="Neighbors agree",
        meaning="Each cell is named by the vote of its nearest neighbors; the macro-F1 of these names against "
        "the known types, 0 to 1.",
    ),
    "silhouette_label": Score(
        title="Silhouette of types",
        meaning="How much nearer cells are to their own type than to the nearest other type, -1 to 1. "
        "Computed on the vectors, of at most 5,000 cells.",
    ),
    "nmi": Score(
        title="NMI",
        meaning="Normalized mutual information between known types and k-means clusters, as many as there are "
        "types, 0 to 1.",
    ),
    "ari": Score(
        title="ARI",
        meaning="Adjusted Rand index between known types and the same clusters: 0 as by chance, 1 for equal.",
    ),
    "mixing": Score(
        title="Batch mixing",
        meaning="Share of neighbors that come from other batches, divided by what random mixing would give. "
        "1 is fully mixed; where batches hold different types, 1 is not to be wished for.",
    ),
    "silhouette_batch": Score(
        title="Silhouette of batches",
        meaning="The same as for types, of batches: they should not stand apart, so less is better.",
        sign=-1,
    ),
}


def with_random_weights(checkpoint: str) -> str:
    """Name the same network with random weights, as a method.

    Examples
    --------
    >>> with_random_weights("scgpt/mine")
    'scgpt/mine, random weights'
    """
    return f"{checkpoint}, {RANDOM}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreGain:
    """What a model gains over a baseline by one score."""

    method: str
    score: str
    """A key of SCORES."""
    gain: Gain


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The same for each method; all scores are of the cells that every method sees."""

    methods: tuple[str, ...]
    """The M methods: ids of weights in the order of the request, then PCA."""
    umap: dict[str, NDArray[np.float32]]
    """(N, 2) map of each method; NaN for cells in which a model sees no gene."""
    neighbors: dict[str, NDArray[np.int32]]
    """(N, k) nearest other cells, nearest first; -1 for cells without a vector. This and all that follows by method is
    of the networks with random weights, too, where they were asked for."""
    types: NDArray[np.int64]
    """(N,) type of each cell that is counted; -1 for others."""
    batches: NDArray[np.int64]
    """(N,) the same of batches."""
    named: dict[str, NDArray[np.int64]]
    """(N,) type that the vote of its neighbors gives each cell, by method; -1 for cells that are not counted."""
    clusters: dict[str, NDArray[np.int64]]
    """(N,) cluster of each cell, by method; -1 for cells that are not counted."""
    silhouette_label: dict[str, NDArray[np.float64]]
    """(N,) silhouette of each cell in its type; NaN for cells that are not counted."""
    silhouette_batch: dict[str, NDArray[np.float64]]
    """(N,) the same of batches."""
    elsewhere: dict[str, NDArray[np.float64]]
    """(N,) share of each cell's neighbors that come from other batches; NaN for cells that are not counted."""
    scores: dict[str, MethodScores]
    halves: dict[str, NDArray[np.float64]]
    """(B, 6) scores of each of B halves of the cells, in the order of SCORES, by method; NaN without the column."""
    gains: tuple[ScoreGain, ...]
    """Of each model by each score that could be computed; their intervals hold together in 95 of 100 runs."""
    outcome: Outcome
    verdict: str
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
    over_random: tuple[ScoreGain, ...] = ()
    """Of each model over the same network with random weights, by the first score there is; empty without them."""
