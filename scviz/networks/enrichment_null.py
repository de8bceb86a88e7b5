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

from scviz.metrics.coherence import expression_groups
from scviz.networks.enrichment import enrichment_scores
from scviz.progress import Progress, Report, silent

N_BINS = 20
"""Genes of like expression: a twentieth of all."""
N_FREE = 500
"""Random sets of each size, of any expression, that normalize the score of a set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ByChance:
    """What D draws of random genes give for K sets."""

    overlap: NDArray[np.float64]
    """(K,) mean overlap; NaN for a ranking."""
    p: NDArray[np.float64]
    """(K,) share of draws that do as well as the set does, the set itself counted."""
    n_passing: NDArray[np.int64]
    """(D,) sets that pass the bar in each draw."""
    best: NDArray[np.float64]
    """(D,) smallest p, or largest absolute normalized score, of each draw."""


def random_alike(
    bins: NDArray[np.int64], genes: NDArray[np.int64], n: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Draw sets of as many random genes, each of the same bin as one of the given; no gene twice in a set.

    Returns
    -------
    (n, k) genes; given ones may be among them.
    """
    order, own = np.argsort(bins, kind="stable"), bins[genes]
    first, last = (np.searchsorted(bins[order], own, side=side) for side in ("left", "right"))
    shape = (n, len(genes))
    first, size = np.broadcast_to(first, shape), np.broadcast_to(last - first, shape)
    places = first + (rng.random(shape) * size).astype(np.int64)
    while (again := _repeated(places)).any():
        places[again] = first[again] + (rng.random(int(again.sum())) * size[again]).astype(np.int64)
    return np.asarray(order[places], dtype=np.int64)


def _repeated(places: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell which entries stand earlier in their row already."""
    order = np.argsort(places, axis=1, kind="stable")
    ordered = np.take_along_axis(places, order, axis=1)
    repeated = np.zeros(places.shape, dtype=bool)
    np.put_along_axis(repeated, order[:, 1:], ordered[:, 1:] == ordered[:, :-1], axis=1)
    return repeated


def overlap_by_chance(
    members: Sequence[NDArray[np.int64]],
    query: NDArray[np.int64],
    levels: NDArray[np.floating],
    *,
    n_draws: int,
    most_fdr: float,
    seed: int,
) -> ByChance:
    """Test random genes that are expressed like those of the query in the query's place.

    Parameters
    ----------
    members
        Places of the genes of each of K sets among the N of the background.
    query
        (k,) places of the genes that are asked for.
    levels
        (N,) mean expression.
    most_fdr
        Sets pass at this false discovery rate, Benjamini-Hochberg over all sets.
    """
    from scipy.stats import hypergeom

    n_genes, rng = len(levels), np.random.default_rng(seed)
    draws = random_alike(expression_groups(levels, N_BINS), query, n_draws, rng)  # (D, k)
    rows = np.repeat(np.arange(len(members)), [len(own) for own in members])
    columns = np.concatenate([np.empty(0, dtype=np.int64), *members])
    held = sp.csr_matrix((np.ones(len(rows)), (rows, columns)), shape=(len(members), n_genes))
    drawn = sp.csc_matrix(
        (np.ones(draws.size), (draws.ravel(), np.repeat(np.arange(n_draws), draws.shape[1]))),
        shape=(n_genes, n_draws),
    )
    own = np.zeros(n_genes)
    own[query] = 1.0
    random, seen = (held @ drawn).toarray(), held @ own  # (K, D), (K,)
    sizes = np.asarray(held.sum(axis=1)).ravel()
    pairs, place = np.unique(
        np.stack([random.ravel(), np.repeat(sizes, n_draws)]), axis=1, return_inverse=True
    )
    p = hypergeom.sf(pairs[0] - 1, n_genes, pairs[1], len(query))[place].reshape(random.shape)
    return ByChance(
        overlap=random.mean(axis=1),
        p=(1 + (random >= seen[:, None]).sum(axis=1)) / (1 + n_draws),
        n_passing=_passing(p, most_fdr),
        best=p.min(axis=0, initial=1.0),
    )


def _passing(p: NDArray[np.floating], most_fdr: float) -> NDArray[np.int64]:
    """Count what Benjamini-Hochberg passes in each column, (D,)."""
    n = len(p)
    below = np.sort(p, axis=0) <= most_fdr * np.arange(1, n + 1)[:, None] / n
    return np.where(below.any(axis=0), n - np.argmax(below[::-1], axis=0), 0).astype(np.int64)


def ranked_by_chance(
    ranking: NDArray[np.floating],
    members: Sequence[NDArray[np.int64]],
    levels: NDArray[np.floating],
    *,
    bar: float,
    n_draws: int,
    seed: int,
    report: Report = silent,
) -> ByChance:
    """Score random sets that are expressed like each set in its place.

    Parameters
    ----------
    ranking
        (N,) scores of genes, the highest first.
    members
        Places of the genes of each of K sets in the ranking.
    levels
        (N,) mean expression, in the order of the ranking.
    bar
        Sets pass with an absolute normalized score of at least this; infinite where none has passed.
    """
    rng = np.random.default_rng(seed)
    bins, free = expression_groups(levels, N_BINS), dict[int, tuple[float, float]]()
    random, p = np.empty((len(members), n_draws)), np.empty(len(members))
    for i, own in enumerate(members):
        report(Progress(stage="Comparing with random sets", done=i, total=len(members)))
        size = len(own)
        if size not in free:
            places = random_alike(np.zeros(len(ranking), dtype=np.int64), own, N_FREE, rng)
            free[size] = _means(enrichment_scores(ranking, places))
        alike = enrichment_scores(ranking, random_alike(bins, own, n_draws, rng))
        score = enrichment_scores(ranking, own[None])[0]
        same = np.sign(alike) == np.sign(score)
        p[i] = (1 + (same & (np.abs(alike) >= abs(score))).sum()) / (1 + same.sum())
        random[i] = np.where(alike > 0, alike / free[size][0], alike / free[size][1])
    sizes = np.abs(random)
    return ByChance(
        overlap=np.full(len(members), np.nan),
        p=p,
        n_passing=(sizes >= bar).sum(axis=0),
        best=sizes.max(axis=0, initial=0.0),
    )


def _means(scores: NDArray[np.float64]) -> tuple[float, float]:
    """Give the mean size of scores above and below 0; 1 where there are none."""
    high, low = scores[scores > 0], scores[scores < 0]
    return (float(high.mean()) if len(high) else 1.0), (float(-low.mean()) if len(low) else 1.0)
