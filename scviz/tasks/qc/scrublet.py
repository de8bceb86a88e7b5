"""Scrublet, as scanpy has it, in little memory: doublets are simulated and placed some at a time, neighbors are exact.

Two cells added up make a doublet. Cells and doublets are placed by principal components of the cells, and what has many
doublets among its neighbors is likely one. No matrix of all cells is dense, and that of the doublets is never whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from scviz.datasets.variable_expression import Moments, normalized_dispersion
from scviz.errors import DataError
from scviz.progress import Progress, Report, silent

if TYPE_CHECKING:
    from sklearn.decomposition import PCA

FEWEST_CELLS, FEWEST_GENES = 3, 3
"""Cells that a gene is seen in, and then genes that are seen in a cell, to be counted."""
LEAST_MEAN, MOST_MEAN, LEAST_DISPERSION = 0.0125, 3.0, 0.5
"""Of genes that vary: log1p of their mean, and their normalized dispersion."""
TARGET_SUM = 1e6
N_COMPONENTS = 30
RATIO = 2
"""Doublets that are simulated for each cell."""
MOST_SIMULATED = 20_000
"""Doublets whose scores are told: enough to find the threshold."""
AT_A_TIME = 10_000
"""Cells whose values are worked on, and doublets that are simulated."""
SEARCHED_AT_A_TIME = 2_000
"""Cells whose neighbors are found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """What is said of N cells and of simulated doublets."""

    cells: NDArray[np.float64]
    """(N,) from 0 to 1; NaN for cells with next to no genes."""
    simulated: NDArray[np.float64]
    """(s,) the same of the doublets, or of some where there are very many."""


def doublet_scores(
    counts: csr_matrix, *, expected: float = 0.05, seed: int = 0, report: Report = silent
) -> Scores:
    """Score cells, and simulated doublets, by how many doublets are among their neighbors.

    Parameters
    ----------
    counts
        (N, G) raw counts.
    expected
        Share of cells that are doublets.
    seed
        Of the pairs that are added up.
    report
        Told how many cells and doublets were compared with all others.

    Raises
    ------
    DataError
        If too few genes vary.

    References
    ----------
    Wolock et al. (2019), doi:10.1016/j.cels.2018.11.005.
    """
    n_of_genes = np.bincount(counts.indices[counts.data > 0], minlength=counts.shape[1])
    genes = n_of_genes >= FEWEST_CELLS  # (G,)
    rows = _rows_with(counts, genes)
    varying = _variable(counts, genes, rows)
    if len(varying) <= N_COMPONENTS:
        raise DataError(f"{len(varying):,} genes vary enough, and more than {N_COMPONENTS} are needed")
    raw = csr_matrix(counts[:, varying])[rows]  # (n, g)
    places = _places(raw, seed)  # (n + S, 30)
    k = round(round(0.5 * np.sqrt(len(rows))) * (1 + RATIO))
    scored = np.concatenate([np.arange(len(rows)), _some(len(rows), len(places), seed)])
    near = _doublets_near(places, scored, k, n_cells=len(rows), report=report)
    score = _scores(near, k, expected=expected)
    cells = np.full(counts.shape[0], np.nan)
    cells[rows] = score[: len(rows)]
    return Scores(cells=cells, simulated=score[len(rows) :])


