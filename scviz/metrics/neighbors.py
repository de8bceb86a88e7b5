"""How often cells lie beside cells of their own type."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scviz.metrics.classification import macro_f1


def neighbor_agreement(neighbors: NDArray[np.int32], types: NDArray[np.int64]) -> float:
    """Name each labelled cell by the vote of its nearest neighbors and return the macro-F1.

    Parameters
    ----------
    neighbors
        (N, k) rows of the nearest other cells, nearest first; -1 for none.
    types
        (N,) type of each cell; -1 for none. Only labelled cells vote and are voted on.

    Returns
    -------
    From 0 to 1; NaN when no cell has a label.

    Examples
    --------
    >>> neighbor_agreement(np.array([[1], [0], [3], [2]]), np.array([0, 0, 1, 1]))
    1.0
    """
    asked = np.flatnonzero((types >= 0) & (neighbors >= 0).any(axis=1))
    if not len(asked):
        return float("nan")
    n_types = int(types.max()) + 1
    votes = np.where(neighbors[asked] >= 0, types[neighbors[asked]], -1)  # (M, k)
    nearer = np.linspace(1e-3, 0, votes.shape[1])  # a tie goes to the nearer neighbors
    counts = np.zeros((len(asked), n_types))
    for vote, bonus in zip(votes.T, nearer, strict=True):
        known = np.flatnonzero(vote >= 0)
        counts[known, vote[known]] += 1 + bonus
    return macro_f1(types[asked], counts.argmax(axis=1), n_types)
