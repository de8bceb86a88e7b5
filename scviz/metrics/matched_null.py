"""Random genes that are expressed like given ones: the one null of every page that compares genes with chance.

Genes that are expressed much are measured well, move models farther and stand in more gene sets, so that genes drawn
from all would be too easy to beat.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

SHARE = 20
"""Genes expressed alike: the twentieth of all that is nearest in rank."""
FEWEST = 20
"""But at least so many, where there are as many."""


class MatchedNull:
    """Genes in the order of their expression, from which the nearest ones to a given gene are drawn."""

    def __init__(self, levels: ArrayLike, *, pool: ArrayLike | None = None) -> None:
        """Order genes.

        Parameters
        ----------
        levels
            (G,) mean expression, or (G, F) several such numbers whose ranks are averaged, such as mean and share of
            cells in which the gene was seen.
        pool
            Genes that may be drawn; all if it is left out.
        """
        from scipy.stats import rankdata  # loads slowly

        given = np.asarray(levels, dtype=np.float64)
        given = given[:, None] if given.ndim == 1 else given
        self._levels = rankdata(given, axis=0).mean(axis=1)  # (G,)
        own = np.arange(len(given)) if pool is None else np.unique(np.asarray(pool, dtype=np.int64))
        self._pool = own[np.argsort(self._levels[own], kind="stable")]

    def sets(
        self,
        genes: ArrayLike,
        n: int,
        *,
        rng: np.random.Generator,
        without: ArrayLike = (),
        own_too: bool = False,
    ) -> NDArray[np.int64]:
        """Draw sets of as many genes, each expressed like the gene in its place.

        Parameters
        ----------
        genes
            (k,) the given genes.
        without
            More genes that must not be drawn.
        own_too
            Whether the given genes may be drawn as well: overlaps with sets that hold them would else have no chance
            to be as large, and every overlap would look like more than chance.

        Returns
        -------
        (n, k) genes, none twice in a set; (0, k) where there are fewer than k genes to draw from.
        """
        own = np.asarray(genes, dtype=np.int64)
        free = self._free(own[:0] if own_too else own, without)
        if len(free) < len(own) or not len(own):
            return np.empty((0, len(own)), dtype=np.int64)
        first, width = self._windows(own, free)
        places = first + (rng.random((n, len(own))) * width).astype(np.int64)
        while (again := _repeated(places)).any():
            places[again] = np.broadcast_to(first, places.shape)[again] + rng.integers(
                width, size=int(again.sum())
            )
        return np.asarray(free[places], dtype=np.int64)

    def windows(self, genes: ArrayLike) -> NDArray[np.int64]:
        """Give the genes among which each of (k,) is replaced where given genes may be drawn as well, (k, W)."""
        own = np.asarray(genes, dtype=np.int64)
        free = self._free(own[:0], ())
        first, width = self._windows(own, free)
        return np.asarray(free[first[:, None] + np.arange(width)], dtype=np.int64)

    def genes(
        self, gene: int, n: int, *, rng: np.random.Generator, without: ArrayLike = ()
    ) -> NDArray[np.int64]:
        """Draw different genes expressed like one, (n,), in random order; fewer where there are fewer, the nearest."""
        own = np.array([gene])
        free = self._free(own, without)
        if not len(free):
            return free
        first, width = self._windows(own, free, fewest=n)
        return np.asarray(rng.permutation(free[int(first[0]) : int(first[0]) + width])[:n], dtype=np.int64)

    def _free(self, own: NDArray[np.int64], without: ArrayLike) -> NDArray[np.int64]:
        """Give the genes that may be drawn, in the order of their expression."""
        taken = np.union1d(own, np.asarray(without, dtype=np.int64))
        return self._pool[~np.isin(self._pool, taken)]

    def _windows(
        self, own: NDArray[np.int64], free: NDArray[np.int64], *, fewest: int = FEWEST
    ) -> tuple[NDArray[np.int64], int]:
        """Give where the nearest genes of each begin in `free`, (k,), and how many they are."""
        center = np.searchsorted(self._levels[free], self._levels[own])
        width = min(max(len(free) // SHARE, fewest, FEWEST), len(free))
        while width < (wanted := min(2 * _crowd(center, width), len(free))):
            width = wanted  # a crowded place takes a wider one, or drawing would not end
        return np.clip(center - width // 2, 0, len(free) - width), width


def _crowd(places: NDArray[np.int64], width: int) -> int:
    """Count the places, (k,), that lie as near as `width` to one of them: the most there are."""
    ordered = np.sort(places)
    first = np.searchsorted(ordered, ordered - width, side="left")
    stop = np.searchsorted(ordered, ordered + width, side="right")
    return int((stop - first).max())


def _repeated(places: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell which entries of each row stand earlier in it already, (n, k)."""
    order = np.argsort(places, axis=1, kind="stable")
    ordered = np.take_along_axis(places, order, axis=1)
    repeated = np.zeros(places.shape, dtype=bool)
    np.put_along_axis(repeated, order[:, 1:], ordered[:, 1:] == ordered[:, :-1], axis=1)
    return repeated
