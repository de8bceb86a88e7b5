"""Which genes a perturbation changes: by Welch's t as GEARS ranks them, or by rank sums as cell-eval does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from scviz.metrics.evidence import fdr

Cells: TypeAlias = NDArray[np.floating] | sp.csr_matrix
"""(n, G) log1p expression of some cells."""

TOP_DE = 20
"""Genes that the published scores look at."""
BLOCK = 512
"""Genes that are ranked at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferentialGenes:
    """The genes that one perturbation changes, as GEARS selects them; positions among G genes."""

    order: NDArray[np.int64]
    """(G,) all genes, the largest absolute t first."""
    non_zero: NDArray[np.int64]
    """Genes that are expressed in some perturbed cell, ascending."""
    non_dropout: NDArray[np.int64]
    """Those, and genes that neither perturbed nor control cells express, ascending."""
    top_non_zero: NDArray[np.int64]
    """The first TOP_DE of `order` among `non_zero`."""
    top_non_dropout: NDArray[np.int64]
    """The first TOP_DE of `order` among `non_dropout`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """Mean and variance of each gene over some cells."""

    n_cells: int
    mean: NDArray[np.float64]
    """(G,)."""
    variance: NDArray[np.float64]
    """(G,) with n - 1 below; 0 for a single cell."""


def moments(cells: Cells) -> Moments:
    """Average each gene over cells, with its variance.

    Squares are taken in the precision of the values and summed in float64, as scanpy does; only so is the order of
    genes with nearly equal t the published one.

    Examples
    --------
    >>> moments(np.array([[1.0, 0.0], [3.0, 0.0]])).variance
    array([2., 0.])
    """
    n_cells, n_genes = cells.shape
    if sp.issparse(cells):
        cells = sp.csr_matrix(cells)
        total = np.bincount(cells.indices, weights=cells.data, minlength=n_genes)
        squares = np.bincount(cells.indices, weights=cells.data * cells.data, minlength=n_genes)
    else:
        total = cells.sum(axis=0, dtype=np.float64)
        squares = (cells * cells).sum(axis=0, dtype=np.float64)
    mean = total / n_cells
    variance = squares / n_cells - mean**2
    if n_cells > 1:
        variance *= n_cells / (n_cells - 1)
    return Moments(n_cells=n_cells, mean=mean, variance=variance)


def welch_t(perturbed: Moments, control: Moments) -> NDArray[np.float64]:
    """Compare the mean of each gene between perturbed and control cells by Welch's t.

    Returns
    -------
    (G,) above 0 where perturbed cells express more; 0 for a gene that is constant and equal in both. Rounding decides
    whether a gene that all perturbed and all control cells express alike gets 0 or a huge value, here as in scanpy.

    Examples
    --------
    >>> some, other = moments(np.array([[1.0], [3.0]])), moments(np.array([[0.0], [2.0]]))
    >>> welch_t(some, other).round(3)
    array([0.707])
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        errors = [np.sqrt(part.variance) ** 2 / part.n_cells for part in (perturbed, control)]
        t = (perturbed.mean - control.mean) / np.sqrt(errors[0] + errors[1])
    return np.where(np.isnan(t), 0.0, t)


def order_by_t(t: NDArray[np.float64]) -> NDArray[np.int64]:
    """Order all genes, (G,), from the largest absolute t to the smallest; ties fall as they do in scanpy.

    Examples
    --------
    >>> order_by_t(np.array([0.5, -3.0, 2.0]))
    array([1, 2, 0])
    """
    size = np.abs(t)
    partition = np.argpartition(size, -len(size))
    return partition[np.argsort(size[partition])[::-1]]


