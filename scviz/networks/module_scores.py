"""How strongly cells express sets of genes, beside control genes that are expressed alike."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

CONTROLS = 50
"""Control genes of each bin of expression."""
BINS = 25


def module_scores(
    expression: sp.csr_matrix,
    modules: Sequence[NDArray[np.integer]],
    *,
    bins: NDArray[np.int64] | None = None,
    seed: int = 0,
) -> NDArray[np.float32]:
    """Score modules in cells: their mean expression less that of control genes.

    Controls are up to 50 random genes of each bin of mean expression in which the module has a gene, without its own.

    Parameters
    ----------
    expression
        (N, G) log1p expression.
    modules
        M arrays of columns.
    bins
        (G,) bin of expression of each gene; of these cells if it is left out.
    seed
        Of the draw, the same for each module.

    Returns
    -------
    (N, M).

    References
    ----------
    Satija et al. (2015), doi:10.1038/nbt.3192, with the draws of `scanpy.tl.score_genes`.
    """
    weights = np.zeros((expression.shape[1], len(modules)))
    bins = expression_bins(expression) if bins is None else bins
    for column, module in enumerate(modules):
        controls = control_genes(bins, module, seed=seed)
        weights[controls, column] = -1 / len(controls) if len(controls) else 0
        weights[module, column] = 1 / len(module)
    return np.asarray(expression @ weights, dtype=np.float32)


def expression_bins(expression: sp.csr_matrix, n_bins: int = BINS) -> NDArray[np.int64]:
    """Put genes of like mean expression over cells, (N, G), into one bin, (G,)."""
    sums = np.asarray(expression.sum(axis=0)).ravel()  # in the precision of the matrix, as scanpy adds up
    return bins_of_means(sums / expression.shape[0], n_bins)


def bins_of_means(means: NDArray[np.floating], n_bins: int = BINS) -> NDArray[np.int64]:
    """Put genes of like mean expression, (G,), into one bin, (G,)."""
    from scipy.stats import rankdata  # pages stretch scores, and never rank genes

    per_bin = max(1, int(np.round(len(means) / (n_bins - 1))))
    return np.asarray(rankdata(means, method="min") // per_bin, dtype=np.int64)


def control_genes(
    bins: NDArray[np.int64], module: NDArray[np.integer], *, seed: int = 0
) -> NDArray[np.int64]:
    """Draw the control genes of a module, ascending.

    Parameters
    ----------
    bins
        (G,) bin of expression of each gene.
    """
    draws = np.random.RandomState(seed)  # the generator of scanpy, so that the same genes are drawn
    found = []
    for number in np.unique(bins[module]):
        alike = np.flatnonzero(bins == number)
        if len(alike) > CONTROLS:
            alike = alike[draws.choice(len(alike), CONTROLS, replace=False)]
        found.append(alike)
    return np.setdiff1d(np.concatenate(found), module).astype(np.int64)


def zero_to_one(scores: NDArray[np.floating], axis: int = 0) -> NDArray[np.float32]:
    """Stretch values, (N, M), from 0 to 1 along an axis, as published: scores over cells; equal ones become 0.

    NaN is left out.

    Examples
    --------
    >>> zero_to_one(np.array([[1.0, 5.0], [3.0, 5.0]])).tolist()
    [[0.0, 0.0], [1.0, 0.0]]
    """
    low, high = np.nanmin(scores, axis=axis, keepdims=True), np.nanmax(scores, axis=axis, keepdims=True)
    span = np.broadcast_to(high - low, scores.shape)
    stretched = np.zeros(scores.shape, dtype=np.float32)
    np.divide(scores - low, span, out=stretched, where=span > 0, casting="same_kind")
    return stretched
