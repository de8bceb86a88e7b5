"""Genes that tell each of several groups of cells from all others, in one pass over the genes, as scanpy has them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from scviz.metrics.evidence import fdr
from scviz.metrics.group_values import GroupValues, by_group_and_gene, group_values, stretches
from scviz.metrics.two_groups import NO_ZERO, Method, rank_sum_of_ranks, welch_of_sums

BITS = np.uint64(16)
"""Bits of a key below the value: those of the group."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkerTable:
    """How G genes differ between each of K groups and the cells of all other groups."""

    score: NDArray[np.float64]
    """(K, G) Welch's t, or z of the rank sum; above 0 where the group expresses more."""
    p_value: NDArray[np.float64]
    """(K, G) two-sided, cells counted as replicates; 1 where nothing varies."""
    adjusted_p: NDArray[np.float64]
    """(K, G) Benjamini-Hochberg over all genes of a group."""
    log2_fold_change: NDArray[np.float64]
    """(K, G) of expm1 of the mean log1p expression."""
    means: NDArray[np.float64]
    """(K, G) mean log1p expression of the group."""
    shares: NDArray[np.float64]
    """(K, G) cells of the group that express the gene, 0 to 1."""
    other_shares: NDArray[np.float64]
    """(K, G) of all other cells."""


def many_groups(
    blocks: Iterable[sparse.csc_matrix],
    groups: NDArray[np.integer],
    n_groups: int,
    *,
    method: Method,
    tie_correct: bool = True,
) -> MarkerTable:
    """Compare each gene between every group and the cells of all other groups.

    Parameters
    ----------
    blocks
        (N, g) log1p expression, 0 or more, of some genes each, in their order; only one block is in memory at a time.
    groups
        (N,) group of each cell, 0 to K - 1; `group_values.NEITHER` for cells that are left out.
    n_groups
        K, two or more.
    method, tie_correct
        As `two_groups.two_groups` has them.

    Raises
    ------
    ValueError
        If a group has fewer than 2 cells, or an expression is below 0 or no number.

    References
    ----------
    Wolf et al. (2018), doi:10.1186/s13059-017-1382-0, `rank_genes_groups` with the reference "rest".

    Examples
    --------
    >>> cells = sparse.csc_matrix([[2.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 2.0], [0.0, 0.0], [0.0, 0.0]])
    >>> table = many_groups([cells], np.array([0, 0, 1, 1, 2, 2]), 3, method="wilcoxon")
    >>> table.score.argmax(axis=1)[:2], table.shares[:, 0]
    (array([0, 1]), array([1., 0., 0.]))
    """
    own = np.asarray(groups, dtype=np.int16)
    sizes = np.bincount(own[own >= 0], minlength=n_groups)
    if n_groups < 2 or sizes.min() < 2:
        raise ValueError(
            f"the groups have {sizes.tolist()} cells; each needs 2, and there must be two groups"
        )
    counts, totals, spread = [], [], []
    for block in blocks:
        values = group_values(block, own, n_groups)
        counts.append(values.counts)
        totals.append(values.sums(values.values))
        # squares in the precision of the values, as scanpy has them
        squares = values.sums(values.values * values.values) if method == "welch" else _ranks(values, sizes)
        spread.append(squares)
    return _table(
        np.concatenate(counts, axis=1),
        np.concatenate(totals, axis=1),
        np.concatenate(spread, axis=1),
        sizes=sizes,
        method=method,
        tie_correct=tie_correct,
    )


def _table(
    counts: NDArray[np.int64],
    totals: NDArray[np.float64],
    spread: NDArray[np.float64],
    *,
    sizes: NDArray[np.int64],
    method: Method,
    tie_correct: bool,
) -> MarkerTable:
    """Compare each group with what all others add up to; counts and totals are (K, G), sizes (K,)."""
    score, p_value, change, other_shares = (np.empty(counts.shape) for _ in range(4))
    for k, size in enumerate(sizes.tolist()):
        pair = np.array([size, sizes.sum() - size])
        means = np.stack([totals[k], totals.sum(axis=0) - totals[k]]) / pair[:, None]  # (2, G)
        if method == "welch":
            squares = np.stack([spread[k], spread.sum(axis=0) - spread[k]])
            score[k], p_value[k] = welch_of_sums(means, squares, pair)
        else:
            ranks = np.stack([spread[k], spread[-1]])
            score[k], p_value[k] = rank_sum_of_ranks(ranks, pair, tie_correct=tie_correct)
        up, down = np.expm1(means) + NO_ZERO
        change[k] = np.log2(up / down)
        other_shares[k] = (counts.sum(axis=0) - counts[k]) / pair[1]
    return MarkerTable(
        score=score,
        p_value=p_value,
        adjusted_p=np.stack([fdr(p) for p in p_value]),
        log2_fold_change=change,
        means=totals / sizes[:, None],
        shares=counts / sizes[:, None],
        other_shares=other_shares,
    )


def _ranks(values: GroupValues, sizes: NDArray[np.int64]) -> NDArray[np.float64]:
    """Give the rank sum of each group, and at last what ties take from the variance, (K + 1, g)."""
    zeros = (sizes[:, None] - values.counts).astype(np.float64)  # (K, g) cells without the gene
    n_zeros = zeros.sum(axis=0)
    rank_sums = zeros * (n_zeros + 1) / 2
    ties = n_zeros**3 - n_zeros
    keys = _sorted_keys(values)
    if len(keys):
        first_of_gene = np.concatenate([[0], np.cumsum(values.counts.sum(axis=0))])  # (g + 1,)
        level = keys >> BITS
        starts = np.flatnonzero(
            (np.diff(level, prepend=level[:1]) != 0) | (np.diff(values.genes, prepend=-1) != 0)
        )
        genes = values.genes[starts]
        length = np.diff(starts, append=len(keys))
        mean_rank = n_zeros[genes] + (starts - first_of_gene[genes]) + (length + 1) / 2
        groups = (keys & ((np.uint64(1) << BITS) - np.uint64(1))).astype(np.int64)
        rank_sums = rank_sums + by_group_and_gene(
            np.repeat(mean_rank, length), groups, values.genes, shape=rank_sums.shape
        )
        tied = length.astype(np.float64)
        ties = ties + np.bincount(genes, weights=tied**3 - tied, minlength=len(n_zeros))
    return np.concatenate([rank_sums, ties[None]])


def _sorted_keys(values: GroupValues) -> NDArray[np.uint64]:
    """Sort the values of each gene; the last bits of a key, (M,), are the group, those above are the value.

    The bits of positive floats are ordered as the floats are.
    """
    bits = values.values.view(np.uint32).astype(np.uint64)
    keys = (bits << BITS) | values.groups.astype(np.uint64)
    for low, high in stretches(values.counts.sum(axis=0)):
        keys[low:high].sort()
    return keys
