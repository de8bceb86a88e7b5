"""Cut the neighbor graph of cells into clusters, and tell how much of the cut is found again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, triu

from scviz.metrics.clustering import kept_together
from scviz.networks.communities import cuts
from scviz.networks.similarity import GeneGraph

N_CUTS = 2
"""The better one is kept; the other tells how firm it is."""
TOLERANCE = 1e-5
"""A smaller gain of modularity ends the search; graphs of cells are large."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clusters:
    """Clusters of n cells."""

    of_cells: NDArray[np.int32]
    """(n,) 0 is the largest cluster."""
    again: float
    """Share of the pairs of cells in one cluster that share one in a search that begins elsewhere."""

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Cells of each cluster, (K,), the largest first."""
        return np.bincount(self.of_cells)

    @property
    def number(self) -> int:
        """How many there are."""
        return len(self.sizes)


def cell_clusters(graph: csr_matrix, resolution: float, *, seed: int) -> Clusters:
    """Find clusters by Leiden's method in a graph of cells, (n, n) and symmetric."""
    links = triu(graph, k=1).tocoo()
    pairs = GeneGraph(
        n_genes=graph.shape[0],
        first=links.row.astype(np.int64),
        second=links.col.astype(np.int64),
        weights=links.data.astype(np.float64),
    )
    best, other = cuts(pairs, "leiden", resolution, seed=seed, n_cuts=N_CUTS, tolerance=TOLERANCE)
    return Clusters(of_cells=best.astype(np.int32), again=kept_together(best, other))
