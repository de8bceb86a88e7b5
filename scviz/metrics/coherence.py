"""Whether the genes of a module rise and fall together in cells that did not make it, more than random genes do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from scviz.metrics.evidence import Interval, Place, bar_of, bootstrap, place_of
from scviz.metrics.matched_null import MatchedNull

JUDGED_SHARE = 10
"""Of a module at most a tenth of the number of all other genes is judged: larger random sets would be nearly the same
genes each time, and their spread would be too small."""
Z_OF_LEVEL = 1.96
"""Standard deviations on either side that hold 95 %."""
AT_ONCE = 20_000_000
"""Pairs of genes that are looked up at a time."""


def standardized(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Give each gene mean 0 and standard deviation 1 over cells, (N, G); 0 for genes that do not vary.

    Parameters
    ----------
    values
        (N, G) log1p expression.
    """
    shifted = values - values.mean(axis=0, dtype=np.float64)
    spread = shifted.std(axis=0)
    return np.asarray(np.divide(shifted, spread, out=np.zeros_like(shifted), where=spread > 0))


def correlations(values: NDArray[np.floating]) -> NDArray[np.float32]:
    """Correlate genes over cells, (G, G); 0 for genes that do not vary.

    Parameters
    ----------
    values
        (N, G) log1p expression.
    """
    scaled = standardized(values)
    return np.asarray(scaled.T @ scaled / len(values), dtype=np.float32)


