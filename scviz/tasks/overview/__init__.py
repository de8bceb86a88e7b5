"""Draw the first map of a dataset, without any model: variable genes, principal components, clusters, UMAP."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from scviz.tasks.fields import NEIGHBORS, SEED, SPACING, Needs, Number, check_fields

TITLE = "First map and clusters"
HEAVY = False
NEEDS = Needs(cells=5, genes=3, answer=("umap",))
"""Fewer cells or genes make no map."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Which cells, and how their map is drawn."""

    dataset: str
    n_genes: Annotated[
        int,
        Number(
            "Variable genes",
            50,
            20_000,
            unit="genes",
            help="The genes that vary most among cells; all others are left out.",
            advanced=True,
        ),
    ] = 2000
    n_components: Annotated[
        int, Number("Principal components", 2, 200, help="Neighbors are found among these.", advanced=True)
    ] = 50
    n_neighbors: Annotated[int, NEIGHBORS] = 15
    min_dist: Annotated[float, SPACING] = 0.3
    resolution: Annotated[
        float,
        Number("Cluster resolution", 0.05, 20, step=0.1, help="More makes more and smaller clusters."),
    ] = 1.0
    seed: Annotated[int, SEED] = 0

    def __post_init__(self) -> None:
        check_fields(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """N cells on a map. Cells without any count have no place and no cluster."""

    pca: NDArray[np.float32]
    """(N, 50) principal components of log expression of the variable genes; fewer columns for few cells or genes."""
    neighbors: NDArray[np.int32]
    """(N, k) nearest other cells among the principal components, nearest first; -1 for cells without counts."""
    umap: NDArray[np.float32]
    """(N, 2) the map; NaN for cells without counts."""
    clusters: NDArray[np.int32]
    """(N,) cluster of each cell: 0 is the largest; -1 for cells without counts. Pages count from 1."""
    n_clusters: int
    seconds: float
    notes: tuple[str, ...]
    verdict: str
    """How many clusters, how large, and how much of them is found again."""

    @property
    def names(self) -> tuple[str, ...]:
        """What the clusters are called, the largest first."""
        return tuple(f"cluster {number + 1}" for number in range(self.n_clusters))
