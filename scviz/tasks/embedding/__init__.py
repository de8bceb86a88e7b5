"""Embed cells with a foundation model and draw the map, beside the map of plain principal components."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scviz.errors import RequestError

TITLE = "Map of cells"
HEAVY = True
FANS_OUT = True
"""On a cluster its other workers help: `run.py` has a `help_out` beside `run`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Which cells, with which model."""

    dataset: str
    checkpoint: str
    read_depth: str = ""
    """Read cells as if they had this depth, in the words of the model's card; empty = the model's own way."""
    n_neighbors: int = 15
    """Neighbors of a cell in the map."""
    min_dist: float = 0.3
    """How closely the map packs neighbors, from 0 to 1."""
    batch_size: int = 0
    """Cells at a time; 0 takes some that suit their length."""
    seed: int = 0

    def __post_init__(self) -> None:
        if not 2 <= self.n_neighbors <= 200:
            raise RequestError(
                f"{self.n_neighbors} neighbors make no map.", hint="Choose between 2 and 200 neighbors."
            )
        if not 0 <= self.min_dist <= 1:
            raise RequestError(f"A distance of {self.min_dist} is no share.", hint="Choose between 0 and 1.")


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
