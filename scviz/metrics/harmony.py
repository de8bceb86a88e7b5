"""Take the difference between batches out of vectors of cells: Harmony, on numpy alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ROUNDS, INNER_ROUNDS = 10, 4
"""Most rounds of clustering and correction, and of clustering within one."""
TOLERANCE, INNER_TOLERANCE = 1e-2, 1e-3
"""Relative change of the objective that ends the rounds."""
WINDOW = 3
"""Inner rounds over which the objective is averaged before it is compared."""
BLOCK = 0.05
"""Share of the cells whose clusters are chosen anew together."""
CELLS_PER_CLUSTER, MOST_CLUSTERS = 30, 100
TINY = 1e-8

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class HarmonySettings:
    """What the authors leave to their users, with their defaults."""

    diversity: float = 2.0
    """Theta: how strongly a cluster is asked to hold all batches alike; 0 does not ask."""
    softness: float = 0.1
    """Sigma: width of the soft assignment to clusters."""
    ridge: float = 0.2
    """Alpha: the ridge penalty of a batch in a cluster, as share of the cells expected there."""
    n_clusters: int = 0
    """0 takes a cluster for each 30 cells, 100 at most."""
    seed: int = 0


@dataclass(slots=True)
class _Soft:
    """Soft clusters of N cells from B batches, which change round by round."""

    unit: Floats
    """(N, D) vectors of length 1."""
    batches: Floats
    """(N, B) 1 where a cell is of a batch."""
    share: Floats
    """(B,) share of each batch among the cells."""
    centers: Floats
    """(K, D) of length 1."""
    weights: Floats
    """(N, K) how far each cell belongs to each cluster; rows sum to 1."""
    expected: Floats
    """(K, B) cells of each batch that a cluster would hold were batches spread alike."""
    observed: Floats
    """(K, B) those it holds."""


def harmonize(
    vectors: NDArray[np.floating], batches: NDArray[np.integer], settings: HarmonySettings | None = None
) -> NDArray[np.float64]:
    """Move cells of different batches together, cluster by cluster.

    Soft k-means on vectors of length 1, with a penalty on clusters that hold batches unevenly, takes turns with a
    ridge regression that subtracts in each cluster what a batch adds to its cells.

    Parameters
    ----------
    vectors
        (N, D) such as principal components.
    batches
        (N,) batch of each cell, counted from 0.
    settings
        Those of the authors where left out.

    Returns
    -------
    (N, D) corrected vectors; those given where there is one batch only.

    Raises
    ------
    ValueError
        If the arrays are not of the same cells.

    Notes
    -----
    The clusters begin with k-means, so that another seed gives another answer: on small data with overlapping types
    it moves the result by 2 to 15 % of the correction.

    References
    ----------
    Korsunsky et al. (2019), doi:10.1038/s41592-019-0619-0; the penalty of each batch is estimated from the clusters,
    as later versions of the authors' package do.
    """
    settings = settings or HarmonySettings()
    given = np.asarray(vectors, dtype=np.float64)
    if given.ndim != 2 or len(given) != len(batches):
        raise ValueError(f"{given.shape} vectors are not of {len(batches)} cells.")
    coded = np.unique(batches, return_inverse=True)[1]
    if coded.max(initial=0) == 0:
        return given.copy()
    rng, soft = np.random.default_rng(settings.seed), _start(given, coded, settings)
    corrected, before = given, _objective(soft, settings)
    for _ in range(ROUNDS):
        after = _cluster(soft, settings, rng)
        corrected = _correct(given, soft, settings)
        soft.unit = _of_length_1(corrected)
        if abs(before - after) < TOLERANCE * abs(before):
            break
        before = after
    return corrected


def _start(given: Floats, coded: NDArray[np.int64], settings: HarmonySettings) -> _Soft:
    from sklearn.cluster import KMeans

    unit, batches = _of_length_1(given), np.eye(int(coded.max()) + 1)[coded]
    n_clusters = settings.n_clusters or int(np.clip(round(len(given) / CELLS_PER_CLUSTER), 1, MOST_CLUSTERS))
    means = KMeans(n_clusters, init="k-means++", n_init=10, max_iter=25, random_state=settings.seed).fit(unit)
    centers = _of_length_1(means.cluster_centers_)
    share = batches.mean(axis=0)
    weights = _softmax(unit, centers, settings)
    return _Soft(
        unit, batches, share, centers, weights, np.outer(weights.sum(axis=0), share), weights.T @ batches
    )


def _cluster(soft: _Soft, settings: HarmonySettings, rng: np.random.Generator) -> float:
    """Choose centers and weights in turns, in place; returns the objective."""
    found: list[float] = []
    for _ in range(INNER_ROUNDS):
        soft.centers = _of_length_1(soft.weights.T @ soft.unit)
        _choose_weights(soft, settings, rng)
        found.append(_objective(soft, settings))
        if len(found) > WINDOW:
            old, new = sum(found[-WINDOW - 1 : -1]), sum(found[-WINDOW:])
            if abs(old - new) < INNER_TOLERANCE * abs(old):
                break
    return found[-1]


def _choose_weights(soft: _Soft, settings: HarmonySettings, rng: np.random.Generator) -> None:
    """Assign cells anew, some at a time, each to clusters near it that lack its batch."""
    free = _softmax(soft.unit, soft.centers, settings)
    n_blocks = int(np.ceil(1 / BLOCK))
    for rows in np.array_split(rng.permutation(len(free)), n_blocks):
        old, of_batch = soft.weights[rows], soft.batches[rows]
        soft.expected -= np.outer(old.sum(axis=0), soft.share)
        soft.observed -= old.T @ of_batch
        even = (soft.expected + 1) / (soft.observed + 1)  # (K, B)
        new = free[rows] * (of_batch @ (even**settings.diversity).T)
        new /= np.maximum(new.sum(axis=1, keepdims=True), TINY)
        soft.weights[rows] = new
        soft.expected += np.outer(new.sum(axis=0), soft.share)
        soft.observed += new.T @ of_batch


def _correct(given: Floats, soft: _Soft, settings: HarmonySettings) -> Floats:
    """Subtract from each cell what its batch adds in its clusters, (N, D)."""
    corrected, design = given.copy(), np.hstack([np.ones((len(given), 1)), soft.batches])  # (N, 1 + B)
    for weights, expected in zip(soft.weights.T, soft.expected, strict=True):
        weighted = design * weights[:, None]
        penalty = np.diag([0.0, *(settings.ridge * expected)])
        added = np.linalg.solve(weighted.T @ design + penalty, weighted.T @ given)  # (1 + B, D)
        added[0] = 0.0
        corrected -= weighted @ added
    return corrected


def _objective(soft: _Soft, settings: HarmonySettings) -> float:
    distances = 2 * (1 - soft.unit @ soft.centers.T)  # (N, K)
    spread = np.sum(soft.weights * distances)
    entropy = settings.softness * np.sum(soft.weights * np.log(np.maximum(soft.weights, TINY)))
    uneven = np.log((soft.observed + 1) / (soft.expected + 1))  # (K, B)
    cross = settings.softness * settings.diversity * np.sum(soft.observed * uneven)
    return float(spread + entropy + cross)


def _softmax(unit: Floats, centers: Floats, settings: HarmonySettings) -> Floats:
    scores = -2 * (1 - unit @ centers.T) / settings.softness
    found = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(found / found.sum(axis=1, keepdims=True))


def _of_length_1(vectors: Floats) -> Floats:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), TINY))