def differential_genes(perturbed: Moments, control: Moments) -> DifferentialGenes:
    """Select the genes that a perturbation changes, as GEARS does.

    Examples
    --------
    >>> cells = np.array([[0.0, 2.0, 0.0], [0.0, 3.0, 0.0]])
    >>> controls = np.array([[1.0, 1.0, 0.0], [0.0, 2.0, 0.0], [1.0, 0.0, 0.0]])
    >>> genes = differential_genes(moments(cells), moments(controls))
    >>> genes.non_zero, genes.non_dropout  # gene 0 vanishes: it may have dropped out
    (array([1]), array([1, 2]))
    """
    order = order_by_t(welch_t(perturbed, control))
    expressed = perturbed.mean != 0
    kept = expressed | (control.mean == 0)
    return DifferentialGenes(
        order=order,
        non_zero=np.flatnonzero(expressed),
        non_dropout=np.flatnonzero(kept),
        top_non_zero=order[expressed[order]][:TOP_DE],
        top_non_dropout=order[kept[order]][:TOP_DE],
    )


def differential_genes_of(
    expression: Cells, codes: NDArray[np.int64], groups: Sequence[int], *, control: int
) -> list[DifferentialGenes]:
    """Select the genes that each of several perturbations changes.

    Parameters
    ----------
    expression
        (N, G) log1p.
    codes
        (N,) perturbation of each cell.
    groups
        Perturbations that are asked for.
    control
        Code of the control cells.
    """
    controls = moments(expression[np.flatnonzero(codes == control)])
    return [
        differential_genes(moments(expression[np.flatnonzero(codes == group)]), controls) for group in groups
    ]


def order_by_change(delta: NDArray[np.floating]) -> NDArray[np.int64]:
    """Order genes, (..., G), from the largest absolute change of the mean to the smallest, along the last axis.

    Examples
    --------
    >>> order_by_change(np.array([[0.5, -3.0, 2.0]]))
    array([[1, 2, 0]])
    """
    return np.argsort(-np.abs(delta), axis=-1, kind="stable")


@dataclass(frozen=True, slots=True, kw_only=True)
class RankSumTable:
    """How the expression of each gene differs from control by ranks."""

    p_value: NDArray[np.float64]
    """(G,) two-sided."""
    fdr: NDArray[np.float64]
    """(G,) Benjamini-Hochberg over the genes of one perturbation."""
    log2_fold_change: NDArray[np.float64]
    """(G,) of expm1 of the mean log1p expression; infinite where one side is 0, and 0 where both are."""


def rank_sum_table(perturbed: Cells, control: Cells) -> RankSumTable:
    """Test each gene by the Mann-Whitney test with corrections for continuity and ties.

    Parameters
    ----------
    perturbed, control
        (n, G) and (m, G) log1p expression.

    References
    ----------
    Adduri et al. (2025), doi:10.1101/2025.06.26.661135, whose evaluation tests genes so.
    """
    p_value = np.concatenate(
        [
            _rank_sum_p(_dense(perturbed, start), _dense(control, start))
            for start in range(0, perturbed.shape[1], BLOCK)
        ]
    )
    means = [np.expm1(moments(cells).mean) for cells in (perturbed, control)]
    with np.errstate(divide="ignore", invalid="ignore"):
        change = np.log2(means[0] / means[1])
    return RankSumTable(
        p_value=p_value,
        fdr=fdr(p_value),
        log2_fold_change=np.where(np.isnan(change), 0.0, change),
    )


def _dense(cells: Cells, start: int) -> NDArray[np.floating]:
    """Take BLOCK genes as a dense array."""
    part = cells[:, start : start + BLOCK]
    return np.asarray(part.toarray() if isinstance(part, sp.spmatrix | sp.sparray) else part)


def _rank_sum_p(perturbed: NDArray[np.floating], control: NDArray[np.floating]) -> NDArray[np.float64]:
    """Give the p value of each gene; 1 where all values are equal."""
    from scipy.stats import mannwhitneyu

    with np.errstate(divide="ignore", invalid="ignore"):
        found = mannwhitneyu(perturbed, control, axis=0, method="asymptotic").pvalue
    return np.nan_to_num(np.asarray(found, dtype=np.float64), nan=1.0).clip(0.0, 1.0)
