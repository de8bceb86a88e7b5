"""Which genes two groups of cells express differently: Welch's t or rank sums, gene by gene, as scanpy has them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import sparse, special

from scviz.metrics.differential import Moments, welch_t
from scviz.metrics.evidence import fdr
from scviz.metrics.group_values import GroupValues, group_values, stretches

Method = Literal["wilcoxon", "welch"]

FIRST, SECOND = 0, 1
"""The side of a cell."""
NO_ZERO = 1e-9
"""Added to both means before they are divided, as scanpy does: a gene that one side lacks gets a change of about 30."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneTable:
    """How G genes differ between two groups of cells."""

    score: NDArray[np.float64]
    """(G,) Welch's t, or z of the rank sum; above 0 where the first group expresses more."""
    p_value: NDArray[np.float64]
    """(G,) two-sided, cells counted as replicates; 1 where nothing varies."""
    adjusted_p: NDArray[np.float64]
    """(G,) Benjamini-Hochberg over all genes."""
    log2_fold_change: NDArray[np.float64]
    """(G,) of expm1 of the mean log1p expression."""
    means: NDArray[np.float64]
    """(2, G) mean log1p expression of both groups."""
    shares: NDArray[np.float64]
    """(2, G) cells of both groups that express the gene, 0 to 1."""

    @property
    def order(self) -> NDArray[np.int64]:
        """(G,) genes, the smallest p first; of equal p, such as 0, the largest absolute score first."""
        return np.lexsort((-np.abs(self.score), self.p_value))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tally:
    """What the tests need of g genes."""

    counts: NDArray[np.int64]
    """(2, g) cells that express the gene."""
    totals: NDArray[np.float64]
    """(2, g) sums of the expression."""
    spread: NDArray[np.float64]
    """(2, g) sums of squares; for rank sums (2, g) rank sum of the first group and the sum of t^3 - t of ties."""


def two_groups(
    blocks: Iterable[sparse.csc_matrix],
    sides: NDArray[np.integer],
    *,
    method: Method,
    tie_correct: bool = True,
) -> GeneTable:
    r"""Compare each gene between two groups of cells.

    The rank sum gives :math:`z = (R - n(N+1)/2) / \sqrt{c\,nm(N+1)/12}` with mean ranks for ties, without correction
    for continuity, and :math:`c = 1 - \sum(t^3-t)/(N^3-N)` over ties of t cells.

    Parameters
    ----------
    blocks
        (N, g) log1p expression, 0 or more, of some genes each, in their order; only one block is in memory at a time.
    sides
        (N,) FIRST, SECOND or NEITHER for each cell.
    method
        Which test.
    tie_correct
        Whether rank sums are corrected for ties. Without it, as scanpy has it by default, a gene that few cells
        express never has a small p.

    Raises
    ------
    ValueError
        If a group has fewer than 2 cells, or an expression is below 0 or no number.

    References
    ----------
    Wolf et al. (2018), doi:10.1186/s13059-017-1382-0, `rank_genes_groups`.

    Examples
    --------
    >>> cells = sparse.csc_matrix([[0.0, 1.0], [1.0, 2.0], [1.0, 0.0], [2.0, 0.0], [2.0, 0.0]])
    >>> table = two_groups([cells], np.array([0, 0, 1, 1, 1]), method="wilcoxon")
    >>> table.score.round(2), table.shares[0], table.order
    (array([-1.52,  1.94]), array([0.5, 1. ]), array([1, 0]))
    """
    sizes = np.array([np.sum(sides == side) for side in (FIRST, SECOND)], dtype=np.int64)
    if sizes.min() < 2:
        raise ValueError(f"the groups have {sizes[0]} and {sizes[1]} cells; each needs 2")
    own = np.asarray(sides, dtype=np.int8)
    tallies = [_tally(group_values(block, own, 2), sizes, method) for block in blocks]
    tally = _Tally(
        counts=np.concatenate([one.counts for one in tallies], axis=1),
        totals=np.concatenate([one.totals for one in tallies], axis=1),
        spread=np.concatenate([one.spread for one in tallies], axis=1),
    )
    means = tally.totals / sizes[:, None]  # (2, G)
    if method == "welch":
        score, p_value = welch_of_sums(means, tally.spread, sizes)
    else:
        score, p_value = rank_sum_of_ranks(tally.spread, sizes, tie_correct=tie_correct)
    up, down = np.expm1(means) + NO_ZERO
    return GeneTable(
        score=score,
        p_value=p_value,
        adjusted_p=fdr(p_value),
        log2_fold_change=np.log2(up / down),
        means=means,
        shares=tally.counts / sizes[:, None],
    )


def _tally(values: GroupValues, sizes: NDArray[np.int64], method: Method) -> _Tally:
    # squares in the precision of the values, as scanpy has them
    return _Tally(
        counts=values.counts,
        totals=values.sums(values.values),
        spread=values.sums(values.values * values.values) if method == "welch" else _ranks(values, sizes),
    )


