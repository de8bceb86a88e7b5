"""What the same steps find between groups of the same cells whose labels are shuffled.

Genes of one set rise and fall together over cells, so they are chosen together even where there is nothing to find:
drawing genes at random does not show that, shuffling cells does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.stats import hypergeom, norm, rankdata
from scipy.stats import t as student

LARGEST_T = 40.0
"""Farther out than any difference that needs to be told; genes that are constant within both sides have infinite t."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    """How N genes differ between two groups, for each of P ways to tell the cells apart."""

    p_value: NDArray[np.float64]
    """(N, P) of the rank-sum test."""
    log2_fold_change: NDArray[np.float64]
    """(N, P) of expm1 of the mean log1p expression; infinite where one side is 0, and 0 where both are."""


def shuffles(n_first: int, n_cells: int, n_shuffles: int, *, rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw the first of two groups anew, (C, P): 1 for its cells."""
    order = rng.permuted(np.tile(np.arange(n_cells), (n_shuffles, 1)), axis=1)
    return np.asarray((order < n_first).T, dtype=np.float64)


def rank_sum_differences(cells: sp.csr_matrix, first: NDArray[np.float64]) -> Differences:
    """Compare groups gene by gene as `rank_sum_table` does, for many groups of the same cells at once.

    Parameters
    ----------
    cells
        (C, N) log1p expression, 0 or more.
    first
        (C, P) 1 for the cells of the first group; its size is the same in all.
    """
    n_cells, n_first = cells.shape[0], int(first[:, 0].sum())
    n_second = n_cells - n_first
    above, at_zero, ties = _ranks(sp.csc_matrix(cells))
    sums = above.T @ first + n_first * at_zero[:, None]  # (N, P)
    middle = n_first * n_second / 2
    u = sums - n_first * (n_first + 1) / 2
    spread = np.sqrt(n_first * n_second / 12 * (n_cells + 1 - ties / (n_cells * (n_cells - 1))))
    with np.errstate(divide="ignore", invalid="ignore"):
        z = (np.abs(u - middle) - 0.5) / spread[:, None]
    p_value = np.nan_to_num(2 * norm.sf(z), nan=1.0).clip(0.0, 1.0)
    total = np.asarray(cells.sum(axis=0), dtype=np.float64).reshape(-1, 1)
    sums_of_first = cells.T @ first
    means = sums_of_first / n_first, (total - sums_of_first) / n_second
    with np.errstate(divide="ignore", invalid="ignore"):
        change = np.log2(np.expm1(means[0]) / np.expm1(np.maximum(means[1], 0)))
    return Differences(p_value=p_value, log2_fold_change=np.where(np.isnan(change), 0.0, change))


def _ranks(
    cells: sp.csc_matrix,
) -> tuple[sp.csc_matrix, NDArray[np.float64], NDArray[np.float64]]:
    """Rank the cells of each gene, (C, N): ranks above that of a zero, the rank of a zero, (N,), and ties, (N,)."""
    n_cells, n_genes = cells.shape
    ranks = sp.csc_matrix(cells, dtype=np.float64, copy=True)
    ranks.eliminate_zeros()
    n_zero = n_cells - np.diff(ranks.indptr)
    at_zero = (n_zero + 1) / 2
    ties = (n_zero**3 - n_zero).astype(np.float64)
    for gene in range(n_genes):
        part = slice(ranks.indptr[gene], ranks.indptr[gene + 1])
        values = ranks.data[part]
        counts = np.unique(values, return_counts=True)[1].astype(np.float64)
        ties[gene] += (counts**3 - counts).sum()
        ranks.data[part] = rankdata(values) + n_zero[gene] - at_zero[gene]
    return ranks, at_zero, ties


def welch_differences(cells: sp.csr_matrix, first: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give Welch's t of each gene for many groups of the same cells, (N, P), at most 40 to either side.

    Parameters
    ----------
    cells
        (C, N) log1p expression.
    first
        (C, P) 1 for the cells of the first group.
    """
    wide = sp.csr_matrix(cells, dtype=np.float64)
    squares = wide.multiply(wide).tocsr()
    totals = [np.asarray(table.sum(axis=0)).reshape(-1, 1) for table in (wide, squares)]
    sums, squared = wide.T @ first, squares.T @ first
    n_first = first.sum(axis=0)
    sides = ((sums, squared, n_first), (totals[0] - sums, totals[1] - squared, len(first) - n_first))
    means, errors = [], []
    for total, square, n in sides:
        means.append(total / n)
        errors.append(np.maximum(square / n - (total / n) ** 2, 0) / np.maximum(n - 1, 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        t = (means[0] - means[1]) / np.sqrt(errors[0] + errors[1])
    return np.asarray(np.nan_to_num(t, nan=0.0).clip(-LARGEST_T, LARGEST_T))


def overlap_p(held: sp.csr_matrix, chosen: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Test sets for more of the chosen genes than chance gives, (K, P), by the hypergeometric tail.

    Parameters
    ----------
    held
        (K, N) 1 where a set has a gene.
    chosen
        (N, P) genes of each of P queries; a query without genes gives 1.
    """
    n_genes = held.shape[1]
    sizes = np.asarray(held.sum(axis=1)).reshape(-1, 1)
    overlap = held @ chosen.astype(np.float64)  # (K, P)
    return np.asarray(hypergeom.sf(overlap - 1, n_genes, sizes, chosen.sum(axis=0)[None]))


def pooled_chance(own: NDArray[np.float64], shuffled: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the share of p values of all sets and shuffles that are as small as each own one, (K,).

    Of K sets with nothing to find as many pass by chance as this says, whatever their genes have in common.

    Parameters
    ----------
    own
        (K,).
    shuffled
        (K, P).

    Examples
    --------
    >>> pooled_chance(np.array([0.01, 0.5]), np.array([[0.2, 1.0], [0.6, 1.0]])).round(2).tolist()
    [0.2, 0.4]
    """
    ordered = np.sort(shuffled.ravel())
    return np.asarray((1 + np.searchsorted(ordered, own, side="right")) / (1 + len(ordered)))


def mean_chance(
    held: sp.csr_matrix, scores: NDArray[np.float64], shuffled: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Tell whether the mean score of each set is farther from that of all genes than with shuffled groups, (K,).

    Two-sided p by Student's t, with the spread that the shuffles of the set itself show.

    Parameters
    ----------
    held
        (K, N) 1 where a set has a gene.
    scores
        (N,) t of each gene.
    shuffled
        (N, P) the same of shuffled groups.
    """
    sizes = np.asarray(held.sum(axis=1)).ravel()
    own = held @ scores / sizes - scores.mean()
    random = held @ shuffled / sizes[:, None] - shuffled.mean(axis=0)  # (K, P)
    n_shuffles = shuffled.shape[1]
    spread = random.std(axis=1, ddof=1) * np.sqrt(1 + 1 / n_shuffles)
    z = np.divide(np.abs(own - random.mean(axis=1)), spread, out=np.zeros(len(own)), where=spread > 0)
    return np.asarray(2 * student.sf(z, n_shuffles - 1))
