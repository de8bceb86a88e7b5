"""Random genes that are expressed like a given one: what an edit of it must beat."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

N_BINS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Expressed:
    """How the G genes of a dataset are expressed in the cells used, and which may be drawn."""

    mean: NDArray[np.float64]
    """(G,) mean log expression."""
    detected: NDArray[np.float64]
    """(G,) share of cells in which it was seen."""
    drawable: NDArray[np.int64]
    """(D,) genes that the model sees there."""

    def places(self) -> NDArray[np.float64]:
        """Give the rank of each gene by mean and by detection among the drawable ones, (G, 2), 0 to 1."""
        return np.stack([_ranks(values, self.drawable) for values in (self.mean, self.detected)], axis=1)


def random_genes(
    expressed: Expressed,
    gene: int,
    n: int | None,
    *,
    without: NDArray[np.int64],
    seed: int,
    places: NDArray[np.float64] | None = None,
) -> NDArray[np.int64]:
    """Draw genes of the same decile of mean expression and of detection.

    Where there are too few, the ones that are nearest in rank come after them. The order in which genes are
    drawn depends on the seed alone, so that genes expressed alike share their random genes.

    Parameters
    ----------
    n
        How many; None = all of the same deciles.
    without
        Genes that must not be drawn.
    """
    places = expressed.places() if places is None else places
    order = np.random.default_rng(seed).permutation(len(expressed.mean))
    pool = order[np.isin(order, expressed.drawable)]
    pool = pool[~np.isin(pool, without) & (pool != gene)]
    bins = np.minimum((places * N_BINS).astype(int), N_BINS - 1)
    alike = (bins[pool] == bins[gene]).all(axis=1)
    if n is None:
        return np.asarray(pool[alike])
    distance = np.where(alike, -1.0, np.abs(places[pool] - places[gene]).sum(axis=1))
    return np.asarray(pool[np.argsort(distance, kind="stable")[:n]])


def random_sets(
    expressed: Expressed, genes: NDArray[np.int64], n: int, *, seed: int
) -> list[tuple[int, ...]]:
    """Draw sets of genes, each member expressed like one of the given genes.

    Returns
    -------
    At most n different sets, none of which holds a given gene.
    """
    if len(genes) == 1:
        drawn = random_genes(expressed, int(genes[0]), n, without=genes, seed=seed)
        return [(int(gene),) for gene in drawn]
    rng = np.random.default_rng(seed)
    places = expressed.places()
    pools = [random_genes(expressed, int(gene), n, without=genes, seed=seed, places=places) for gene in genes]
    sets: dict[frozenset[int], tuple[int, ...]] = {}
    for _ in range(20 * n):
        taken: list[int] = []
        for pool in pools:
            free = pool[~np.isin(pool, taken)]
            if len(free):
                taken.append(int(rng.choice(free)))
        if len(taken) == len(genes):
            sets.setdefault(frozenset(taken), tuple(taken))
        if len(sets) == n:
            break
    return list(sets.values())


def _ranks(values: NDArray[np.float64], among: NDArray[np.int64]) -> NDArray[np.float64]:
    """Give the share of the genes `among` whose value is smaller, (G,)."""
    ordered = np.sort(values[among])
    return np.asarray(np.searchsorted(ordered, values) / max(len(among), 1), dtype=np.float64)
