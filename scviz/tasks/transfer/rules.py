"""Ways to name cells by labeled ones: linear, by nearest cells; a temperature makes probabilities of scores."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scviz.metrics.calibration import fit_temperature

NEAREST = 15
"""Labeled cells that vote."""
N_USUAL = 1000
"""Labeled cells, about, that say how far the last of the nearest ones is."""
TINY = 1e-12
"""Distance that stands for none."""
STRENGTH = 0.01
"""Inverse penalty (C) of logistic regression on standardized genes, of which there are many."""
ABSENT = -50.0
"""Score of a type that no training cell has."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Linear:
    """Scores of K types from D inputs."""

    weights: Floats
    """(D, K)"""
    intercept: Floats
    """(K,)"""

    def scores(self, inputs: Floats) -> Floats:
        """Score the types of cells, (N, D), as (N, K)."""
        return np.asarray(inputs @ self.weights + self.intercept, dtype=np.float32)

    def after(self, change: Floats, center: Floats, scale: Floats) -> Linear:
        """Return the same rule for what stands before `(x @ change - center) / scale`.

        Parameters
        ----------
        change
            (E, D)
        center, scale
            (D,) each.
        """
        weights = self.weights / scale[:, None]
        return Linear(
            weights=np.asarray(change @ weights, dtype=np.float32),
            intercept=np.asarray(self.intercept - center @ weights, dtype=np.float32),
        )


def logistic(known: Floats, types: NDArray[np.int64], n_types: int, *, strength: float = 1.0) -> Linear:
    """Learn types by multinomial logistic regression.

    Parameters
    ----------
    known
        (n, D) inputs of the training cells.
    types
        (n,) from 0 to n_types - 1, two different ones at least.
    strength
        Inverse of the penalty, scikit-learn's C.
    """
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=strength, max_iter=3000).fit(known, types)
    weights, intercept = model.coef_.T, model.intercept_  # (D, k), (k,)
    if len(model.classes_) == 2:  # one score tells two types apart
        weights, intercept = np.hstack([-weights, weights]) / 2, np.array([-1.0, 1.0]) * intercept / 2
    whole = Linear(
        weights=np.zeros((known.shape[1], n_types), dtype=np.float32),
        intercept=np.full(n_types, ABSENT, dtype=np.float32),
    )
    whole.weights[:, model.classes_], whole.intercept[model.classes_] = weights, intercept
    return whole


def standardized_logistic(known: Floats, types: NDArray[np.int64], n_types: int) -> Linear:
    """Learn types by logistic regression on inputs brought to mean 0 and deviation 1; takes inputs as they come.

    Parameters
    ----------
    known
        (n, D) inputs of the training cells.
    types
        (n,) from 0 to n_types - 1.
    """
    center, scale = known.mean(axis=0), known.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    learned = logistic((known - center) / scale, types, n_types)
    return learned.after(np.eye(known.shape[1], dtype=np.float32), center, scale)


def vote(known: Floats, types: NDArray[np.int64], asked: Floats, *, n_types: int) -> Floats:
    """Let the nearest labeled cells vote; a cell as far as is usual has half a vote, nearer ones more.

    Equal votes would make most cells equally sure, and sets of types larger than what is promised of them.

    Parameters
    ----------
    known
        (n, D) vectors of labeled cells.
    types
        (n,) of these.
    asked
        (N, D) vectors of the cells to be named.

    Returns
    -------
    (N, K) logarithms of the share of votes, half a vote added to each type.
    """
    from sklearn.neighbors import NearestNeighbors

    k = min(NEAREST, len(known))
    neighbors = NearestNeighbors(n_neighbors=k).fit(known)
    away, found = neighbors.kneighbors(asked)
    usual = max(np.median(neighbors.kneighbors(known[:: len(known) // N_USUAL + 1])[0][:, -1]), TINY)
    votes = np.zeros((len(asked), n_types), dtype=np.float32)
    np.add.at(votes, (np.arange(len(asked))[:, None], types[found]), usual / (usual + away))
    return np.asarray(
        np.log((votes + 0.5) / (votes.sum(axis=1, keepdims=True) + 0.5 * n_types)), dtype=np.float32
    )


def probabilities(scores: Floats, temperature: float) -> Floats:
    """Turn scores into probabilities of the types, both (N, K); NaN where scores are."""
    raised = scores / temperature
    raised = np.exp(raised - raised.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True), dtype=np.float32)


def temperature_of(scores: Floats, types: NDArray[np.int64]) -> float:
    """Find the temperature under which the known types are most likely; 1 where none is best.

    Parameters
    ----------
    scores
        (M, K) of cells that were not trained on; rows of NaN are left out.
    types
        (M,) their types.
    """
    seen = np.isfinite(scores).all(axis=1)
    return fit_temperature(scores[seen], types[seen]).value if seen.any() else 1.0
