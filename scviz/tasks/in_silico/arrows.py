"""From cell vectors to arrows on a map."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

N_NEIGHBORS = 15


def places_after(
    reference: NDArray[np.float32],
    coordinates: NDArray[np.float32],
    own: NDArray[np.int64],
    *,
    before: NDArray[np.float32],
    after: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Place cells after an edit on the map of cells as they are.

    A vector lies where its nearest cells lie: the mean of their coordinates, near ones with more weight. Where a cell
    lies so after the edit, less where it lies so before, is added to its own place, so that no edit gives no
    arrow. The cell itself is none of its neighbors.

    Parameters
    ----------
    reference
        (M, C) vectors of the cells of the map.
    coordinates
        (M, 2) of them.
    own
        (n,) which of them each edited cell is.
    before, after
        (n, C) vectors of the edited cells; NaN in `after` where an edit changes nothing.

    Returns
    -------
    (n, 2); NaN where `after` is.
    """
    moved = np.full((len(own), 2), np.nan, dtype=np.float32)
    rows = np.flatnonzero(np.isfinite(after).all(axis=1) & np.isfinite(before).all(axis=1))
    if not len(rows) or len(reference) < 3:
        return moved
    old, width = _place(reference, coordinates, own[rows], vectors=before[rows])
    new, _ = _place(reference, coordinates, own[rows], vectors=after[rows], width=width)
    moved[rows] = coordinates[own[rows]] + new - old
    return moved


def _place(
    reference: NDArray[np.float32],
    coordinates: NDArray[np.float32],
    own: NDArray[np.int64],
    *,
    vectors: NDArray[np.float32],
    width: NDArray[np.float64] | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Average coordinates of the nearest cells, (n, 2); the kernel is as wide as the last of them is far, (n, 1)."""
    from sklearn.neighbors import NearestNeighbors

    k = min(N_NEIGHBORS + 1, len(reference))
    distances, found = NearestNeighbors(n_neighbors=k).fit(reference).kneighbors(vectors)
    other = found != own[:, None]
    if width is None:
        width = np.maximum(distances[:, -1:], 1e-12)
    nearest = np.where(other, distances, np.inf).min(axis=1, keepdims=True)
    weights = np.where(
        other, np.exp(-2 * (distances**2 - nearest**2) / width**2), 0
    )  # the nearest has weight 1
    average = (weights[..., None] * coordinates[found]).sum(axis=1) / weights.sum(axis=1, keepdims=True)
    return average, width


FEWEST_OF_A_CELL = 20
"""Random genes that were edited in a cell for it to have a bound of its own."""


def clearly_moved(moved: NDArray[np.floating], random: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Tell which cells move farther than with 95 % of the random genes, (n,).

    Parameters
    ----------
    moved
        (n,) how far each cell moves.
    random
        (R, n) the same with random genes; a cell in which fewer than 20 were edited is compared with all cells. None of
        them moves clearly where there is no random gene.
    """
    known = np.isfinite(random)
    if not known.any():
        return np.zeros(len(moved), dtype=np.bool_)
    bounds = np.full(len(moved), np.percentile(random[known], 95))
    enough = known.sum(axis=0) >= FEWEST_OF_A_CELL
    bounds[enough] = np.nanpercentile(random[:, enough], 95, axis=0) if enough.any() else bounds[enough]
    return np.asarray(np.nan_to_num(moved, nan=-1) > bounds)
