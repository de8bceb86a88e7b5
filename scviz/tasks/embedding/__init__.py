"""Embed cells with a foundation model and draw the map, beside the map of plain principal components."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray

from scviz.tasks.fields import (
    FEW_GENES,
    NEIGHBORS,
    SEED,
    SPACING,
    Choice,
    Column,
    Needs,
    Number,
    check_fields,
)

TITLE = "Map of cells"
HEAVY = True
NEEDS = Needs(cells=5, genes=3, answer=("embedding",))
FANS_OUT = True
"""On a cluster its other workers help: `run.py` has a `help_out` beside `run`."""
FLAVORS = {
    "seurat": "Dispersion (Seurat)",
    "cell_ranger": "Dispersion (Cell Ranger)",
    "seurat_v3": "Variance of raw counts (Seurat v3)",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Which cells, with which model."""

    dataset: str
    checkpoint: str
    read_depth: Annotated[
        str,
        Column(
            "Read each cell as if it had",
            none="the depth that the model takes by itself",
            help="The model is told how deeply a cell was sequenced and how deep it should look. One depth for all "
            "reduces the effect of sequencing depth. Depths are those of the model's card: t4 = 10^4 reads, f5 = five "
            "times the reads of the cell; scFoundation only.",
        ),
    ] = ""
    most_genes: Annotated[
        int,
        Number(
            "Most variable genes only",
            50,
            20_000,
            unit="genes",
            automatic="all genes",
            help="The model reads these genes of each cell and no others, chosen from all cells; scGPT only. Its "
            "authors take 3,000 by Seurat v3 to compare batches.",
        ),
    ] = 0
    flavor: Annotated[
        Literal["seurat", "cell_ranger", "seurat_v3"],
        Choice("Choose variable genes by", FLAVORS, help="As scanpy computes it."),
    ] = "seurat"
    n_neighbors: Annotated[int, NEIGHBORS] = 15
    min_dist: Annotated[float, SPACING] = 0.3
    batch_size: Annotated[
        int,
        Number("Batch size", 1, 4096, unit="cells", automatic="suits the length of the cells", advanced=True),
    ] = 0
    seed: Annotated[int, SEED] = 0
    few_genes: Annotated[bool, FEW_GENES] = False

    def __post_init__(self) -> None:
        check_fields(self)

    @property
    def needs(self) -> Needs:
        """What these cells must have."""
        by_counts = self.most_genes and self.flavor == "seurat_v3"
        return (
            replace(NEEDS, counts="Seurat v3 chooses genes by the variance of counts.")
            if by_counts
            else NEEDS
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The embedding and its map, and the same of the baseline; NaN rows for cells in which the model sees no gene."""

    embedding: NDArray[np.float32]
    """(N, C) cell vectors of the model."""
    umap: NDArray[np.float32]
    """(N, 2) map of the embedding."""
    neighbors: NDArray[np.int32]
    """(N, k) nearest other cells in the embedding, nearest first; -1 for cells without a vector."""
    pca: NDArray[np.float32]
    """(N, 50) principal components of log expression, 2,000 variable genes: the baseline."""
    baseline_umap: NDArray[np.float32]
    """(N, 2) map of the principal components."""
    baseline_neighbors: NDArray[np.int32]
    """(N, k) nearest other cells among the principal components."""
    n_unseen: int
    """Cells in which the model sees no gene."""
    n_genes_seen: int
    """Genes of the dataset that the model knows."""
    seconds: float
    """How long the model took to read the cells."""
    notes: tuple[str, ...] = ()
    """What to know of the genes that were read and of the baseline, a sentence each."""
