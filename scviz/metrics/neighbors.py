"""What the neighbors of cells say: beside whom they lie, and whether two methods agree on it."""

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


def batch_mixing(neighbors: NDArray[np.int32], batches: NDArray[np.int64]) -> float:
    """Compare the share of neighbors that come from other batches with the share under random mixing.

    Parameters
    ----------
    neighbors
        (N, k) rows of the nearest other cells; -1 for none.
    batches
        (N,) batch of each cell; -1 for none. Only cells with a batch are counted.

    Returns
    -------
    0 when batches lie apart, 1 when cells lie as if batches were shuffled; NaN with fewer than two batches.

    Examples
    --------
    >>> batch_mixing(np.array([[1], [0], [3], [2]]), np.array([0, 0, 1, 1]))
    0.0
    """
    known = batches >= 0
    sizes = np.bincount(batches[known])
    counted = (neighbors >= 0) & known[:, None] & (batches[neighbors] >= 0)  # (N, k)
    if np.count_nonzero(sizes) < 2 or not counted.any():
        return float("nan")
    elsewhere = counted & (batches[neighbors] != batches[:, None])
    asked = counted.any(axis=1)
    share = elsewhere[asked].sum(axis=1) / counted[asked].sum(axis=1)  # (M,)
    expected = (sizes.sum() - sizes[batches[asked]]) / (sizes.sum() - 1)
    return float(share.mean() / expected.mean())


def neighbor_overlap(first: NDArray[np.int32], second: NDArray[np.int32]) -> NDArray[np.float64]:
    """Compare the neighbors that two methods give to the same cells.

    Parameters
    ----------
    first, second
        (N, k) rows of the nearest other cells; -1 for none. The two need not have the same k.

    Returns
    -------
    (N,) Jaccard index: neighbors that both name, of those that any names, 0 to 1. NaN for cells that have
    no neighbors in one of the two.

    Examples
    --------
    >>> neighbor_overlap(np.array([[1, 2], [0, 2], [-1, -1]]), np.array([[2, 1], [2, 3], [0, 1]])).round(3)
    array([1.   , 0.333,   nan])
    """
    both = np.zeros(len(first))
    for column in first.T:
        both += ((second == column[:, None]) & (column >= 0)[:, None]).any(axis=1)
    n_first, n_second = (first >= 0).sum(axis=1), (second >= 0).sum(axis=1)
    overlap = np.full(len(first), np.nan)
    np.divide(both, n_first + n_second - both, out=overlap, where=(n_first > 0) & (n_second > 0))
    return overlap


def random_overlap(n_cells: int, k: int) -> float:
    """Return about the Jaccard index of two sets of `k` neighbors that are drawn at random.

    Examples
    --------
    >>> round(random_overlap(701, 15), 4)
    0.0108
    """
    shared = k * k / max(1, n_cells - 1)
    return shared / (2 * k - shared) if k else float("nan")
