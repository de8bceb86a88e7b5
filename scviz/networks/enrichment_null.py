"""What random genes of like expression give: the bar that enriched sets must clear.

Genes that are expressed much are measured well. They are found to change more often, and the sets that people collect
hold more of them, so a plain test calls such sets too easily.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from scviz.metrics.evidence import LEVEL, random_needed
from scviz.metrics.matched_null import MatchedNull
from scviz.networks.enrichment import enrichment_scores
from scviz.progress import Progress, Report, silent

MOST_DRAWS = 20_000
"""Draws for one set, at most."""
ENOUGH = 10
"""Draws that do as well as a set; after so many its place is known well enough."""
AT_ONCE = 2000
"""Draws that are held at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ByChance:
    """Where K sets stand among draws of random genes; sets that stand out are drawn for again and again."""

    expected: NDArray[np.float64]
    """(K,) mean overlap; NaN for a ranking."""
    far: NDArray[np.int64]
    """(K,) draws that do as well as the set."""
    n: NDArray[np.int64]
    """(K,) draws."""

    @property
    def p(self) -> NDArray[np.float64]:
        """(K,) share of draws that do as well, the set itself counted; NaN where there are none."""
        return np.where(self.n > 0, (1 + self.far) / (1 + self.n), np.nan)


def draws_for(n_sets: int, n_draws: int) -> int:
    """Give how many draws sets that stand out get: the best of them, alone, may reach a tenth of the accepted rate."""
    return min(max(n_draws, random_needed(n_sets, level=LEVEL / 10)), MOST_DRAWS)


def membership(members: Sequence[NDArray[np.int64]], n_genes: int) -> sp.csr_matrix:
    """Write sets as a table, (K, N), with 1 where a set has a gene.

    Parameters
    ----------
    members
        Places of the genes of each of K sets.
    """
    rows = np.repeat(np.arange(len(members)), [len(own) for own in members])
    columns = np.concatenate([np.empty(0, dtype=np.int64), *members])
    return sp.csr_matrix((np.ones(len(rows)), (rows, columns)), shape=(len(members), n_genes))


def overlap_by_chance(
    held: sp.csr_matrix, query: NDArray[np.int64], null: MatchedNull, *, n_draws: int, seed: int
) -> ByChance:
    """Put random genes that are expressed like those of the query in the query's place.

    Parameters
    ----------
    held
        (K, N) genes of each set, as `membership` writes them.
    query
        (k,) places of the genes that are asked for.
    n_draws
        Draws for every set; those that stand out get more.
    """
    rng, (n_sets, n_genes) = np.random.default_rng(seed), held.shape
    own = np.zeros(n_genes)
    own[query] = 1.0
    seen = held @ own  # (K,)
    far, n = np.zeros(n_sets, dtype=np.int64), np.zeros(n_sets, dtype=np.int64)
    expected, active, size = np.full(n_sets, np.nan), np.arange(n_sets), n_draws
    most = draws_for(n_sets, n_draws)
    while len(active):
        drawn = _drawn(null.sets(query, min(size, AT_ONCE), rng=rng, own_too=True), n_genes)
        if not drawn.shape[1]:
            break
        overlap = (held[active] @ drawn).toarray()  # (A, D)
        if not n.any():
            expected = overlap.mean(axis=1)
        far[active] += (overlap >= seen[active, None]).sum(axis=1)
        n[active] += drawn.shape[1]
        active = active[(far[active] < ENOUGH) & (n[active] < most)]
        size = int(min(n.max(), most - n.max()))
    return ByChance(expected=expected, far=far, n=n)


def all_by_chance(held: sp.csr_matrix, query: NDArray[np.int64], null: MatchedNull) -> NDArray[np.float64]:
    """Give the chance of each set that it holds every random gene, (K,), did it hold every gene of the query.

    No overlap is larger, so a set whose chance is above the bar cannot pass, whatever is found. Genes that stand in
    the place of others are all different: those drawn before are taken out of the window of the next.

    Parameters
    ----------
    held
        (K, N) genes of each set, as `membership` writes them.
    query
        (k,) places of the genes that are asked for.
    """
    windows = null.windows(query)  # (k, W)
    inside = _drawn(windows, held.shape[1])  # (N, k)
    asked = inside[query].toarray()  # (k, k)
    n_in = (held @ inside).toarray() + asked.sum(axis=0) - held[:, query] @ asked  # (K, k)
    size = windows.shape[1]
    before = np.triu((inside.T @ inside).toarray(), k=1).sum(axis=0) / size  # (k,)
    left = np.clip(n_in - before, 1.0, None) / (size - before)
    return np.asarray(np.minimum(left, 1.0).prod(axis=1))


def _drawn(sets: NDArray[np.int64], n_genes: int) -> sp.csc_matrix:
    """Write draws, (D, k), as a table of (N, D)."""
    columns = np.repeat(np.arange(len(sets)), sets.shape[1])
    return sp.csc_matrix((np.ones(sets.size), (sets.ravel(), columns)), shape=(n_genes, len(sets)))


def ranked_by_chance(
    ranking: NDArray[np.floating],
    members: Sequence[NDArray[np.int64]],
    null: MatchedNull,
    *,
    n_draws: int,
    seed: int,
    report: Report = silent,
) -> ByChance:
    """Score random sets that are expressed like each set in its place; sets may stand out at either end.

    Parameters
    ----------
    ranking
        (N,) scores of genes, the highest first.
    members
        Places of the genes of each of K sets in the ranking.
    null
        Of the genes in the order of the ranking.
    """
    rng, most = np.random.default_rng(seed), draws_for(len(members), n_draws)
    far, n = np.zeros(len(members), dtype=np.int64), np.zeros(len(members), dtype=np.int64)
    for i, own in enumerate(members):
        report(Progress(stage="Comparing with random sets", done=i, total=len(members)))
        score, size = enrichment_scores(ranking, own[None])[0], n_draws
        above = below = 0
        while size > 0 and min(above, below) < ENOUGH:
            sets = null.sets(own, min(size, AT_ONCE), rng=rng, own_too=True)
            if not len(sets):
                break
            alike = enrichment_scores(ranking, sets)
            above, below = above + int((alike >= score).sum()), below + int((alike <= score).sum())
            n[i] += len(sets)
            size = int(min(n[i], most - n[i]))
        far[i] = min(n[i], 1 + 2 * min(above, below))  # either end of the ranking
    return ByChance(expected=np.full(len(members), np.nan), far=far, n=n)
