"""Whether the genes of a module rise and fall together in cells that did not make it, more than random genes do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

BINS = 20
FEWEST_CLUSTERS = 3


def expression_groups(means: NDArray[np.floating], n_groups: int = BINS) -> NDArray[np.int64]:
    """Group genes by mean expression into groups of like size, (G,); random genes are drawn from the same groups.

    Examples
    --------
    >>> expression_groups(np.array([5.0, 1.0, 9.0, 2.0]), n_groups=2).tolist()
    [1, 0, 1, 0]
    """
    ranks = rankdata(means, method="ordinal") - 1
    return np.asarray(ranks * min(n_groups, len(means)) // max(1, len(means)), dtype=np.int64)


def correlations(values: NDArray[np.floating]) -> NDArray[np.float32]:
    """Correlate genes over cells, (G, G); 0 for genes that do not vary.

    Parameters
    ----------
    values
        (N, G) log1p expression.
    """
    shifted = values - values.mean(axis=0, dtype=np.float64)
    lengths = np.linalg.norm(shifted, axis=0)
    scaled = np.divide(shifted, lengths, out=np.zeros_like(shifted), where=lengths > 0)
    return np.asarray(scaled.T @ scaled, dtype=np.float32)


def matched_genes(
    groups: NDArray[np.int64], genes: NDArray[np.integer], rng: np.random.Generator
) -> NDArray[np.int64]:
    """Draw as many genes from each group of expression as a module has there, without repetition."""
    numbers, sizes = np.unique(groups[genes], return_counts=True)
    drawn = [
        rng.choice(np.flatnonzero(groups == number), size, replace=False)
        for number, size in zip(numbers, sizes, strict=True)
    ]
    return np.concatenate(drawn)


def coherence(correlation: NDArray[np.floating], genes: NDArray[np.integer]) -> float:
    """Average the correlation over all pairs of genes of a module; NaN for fewer than two.

    Examples
    --------
    >>> coherence(np.array([[1.0, 0.5, 0.1], [0.5, 1.0, 0.3], [0.1, 0.3, 1.0]]), np.array([0, 1, 2]))
    0.3
    """
    n_genes = len(genes)
    if n_genes < 2:
        return float("nan")
    block = correlation[np.ix_(genes, genes)].astype(np.float64)
    return float(((block.sum() - np.trace(block)) / (n_genes * (n_genes - 1))).round(12))


@dataclass(frozen=True, slots=True, kw_only=True)
class Coherence:
    """Mean correlation within a module, beside random genes."""

    mean: float
    random: float
    """Mean over random sets of the same size and expression."""
    random_high: float
    """What 95 % of them stay below."""
    z: float
    """Distance to their mean in their standard deviations."""
    p: float
    """(1 + random sets that are as coherent) / (1 + all)."""


def beside_random(
    correlation: NDArray[np.floating],
    genes: NDArray[np.integer],
    groups: NDArray[np.int64],
    *,
    n_random: int,
    rng: np.random.Generator,
) -> Coherence:
    """Hold a module against random genes that are expressed alike."""
    own = coherence(correlation, genes)
    drawn = np.array(
        [coherence(correlation, matched_genes(groups, genes, rng)) for _ in range(n_random)]
    )  # (R,)
    spread = float(drawn.std())
    return Coherence(
        mean=own,
        random=float(drawn.mean()),
        random_high=float(np.quantile(drawn, 0.95)),
        z=(own - float(drawn.mean())) / spread if spread > 0 else float("nan"),
        p=float((1 + (drawn >= own).sum()) / (1 + n_random)),
    )


def gain_of_genes(
    correlation: NDArray[np.floating], membership: NDArray[np.int64], groups: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Tell for each gene how much more it correlates with its fellows than with genes expressed like them, (G,).

    Parameters
    ----------
    correlation
        (G, G).
    membership
        (G,) module of each gene, -1 for none: such genes gain 0, so that cuts of the same genes can be compared.
    groups
        (G,) group of expression of each gene.

    Examples
    --------
    >>> correlation = np.array([[1, 0.6, 0.2], [0.6, 1, 0.2], [0.2, 0.2, 1]])
    >>> gain_of_genes(correlation, np.array([0, 0, -1]), np.zeros(3, dtype=int)).round(2).tolist()
    [0.2, 0.2, 0.0]
    """
    n_genes = len(membership)
    others = correlation.astype(np.float64)
    np.fill_diagonal(others, 0.0)
    in_group = np.eye(int(groups.max()) + 1)[groups]  # (G, B)
    sizes = np.maximum(in_group.sum(axis=0) - in_group, 1)  # (G, B), each gene itself left out
    expected = (others @ in_group) / sizes  # (G, B)
    gain = np.zeros(n_genes)
    for number in range(int(membership.max(initial=-1)) + 1):
        genes = np.flatnonzero(membership == number)
        if len(genes) > 1:
            within = others[np.ix_(genes, genes)].sum(axis=1)
            by_chance = expected[np.ix_(genes, groups[genes])]  # (K, K)
            chance = by_chance.sum(axis=1) - np.diag(by_chance)
            gain[genes] = (within - chance) / (len(genes) - 1)
    return gain


def mean_interval(
    values: NDArray[np.floating],
    clusters: NDArray[np.integer],
    *,
    rng: np.random.Generator,
    n_times: int = 1000,
) -> tuple[float, float]:
    """Give the 95 % bootstrap interval of a mean, drawing whole clusters; NaN for fewer than three clusters.

    Genes of one module rise and fall together, so that drawing genes would make the interval too narrow.

    Parameters
    ----------
    values
        (G,).
    clusters
        (G,) cluster of each value.

    Examples
    --------
    >>> mean_interval(np.full(6, 2.0), np.array([0, 0, 1, 1, 2, 2]), rng=np.random.default_rng(0))
    (2.0, 2.0)
    """
    _, codes = np.unique(clusters, return_inverse=True)
    sums, sizes = np.bincount(codes, weights=values), np.bincount(codes)
    if len(sizes) < FEWEST_CLUSTERS:
        return float("nan"), float("nan")
    drawn = rng.integers(len(sizes), size=(n_times, len(sizes)))
    low, high = np.quantile(sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1), [0.025, 0.975])
    return float(low), float(high)


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
    """Hold a cut against the truth.

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
