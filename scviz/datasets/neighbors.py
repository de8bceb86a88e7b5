"""The nearest cells of each cell, and the map that keeps them together."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from scviz.progress import Progress, Report, silent

MANY_CELLS = 30_000
"""From this many cells on neighbors are found approximately."""


def map_of_cells(
    vectors: NDArray[np.float32],
    seen: NDArray[np.bool_],
    *,
    n_neighbors: int,
    min_dist: float,
    seed: int,
    report: Report = silent,
    stage: str = "Drawing the map",
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Find neighbors and draw the map.

    Parameters
    ----------
    vectors
        (N, C) cell vectors.
    seen
        (N,) cells that have a vector.
    n_neighbors
        Neighbors of a cell, fewer where there are fewer cells.
    min_dist
        How closely the map packs neighbors, from 0 to 1.

    Returns
    -------
    Neighbors, (N, k), -1 where not seen; and the coordinates of the map, (N, 2), NaN where not seen.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ImportWarning)  # it misses tensorflow, which is not needed
        from umap import UMAP

    report(Progress(stage=stage))
    rows = np.flatnonzero(seen)
    neighbors = np.full((len(vectors), min(n_neighbors, max(len(rows) - 1, 0))), -1, dtype=np.int32)
    coordinates = np.full((len(vectors), 2), np.nan, dtype=np.float32)
    if len(rows) <= 4:  # no map of so few
        coordinates[rows] = 0
        return neighbors, coordinates
    found, distances = nearest(vectors[rows], neighbors.shape[1] + 1, seed=seed)
    neighbors[rows] = rows[found[:, 1:]]
    report(Progress(stage=stage))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a fixed seed costs threads; that is wanted
        coordinates[rows] = UMAP(
            n_neighbors=found.shape[1],
            min_dist=min_dist,
            random_state=seed,
            init="spectral" if len(rows) > 60 else "random",
            precomputed_knn=(found, distances, None),
        ).fit_transform(vectors[rows])
    return neighbors, coordinates


def neighbors_of(
    vectors: NDArray[np.float32], seen: NDArray[np.bool_], *, n_neighbors: int, seed: int
) -> NDArray[np.int32]:
    """Find the neighbors of cells as `map_of_cells` does, without a map, (N, k); -1 where not seen.

    Parameters
    ----------
    vectors, seen
        (N, C) cell vectors, and (N,) cells that have one.
    """
    rows = np.flatnonzero(seen)
    neighbors = np.full((len(vectors), min(n_neighbors, max(len(rows) - 1, 0))), -1, dtype=np.int32)
    if neighbors.shape[1] and len(rows) > 4:
        neighbors[rows] = rows[nearest(vectors[rows], neighbors.shape[1] + 1, seed=seed)[0][:, 1:]]
    return neighbors


def nearest(
    vectors: NDArray[np.float32], k: int, *, seed: int
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Find the k nearest cells of each cell, itself first.

    Returns
    -------
    Positions and Euclidean distances, both (N, k), nearest first. Exact below MANY_CELLS cells.
    """
    if len(vectors) < MANY_CELLS:
        from sklearn.neighbors import NearestNeighbors

        distances, found = NearestNeighbors(n_neighbors=k, n_jobs=-1).fit(vectors).kneighbors(vectors)
    else:
        from pynndescent import NNDescent

        found, distances = NNDescent(vectors, n_neighbors=k, random_state=seed).neighbor_graph
    own = np.arange(len(vectors))
    at = np.argmax(found == own[:, None], axis=1)  # a twin at distance 0 may come before the cell itself
    found[own, at], found[:, 0] = found[:, 0].copy(), own
    return found.astype(np.int32), distances.astype(np.float32)
