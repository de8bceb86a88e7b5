"""From raw counts to bins as the authors do before fine-tuning: filter, normalize, log, bin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from scviz.errors import CountsError
from scviz.foundation.counts import Counts
from scviz.models.scgpt.binning import Draws, bin_values, binned, quantile_edges


@dataclass(frozen=True, slots=True, kw_only=True)
class Preprocessed:
    """The cells and genes that were kept, after each step."""

    cells: NDArray[np.int64]
    """(N,) rows that were kept."""
    genes: NDArray[np.int64]
    """(G,) columns that were kept."""
    expression: NDArray[np.float32]
    """(N, G) what was binned: normalized, and log1p where asked for."""
    bins: NDArray[np.int64]
    """(N, G) bins."""
    edges: NDArray[np.float64]
    """(N, n_bins) where bins begin, after a leading 0; zeros in a cell without expression."""


def preprocess(
    counts: Counts,
    *,
    n_bins: int = 51,
    min_counts_of_gene: float = 0,
    min_counts_of_cell: float = 0,
    target_sum: float | Literal["median"] | None = 10_000,
    log1p: bool = True,
    draws: Draws | None = None,
) -> Preprocessed:
    """Filter genes, then cells; scale cells to one sum; take log1p; bin.

    Binning reads ranks within a cell alone, so that scaling and log matter to those who read `expression`.

    Parameters
    ----------
    counts
        (N, G) raw counts.
    target_sum
        Sum of each cell; "median" takes the median over the cells that express anything, None does not scale.
    draws
        Where chance comes from for values that fill several bins; None takes the highest.

    Raises
    ------
    CountsError
        If there are negative or missing values.
    """
    matrix = sparse.csr_matrix(counts).toarray()
    if not (matrix.min(initial=0) >= 0 and np.isfinite(matrix.max(initial=0))):
        raise CountsError(
            "The matrix holds negative or missing values, so these are not raw counts.",
            hint="Choose the layer with raw counts.",
        )
    genes = np.flatnonzero(matrix.sum(axis=0) >= min_counts_of_gene)
    matrix = matrix[:, genes]
    cells = np.flatnonzero(matrix.sum(axis=1) >= min_counts_of_cell)
    expression = scaled(matrix[cells].astype(np.float32), target_sum)
    if log1p:
        expression = np.log1p(expression)
    bins = [_bins(row, genes, n_bins, draws) for row in expression]
    return Preprocessed(
        cells=cells,
        genes=genes,
        expression=expression,
        bins=np.array(bins, dtype=np.int64).reshape(expression.shape),
        edges=np.array([_edges(row, n_bins) for row in expression]).reshape(len(cells), n_bins),
    )


def scaled(
    expression: NDArray[np.float32], target_sum: float | Literal["median"] | None
) -> NDArray[np.float32]:
    """Bring the sum of each cell to one value, (N, G); a cell of zeros stays."""
    if target_sum is None:
        return expression
    sums = expression.sum(axis=1)  # (N,)
    target = np.median(sums[sums > 0]) if target_sum == "median" else np.float32(target_sum)
    return expression / np.where(sums > 0, sums / target, 1).astype(np.float32)[:, None]


def _bins(
    row: NDArray[np.float32], genes: NDArray[np.int64], n_bins: int, draws: Draws | None
) -> NDArray[np.int64]:
    ties = None if draws is None else draws.ties(genes[binned(row)], row[binned(row)])
    return bin_values(row, n_bins, ties)


def _edges(row: NDArray[np.float32], n_bins: int) -> NDArray[np.float64]:
    expressed = row[binned(row)]
    return np.append(0, quantile_edges(expressed, n_bins)) if len(expressed) else np.zeros(n_bins)