def coherence(correlation: NDArray[np.floating], sets: NDArray[np.integer]) -> NDArray[np.float64]:
    """Average the correlation over all pairs of genes of each set, (R,); NaN for sets of fewer than two.

    Parameters
    ----------
    correlation
        (G, G).
    sets
        (R, k) genes.

    Examples
    --------
    >>> correlation = np.array([[1.0, 0.5, 0.1], [0.5, 1.0, 0.3], [0.1, 0.3, 1.0]])
    >>> coherence(correlation, np.array([[0, 1, 2]])).round(6).tolist()
    [0.3]
    """
    n_sets, size = sets.shape
    if size < 2:
        return np.full(n_sets, np.nan)
    at_once = max(1, AT_ONCE // size**2)
    totals = np.empty(n_sets)
    for start in range(0, n_sets, at_once):
        part = sets[start : start + at_once]
        among = correlation[part[:, :, None], part[:, None, :]]  # (B, k, k)
        totals[start : start + at_once] = among.sum(axis=(1, 2), dtype=np.float64)
    own = np.diag(correlation).astype(np.float64)[sets].sum(axis=1)
    return np.asarray((totals - own) / (size * (size - 1)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Coherence:
    """Mean correlation within a module, beside expression-matched random genes."""

    n_genes: int
    mean: float
    """Over all pairs of its genes."""
    random: float
    """Mean over the random sets; NaN where there are too few other genes for any."""
    spread: float
    """Standard deviation of the random sets, as it would be for sets as large as the module; NaN without any."""
    place: Place
    """Of the genes that were judged, among the random sets."""
    bar: float = float("nan")
    """What the genes that were judged must be above to pass among all modules, were this the only one that does; NaN
    with too few random sets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomSets:
    """What stands beside a module: random sets, as large as the part of it that is judged."""

    genes: NDArray[np.int64]
    """(K,) of the module."""
    judged: NDArray[np.int64]
    """(k,) those that are judged: all of them unless the module is large."""
    sets: NDArray[np.int64]
    """(R, k) expression-matched, none of the module."""


def random_sets(
    null: MatchedNull, genes: NDArray[np.int64], *, n_others: int, n_random: int, rng: np.random.Generator
) -> RandomSets:
    """Draw the random sets of a module.

    Parameters
    ----------
    genes
        (K,) of the module.
    n_others
        Genes outside the module.
    """
    most = max(2, n_others // JUDGED_SHARE)
    judged = genes if len(genes) <= most else np.sort(rng.choice(genes, most, replace=False))
    return RandomSets(genes=genes, judged=judged, sets=null.sets(judged, n_random, rng=rng, without=genes))


def beside_random(correlation: NDArray[np.floating], beside: RandomSets, *, n_modules: int = 1) -> Coherence:
    """Compare one of several modules with its random sets by their correlations, (G, G)."""
    random = coherence(correlation, beside.sets)
    n_genes, n_judged, nothing = len(beside.genes), len(beside.judged), float("nan")
    shrunk = np.sqrt(n_judged * (n_judged - 1) / max(1, n_genes * (n_genes - 1)))  # by the pairs averaged
    return Coherence(
        n_genes=n_genes,
        mean=float(coherence(correlation, beside.genes[None])[0]),
        random=float(random.mean()) if len(random) else nothing,
        spread=float(random.std() * shrunk) if len(random) else nothing,
        place=place_of(float(coherence(correlation, beside.judged[None])[0]), random),
        bar=bar_of(random, n_modules),
    )


def lasting_share(values: NDArray[np.floating], sets: NDArray[np.integer]) -> float:
    """Tell which share of the variance of random sets stays however many cells there are: what two halves agree on.

    Parameters
    ----------
    values
        (N, G) log1p expression.
    sets
        (R, k) genes.

    Returns
    -------
    0 where the sets differ by the draw of the cells alone, to 1 where they hold together differently in all cells.
    """
    whole = coherence(correlations(values), sets).var(ddof=1)
    one, other = (coherence(correlations(values[start::2]), sets) for start in (0, 1))
    return float(np.clip(np.cov(one, other)[0, 1] / whole, 0, 1)) if whole > 0 else 0.0


def pair_weights(sets: NDArray[np.integer], n_genes: int) -> NDArray[np.float32]:
    """Weigh pairs of genes so that the weighted sum of correlations is the mean coherence of sets.

    Parameters
    ----------
    sets
        (R, k) genes.

    Returns
    -------
    (G, G), symmetric.

    Examples
    --------
    >>> pair_weights(np.array([[0, 1]]), 2).tolist()
    [[0.0, 0.5], [0.5, 0.0]]
    """
    n_sets, size = sets.shape
    ones = (np.ones(sets.size, dtype=np.float32), (np.repeat(np.arange(n_sets), size), sets.ravel()))
    held = sp.csr_matrix(ones, shape=(n_sets, n_genes))
    weights = np.asarray((held.T @ held).toarray(), dtype=np.float32)
    np.fill_diagonal(weights, 0.0)
    return weights / np.float32(max(1, n_sets * size * (size - 1)))


def gain_weights(modules: Sequence[RandomSets], n_genes: int) -> NDArray[np.float32]:
    """Weigh pairs of genes so that the weighted sum of correlations is what the genes gain by their modules.

    Returns
    -------
    (G, G), symmetric: coherence of each module less that of its random sets, by its share of the genes. Genes of no
    module gain nothing, and neither do modules without random sets, so that cuts of the same genes can be compared.
    """
    weights = np.zeros((n_genes, n_genes), dtype=np.float32)
    for one in modules:
        if len(one.sets) and len(one.judged) > 1:
            more = pair_weights(one.genes[None], n_genes) - pair_weights(one.sets, n_genes)
            weights += np.float32(len(one.genes) / n_genes) * more
    return weights


def by_cell(values: NDArray[np.floating], weights: NDArray[np.floating]) -> NDArray[np.float64]:
    """Take a weighted sum of correlations apart into what each cell adds, so that cells can be drawn again.

    Parameters
    ----------
    values
        (N, G) log1p expression.
    weights
        (G, G), symmetric, 0 on the diagonal.

    Returns
    -------
    (N,) whose mean is the sum. The influence of a cell on a correlation r of z-scores a and b is ab - r(a² + b²) / 2.
    """
    scaled = standardized(values)
    spread = scaled @ weights  # (N, G)
    shares = (scaled * spread).mean(axis=0)  # (G,) sum of weighted correlations of each gene
    return np.asarray((scaled * spread).sum(axis=1) - scaled**2 @ shares + shares.sum())


def gain_difference(
    values: NDArray[np.floating], *cuts: tuple[Sequence[RandomSets], Sequence[Coherence]], seed: int = 0
) -> tuple[NDArray[np.float64], Interval]:
    """Tell how much more genes gain by one cut than by another, for cells and for genes like these.

    Parameters
    ----------
    values
        (N, G) log1p expression of cells that made neither.
    cuts
        Two: modules with their random sets, and what those say.

    Returns
    -------
    (N,) the difference by cell, and its mean; its interval joins the draw of cells with the spread of random sets,
    which says how far apart cuts come by the chance of which genes they hold.
    """
    n_genes = values.shape[1]
    own, other = (gain_weights(modules, n_genes) for modules, _ in cuts)
    cells = by_cell(values, own - other)
    interval = bootstrap(cells, seed=seed)
    shares = [one.n_genes / n_genes * np.nan_to_num(one.spread) for _, held in cuts for one in held]
    by_genes = Z_OF_LEVEL * float(np.linalg.norm(shares))
    return cells, replace(
        interval,
        low=interval.mean - float(np.hypot(interval.mean - interval.low, by_genes)),
        high=interval.mean + float(np.hypot(interval.high - interval.mean, by_genes)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PairScore:
    """How well pairs of genes in one module agree with pairs that belong together."""

    precision: float
    """Share of the pairs in modules that belong together; NaN without such pairs."""
    recall: float
    """Share of those that belong together that are in one module."""
    chance: float
    """Share of all pairs that belong together: the precision of random pairs."""


def pair_score(membership: NDArray[np.int64], together: NDArray[np.bool_]) -> PairScore:
    """Compare modules with the truth.

    Parameters
    ----------
    membership
        (G,) module of each gene, -1 for none.
    together
        (G, G) symmetric: which genes belong together.

    Examples
    --------
    >>> together = np.array([[0, 1, 0], [1, 0, 0], [0, 0, 0]], dtype=bool)
    >>> score = pair_score(np.array([0, 0, 0]), together)
    >>> round(score.precision, 3), score.recall, round(score.chance, 3)
    (0.333, 1.0, 0.333)
    """
    first, second = np.triu_indices(len(membership), k=1)
    same = (membership[first] == membership[second]) & (membership[first] >= 0)
    true = together[first, second]
    hits = float((same & true).sum())
    return PairScore(
        precision=hits / int(same.sum()) if same.any() else float("nan"),
        recall=hits / int(true.sum()) if true.any() else float("nan"),
        chance=float(true.mean()) if len(true) else float("nan"),
    )


def separation(scores: NDArray[np.floating], types: NDArray[np.int64], n_types: int) -> NDArray[np.float64]:
    """Tell how well scores tell each type from all others: area under the ROC curve.

    Parameters
    ----------
    scores
        (N, M).
    types
        (N,) type of each cell, -1 for unknown; those are left out.

    Returns
    -------
    (T, M) 0.5 is chance, 1 if every cell of the type is above all others; NaN where either
    has no cell.
    """
    from scipy.stats import rankdata  # loads slowly

    known = types >= 0
    ranks = rankdata(scores[known], axis=0)  # (K, M)
    found = np.full((n_types, scores.shape[1]), np.nan)
    for number in range(n_types):
        own = types[known] == number
        n_own, n_others = int(own.sum()), int((~own).sum())
        if n_own and n_others:
            found[number] = (ranks[own].sum(axis=0) - n_own * (n_own + 1) / 2) / (n_own * n_others)
    return found


def means_by_type(
    scores: NDArray[np.floating], types: NDArray[np.int64], n_types: int
) -> NDArray[np.float32]:
    """Average scores, (N, M), over the cells of each type, (T, M); NaN for types without cells."""
    rows: Sequence[NDArray[np.floating]] = [scores[types == number] for number in range(n_types)]
    empty = np.full(scores.shape[1], np.nan)
    return np.array([one.mean(axis=0) if len(one) else empty for one in rows], dtype=np.float32).reshape(
        n_types, scores.shape[1]
    )
