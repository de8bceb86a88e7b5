"""From raw counts to what plain methods read: log expression, variable genes, principal components."""

from __future__ import annotations

import warnings

import numpy as np
import scipy.sparse as sp
from anndata import AnnData
from numpy.typing import NDArray

TARGET_SUM = 1e4
"""Counts per cell after normalization; the field's habit."""

N_VARIABLE_GENES = 2000
N_COMPONENTS = 50
GENES_PER_BLOCK = 500
"""Genes of all cells that are dense at a time."""


def log_expression(counts: sp.csr_matrix) -> sp.csr_matrix:
    """Scale each cell to 10,000 counts and take log1p.

    Parameters
    ----------
    counts
        (N, G) raw counts.

    Returns
    -------
    (N, G) float32; cells without counts stay 0.

    Examples
    --------
    >>> log_expression(sp.csr_matrix([[1.0, 1.0]])).toarray().round(3)
    array([[8.517, 8.517]], dtype=float32)
    """
    totals = np.asarray(counts.sum(axis=1), dtype=np.float64).ravel()
    factors = np.divide(TARGET_SUM, totals, out=np.zeros_like(totals), where=totals > 0)
    expression = sp.csr_matrix(sp.diags(factors) @ counts.astype(np.float64))
    expression.data = np.log1p(expression.data)
    return expression.astype(np.float32)


def variable_genes(expression: sp.csr_matrix, n_genes: int = N_VARIABLE_GENES) -> NDArray[np.int64]:
    """Pick the genes with the highest normalized dispersion, in their order.

    Parameters
    ----------
    expression
        (N, G) log1p expression.

    References
    ----------
    Satija et al. (2015), doi:10.1038/nbt.3192, as scanpy computes it.
    """
    import scanpy as sc

    detected = np.flatnonzero(np.asarray(expression.sum(axis=0)).ravel() > 0)
    if len(detected) <= n_genes:
        return detected
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scanpy speaks of its own future here
        table = sc.pp.highly_variable_genes(
            AnnData(expression[:, detected]), n_top_genes=n_genes, flavor="seurat", inplace=False
        )
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
    (N, n_components) scores; fewer columns where there are fewer cells or genes.
    """
    from sklearn.decomposition import PCA

    chosen = expression if genes is None else expression[:, genes]
    fitted = chosen if fit_rows is None else chosen[fit_rows]
    n_components = min(n_components, min(fitted.shape) - 1)
    pca = PCA(n_components=n_components, svd_solver="arpack", random_state=seed).fit(fitted)
    scores: NDArray[np.float32] = pca.transform(chosen).astype(np.float32)
    return scores
