"""From raw counts to what plain methods read: log expression, variable genes, principal components."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd
import scipy.sparse as sp
from anndata import AnnData
from numpy.typing import NDArray

from scviz.errors import RequestError
from scviz.metrics.evidence import counted

Flavor = Literal["seurat", "cell_ranger", "seurat_v3"]
"""How variable genes are chosen, as scanpy names it."""

TARGET_SUM = 1e4
"""Counts per cell after normalization; the field's habit."""
SHALLOW = 1e3
"""With a median below this, cells are scaled to their median instead. Scaled to 10,000, one count of a cell with 180
becomes log1p(55), so the logarithm turns counts into seen and not seen; the median leaves one count near log1p(1)."""
TOTALS = (
    "total_counts",
    "ncounts",
    "n_counts",
    "ncount_rna",
    "ncount_originalexp",
    "n_umi",
    "numi",
    "ncount",
    "umi_count",
)
"""Columns of cells, in small letters, that hold the total counts of all genes, also of those that were left out."""
LEAST_MORE = 1.05
"""Such a column is used if it exceeds the sums of the genes that are there by this factor, in the median of cells."""

N_VARIABLE_GENES = 2000
N_COMPONENTS = 50
SMALL = 500
"""So few cells are decomposed whole: Lanczos' search begins again, unseeded, where fewer kinds of cells than asked for
are there."""
ROUNDING = 1e-5
"""Of the first singular value: a smaller one is not told apart from 0 in single precision."""
GENES_PER_BLOCK = 500
"""Genes of all cells that are dense at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Depth:
    """How cells are made comparable: by what each is divided, and to what all are scaled."""

    totals: NDArray[np.float64]
    """(N,) counts of each cell."""
    target: float
    """Counts that every cell is scaled to."""
    column: str = ""
    """Column of cells that the totals come from; empty for the sums of the genes."""
    more: float = 1.0
    """Median of how many times the totals exceed the sums of the genes."""

    def of(self, rows: NDArray[np.integer]) -> Depth:
        """Return the same for some cells, (n,) rows."""
        return replace(self, totals=self.totals[rows])

    @property
    def notes(self) -> tuple[str, ...]:
        """Say what differs from 10,000 counts a cell and the sums of the genes, a sentence each; empty if nothing."""
        found = []
        if self.column:
            found.append(
                f"Expression is relative to the total counts in {self.column}, which are {self.more:.1f} times the "
                "sums of the genes in this dataset (median of cells)."
            )
        if self.target != TARGET_SUM:
            found.append(
                f"Expression is log1p of counts scaled to {self.target:,.0f} a cell, the median, not to 10,000: the "
                "cells have so few counts that one alone would look like high expression."
            )
        return tuple(found)


def depth_of(adata: AnnData) -> Depth:
    """Find the totals of cells and the counts that they are scaled to.

    Totals are the sums of the genes, or those of a column of `TOTALS` where it exceeds them: a panel or a selection of
    genes does not show the depth of a cell. The target is 10,000, or the median of totals where that is below
    `SHALLOW`.

    Parameters
    ----------
    adata
        (N, G) raw counts of a whole dataset, so that every part of it is scaled alike.

    Examples
    --------
    >>> depth = depth_of(AnnData(np.array([[100.0, 80.0], [120.0, 80.0], [90.0, 80.0]])))
    >>> depth.target, depth.totals.tolist()
    (180.0, [180.0, 200.0, 170.0])
    """
    return depth_from(np.asarray(adata.X.sum(axis=1), dtype=np.float64).ravel(), adata.obs)


def depth_from(sums: NDArray[np.float64], cells: pd.DataFrame) -> Depth:
    """Find the depth as `depth_of` does, from the sums of the genes, (N,), and what is known of the cells."""
    totals, column = _totals(cells, sums)
    seen = sums > 0
    median = float(np.median(totals[seen])) if seen.any() else TARGET_SUM
    more = float(np.median(totals[seen] / sums[seen])) if seen.any() else 1.0
    target = median if median < SHALLOW else TARGET_SUM
    return Depth(totals=totals, target=target, column=column, more=more)


def _totals(cells: pd.DataFrame, sums: NDArray[np.float64]) -> tuple[NDArray[np.float64], str]:
    """Find the column of totals, (N,), that exceeds the sums, (N,), most; else the sums and no name."""
    best, found, seen = LEAST_MORE, "", sums > 0
    for name in cells.columns:
        if str(name).lower() not in TOTALS or cells[name].dtype.kind not in "iuf" or not seen.any():
            continue
        totals = cells[name].to_numpy(dtype=np.float64)
        # rounding aside; logarithms, and totals of other cells, are smaller somewhere
        if np.all(np.isfinite(totals)) and np.all(totals >= 0.999 * sums):
            more = float(np.median(totals[seen] / sums[seen]))
            best, found = (more, str(name)) if more > best else (best, found)
    return (cells[found].to_numpy(dtype=np.float64), found) if found else (sums, "")


def log_expression(counts: sp.csr_matrix, depth: Depth | None = None) -> sp.csr_matrix:
    """Scale each cell to equal counts and take log1p.

    Parameters
    ----------
    counts
        (N, G) raw counts.
    depth
        Totals of these cells and the counts to scale to, by `depth_of`; by default the sums of the genes and 10,000,
        as models and published numbers have it.

    Returns
    -------
    (N, G) float32; cells without counts stay 0.

    Examples
    --------
    >>> log_expression(sp.csr_matrix([[1.0, 1.0]])).toarray().round(3)
    array([[8.517, 8.517]], dtype=float32)
    """
    totals = np.asarray(counts.sum(axis=1), dtype=np.float64).ravel() if depth is None else depth.totals
    target = TARGET_SUM if depth is None else depth.target
    factors = np.divide(target, totals, out=np.zeros_like(totals), where=totals > 0)
    rows = sp.csr_matrix(counts)
    scaled = rows.data * np.repeat(factors, np.diff(rows.indptr))  # (M,) float64
    values = np.log1p(scaled, out=scaled).astype(np.float32)
    expression = sp.csr_matrix((values, rows.indices.copy(), rows.indptr.copy()), shape=rows.shape)
    expression.eliminate_zeros()
    return expression


def variable_genes(
    expression: sp.csr_matrix, n_genes: int = N_VARIABLE_GENES, *, flavor: Flavor = "seurat"
) -> NDArray[np.int64]:
    """Pick the genes that vary most, by default those with the highest normalized dispersion, in their order.

    Parameters
    ----------
    expression
        (N, G) log1p expression; raw counts for the flavor "seurat_v3".

    Raises
    ------
    RequestError
        If the flavor cannot order the genes of so few cells.

    References
    ----------
    Satija et al. (2015), doi:10.1038/nbt.3192; Zheng et al. (2017), doi:10.1038/ncomms14049; Stuart et al. (2019),
    doi:10.1016/j.cell.2019.05.031; each as scanpy computes it.
    """
    import scanpy as sc

    detected = np.flatnonzero(np.asarray(expression.sum(axis=0)).ravel() > 0)
    if len(detected) <= n_genes:
        return detected
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # scanpy speaks of its own future here
            table = sc.pp.highly_variable_genes(
                AnnData(expression[:, detected]), n_top_genes=n_genes, flavor=flavor, inplace=False
            )
    except ValueError as error:  # its curve or its bins do not fit
        raise RequestError(
            f"Variable genes cannot be chosen by {flavor} from {counted(len(detected), 'gene')} of "
            f"{expression.shape[0]:,} cells: {error}.",
            hint="Choose another flavor, or read all genes.",
        ) from error
    return detected[np.flatnonzero(table["highly_variable"].to_numpy())]


def residual_variance(counts: sp.csr_matrix, *, dispersion: float = 100.0) -> NDArray[np.float64]:
    """Tell how far genes vary beyond what depth and chance explain, (G,); 0 for genes without counts.

    The variance of Pearson residuals of a negative binomial model, which holds genes of all levels to one scale; the
    normalized dispersion of `variable_genes` prefers genes that few cells have.

    Parameters
    ----------
    counts
        (N, G) raw counts.
    dispersion
        Of the model; counts of larger ones are closer to Poisson.

    References
    ----------
    Lause et al. (2021), doi:10.1186/s13059-021-02451-7.
    """
    of_cells = np.asarray(counts.sum(axis=1), dtype=np.float64)  # (N, 1)
    of_genes = np.asarray(counts.sum(axis=0), dtype=np.float64)  # (1, G)
    columns, most = sp.csc_matrix(counts), np.sqrt(counts.shape[0])
    found = np.zeros(counts.shape[1])
    for start in range(0, len(found), GENES_PER_BLOCK):
        block = slice(start, start + GENES_PER_BLOCK)
        expected = of_cells @ of_genes[:, block] / max(of_cells.sum(), 1.0)  # (N, B)
        spread = np.sqrt(expected + expected**2 / dispersion)
        off = columns[:, block].toarray() - expected
        residuals = np.divide(off, spread, out=np.zeros_like(off), where=spread > 0)
        found[block] = residuals.clip(-most, most).var(axis=0)
    return found


def principal_components(
    expression: sp.csr_matrix,
    *,
    genes: NDArray[np.int64] | None = None,
    fit_rows: NDArray[np.int64] | None = None,
    n_components: int = N_COMPONENTS,
    seed: int = 0,
) -> NDArray[np.float32]:
    """Project cells on their first principal components.

    Parameters
    ----------
    expression
        (N, G) log1p expression.
    genes
        Columns to use; all by default.
    fit_rows
        Cells that decide the components, such as those of a training split; all by default.

    Returns
    -------
    (N, n_components) scores; fewer columns where there are fewer cells or genes. Those of components that hold no
    more than rounding are 0, since they would tell equal cells apart, each time otherwise.
    """
    from sklearn.decomposition import PCA

    chosen = expression if genes is None else expression[:, genes]
    fitted = chosen if fit_rows is None else chosen[fit_rows]
    n_components = min(n_components, min(fitted.shape) - 1)
    few = fitted.shape[0] <= SMALL
    pca = PCA(n_components=n_components, svd_solver="full" if few else "arpack", random_state=seed)
    pca.fit(fitted.toarray() if few else fitted)
    scores: NDArray[np.float32] = pca.transform(chosen).astype(np.float32)
    scores[:, pca.singular_values_ <= ROUNDING * pca.singular_values_[0]] = 0.0
    return scores
