"""What the neighbors of cells say: beside whom they lie, and whether two methods agree on it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scviz.metrics.classification import macro_f1
from scviz.metrics.evidence import Gain
from scviz.metrics.halves import half_interval, halves

FEWEST_OF_TYPE = 5
"""Types of fewer cells are not judged."""
MOST_ASKED = 5_000
"""Cells that are named in each half: of more, the interval is no narrower, so that a page need not wait for it."""


def neighbor_names(neighbors: NDArray[np.int32], types: NDArray[np.int64]) -> NDArray[np.int64]:
    """Name each labeled cell by the vote of its nearest labeled neighbors, (N,); -1 for cells without a vote.

    Parameters
    ----------
    neighbors
        (N, k) rows of the nearest other cells, nearest first; -1 for none.
    types
        (N,) type of each cell; -1 for none. Only labeled cells vote and are voted on.

    Examples
    --------
    >>> neighbor_names(np.array([[1], [0], [3], [2]]), np.array([0, 1, 1, -1])).tolist()
    [1, 0, -1, -1]
    """
    return np.where(types >= 0, _votes(neighbors, types), -1)


def _votes(neighbors: NDArray[np.int32], types: NDArray[np.int64]) -> NDArray[np.int64]:
    """Count the votes of the neighbors of M cells, (M, k), by their types, (N,), and give the winners, (M,)."""
    votes = np.where(neighbors >= 0, types[neighbors], -1)  # (M, k)
    nearer = np.linspace(1e-3, 0, votes.shape[1])  # a tie goes to the nearer neighbors
    counts = np.zeros((len(votes), int(types.max(initial=0)) + 1))
    for vote, bonus in zip(votes.T, nearer, strict=True):
        known = np.flatnonzero(vote >= 0)
        counts[known, vote[known]] += 1 + bonus
    return np.where((votes >= 0).any(axis=1), counts.argmax(axis=1), -1)


def neighbor_agreement(neighbors: NDArray[np.int32], types: NDArray[np.int64]) -> float:
    """Name each labeled cell by the vote of its nearest neighbors and return the macro-F1.

    Parameters
    ----------
    neighbors
        (N, k) rows of the nearest other cells, nearest first; -1 for none.
    types
        (N,) type of each cell; -1 for none.

    Returns
    -------
    From 0 to 1; NaN when no cell has a label.

    Examples
    --------
    >>> neighbor_agreement(np.array([[1], [0], [3], [2]]), np.array([0, 0, 1, 1]))
    1.0
    """
    return _agreement(neighbors, types, np.flatnonzero(types >= 0))


def _agreement(neighbors: NDArray[np.int32], types: NDArray[np.int64], rows: NDArray[np.int64]) -> float:
    """Give the macro-F1 of the names of some cells, (M,)."""
    named = _votes(neighbors[rows], types)
    voted = named >= 0
    return macro_f1(types[rows][voted], named[voted], int(types.max(initial=0)) + 1)


def agreement_gain(
    model: NDArray[np.int32],
    baseline: NDArray[np.int32],
    types: NDArray[np.int64],
    *,
    name: str,
    over: str,
    seed: int = 0,
) -> Gain:
    """Say whether a model keeps cells beside cells of their own type better than a baseline does.

    Parameters
    ----------
    model, baseline
        (N, k) rows of the nearest other cells by each, nearest first; -1 for none.
    types
        (N,) type of each cell; -1 for none. Types of fewer than `FEWEST_OF_TYPE` cells are left out.
    name, over
        What they are called.
    """
    judged = without_rare(np.where((model >= 0).any(axis=1) & (baseline >= 0).any(axis=1), types, -1))
    score, other = (neighbor_agreement(rows, judged) for rows in (model, baseline))
    some = np.random.default_rng(seed).permutation(np.flatnonzero(judged >= 0))[:MOST_ASKED]
    drawn = []
    for half in halves(judged, seed=seed):
        kept, rows = np.where(half, judged, -1), some[half[some]]
        drawn.append(_agreement(model, kept, rows) - _agreement(baseline, kept, rows))
    n_cells = int((judged >= 0).sum())
    return Gain(
        model=name,
        baseline=over,
        score=score,
        baseline_score=other,
        difference=half_interval(score - other, drawn, n_cells=n_cells),
        unit="cells beside cells of their own kind, from 0 to 1,",
        counted="cells",
        n=n_cells,
    )


def without_rare(types: NDArray[np.int64], fewest: int = FEWEST_OF_TYPE) -> NDArray[np.int64]:
    """Leave out the types of fewer than `fewest` cells, (N,) -> (N,): no half of them says how much chance is in them.

    Examples
    --------
    >>> without_rare(np.array([0, 0, 1, -1]), fewest=2).tolist()
    [0, 0, -1, -1]
    """
    known = types >= 0
    counts = np.bincount(types[known], minlength=1)
    return np.where(known & (counts[types] >= fewest), types, -1)


def from_other_batches(neighbors: NDArray[np.int32], batches: NDArray[np.int64]) -> NDArray[np.float64]:
    """Give the share of each cell's neighbors that come from other batches, (N,); NaN for cells without a batch.

    Parameters
    ----------
    neighbors
        (N, k) rows of the nearest other cells; -1 for none.
    batches
        (N,) batch of each cell; -1 for none. Neighbors without one do not count.
    """
    known = batches >= 0
    counted = (neighbors >= 0) & known[:, None] & (batches[neighbors] >= 0)  # (N, k)
    elsewhere = (counted & (batches[neighbors] != batches[:, None])).sum(axis=1)
    n = counted.sum(axis=1)
    return np.asarray(np.divide(elsewhere, n, out=np.full(len(batches), np.nan), where=n > 0))


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
    sizes, share = np.bincount(batches[batches >= 0]), from_other_batches(neighbors, batches)
    asked = np.isfinite(share)
    if np.count_nonzero(sizes) < 2 or not asked.any():
        return float("nan")
    expected = (sizes.sum() - sizes[batches[asked]]) / (sizes.sum() - 1)
    return float(share[asked].mean() / expected.mean())


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
