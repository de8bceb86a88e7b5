"""Expression above 0 of cells in groups, gene after gene: what tests between groups add up and rank."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

NEITHER = -1
"""The group of a cell that is in none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupValues:
    """M values above 0 of g genes in cells of K groups, gene after gene."""

    values: NDArray[np.float32]
    """(M,)."""
    groups: NDArray[np.integer]
    """(M,) group of the cell, 0 to K - 1."""
    genes: NDArray[np.int64]
    """(M,) place of the gene in the block, ascending."""
    cells: NDArray[np.int64]
    """(M,) place of group and gene in a table of both, K rows of g."""
    counts: NDArray[np.int64]
    """(K, g) values of each group."""

    def sums(self, weights: NDArray[np.floating]) -> NDArray[np.float64]:
        """Add (M,) weights up for each group and gene, (K, g)."""
        sums = np.bincount(self.cells, weights=weights, minlength=self.counts.size)
        return np.asarray(sums, dtype=np.float64).reshape(self.counts.shape)


def by_group_and_gene(
    weights: NDArray[np.floating],
    groups: NDArray[np.int64],
    genes: NDArray[np.int64],
    *,
    shape: tuple[int, ...],
) -> NDArray[np.float64]:
    """Add weights up.

    Parameters
    ----------
    weights, groups, genes
        (M,) of each value.
    shape
        K groups, g genes.

    Returns
    -------
    (K, g).
    """
    n_groups, n_genes = shape
    sums = np.bincount(genes + n_genes * groups, weights=weights, minlength=n_groups * n_genes)
    return np.asarray(sums, dtype=np.float64).reshape(n_groups, n_genes)


def group_values(block: sparse.csc_matrix, groups: NDArray[np.integer], n_groups: int) -> GroupValues:
    """Take the values above 0 of cells that are in a group.

    Parameters
    ----------
    block
        (N, g) expression, 0 or more.
    groups
        (N,) group of each cell; NEITHER for cells in none.

    Raises
    ------
    ValueError
        If an expression is below 0 or no number.
    """
    values = np.asarray(block.data, dtype=np.float32)
    if not np.all(values >= 0):
        raise ValueError("an expression is below 0 or no number")
    group, genes = groups[block.indices], np.repeat(np.arange(block.shape[1]), np.diff(block.indptr))
    if not (values.all() and group.min(initial=0) >= 0):
        kept = (group != NEITHER) & (values > 0)
        values, group, genes = values[kept], group[kept], genes[kept]
    n_genes = block.shape[1]
    cells = np.multiply(group, n_genes, dtype=np.int64)
    cells += genes
    counts = np.bincount(cells, minlength=n_groups * n_genes).reshape(n_groups, n_genes)
    return GroupValues(values=values, groups=group, genes=genes, cells=cells, counts=counts)


def stretches(lengths: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Give where each gene with two values or more begins and ends.

    Parameters
    ----------
    lengths
        (g,) values of each.
    """
    ends = np.cumsum(lengths)
    wanted = np.flatnonzero(lengths > 1)
    yield from zip((ends - lengths)[wanted].tolist(), ends[wanted].tolist(), strict=True)
