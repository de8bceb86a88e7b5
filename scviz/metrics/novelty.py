"""How unlike the known types a cell is, in several ways, and how well that finds cells of a type left out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scviz.metrics.evidence import Interval, auroc, resample

ACCEPTED = 0.95
"""Share of known cells that a threshold accepts where the share of new ones it misses is told."""


def max_softmax(probabilities: NDArray[np.floating]) -> NDArray[np.float64]:
    """Give 1 less the probability of the best type, (N,).

    Parameters
    ----------
    probabilities
        (N, K) of each type.
    """
    return np.asarray(1 - np.asarray(probabilities, dtype=np.float64).max(axis=1))


def energy(scores: NDArray[np.floating], temperature: float = 1.0) -> NDArray[np.float64]:
    """Give -T log sum exp(z / T) over types, (N,): high where no type scores high.

    Parameters
    ----------
    scores
        (N, K) logits; logarithms of probabilities have lost what it takes.

    References
    ----------
    Liu et al. (2020), arXiv:2010.03759.
    """
    from scipy.special import logsumexp

    return np.asarray(-temperature * logsumexp(np.asarray(scores, dtype=np.float64) / temperature, axis=1))


def entropy(probabilities: NDArray[np.floating]) -> NDArray[np.float64]:
    """Give the entropy of the types in nats, (N,).

    Parameters
    ----------
    probabilities
        (N, K) of each type.
    """
    from scipy.special import entr

    return np.asarray(entr(np.asarray(probabilities, dtype=np.float64)).sum(axis=1))


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeClouds:
    """Known types as clouds of one shape around their means, and all cells as one cloud."""

    means: NDArray[np.float64]
    """(K, D) of each type."""
    precision: NDArray[np.float64]
    """(D, D) inverse of the covariance around the own mean."""
    center: NDArray[np.float64]
    """(D,) mean of all."""
    overall: NDArray[np.float64]
    """(D, D) inverse of the covariance around the mean of all."""

    def distance(self, vectors: NDArray[np.floating]) -> NDArray[np.float64]:
        """Give the squared Mahalanobis distance to the nearest type, (N,).

        Parameters
        ----------
        vectors
            (N, D) of the cells.
        """
        return np.asarray(
            np.min([_squared(vectors, mean, self.precision) for mean in self.means], axis=0), dtype=np.float64
        )

    def relative_distance(self, vectors: NDArray[np.floating]) -> NDArray[np.float64]:
        """Give the same less the distance to the cloud of all cells, (N,).

        Parameters
        ----------
        vectors
            (N, D) of the cells.

        References
        ----------
        Ren et al. (2021), arXiv:2106.09022.
        """
        return self.distance(vectors) - _squared(vectors, self.center, self.overall)


def type_clouds(
    vectors: NDArray[np.floating], types: NDArray[np.integer], *, shrink: bool = False
) -> TypeClouds:
    """Fit a cloud to each known type.

    Parameters
    ----------
    vectors
        (n, D) of cells with a known type.
    types
        (n,) known types; those that no cell has are left out.
    shrink
        Whether the covariances are drawn towards a round one (Ledoit-Wolf): for dimensions near or above the cells.

    References
    ----------
    Lee et al. (2018), arXiv:1807.03888; Ledoit and Wolf (2004), doi:10.1016/S0047-259X(03)00096-4.
    """
    given = np.asarray(vectors, dtype=np.float64)
    codes = np.unique(types, return_inverse=True)[1]
    means = np.stack([given[codes == code].mean(axis=0) for code in range(int(codes.max()) + 1)])
    center = given.mean(axis=0)
    return TypeClouds(
        means=means,
        precision=_inverse(given - means[codes], shrink=shrink),
        center=center,
        overall=_inverse(given - center, shrink=shrink),
    )


def _inverse(centered: NDArray[np.float64], *, shrink: bool) -> NDArray[np.float64]:
    """Invert the covariance of centered vectors, (n, D) -> (D, D)."""
    if shrink:
        from sklearn.covariance import ledoit_wolf

        covariance = ledoit_wolf(centered, assume_centered=True)[0]
    else:
        covariance = centered.T @ centered / len(centered)
    return np.asarray(np.linalg.pinv(covariance, hermitian=True))


def _squared(
    vectors: NDArray[np.floating], mean: NDArray[np.float64], precision: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Give the squared distance of each vector, (N, D) -> (N,)."""
    away = np.asarray(vectors, dtype=np.float64) - mean
    return np.asarray(((away @ precision) * away).sum(axis=1))


def neighbor_distance(
    reference: NDArray[np.floating], vectors: NDArray[np.floating], k: int = 15
) -> NDArray[np.float64]:
    """Give the mean distance to the k nearest known cells, (N,).

    Parameters
    ----------
    reference
        (n, D) of cells with a known type.
    vectors
        (N, D) of others.
    """
    from sklearn.neighbors import NearestNeighbors

    index = NearestNeighbors(n_neighbors=min(k, len(reference))).fit(np.asarray(reference, dtype=np.float32))
    return np.asarray(
        index.kneighbors(np.asarray(vectors, dtype=np.float32))[0].mean(axis=1), dtype=np.float64
    )


def novelty_auroc(scores: NDArray[np.floating], novel: NDArray[np.bool_], *, seed: int = 0) -> Interval:
    """Give the chance that a new cell scores higher than a known one, with its interval: 0.5 is chance.

    Parameters
    ----------
    scores
        (M,) how unlike the known types each cell is.
    novel
        (M,) whether it is of a type that was left out; NaN where all or none are.
    """
    from scipy.stats import rankdata

    novel = np.asarray(novel, dtype=bool)
    if not novel.any() or novel.all():
        return Interval(mean=float("nan"), low=float("nan"), high=float("nan"), n=len(novel))
    at = rankdata(scores, method="dense") - 1
    order = np.argsort(at, kind="stable")
    first = np.flatnonzero(np.diff(at[order], prepend=-1))  # where a new value begins
    own = novel[order]

    def area(times: NDArray[np.int64]) -> NDArray[np.float64]:
        ordered = times[:, order].astype(np.float64)
        new = np.add.reduceat(ordered * own, first, axis=1)
        known = np.add.reduceat(ordered * ~own, first, axis=1)
        below = np.cumsum(known, axis=1) - known / 2
        return np.asarray((new * below).sum(axis=1) / (new.sum(axis=1) * known.sum(axis=1)))

    found = resample(area, len(novel), strata=novel, seed=seed)
    return Interval(mean=auroc(scores, novel), low=found.low, high=found.high, n=found.n)


def missed(scores: NDArray[np.floating], novel: NDArray[np.bool_], accepted: float = ACCEPTED) -> float:
    """Give the share of new cells that pass for known at the threshold that accepts this share of known ones.

    Parameters
    ----------
    scores
        (M,) how unlike the known types each cell is.
    novel
        (M,) whether it is of a type that was left out.

    Examples
    --------
    >>> missed(np.array([1.0, 2.0, 3.0, 2.5]), np.array([False, False, True, True]))
    0.0
    """
    novel = np.asarray(novel, dtype=bool)
    known = np.sort(np.asarray(scores)[~novel])
    if not len(known) or not novel.any():
        return float("nan")
    threshold = known[int(np.ceil(accepted * len(known) - 1e-9)) - 1]
    return float((np.asarray(scores)[novel] <= threshold).mean())
