"""Where the types of a reference lie among its principal components, and how far other cells lie from them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

N_PLACED = 20
"""Principal components that are measured in; later ones are mostly noise."""
QUANTILE = 0.95
FEWEST_OF_TYPE, FEWEST_TYPES = 20, 3
"""Cells of a type, and such types, from which a shift common to all types can be told from one of a type."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Centers of types, and how far the reference's own cells go."""

    centers: Floats
    """(K, P) mean of each type; NaN for a type without training cells."""
    spread: Floats
    """(P,) standard deviation of cells around the center of their type."""
    reach: float = 1.0
    """95th percentile of the distance of held-out cells."""

    def distances(self, pcs: Floats, shift: Floats | float = 0.0) -> Floats:
        """Measure how far cells lie from the nearest type, (N,), 1 at the reach.

        Parameters
        ----------
        pcs
            (N, P) principal components, or more of them.
        shift
            (P,) that is taken off first, see `shift`.
        """
        own = pcs[:, : len(self.spread)] - shift
        known = self.centers[np.isfinite(self.centers).all(axis=1)]
        found = np.stack([np.sqrt((((own - one) / self.spread) ** 2).mean(axis=1)) for one in known])
        return np.asarray(found.min(axis=0) / self.reach, dtype=np.float32)

    def shift(self, pcs: Floats, types: NDArray[np.int64]) -> Floats:
        """Find what all types of a dataset moved by alike, (P,): the median over types; 0 where too few are there.

        Such a shift tells of preparation and chemistry, not of cells that the reference lacks.

        Parameters
        ----------
        pcs
            (N, P) principal components, or more of them.
        types
            (N,) names that the cells were given; -1 for none.
        """
        own = pcs[:, : len(self.spread)]
        counts = np.bincount(types[types >= 0], minlength=len(self.centers))
        there = [
            code for code in np.flatnonzero(counts >= FEWEST_OF_TYPE) if np.isfinite(self.centers[code]).all()
        ]
        if len(there) < FEWEST_TYPES:
            return np.zeros(own.shape[1], dtype=np.float32)
        moved = [own[types == code].mean(axis=0) - self.centers[code] for code in there]
        return np.asarray(np.median(moved, axis=0), dtype=np.float32)

    def offset(self, pcs: Floats, types: NDArray[np.int64]) -> Floats:
        """Find how far cells lie off the centers of their types on average, (P,); 0 where no cell is named.

        Unlike `shift` it cannot tell a preparation from types that the reference lacks.

        Parameters
        ----------
        pcs
            (N, P) principal components, or more of them.
        types
            (N,) names that the cells were given; -1 for none.
        """
        named = types >= 0
        off = pcs[named, : len(self.spread)] - self.centers[types[named]]
        off = off[np.isfinite(off).all(axis=1)]
        return off.mean(axis=0) if len(off) else np.zeros(len(self.spread), dtype=np.float32)


def size_of(shift: Floats, place: Place) -> float:
    """Measure a shift, (P,), as distances of cells are measured: 1 at the reach."""
    return float(np.sqrt(((shift / place.spread) ** 2).mean()) / place.reach)


def fit_place(pcs: Floats, types: NDArray[np.int64], n_types: int, *, held_out: Floats) -> Place:
    """Find the centers of the types among training cells, and how far held-out cells lie from the nearest.

    Parameters
    ----------
    pcs
        (n, P) principal components of training cells.
    types
        (n,) of these.
    held_out
        (m, P) of cells that were not trained on.
    """
    pcs = pcs[:, :N_PLACED]
    centers = np.full((n_types, pcs.shape[1]), np.nan, dtype=np.float32)
    for code in np.unique(types):
        centers[code] = pcs[types == code].mean(axis=0)
    spread = np.maximum((pcs - centers[types]).std(axis=0), 1e-6).astype(np.float32)
    place = Place(centers=centers, spread=spread)
    return replace(place, reach=float(np.quantile(place.distances(held_out), QUANTILE)))