def _rows_with(counts: csr_matrix, genes: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Find the cells that have some of the genes, (n,)."""
    seen = np.concatenate(([0], np.cumsum(genes[counts.indices] & (counts.data > 0))))
    return np.flatnonzero(np.diff(seen[counts.indptr]) >= FEWEST_GENES)


def _variable(counts: csr_matrix, genes: NDArray[np.bool_], rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Find the genes that vary among cells, (g,) positions, by counts scaled to the median of their sums."""
    weights = genes.astype(np.float32)
    totals = np.asarray(counts @ weights, dtype=np.float64)[rows]  # (n,)
    factors = np.median(totals) / totals
    sums, squares = np.zeros((2, counts.shape[1]))
    for start in range(0, len(rows), AT_A_TIME):
        block = counts[rows[start : start + AT_A_TIME]]
        scaled = block.data * np.repeat(factors[start : start + AT_A_TIME], np.diff(block.indptr))
        sums += np.bincount(block.indices, scaled, minlength=len(sums))
        squares += np.bincount(block.indices, scaled**2, minlength=len(sums))
    mean = np.where(genes, sums / len(rows), 0.0)
    variance = np.maximum(squares - len(rows) * mean**2, 0.0) / (len(rows) - 1)
    dispersion = normalized_dispersion(Moments(mean=mean, variance=np.where(genes, variance, 0.0)))
    level = np.log1p(mean)
    return np.flatnonzero((level > LEAST_MEAN) & (level < MOST_MEAN) & (dispersion > LEAST_DISPERSION))


def _places(raw: csr_matrix, seed: int) -> NDArray[np.float64]:
    """Place (n, g) cells and the doublets made of them, (n + S, 30), the cells first."""
    from sklearn.decomposition import PCA
    from sklearn.utils import check_random_state
    from sklearn.utils.random import sample_without_replacement

    cells = _scaled(raw)
    mean = np.asarray(cells.mean(axis=0)).ravel()
    square = np.asarray(cells.multiply(cells).mean(axis=0)).ravel()
    n_cells = raw.shape[0]
    spread = np.sqrt((square - mean**2) * n_cells / (n_cells - 1))  # (g,)
    cells.data /= spread[cells.indices]
    pca = PCA(n_components=N_COMPONENTS, svd_solver="arpack", random_state=check_random_state(seed))
    places = np.empty(((1 + RATIO) * n_cells, N_COMPONENTS))
    pca.fit(cells)
    places[:n_cells] = pca.transform(cells)
    del cells
    pairs = sample_without_replacement(
        n_cells * n_cells, RATIO * n_cells, random_state=check_random_state(seed)
    )
    for start in range(0, len(pairs), AT_A_TIME):
        one, other = np.unravel_index(pairs[start : start + AT_A_TIME], (n_cells, n_cells))
        places[n_cells + start : n_cells + start + len(one)] = _placed(raw[one] + raw[other], spread, pca)
    return places


def _placed(raw: csr_matrix, spread: NDArray[np.float64], pca: PCA) -> NDArray[np.float64]:
    """Place (n, g) doublets as the cells were, (n, 30)."""
    doublets = _scaled(raw)
    doublets.data /= spread[doublets.indices]
    places: NDArray[np.float64] = pca.transform(doublets)
    return places


def _scaled(raw: csr_matrix) -> csr_matrix:
    """Scale the counts of each cell to the same sum, (n, g) float64; cells without counts stay 0."""
    totals = np.asarray(raw.sum(axis=1, dtype=np.float64)).ravel()
    factors = np.divide(TARGET_SUM, totals, out=np.zeros_like(totals), where=totals > 0)
    return csr_matrix(
        (raw.data * np.repeat(factors, np.diff(raw.indptr)), raw.indices, raw.indptr), shape=raw.shape
    )


def _some(n_cells: int, n_places: int, seed: int) -> NDArray[np.int64]:
    """Choose the doublets, (s,) places behind those of the cells, whose scores are told."""
    n_some = min(n_places - n_cells, MOST_SIMULATED)
    return n_cells + np.sort(np.random.default_rng(seed).permutation(n_places - n_cells)[:n_some])


def _doublets_near(
    places: NDArray[np.float64], scored: NDArray[np.int64], k: int, *, n_cells: int, report: Report
) -> NDArray[np.int64]:
    """Count the doublets among the k - 1 nearest others of some (n,) places; the first of (n + S, 30) are cells.

    As scanpy counts, which divides by k all the same; it takes some cells for their own neighbors where rounding keeps
    them from themselves.
    """
    from sklearn.neighbors import NearestNeighbors

    search = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(places)
    near = np.empty(len(scored), dtype=np.int64)
    for start in range(0, len(scored), SEARCHED_AT_A_TIME):
        report(Progress(stage="Comparing cells with doublets", done=start, total=len(scored)))
        part = slice(start, start + SEARCHED_AT_A_TIME)
        found = search.kneighbors(places[scored[part]], return_distance=False)  # (b, k)
        near[part] = (found >= n_cells).sum(axis=1)
    near[scored >= n_cells] -= 1  # a doublet is its own nearest
    return near


def _scores(near: NDArray[np.int64], k: int, *, expected: float) -> NDArray[np.float64]:
    """Turn doublets among k neighbors into the probability to be one, (n,), by the expected share of doublets."""
    share = (near + 1) / (k + 2)  # of doublets nearby, a flat prior
    ratio = expected / RATIO
    scores: NDArray[np.float64] = share * ratio / (1 - expected - share * (1 - expected - ratio))
    return scores
