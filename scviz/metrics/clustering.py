"""How well groups of cells, such as types or batches, stand apart in an embedding."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MOST_CELLS = 5_000
"""More cells are sampled for the silhouette, which compares each with every other."""


def clusters_of(
    vectors: NDArray[np.float32], n_clusters: int, *, seed: int = 0, n_starts: int = 10
) -> NDArray[np.int64]:
    """Cluster cells by k-means, (M, C) -> (M,): the best of several starts."""
    from sklearn.cluster import KMeans

    found = KMeans(n_clusters, n_init=n_starts, random_state=seed).fit_predict(vectors)
    return np.asarray(found, dtype=np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterScores:
    """How well clusters that were found without labels match the known types."""

    nmi: float
    """Normalized mutual information, 0 to 1."""
    ari: float
    """Adjusted Rand index: 0 as by chance, 1 for equal groups; below 0 if worse than chance."""


def cluster_scores(clusters: NDArray[np.int64], types: NDArray[np.int64]) -> ClusterScores:
    """Compare clusters with types.

    Parameters
    ----------
    clusters, types
        (M,) of each cell.

    Returns
    -------
    NaN both with fewer than two types.

    References
    ----------
    Luecken et al. (2022), doi:10.1038/s41592-021-01336-8, with k-means for their Leiden clusters.

    Examples
    --------
    >>> cluster_scores(np.array([1, 1, 0, 0]), np.array([0, 0, 1, 1])).ari
    1.0
    """
    from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

    if len(np.unique(types)) < 2:
        return ClusterScores(nmi=float("nan"), ari=float("nan"))
    return ClusterScores(
        nmi=float(normalized_mutual_info_score(types, clusters)),
        ari=float(adjusted_rand_score(types, clusters)),
    )


def cell_silhouettes(
    vectors: NDArray[np.float32], groups: NDArray[np.int64], *, seed: int = 0
) -> NDArray[np.float64]:
    """Say how much nearer each cell is to its own group than to the nearest other one, (M,).

    Parameters
    ----------
    vectors
        (M, C) cell vectors.
    groups
        (M,) group of each cell: its type, or its batch.

    Returns
    -------
    From -1, inside another group, over 0, groups mixed, to 1, groups far apart. NaN for cells that are not among
    MOST_CELLS drawn ones, and for all with fewer than two groups, or none of two cells.

    References
    ----------
    Rousseeuw (1987), doi:10.1016/0377-0427(87)90125-7.

    Examples
    --------
    >>> cell_silhouettes(np.array([[0.0], [0.0], [9.0], [9.0]], np.float32), np.array([0, 0, 1, 1])).round(3).tolist()
    [1.0, 1.0, 1.0, 1.0]
    """
    from sklearn.metrics import silhouette_samples

    found, rows = np.full(len(groups), np.nan), np.arange(len(groups))
    if len(groups) > MOST_CELLS:
        rows = np.random.default_rng(seed).choice(len(groups), MOST_CELLS, replace=False)
    if 2 <= len(np.unique(groups[rows])) < len(rows):
        found[rows] = silhouette_samples(vectors[rows], groups[rows])
    return found


def mean_of_known(values: NDArray[np.floating]) -> float:
    """Average what is known of (M,); NaN without any."""
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")


def kept_together(first: NDArray[np.integer], second: NDArray[np.integer]) -> float:
    """Tell which share of the pairs of cells in one group of the first cut share one in the second, (M,) each.

    Returns
    -------
    From 0 to 1; NaN where no two cells share a group.

    Examples
    --------
    >>> kept_together(np.array([0, 0, 0, 1]), np.array([5, 5, 6, 6]))
    0.3333333333333333
    """
    both = np.stack([first, second])
    together = np.unique(both, axis=1, return_counts=True)[1].astype(np.float64)
    alone = np.unique(first, return_counts=True)[1].astype(np.float64)
    pairs = float((alone * (alone - 1)).sum())
    return float((together * (together - 1)).sum()) / pairs if pairs else float("nan")