def _ranks(values: GroupValues, sizes: NDArray[np.int64]) -> NDArray[np.float64]:
    """Give the rank sum of the first group and what ties take from the variance, (2, g), for each gene.

    Values of a gene are ranked after its zeros. Places count through the block, so that what lies before a gene is
    taken off at the end; all numbers are halves below 2^53, so that no sum is rounded.
    """
    keys = _sorted_keys(values)
    of_gene = values.counts.sum(axis=0)  # (g,)
    zeros = (sizes[:, None] - values.counts).astype(np.float64)  # (2, g) cells without the gene
    n_zeros = zeros.sum(axis=0)
    rank_sum = zeros[FIRST] * (n_zeros + 1) / 2
    ties = n_zeros**3 - n_zeros
    seen = np.flatnonzero(of_gene)
    if len(seen):
        before = (np.cumsum(of_gene) - of_gene)[seen]  # (s,) values of genes that come earlier
        starts = _level_starts(keys >> np.uint32(1), before)  # (R,)
        length = np.diff(starts, append=len(keys)).astype(np.float64)
        of_first = length - np.add.reduceat(keys & np.uint32(1), starts, dtype=np.int64)
        runs = np.searchsorted(starts, before)  # (s,) first level of each gene
        place = np.add.reduceat(of_first * (starts + (length + 1) / 2), runs)
        rank_sum[seen] += place + values.counts[FIRST, seen] * (n_zeros[seen] - before)
        ties[seen] += np.add.reduceat(length**3 - length, runs)
    return np.stack([rank_sum, ties])


def _level_starts(levels: NDArray[np.uint32], before: NDArray[np.int64]) -> NDArray[np.int64]:
    """Give where equal values of one gene begin, (R,), in (K,) sorted values of genes that begin at (s,) places."""
    begins = np.empty(len(levels), dtype=bool)
    np.not_equal(levels[1:], levels[:-1], out=begins[1:])
    begins[before] = True
    return np.flatnonzero(begins)


def _sorted_keys(values: GroupValues) -> NDArray[np.uint32]:
    """Sort the values of each gene; the last bit of a key, (K,), is the side, those above are the value.

    The bits of positive floats are ordered as the floats are, and their first bit, the sign, is free.
    """
    keys = (values.values.view(np.uint32) << np.uint32(1)) | values.groups.astype(np.uint32)
    for low, high in stretches(values.counts.sum(axis=0)):
        keys[low:high].sort()
    return keys


def welch_of_sums(
    means: NDArray[np.float64], squares: NDArray[np.float64], sizes: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give t and p, (G,) each; 0 and 1 where neither side varies and both are equal."""
    n = sizes[:, None].astype(np.float64)
    variance = (squares / n - means**2) * (n / (n - 1))  # (2, G)
    sides = [
        Moments(n_cells=int(sizes[side]), mean=means[side], variance=variance[side].clip(min=0.0))
        for side in (FIRST, SECOND)
    ]
    return welch_t(*sides), welch_p(*sides)


def welch_p(first: Moments, second: Moments) -> NDArray[np.float64]:
    """Give the two-sided p of Welch's t for each gene.

    Returns
    -------
    (G,) 1 for a gene that is constant and equal in both groups, 0 for one that is constant and differs.

    Examples
    --------
    >>> from scviz.metrics.differential import moments
    >>> some, other = moments(np.array([[1.0], [3.0]])), moments(np.array([[0.0], [2.0]]))
    >>> welch_p(some, other).round(3)
    array([0.553])
    """
    t = welch_t(first, second)
    with np.errstate(divide="ignore", invalid="ignore"):
        errors = [part.variance / part.n_cells for part in (first, second)]
        below = sum(
            error**2 / (part.n_cells - 1) for error, part in zip(errors, (first, second), strict=True)
        )
        freedom = (errors[0] + errors[1]) ** 2 / below
    p = 2 * special.stdtr(np.where(np.isnan(freedom), 1.0, freedom), -np.abs(t))
    return np.where(t == 0, 1.0, p)


def smallest_p(n: int, m: int) -> float:
    """Give the p of the largest difference of ranks that n and m cells can show: two levels, one in each group.

    Examples
    --------
    >>> round(smallest_p(3, 3), 4)
    0.0253
    """
    sizes = np.array([n, m], dtype=np.float64)
    ranks = np.array([[n * (n + 1) / 2], [np.sum(sizes**3 - sizes)]])
    return float(rank_sum_of_ranks(ranks, np.array([n, m]), tie_correct=True)[1][0])


def rank_sum_of_ranks(
    ranks: NDArray[np.float64], sizes: NDArray[np.int64], *, tie_correct: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give z and p, (G,) each; 0 and 1 where all cells express a gene alike."""
    n, m = sizes.astype(np.float64)
    whole = n + m
    untied = 1 - ranks[1] / (whole**3 - whole) if tie_correct else np.ones(ranks.shape[1])
    with np.errstate(divide="ignore", invalid="ignore"):
        z = (ranks[0] - n * (whole + 1) / 2) / np.sqrt(untied * n * m * (whole + 1) / 12)
    z = np.where(np.isnan(z), 0.0, z)
    return z, 2 * special.ndtr(-np.abs(z))
